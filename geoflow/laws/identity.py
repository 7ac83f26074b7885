"""Proofs and refutations of dh(z)·(c F₀ + G_a)(z) = 0.

A proof is an expansion over Q (`laws.abstraction`): every coordinate, cotangent, drift weight, symbolic constant and
token is a variable, and the numerators must be the zero polynomial. A refutation is a nonzero value mod p: the
evaluation is a homomorphism, so what is nonzero there is nonzero. Random points alone prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.cut import Depth
from geoflow.exact.estimates import Estimates
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.quotient import TooLarge
from geoflow.exact.radicals import has_roots
from geoflow.exact.rationals import Rationals
from geoflow.laws.abstraction import Question, expand
from geoflow.laws.differential import Differential, modular_inputs
from geoflow.laws.refutation import is_plain, refute
from geoflow.laws.structural import is_large
from geoflow.lie.bracket import Field, Generator, exact_constants
from geoflow.lie.point import ModularPoint, draw_point
from geoflow.results import Verdict
from geoflow.structure.symmetries import Symmetries


@dataclass(frozen=True)
class Judgement:
    """A verdict; `reason` says why it is no proof, where that is known."""

    verdict: Verdict
    reason: str = ""


def decide(
    generator: Generator,
    differential: Differential,
    places: Sequence[ModularPoint],
    seed: int,
    deadline: Deadline = Deadline(),
) -> Verdict:
    """The verdict on "every entry of every expression is conserved"."""
    return judge(generator, differential, places, seed, deadline).verdict


def judge(
    generator: Generator,
    differential: Differential,
    places: Sequence[ModularPoint],
    seed: int,
    deadline: Deadline = Deadline(),
    symmetries: Symmetries | None = None,
) -> Judgement:
    """The verdict on "every entry of every expression is conserved", with the reason; probable at most where the fields
    are doubtful. What `symmetries` show needs no expansion."""
    found = _judged(generator, differential, places, seed, deadline, symmetries)
    holds = found.verdict in ("proved", "probable")
    if holds and not is_large(generator.flow) and not generator.has_value:
        return Judgement("undecided", "no point was found at which the flow has a value")
    doubts = generator.flow.doubts
    return Judgement(doubtful(found.verdict), "; ".join(doubts)) if doubts else found


def doubtful(verdict: Verdict) -> Verdict:
    """What is left of a verdict where its premises are only probable."""
    weaker: dict[Verdict, Verdict] = {"proved": "probable", "refuted": "probably refuted"}
    return weaker.get(verdict, verdict)


def _judged(
    generator: Generator,
    differential: Differential,
    places: Sequence[ModularPoint],
    seed: int,
    deadline: Deadline,
    symmetries: Symmetries | None,
) -> Judgement:
    if has_roots(differential.program):
        places = _joint_places(generator, differential, seed, places[0])
    shown = symmetries is not None and all(map(symmetries.show, differential.expressions))
    if shown and is_large(generator.flow):
        return Judgement("proved")
    outcomes = vanishes(generator, differential, places, seed)
    if False in outcomes and not is_plain(generator):
        moved = differential.decides and refute(generator, differential, "h", seed) is not None
        return Judgement("refuted" if moved else "undecided")
    if False in outcomes:
        # with roots a further point may lie in another open set than the first, of which the verdict is
        certain = outcomes[0] is False or not has_roots(generator.program)
        return Judgement("refuted" if differential.decides and certain else "undecided")
    if shown:
        return Judgement("proved")
    if is_large(generator.flow):
        reason = "the flow is too large for an expansion, and its scalings and changes of basis do not show the law"
        return Judgement("probable" if outcomes.count(True) > 1 else "undecided", reason)
    reason = ""
    try:
        place = next((p for p, zero in zip(places, outcomes, strict=True) if zero), None)
        found = expand(generator, differential, place, seed, deadline)
        if found.zero:
            return Judgement("proved")
        rooted = has_roots(generator.program) or has_roots(differential.program)
        plain = is_plain(generator) and not rooted
        if found.faithful and differential.decides and plain:
            return Judgement("refuted")
        if found.made:
            reason = "relations between values of exp, tanh, … are not used"
    except TooLarge as error:
        reason = str(error)
    except (UnluckyPoint, UnsupportedPrimitive):
        pass
    return Judgement("probable" if outcomes.count(True) > 1 else "undecided", reason)


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
    question = Question(generator, differential)
    whole = question.cut(Depth.NONE)
    return [question.vanishes(whole, place, rng) for place in places]


def gradient_rows(differential: Differential, place: ModularPoint, seed: int = 0) -> np.ndarray:
    """Gradients of all entries at a point over F_p, [entries, N].

    Raises:
        UnluckyPoint, UnsupportedPrimitive: as the interpreter.
    """
    rng = np.random.default_rng([seed, 0x677261])
    if isinstance(place.field, Estimates):  # values of its own would make one law two
        place = replace(place, field=PrimeField(place.field.p))
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
