"""Proofs and refutations of dh(z)·(c F₀ + G_a)(z) = 0.

A proof is an expansion over Q: every coordinate, cotangent, drift weight, symbolic constant and token is a variable,
and the numerators must be the zero polynomial. A refutation is a nonzero value mod p: the evaluation is a
homomorphism, so what is nonzero there is nonzero. Random points alone prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.polynomials import Polynomials, TooLarge
from geoflow.exact.program import Program, UnsupportedPrimitive
from geoflow.exact.radicals import has_roots
from geoflow.exact.rationals import Rationals
from geoflow.laws.differential import Differential, random_tokens
from geoflow.laws.refutation import is_plain, refute
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants
from geoflow.lie.point import ModularPoint, defined_letter, draw_point
from geoflow.results import Verdict

_TRIALS = 3


def decide(
    generator: Generator,
    differential: Differential,
    places: Sequence[ModularPoint],
    seed: int,
    deadline: Deadline = Deadline(),
) -> Verdict:
    """The verdict on "every entry of every expression is conserved"."""
    if has_roots(differential.program):
        places = _joint_places(generator, differential, seed, places[0])
    outcomes = vanishes(generator, differential, places, seed)
    if False in outcomes and not is_plain(generator):
        moved = differential.decides and refute(generator, differential, "h", seed) is not None
        return "refuted" if moved else "undecided"
    if False in outcomes:
        # with roots a further point may lie in another open set than the first, of which the verdict is
        certain = outcomes[0] is False or not has_roots(generator.program)
        return "refuted" if differential.decides and certain else "undecided"
    try:
        if expands_to_zero(generator, differential, deadline):
            return "proved"
        rooted = any(map(has_roots, _programs(generator, differential)))
        if differential.decides and not rooted and is_plain(generator):
            return "refuted"
    except (TooLarge, UnluckyPoint, UnsupportedPrimitive):
        pass
    return "probable" if outcomes.count(True) > 1 else "undecided"


def _joint_places(
    generator: Generator, differential: Differential, seed: int, place: ModularPoint
) -> list[ModularPoint]:
    """A point at which the roots of the law are chosen together with those of the flow: roots chosen apart come from
    no homomorphism. One only, near the flow's point where that takes roots too: another may lie in another open set.
    None where the law has a symbolic constant of its own, or no point is found."""
    rng = np.random.default_rng([seed, 0x6A6F69])
    own = {n: v for n, v in differential.constants.items() if n not in generator.flow.constants}
    if any(v is None for v in own.values()):
        return []

    def visit(ring: Rationals, constants: Field, point: Field) -> None:
        tokens = [ring.constant(Fraction(1), (1, 1, *s)) for s in differential.tokens.shapes]
        still = {n: ring.zeros(v.shape) for n, v in point.items()}
        differential(ring, {**exact_constants(ring, own, {}), **constants}, point, tokens, still)

    try:
        near = place if has_roots(generator.program) else None
        return [draw_point(generator, rng, visit, near)]
    except (UnluckyPoint, UnsupportedPrimitive):
        return []


def vanishes(
    generator: Generator, differential: Differential, places: Sequence[ModularPoint], seed: int
) -> list[bool | None]:
    """By point, whether dh·X vanishes for random letters; None where it cannot be evaluated."""
    rng = np.random.default_rng([seed, 0x6C6177])
    outcomes: list[bool | None] = []
    for place in places:
        try:
            letter = defined_letter(generator, place, rng, _TRIALS)
            direction = generator(place.field, place.constants, place.point, letter)
            constants, tokens = modular_inputs(differential, place, rng)
            values = differential(place.field, constants, place.point, tokens, direction)
        except (UnluckyPoint, UnsupportedPrimitive):
            outcomes.append(None)
            continue
        outcomes.append(not any(np.any(v) for v in values))
    return outcomes


def modular_inputs(
    differential: Differential, place: ModularPoint, rng: np.random.Generator
) -> tuple[Field, list[np.ndarray]]:
    """Constants (the flow's at the point, the law's own) and random tokens over the point's field."""
    field, known = place.field, place.constants
    symbolic = {
        n: rng.integers(1, field.p, (1, 1)) for n, v in differential.constants.items() if v is None
    }
    constants = exact_constants(field, differential.constants, symbolic) | known
    return constants, random_tokens(differential, field, rng)


def expands_to_zero(
    generator: Generator, differential: Differential, deadline: Deadline = Deadline()
) -> bool:
    """Expand dh·X over Q and compare with zero.

    Raises:
        TooLarge: the expansion has too many terms. UnluckyPoint: a denominator is identically zero.
        UnsupportedPrimitive: see `exact.interpreter`.
    """
    flow = generator.flow
    unknown = [n for n, v in differential.constants.items() if v is None]
    token_shapes = differential.tokens.shapes
    shapes: list[tuple[int, ...]] = [
        *[() for _ in unknown],
        *[b.shape for b in flow.state],
        *token_shapes,
        (),
        *(c.shape for c in generator.controls),
    ]
    programs = _programs(generator, differential)
    roots = sum(
        int(np.prod(s, dtype=np.int64))
        for p in programs
        for i in p.instructions
        if i.primitive in ("sqrt", "rsqrt", "pow")
        for s in i.out_shapes
    )
    ring, variables = Polynomials.in_shapes(shapes, roots, deadline)
    arrays = iter(variables)
    symbolic = {n: next(arrays) for n in unknown}
    point = {b.name: next(arrays) for b in flow.state}
    tokens = [next(arrays) for _ in token_shapes]
    letter = Letter(next(arrays), tuple(next(arrays) for _ in generator.controls))
    own = {n: symbolic[n] for n in flow.symbolic_constants}
    direction = generator(ring, exact_constants(ring, flow.constants, own), point, letter)
    constants = exact_constants(ring, differential.constants, symbolic)
    values = differential(ring, constants, point, tokens, direction)
    return all(ring.is_zero(x) for v in values for x in v.flat)


def _programs(generator: Generator, differential: Differential) -> tuple[Program, Program]:
    return generator.program, differential.program


def gradient_rows(differential: Differential, place: ModularPoint, seed: int = 0) -> np.ndarray:
    """Gradients of all entries at a point over F_p, [entries, N].

    Raises:
        UnluckyPoint, UnsupportedPrimitive: as the interpreter.
    """
    rng = np.random.default_rng([seed, 0x677261])
    flow, field = differential.flow, place.field
    n = flow.dimension
    direction, start = {}, 0
    identity = np.eye(n, dtype=np.int64)
    for b in flow.state:
        direction[b.name] = identity[:, start : start + b.size].reshape(1, n, *b.shape)
        start += b.size
    constants, tokens = modular_inputs(differential, place, rng)
    values = differential(field, constants, place.point, tokens, direction)
    rows = [np.broadcast_to(v[0], (n, *v.shape[2:])).reshape(n, -1).T for v in values]
    return np.concatenate(rows) if rows else np.zeros((0, n), dtype=np.int64)
