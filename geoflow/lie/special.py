"""Ranks at a given point: the dimension of the orbit through an initialization.

**Theorem** (Hermann 1960, Nagano 1966; hypothesis: analytic fields). The orbit through z has the dimension of the Lie
algebra at z. At a special point (zero, balanced, symmetric weights) the rank can be below the generic one. Stagnation
proves nothing there: ∂x and x⁵∂y have ranks 1, 1, 1, 1, 1, 2 at x = 0. So N − rank is a proved upper bound of the
orbit's codimension, and the generic count a lower one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact import linalg
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.lie.bracket import Field, Generator, exact_constants
from geoflow.lie.closure import random_words
from geoflow.lie.point import ModularPoint

_FURTHER = 4  # depths to look on after the rank has stagnated
_MOST_DEPTH = 8


@dataclass(frozen=True)
class SpecialRanks:
    """Ranks by depth at the point."""

    ranks: tuple[int, ...]
    prime: int


def ranks_at(
    generator: Generator, point: Mapping[str, np.ndarray], seed: int, deadline: Deadline = Deadline()
) -> SpecialRanks:
    """Ranks of the brackets at `point`: arrays of `Fraction` by block.

    Raises:
        UnluckyPoint: the flow is not defined at the point.
    """
    rng = np.random.default_rng([seed, 0x737065])
    place = _place(generator, point, rng)
    n = generator.flow.dimension
    rows, ranks = np.zeros((0, n), dtype=np.int64), list[int]()
    still = 0
    for depth in range(_MOST_DEPTH):
        if (deadline.passed and ranks) or still > _FURTHER:
            break
        count = min(generator.flow.cotangent_size + generator.flow.has_drift, n) + 1
        rows = np.concatenate([rows, random_words(generator, place, rng, depth, min(count, n + 1))])
        rank = linalg.rank(rows, place.field.p)
        still = still + 1 if ranks and rank == ranks[-1] else 0
        ranks.append(rank)
        if rank == n:
            break
    while len(ranks) > 1 and ranks[-1] == ranks[-2]:
        ranks.pop()
    return SpecialRanks(tuple(ranks), place.field.p)


def _place(generator: Generator, point: Mapping[str, np.ndarray], rng: np.random.Generator) -> ModularPoint:
    flow = generator.flow
    field = PrimeField(draw_prime(rng))
    symbolic = {n: rng.integers(1, field.p, (1, 1)) for n in flow.symbolic_constants}
    residues: Field = {}
    for block in flow.state:
        values = np.asarray(point[block.name], dtype=object)
        flat = [field.fraction(Fraction(x)) for x in values.ravel()]
        residues[block.name] = np.array(flat, dtype=np.int64).reshape(1, 1, *block.shape)
    constants = exact_constants(field, flow.constants, symbolic)
    return ModularPoint(field, constants, residues, (), field.p - 1)


def at_rest(generator: Generator, theta: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A point of the state with these parameters, no velocity, and t = 1."""
    point = {}
    for block in generator.flow.state:
        if block.kind == "parameter":
            point[block.name] = theta[block.name]
        else:
            value = Fraction(1) if block.kind == "time" or block.positive else Fraction(0)
            point[block.name] = np.full(block.shape, value, dtype=object)
    return point


__all__ = ["SpecialRanks", "UnluckyPoint", "at_rest", "ranks_at"]
