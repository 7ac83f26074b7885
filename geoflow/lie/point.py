"""Random points of the state over a prime field, with the randomness of a seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from geoflow.exact.elimination import PRODUCT_BITS
from geoflow.exact.estimates import Estimates
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.program import UnsupportedPrimitive, live
from geoflow.exact.radicals import MOST_INDEPENDENT, ROOTS, Radicands, RootSystem, has_roots
from geoflow.exact.rationals import Rationals
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants

INTEGER_BITS = 20  # size of the integer points at which radicands are computed over Z
_NEARBY = 2**10  # far below the distance between integer points of INTEGER_BITS
_TRIES = 60
_LARGE_STATE = 1000
_CHUNK = 2**22  # numbers in one array of one evaluation


@dataclass(frozen=True)
class ModularPoint:
    """A prime field, the constants in it, and a point. `integers` are the coordinates in the order of the state,
    `sample_size` the least size of a set that a number of it is drawn from."""

    field: PrimeField
    constants: dict[str, np.ndarray]
    point: Field
    integers: tuple[int, ...]
    sample_size: int
    whole: Field  # the point before reduction
    symbolic: dict[str, np.ndarray]  # symbolic constants before reduction


# runs a further program at a rational point: (ring, the flow's constants, point)
Visit = Callable[[Rationals, Field, Field], object]


def draw_point(
    generator: Generator,
    rng: np.random.Generator,
    visit: Visit | None = None,
    near: ModularPoint | None = None,
) -> ModularPoint:
    """A random point at which no denominator vanishes. The square roots that `visit` takes are chosen together with
    those of the flow. Where the flow takes roots, verdicts are for an open set: further points are drawn `near` one.

    Raises:
        UnluckyPoint: none was found in many tries: the flow is defined nowhere, for all we know.
        UnsupportedPrimitive: a primitive without a rule, or too many independent square roots.
    """
    rooted = (has_roots(generator.program) and not generator.estimated) or visit is not None
    for _ in range(_TRIES):
        try:
            found = (
                _draw_with_roots(generator, rng, visit, near) if rooted else _draw(generator, rng)
            )
            if len(random_words(generator, found, rng, 0, 1)):
                return found
        except UnluckyPoint:
            continue
    raise UnluckyPoint


def _draw(generator: Generator, rng: np.random.Generator) -> ModularPoint:
    flow, prime = generator.flow, _prime(generator, rng)
    field = Estimates(prime) if generator.estimated else PrimeField(prime)
    symbolic = {n: rng.integers(1, field.p, (1, 1)) for n in flow.symbolic_constants}
    point = {b.name: rng.integers(1, field.p, (1, 1, *b.shape)) for b in flow.state}
    return _point(generator, field, symbolic, point, field.p - 1)


def _draw_with_roots(
    generator: Generator, rng: np.random.Generator, visit: Visit | None, near: ModularPoint | None
) -> ModularPoint:
    """A positive integer point, and a prime modulo which all its radicands have roots."""
    flow, top = generator.flow, 2**INTEGER_BITS
    if near is None:
        symbolic = {n: rng.integers(1, top, (1, 1)) for n in flow.symbolic_constants}
        point = {b.name: rng.integers(1, top, (1, 1, *b.shape)) for b in flow.state}
    else:
        top = _NEARBY
        symbolic = {n: v + rng.integers(0, top, (1, 1)) for n, v in near.symbolic.items()}
        point = {n: v + rng.integers(0, top, v.shape) for n, v in near.whole.items()}
    ring = Radicands()
    constants = exact_constants(
        ring, flow.constants, {n: ring.literal(v) for n, v in symbolic.items()}
    )
    still = Letter(
        ring.zeros((1, 1)), tuple(ring.zeros((1, 1, *c.shape)) for c in generator.controls)
    )
    place = {n: ring.literal(v) for n, v in point.items()}
    generator(ring, constants, place, still)
    if visit is not None:
        visit(ring, constants, place)
    system = RootSystem(ring.radicands)
    if len(system.independent) > MOST_INDEPENDENT:
        raise UnsupportedPrimitive(f"more than {MOST_INDEPENDENT} independent square roots")
    for _ in range(64 * 2 ** len(system.independent)):
        prime = _prime(generator, rng)
        roots = system.roots(prime)
        if roots is not None:
            sample = min(top, prime) - 1  # letters are drawn mod p
            return _point(generator, PrimeField(prime, roots), symbolic, point, sample)
    raise UnluckyPoint


def _prime(generator: Generator, rng: np.random.Generator) -> int:
    """Smaller ones for large states, where elimination is most of the time."""
    if generator.flow.dimension < _LARGE_STATE:
        return draw_prime(rng)
    return draw_prime(rng, PRODUCT_BITS)


def whole_point(generator: Generator, field: PrimeField, whole: Field) -> ModularPoint:
    """A given point of integers, for a flow without symbolic constants."""
    return _point(generator, field, {}, whole, 0)


def _point(
    generator: Generator,
    field: PrimeField,
    symbolic: dict[str, np.ndarray],
    point: Field,
    sample_size: int,
) -> ModularPoint:
    constants = exact_constants(
        field, generator.flow.constants, {n: v % field.p for n, v in symbolic.items()}
    )
    integers = tuple(int(x) for b in generator.flow.state for x in point[b.name].ravel())
    reduced = {n: (v % field.p).astype(np.int64) for n, v in point.items()}
    return ModularPoint(field, constants, reduced, integers, sample_size, point, symbolic)


def random_letter(
    generator: Generator, field: PrimeField, rng: np.random.Generator, batch: int
) -> Letter:
    """Random controls and drift weights, independent over the batch."""
    weight = rng.integers(1, field.p, (1, batch))
    return Letter(
        weight, generator.draw_controls(lambda s: rng.integers(0, field.p, s), rng, batch)
    )


# letters for so many words: (generator, place, rng, batch)
DrawLetter = Callable[[Generator, "ModularPoint", np.random.Generator, int], Letter]


def free_letter(
    generator: Generator, place: ModularPoint, rng: np.random.Generator, batch: int
) -> Letter:
    """A random letter with free gates."""
    return random_letter(generator, place.field, rng, batch)


def random_words(
    generator: Generator,
    place: ModularPoint,
    rng: np.random.Generator,
    depth: int,
    count: int,
    draw: DrawLetter = free_letter,
) -> np.ndarray:
    """Random words of `depth` brackets at the point, about `count` rows [rows, N], in chunks that bound the memory.
    Where values of roots depend on data, data at which one does not exist are rejected and drawn again."""
    widest = max([math.prod(s) for i in generator.program.instructions for s in i.out_shapes] + [1])
    chunk = max(1, _CHUNK // (widest * 3**depth))
    if isinstance(place.field, Estimates):
        draw = _with_roots(draw)
    parts: list[np.ndarray] = []
    for start in range(0, count, chunk):
        size = min(chunk, count - start)
        field = place.field.fresh() if isinstance(place.field, Estimates) else place.field
        letters = [draw(generator, place, rng, size) for _ in range(depth + 1)]
        value = generator.word(field, place.constants, place.point, letters)
        rows = generator.rows(value, size)
        parts.append(rows[field.usable(size)] if isinstance(field, Estimates) else rows)
    return np.concatenate(parts)


def _with_roots(draw: DrawLetter) -> DrawLetter:
    """Letters at which all square roots exist mod p: others are rejected and drawn again."""

    def drawn(
        generator: Generator, place: ModularPoint, rng: np.random.Generator, batch: int
    ) -> Letter:
        program = generator.program
        roots = [s for i in program.instructions if i.primitive in ROOTS for s in i.outputs]
        if not roots:
            return draw(generator, place, rng, batch)
        probe = replace(
            program, outputs=tuple(roots), instructions=live(program.instructions, roots)
        )
        only = replace(generator, program=probe)
        kept: list[Letter] = []
        for _ in range(_TRIES):
            count = max(batch, 16) * generator.redundancy
            letter, field = draw(generator, place, rng, count), Estimates(place.field.p)
            only.run(field, place.constants, place.point, letter)
            good = np.flatnonzero(field.usable(count))
            kept.append(Letter(letter.weight[:, good], tuple(c[:, good] for c in letter.controls)))
            if sum(x.weight.shape[1] for x in kept) >= batch:
                break
        else:
            raise UnluckyPoint
        weight = np.concatenate([x.weight for x in kept], axis=1)[:, :batch]
        controls = zip(*(x.controls for x in kept), strict=True)
        return Letter(weight, tuple(np.concatenate(c, axis=1)[:, :batch] for c in controls))

    return drawn
