"""Piecewise polynomials: branches on either side of thresholds a·sizes ≤ b with small integers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from geoflow.sweep.fitting import Point, Polynomial, fit

Counts = Mapping[Point, int]
MOST_SPLITS = 2  # one below another: four branches
_LARGEST = 2  # coefficient of a size in a threshold
_SHIFT = 3  # largest constant of a threshold between several sizes
_MIXED = 3  # sizes in a threshold
_TRIED_HALF = 8  # thresholds with a polynomial on one side that are split further
_TRIED_NEITHER = 12  # with none


@dataclass(frozen=True)
class Threshold:
    """a·x ≤ b, or with `beyond` a·x > b."""

    weights: tuple[int, ...]
    bound: int
    beyond: bool = False

    def holds(self, point: Point) -> bool:
        """Whether a point is on this side."""
        inside = sum(w * x for w, x in zip(self.weights, point, strict=True)) <= self.bound
        return inside != self.beyond

    @property
    def other(self) -> Threshold:
        """The other side."""
        return Threshold(self.weights, self.bound, not self.beyond)

    @property
    def cost(self) -> int:
        """Thresholds without constants, with few sizes and small weights, are simpler."""
        return sum(2 * abs(w) + 1 for w in self.weights if w) + 2 * abs(self.bound)


@dataclass(frozen=True)
class Piece:
    """A polynomial where some thresholds hold."""

    conditions: tuple[Threshold, ...]
    polynomial: Polynomial

    def holds(self, point: Point) -> bool:
        """Whether a point belongs to this piece."""
        return all(condition.holds(point) for condition in self.conditions)


@dataclass(frozen=True)
class Pieces:
    """A piecewise polynomial: each point belongs to one piece."""

    pieces: tuple[Piece, ...]

    def at(self, point: Point) -> int | None:
        """The value at a point, where it is a number of laws."""
        value = next(p.polynomial.at(point) for p in self.pieces if p.holds(point))
        return value.numerator if value.denominator == 1 and value >= 0 else None

    def below(self, threshold: Threshold) -> tuple[Piece, ...]:
        """The pieces with one more condition."""
        return tuple(Piece((threshold, *p.conditions), p.polynomial) for p in self.pieces)

    @property
    def cost(self) -> int:
        """What a reader has to take in."""
        conditions = {c if not c.beyond else c.other for p in self.pieces for c in p.conditions}
        return sum(p.polynomial.cost for p in self.pieces) + sum(3 + c.cost for c in conditions)


def piecewise(counts: Counts, depth: int = MOST_SPLITS) -> Pieces | None:
    """The simplest piecewise polynomial found that gives all the counts; few splits are simple."""
    whole = fit(counts)
    if whole is not None:
        return Pieces((Piece((), whole),))
    if depth == 0:
        return None
    complete: list[Pieces] = []
    half: list[_Split] = []
    neither: list[_Split] = []
    for threshold in thresholds(counts):
        split = _Split.at(threshold, counts)
        if split.inside is not None and split.outside is not None:
            complete.append(split.joined(split.inside, split.outside))
        elif split.inside is not None or split.outside is not None:
            half.append(split)
        else:
            neither.append(split)
    if not complete and depth > 1:
        half.sort(key=lambda split: (split.unexplained, split.threshold.cost))
        for split in (*half[:_TRIED_HALF], *neither[:_TRIED_NEITHER]):
            inside = split.inside or piecewise(split.counts_inside, depth - 1)
            outside = inside and (split.outside or piecewise(split.counts_outside, depth - 1))
            if inside is not None and outside is not None:
                complete.append(split.joined(inside, outside))
    found = min(complete, key=lambda pieces: pieces.cost, default=None)
    return found and _shifted(found, counts)


def _shifted(found: Pieces, counts: Counts) -> Pieces:
    """Two pieces that agree near their threshold, with the simplest threshold that parts them."""
    if len(found.pieces) != 2:
        return found
    first, second = found.pieces
    (threshold,) = first.conditions
    moved = [found]
    for bound in range(-_SHIFT, _SHIFT + 1):
        side = replace(threshold, bound=bound)
        pieces = (Piece((side,), first.polynomial), Piece((side.other,), second.polynomial))
        moved.append(Pieces(pieces))
    right = (m for m in moved if all(m.at(point) == n for point, n in counts.items()))
    return min(right, key=lambda pieces: pieces.cost)


@dataclass(frozen=True)
class _Split:
    """Counts on both sides of a threshold, and the polynomials that give them."""

    threshold: Threshold
    counts_inside: Counts
    counts_outside: Counts
    inside: Pieces | None
    outside: Pieces | None

    @staticmethod
    def at(threshold: Threshold, counts: Counts) -> _Split:
        first = {p: n for p, n in counts.items() if threshold.holds(p)}
        second = {p: n for p, n in counts.items() if p not in first}
        return _Split(threshold, first, second, _single(first), _single(second))

    @property
    def unexplained(self) -> int:
        """How many counts no polynomial gives."""
        return (len(self.counts_inside) if self.inside is None else 0) + (
            len(self.counts_outside) if self.outside is None else 0
        )

    def joined(self, inside: Pieces, outside: Pieces) -> Pieces:
        """The pieces on both sides as one."""
        return Pieces((*inside.below(self.threshold), *outside.below(self.threshold.other)))


def _single(counts: Counts) -> Pieces | None:
    found = fit(counts)
    return None if found is None else Pieces((Piece((), found),))


def thresholds(counts: Counts) -> Iterator[Threshold]:
    """Those with points on both sides, one for each way to part the points."""
    points = list(counts)
    seen: set[tuple[bool, ...]] = set()
    found: list[Threshold] = []
    for weights in _weights(len(points[0])):
        values = [sum(w * x for w, x in zip(weights, p, strict=True)) for p in points]
        several = sum(w != 0 for w in weights) > 1
        bounds = range(-_SHIFT, _SHIFT + 1) if several else sorted(set(values))
        found += [Threshold(weights, b) for b in bounds if min(values) <= b < max(values)]
    for threshold in sorted(found, key=lambda t: t.cost):
        parted = tuple(threshold.holds(p) for p in points)
        if parted not in seen:
            seen.add(parted)
            yield threshold


def _weights(count: int) -> Iterator[tuple[int, ...]]:
    """Small integer vectors up to their sign and common factors: the smaller side is positive."""
    for weights in itertools.product(range(-_LARGEST, _LARGEST + 1), repeat=count):
        mixed = sum(w != 0 for w in weights)
        if not 1 <= mixed <= _MIXED or math.gcd(*weights) != 1:
            continue
        left, right = sum(w for w in weights if w > 0), -sum(w for w in weights if w < 0)
        ahead = next(w for w in weights if w) > 0
        if left and (not right or left < right or (left == right and ahead)):
            yield weights
