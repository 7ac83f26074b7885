"""A formula for the counts of a sweep: found on some sizes, tried on others. It is never a proof.

A share of the sizes is held out. A formula that fits the others is tried on those; where it is wrong, sizes that refute
it join the others, and a new one is sought. Only sizes that no formula was ever fitted to count as verified.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping

from geoflow.rows import Branch, Formula, Sizes
from geoflow.sweep.branches import Counts, Pieces, piecewise
from geoflow.sweep.fitting import Point
from geoflow.sweep.wording import condition_text, polynomial_text

_FEWEST = 4  # sizes that a formula can be told from
_HELD_OUT = 3  # one size in so many is held out
_MOST_FITTED = 120  # sizes at the start; the others are held out too
_MORE = 20  # sizes that join after a round
_ROUNDS = 6
_SMALL, _PARTINGS = 40, 4  # few sizes are parted in several ways
_RARE = 10  # at most one size in so many is an exception
_EXCEPTION_COST = 8


def discover(counts: Mapping[Sizes, int]) -> Formula | None:
    """The simplest formula found that is right on all the sizes, but for a few that it names; None without one."""
    if len(counts) < _FEWEST:
        return None
    names = tuple(name for name, _ in next(iter(counts)))
    known = {tuple(v for _, v in sizes): count for sizes, count in counts.items()}
    points = sorted(known)
    partings = _PARTINGS if len(points) <= _SMALL else 1
    formulas = (_discovered(names, known, points, seed) for seed in range(partings))
    return next((formula for formula in formulas if formula is not None), None)


def _discovered(
    names: tuple[str, ...], known: Counts, points: list[Point], seed: int
) -> Formula | None:
    """A formula, from one way to part the sizes into those it is fitted to and those held out."""
    points = random.Random(seed).sample(points, len(points))
    share = min(_MOST_FITTED, len(points) - len(points) // _HELD_OUT)
    fitted, held = points[:share], points[share:]
    for _ in range(_ROUNDS):
        found = _explained({point: known[point] for point in fitted})
        if found is None or not held:
            return None
        wrong = [point for point in held if found.at(point) != known[point]]
        if not wrong:
            rare = sorted(point for point in fitted if found.at(point) != known[point])
            few = len(rare) * _RARE <= len(known) and _tried(found, held)
            return _told(found, names, known, rare, len(held)) if few else None
        joining = set(wrong[:_MORE])
        fitted = [*fitted, *joining]
        held = [point for point in held if point not in joining]
    return None


def _tried(found: Pieces, held: list[Point]) -> bool:
    """Whether every piece was tried on a size that it was not fitted to."""
    return all(any(piece.holds(point) for point in held) for piece in found.pieces)


def _told(
    found: Pieces, names: tuple[str, ...], known: Counts, rare: list[Point], verified: int
) -> Formula:
    branches = tuple(
        Branch(
            polynomial_text(piece.polynomial, names, piece.conditions),
            condition_text(piece, names),
        )
        for piece in found.pieces
    )
    exceptions = tuple((tuple(zip(names, p, strict=True)), known[p]) for p in rare)
    return Formula(branches, len(known) - verified, verified, exceptions)


def _explained(counts: Counts) -> Pieces | None:
    """The simplest pieces for the counts, up to few exceptions."""
    exact = piecewise(counts)
    if exact is not None and len(exact.pieces) < 3:
        return exact
    found = [] if exact is None else [(exact.cost, exact)]
    for slice_ in _slices(list(counts)):
        rest = {point: n for point, n in counts.items() if point not in slice_}
        pieces = piecewise(rest, depth=1)
        if pieces is not None:
            rare = sum(pieces.at(point) != counts[point] for point in slice_)
            found.append((pieces.cost + rare * _EXCEPTION_COST, pieces))
    return min(found, key=lambda pair: pair[0], default=(0, None))[1]


def _slices(points: list[Point]) -> Iterator[frozenset[Point]]:
    """Few points where one or two sizes, or all, are as small as they get: where exceptions are."""
    least = tuple(map(min, zip(*points, strict=True)))
    axes = range(len(least))
    groups = [*itertools.combinations(axes, 1), *itertools.combinations(axes, 2), tuple(axes)]
    seen: set[frozenset[Point]] = set()
    for group in groups:
        slice_ = frozenset(p for p in points if all(p[i] == least[i] for i in group))
        if slice_ and len(slice_) * _RARE <= len(points) and slice_ not in seen:
            seen.add(slice_)
            yield slice_
