"""The polynomial of lowest degree that goes through numbers at points exactly, over Q."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_mat, nmod_mat

Point = tuple[int, ...]
Exponents = tuple[int, ...]
HIGHEST_DEGREE = 3
_FIRST = 8  # equations beyond the unknowns that are looked at before all others
_PRIME = (1 << 61) - 1


@dataclass(frozen=True)
class Polynomial:
    """Rational coefficients by exponents, none of them zero."""

    coefficients: Mapping[Exponents, Fraction]

    def at(self, point: Point) -> Fraction:
        """The value at a point."""
        return sum(
            (c * _power(point, exponents) for exponents, c in self.coefficients.items()),
            start=Fraction(0),
        )

    @property
    def cost(self) -> int:
        """How long it is: fewer terms and smaller numbers are simpler."""
        return sum(
            1 + sum(e) + abs(c.numerator).bit_length() + c.denominator.bit_length()
            for e, c in self.coefficients.items()
        )


def fit(counts: Mapping[Point, int]) -> Polynomial | None:
    """The polynomial with the fewest possible terms; None where there is none, or the points do not determine it.

    As many points as it has sizes must be beyond those that determine it.
    """
    if not counts:
        return None
    points = list(counts)
    equations = [(*_monomials(point), counts[point]) for point in points]
    first = len(equations[0]) + _FIRST
    if not (_consistent(equations[:first]) and _consistent(equations)):
        return None
    trials = [(view, used, e) for view in _views(counts) for used, e in _shapes(list(view.counts))]
    for view, used, exponents in sorted(trials, key=lambda trial: len(trial[2])):
        if len(view.counts) >= len(exponents) + max(used, 1):
            found = _solved(view.counts, exponents)
            if found is not None:
                return view.expanded(found)
    return None


@dataclass(frozen=True)
class _View:
    """Counts that depend on some sizes only through their sum: points whose first coordinate is the sum of `axes`."""

    counts: Mapping[Point, int]
    axes: tuple[int, ...]
    size: int  # of the points before

    @staticmethod
    def of(counts: Mapping[Point, int], axes: tuple[int, ...]) -> _View | None:
        """The view; None where the counts depend on more than the sum."""
        size = len(next(iter(counts)))
        rest = [i for i in range(size) if i not in axes]
        seen: dict[Point, int] = {}
        for point, count in counts.items():
            place = (sum(point[i] for i in axes), *(point[i] for i in rest))
            if seen.setdefault(place, count) != count:
                return None
        return _View(seen, axes, size)

    def expanded(self, polynomial: Polynomial) -> Polynomial:
        """A polynomial at these points as one at the points before."""
        if not self.axes:
            return polynomial
        rest = [i for i in range(self.size) if i not in self.axes]
        coefficients: dict[Exponents, Fraction] = {}
        for (power, *others), c in polynomial.coefficients.items():
            for chosen in itertools.product(self.axes, repeat=power):
                e = [0] * self.size
                for i, k in zip(rest, others, strict=True):
                    e[i] = k
                for i in chosen:
                    e[i] += 1
                coefficients[tuple(e)] = coefficients.get(tuple(e), Fraction(0)) + c
        return Polynomial({e: c for e, c in coefficients.items() if c})


def _views(counts: Mapping[Point, int]) -> Iterator[_View]:
    """The counts themselves, and through sums of several sizes where those say all."""
    size = len(next(iter(counts)))
    yield _View(counts, (), size)
    for number in range(2, size + 1):
        for axes in itertools.combinations(range(size), number):
            view = _View.of(counts, axes)
            if view is not None:
                yield view


def _shapes(points: Sequence[Point]) -> list[tuple[int, list[Exponents]]]:
    """Sets of exponents to try with the number of sizes that they use, the smallest first.

    Powers of a coordinate with k values go up to k - 2: with one more, any k values would fit.
    """
    values = [len(set(column)) for column in zip(*points, strict=True)]
    shapes: dict[tuple[Exponents, ...], int] = {}
    for degree in range(HIGHEST_DEGREE + 1):
        for used in range(len(values) + 1):
            for axes in itertools.combinations(range(len(values)), used):
                ranges = [
                    range(min(degree + 1, max(n - 1, 1)) if i in axes else 1)
                    for i, n in enumerate(values)
                ]
                exponents = tuple(e for e in itertools.product(*ranges) if sum(e) <= degree)
                shapes.setdefault(exponents, used)
    return [(used, list(e)) for e, used in sorted(shapes.items(), key=lambda s: len(s[0]))]


@functools.cache
def _monomials(point: Point) -> tuple[int, ...]:
    """All monomials up to the highest degree at a point."""
    ranges = [range(HIGHEST_DEGREE + 1)] * len(point)
    every = (e for e in itertools.product(*ranges) if sum(e) <= HIGHEST_DEGREE)
    return tuple(_power(point, e) for e in every)


def _consistent(equations: Sequence[tuple[int, ...]]) -> bool:
    """Whether linear equations, each with its right side last, have a solution mod a prime: most have none."""
    width = len(equations[0])
    entries = [x % _PRIME for equation in equations for x in equation]
    reduced, rank = nmod_mat(len(equations), width, entries, _PRIME).rref()
    return rank == 0 or any(int(reduced[rank - 1, j]) for j in range(width - 1))


def _solved(counts: Mapping[Point, int], exponents: Sequence[Exponents]) -> Polynomial | None:
    """Least squares over Q; a solution only if it is unique and exact."""
    points, values = list(counts), list(counts.values())
    matrix = fmpq_mat(
        len(points), len(exponents), [fmpq(_power(p, e)) for p in points for e in exponents]
    )
    right = fmpq_mat(len(points), 1, [fmpq(v) for v in values])
    transposed = matrix.transpose()
    try:
        solution = (transposed * matrix).solve(transposed * right)
    except ZeroDivisionError:  # the points do not determine it
        return None
    if matrix * solution != right:
        return None
    coefficients = (Fraction(int(c.p), int(c.q)) for c in solution.entries())
    pairs = zip(exponents, coefficients, strict=True)
    return Polynomial({e: c for e, c in pairs if c})


def _power(point: Point, exponents: Exponents) -> int:
    product = 1
    for x, e in zip(point, exponents, strict=True):
        product *= x**e
    return product
