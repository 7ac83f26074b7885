"""Random points of the state over a prime field, with the randomness of a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.radicals import MOST_INDEPENDENT, Radicands, RootSystem, has_roots
from geoflow.exact.rationals import Rationals
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants

INTEGER_BITS = 20  # size of the integer points at which radicands are computed over Z
_NEARBY = 2**10  # far below the distance between integer points of INTEGER_BITS
_TRIES = 60


@dataclass(frozen=True)
class ModularPoint:
    """A prime field, the constants in it, and a point. `integers` are the coordinates in the order of the state."""

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
    rooted = has_roots(generator.program) or visit is not None
    for _ in range(_TRIES):
        try:
            found = (
                _draw_with_roots(generator, rng, visit, near) if rooted else _draw(generator, rng)
            )
            letter = random_letter(generator, found.field, rng, 1)
            generator(found.field, found.constants, found.point, letter)
            return found
        except UnluckyPoint:
            continue
    raise UnluckyPoint


def _draw(generator: Generator, rng: np.random.Generator) -> ModularPoint:
    flow, field = generator.flow, PrimeField(draw_prime(rng))
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
    ones = Letter(ring.zeros((1, 1)), tuple(ring.zeros((1, 1, *s)) for s in flow.cotangents))
    place = {n: ring.literal(v) for n, v in point.items()}
    generator(ring, constants, place, ones)
    if visit is not None:
        visit(ring, constants, place)
    system = RootSystem(ring.radicands)
    if len(system.independent) > MOST_INDEPENDENT:
        raise UnsupportedPrimitive(f"more than {MOST_INDEPENDENT} independent square roots")
    for _ in range(64 * 2 ** len(system.independent)):
        prime = draw_prime(rng)
        roots = system.roots(prime)
        if roots is not None:
            return _point(generator, PrimeField(prime, roots), symbolic, point, top - 1)
    raise UnluckyPoint


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
    reduced = {n: v % field.p for n, v in point.items()}
    return ModularPoint(field, constants, reduced, integers, sample_size, point, symbolic)


def random_letter(
    generator: Generator, field: PrimeField, rng: np.random.Generator, batch: int
) -> Letter:
    """Random cotangents and drift weights, independent over the batch."""
    weight = rng.integers(1, field.p, (1, batch))
    return Letter(
        weight, tuple(rng.integers(0, field.p, (1, batch, *s)) for s in generator.flow.cotangents)
    )
