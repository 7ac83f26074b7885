"""Laws in blocks: combinations of matrix terms that are conserved in some of their entries only.

With merged heads, say, Q Qᵀ − K Kᵀ is conserved in its diagonal blocks alone. The nullspace over the terms is taken
entry by entry; each combination found is kept for all the entries where it holds, written as few, large slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd, lcm, prod

import numpy as np

from geoflow.exact import linalg
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import draw_prime
from geoflow.expr.build import multiply
from geoflow.expr.tree import Apply, Expr, Shape
from geoflow.laws.dictionary import Combination, Samples, TermSampler, rows_of
from geoflow.laws.factors import TimeFactor
from geoflow.laws.matrix_form import expression
from geoflow.lie.bracket import Generator

MOST_TERMS = 60
MOST_ENTRIES = 600
_MOST_COMBINATIONS = 12
_MOST_SLICES = 12


def block_laws(
    generator: Generator, terms: Sequence[Expr], factor: TimeFactor, seed: int
) -> list[Expr]:
    """Candidates (Σ αⱼ Tⱼ)[slices], times the factor; those that hold in all entries are left out."""
    groups: dict[Shape, list[int]] = {}
    for j, term in enumerate(terms):
        groups.setdefault(term.shape, []).append(j)
    groups = {
        shape: chosen[:MOST_TERMS]
        for shape, chosen in groups.items()
        if 1 < prod(shape) <= MOST_ENTRIES and 0 not in shape
    }
    if not groups:
        return []
    sampler = TermSampler(generator, terms, factor.rate)
    rng = np.random.default_rng([seed, 0x626C6F])
    count = (max(map(len, groups.values())) + 4) * generator.root_redundancy
    try:
        samples = sampler.draw(rng, draw_prime(rng), count)
    except UnluckyPoint:
        return []
    found: list[Expr] = []
    for shape, chosen in groups.items():
        for combination, where in _combinations(samples, chosen, shape):
            law = expression(combination, terms)
            for piece in _slices(law, where):
                found.append(piece if factor.factor is None else multiply(factor.factor, piece))
    return found


def _combinations(
    samples: Samples, chosen: Sequence[int], shape: Shape
) -> Iterator[tuple[Combination, np.ndarray]]:
    """Combinations with the entries [*shape] where they hold, those of most entries first."""
    p, entries = samples.prime, prod(shape)
    rows = rows_of(samples, chosen, [()]).reshape(-1, entries, len(chosen))
    everywhere = linalg.nullspace(np.ascontiguousarray(rows.reshape(-1, len(chosen))), p)
    spaces = [linalg.nullspace(np.ascontiguousarray(rows[:, e]), p) for e in range(entries)]
    met: dict[tuple[int, ...], np.ndarray] = {}
    for space in spaces:
        if len(space) == len(everywhere):
            continue
        for vector in space:
            key = tuple(int(x) for x in vector)
            if key not in met and len(met) < _MOST_COMBINATIONS * entries:
                met[key] = np.array([_holds(rows[:, e], vector, p) for e in range(entries)])
    kept = [(v, w) for v, w in met.items() if not w.all()]
    kept.sort(key=lambda vw: (-int(vw[1].sum()), sum(x != 0 for x in vw[0]), vw[0]))
    for vector, where in kept[:_MOST_COMBINATIONS]:
        combination = _rational(vector, chosen, p)
        if combination is not None:
            yield combination, where.reshape(shape)


def _holds(rows: np.ndarray, vector: np.ndarray, p: int) -> bool:
    total = np.zeros(len(rows), dtype=np.int64)
    for column, x in zip(rows.T, vector, strict=True):
        total = (total + column * x) % p
    return not total.any()


def _rational(vector: Sequence[int], chosen: Sequence[int], p: int) -> Combination | None:
    """The vector over Q, primitive; None where one prime does not give it."""
    values = [linalg.reconstruct(x, p) for x in vector]
    if any(v is None for v in values):
        return None
    exact = [v for v in values if v is not None]
    scale = lcm(*(v.denominator for v in exact))
    whole = [int(v * scale) for v in exact]
    common = gcd(*whole) * (1 if next(x for x in whole if x) > 0 else -1)
    return Combination(
        {(j, ()): Fraction(x // common) for j, x in zip(chosen, whole, strict=True) if x}
    )


def _slices(law: Expr, where: np.ndarray) -> Iterator[Expr]:
    """The law on boxes that cover the entries where it holds; nothing where they are too many."""
    boxes = list(boxes_of(where))
    for box in boxes if len(boxes) <= _MOST_SLICES else ():
        items = tuple(start if stop - start == 1 else (start, stop, 1) for start, stop in box)
        shape = tuple(stop - start for start, stop in box if stop - start > 1)
        yield Apply("index", (law,), shape, (("items", items),))


def boxes_of(where: np.ndarray) -> Iterator[tuple[tuple[int, int], ...]]:
    """Boxes of contiguous true entries that cover all of them: each grown from the first entry not yet covered, to
    the greatest size."""
    left = where.copy()
    while left.any():
        corner = tuple(int(i) for i in np.argwhere(left)[0])
        box = max(_boxes_at(where, corner), key=lambda b: prod(stop - start for start, stop in b))
        left[tuple(slice(*side) for side in box)] = False
        yield box


def _boxes_at(where: np.ndarray, corner: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], ...]]:
    """The boxes with this corner that are true throughout and cannot be made longer along the last axis."""
    if not corner:
        yield ()
        return
    first, *rest = corner
    for stop in range(first + 1, len(where) + 1):
        common = np.asarray(where[first:stop].all(axis=0))
        if not common[tuple(rest)]:
            return
        for inner in _boxes_at(common, tuple(rest)):
            yield ((first, stop), *inner)
