"""Ranks at a given point: the dimension of the orbit through an initialization.

**Theorem** (Hermann 1960, Nagano 1966; hypothesis: analytic fields). The orbit through z has the dimension of the Lie
algebra at z. At a special point (zero, balanced, symmetric weights) the rank can be below the generic one. Stagnation
proves nothing there: ∂x and x⁵∂y have ranks 1, 1, 1, 1, 1, 2 at x = 0. So N − rank is a proved upper bound of the
orbit's codimension, and the generic count a lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact import linalg
from geoflow.exact.dual import Arithmetic
from geoflow.exact.floats import Floats
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants

_FURTHER = 4  # depths to look on after the rank has stagnated
_MOST_DEPTH = 7
_LUCK = 4  # times as many words where fields choose, until they add nothing
_ROUND_OFF = 1e-9


@dataclass(frozen=True)
class SpecialRanks:
    """Ranks by depth at a point; `exact` where they were found over F_p and not in floating point."""

    ranks: tuple[int, ...]
    exact: bool


def ranks_at(
    generator: Generator,
    point: Mapping[str, np.ndarray],
    seed: int,
    deadline: Deadline = Deadline(),
) -> SpecialRanks:
    """Ranks of the brackets at a rational point: arrays of `Fraction` by block.

    Raises:
        UnluckyPoint: the flow is not defined at the point.
        UnsupportedPrimitive: the flow takes square roots.
    """
    rng = np.random.default_rng([seed, 0x737065])
    ring = PrimeField(draw_prime(rng))
    place: Field = {}
    for block in generator.flow.state:
        flat = [ring.fraction(Fraction(x)) for x in np.ravel(point[block.name])]
        place[block.name] = np.array(flat, dtype=np.int64).reshape(1, 1, *block.shape)

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        return rng.integers(0, ring.p, shape)

    ranks = _ranks(
        generator, ring, rng, place, draw, lambda rows: linalg.rank(rows, ring.p), deadline
    )
    return SpecialRanks(ranks, exact=True)


def numerical_ranks_at(
    generator: Generator,
    point: Mapping[str, np.ndarray],
    seed: int,
    deadline: Deadline = Deadline(),
) -> SpecialRanks:
    """The same at a point of floats, by singular values."""
    rng = np.random.default_rng([seed, 0x737065])
    place = {
        b.name: np.asarray(point[b.name], dtype=np.float64)[None, None]
        for b in generator.flow.state
    }

    def rank(rows: np.ndarray) -> int:
        size = np.linalg.norm(rows, axis=1, keepdims=True)
        values = np.linalg.svd(rows / np.where(size > _ROUND_OFF, size, 1), compute_uv=False)
        return int(np.sum(values > _ROUND_OFF * max(rows.shape)))

    ranks = _ranks(generator, Floats(), rng, place, rng.standard_normal, rank, deadline)
    return SpecialRanks(ranks, exact=False)


def _ranks(
    generator: Generator,
    ring: Arithmetic,
    rng: np.random.Generator,
    place: Field,
    draw: Callable[[tuple[int, ...]], np.ndarray],
    rank: Callable[[np.ndarray], int],
    deadline: Deadline,
) -> tuple[int, ...]:
    flow, n = generator.flow, generator.flow.dimension
    symbolic = {name: np.abs(draw((1, 1))) for name in flow.symbolic_constants}
    constants = exact_constants(ring, flow.constants, symbolic)
    rows, ranks, still = np.zeros((0, n)), list[int](), 0
    count = (generator.spanning_controls + 1) * (1 if generator.irreducible else _LUCK)
    found = 0
    for depth in range(_MOST_DEPTH):
        if (deadline.passed and ranks) or still > _FURTHER:
            break
        gained = True
        while gained:  # once, where one random field is as good as any
            letters = [
                Letter(draw((1, count)), generator.draw_controls(draw, rng, count))
                for _ in range(depth + 1)
            ]
            new = generator.rows(generator.word(ring, constants, place, letters), count)
            rows = np.concatenate([rows.astype(new.dtype), new])
            before, found = found, rank(rows)
            gained = found > before and not generator.irreducible
        still = still + 1 if ranks and found == ranks[-1] else 0
        ranks.append(found)
        if found == n:
            break
    while len(ranks) > 1 and ranks[-1] == ranks[-2]:
        ranks.pop()
    return tuple(ranks)


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
