"""Polynomial laws class by class: signs and scalings split the monomials, permutations of indices identify classes.

The part of a law in each class of a grading (`laws.grading`) is a law, so each class is a nullspace of its own, of a
size that has little to do with the number of all monomials. Of classes that a relabelling (`laws.relabelling`) carries
into one another one is solved and its laws are copied. What is found here is a candidate: copies are proved by
themselves, and that a class holds no law is said of candidates only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.sparsepoly import Monomial
from geoflow.expr.tree import Expr
from geoflow.laws.classes import Classes, Orbits, classes_of, orbits_of
from geoflow.laws.dictionary import GATED, Samples, TermSampler, primitive, rational_nullspace
from geoflow.laws.grading import Grading, grading_of
from geoflow.laws.polynomialfield import PolynomialField, polynomial_field
from geoflow.laws.relabelling import labels_of, permutations_of
from geoflow.lie.bracket import Field, Generator
from geoflow.lie.point import ModularPoint

MOST_IN_CLASS = 2500
DEFAULT_WORK, MOST_WORK = 10**10, 2 * 10**11  # sum of the cubes of the sizes of classes solved
_SMALL = 6  # classes up to this size are tried many at a time
_CHUNK = 4 * 10**6  # numbers in one array of derivatives
_SLACK = 4
_TRIES = 8
_KEPT = 4  # samples that are used again

Polynomial = dict[Monomial, int]  # ascending positions of coordinates in the state


@dataclass(frozen=True)
class FieldSymmetries:
    """Of one field, those from which classes are made. `orders` generate permutations of its coordinates."""

    generator: Generator
    field: PolynomialField
    rate: Expr | None
    grading: Grading
    orders: tuple[np.ndarray, ...]
    seed: int

    @staticmethod
    def of(
        generator: Generator,
        place: ModularPoint,
        rate: Expr | None,
        seed: int,
        deadline: Deadline = Deadline(),
    ) -> FieldSymmetries | None:
        """None where the field is no Laurent polynomial."""
        field = polynomial_field(generator, rate, deadline)
        if field is None:
            return None
        orders = permutations_of(generator.flow, labels_of(generator, place, seed))
        grading = grading_of(field, seed)
        return FieldSymmetries(generator, field, rate, grading, tuple(orders), seed)


class Search:
    """The laws of one degree, found while they are asked for; `statement` says how far."""

    def __init__(
        self,
        symmetries: FieldSymmetries,
        degree: int,
        work: int = MOST_WORK,
        deadline: Deadline = Deadline(),
    ):
        self.symmetries, self.degree = symmetries, degree
        self._work, self._deadline = work, deadline
        self._sampler = _Directions(symmetries.generator, symmetries.rate)
        self._all = self._searched = 0

    @property
    def statement(self) -> str:
        """The degree, and how many classes if not all."""
        name = f"polynomials of degree {self.degree}"
        if self._searched == self._all:
            return name
        return f"{name}: {self._searched:,} of {self._all:,} classes"

    def orbits(self) -> Iterator[Iterator[list[Polynomial]]]:
        """For each orbit of classes with candidates: a basis of them, and its copies."""
        s = self.symmetries
        classes = classes_of(s.grading, s.field.moving, s.field.weight, self.degree)
        orbits = orbits_of(classes, s.grading, s.orders)
        self._all = len(classes)
        work = 0
        for position in self._promising(classes, orbits):
            c = int(orbits.first[position])
            size = int(classes.sizes[c])
            work += size**3
            if size > MOST_IN_CLASS or work > self._work or self._deadline.passed:
                continue
            laws = self._solved(classes, c)
            self._searched += int(orbits.lengths[position])
            if laws:
                yield _copies(laws, orbits, c)

    def _promising(self, classes: Classes, orbits: Orbits) -> list[int]:
        """Orbits by the size of their classes, without those of small classes that hold no law."""
        kept: list[int] = []
        sizes = classes.sizes[orbits.first]
        for size in range(1, _SMALL + 1):
            chosen = np.flatnonzero(sizes == size)
            step = max(1, _CHUNK // (size * self._count(size)))
            for start in range(0, len(chosen), step):
                part = chosen[start : start + step]
                if self._deadline.passed:
                    return kept
                begin = classes.starts[orbits.first[part]]
                block = classes.monomials[begin[:, None] + np.arange(size)]
                deficient = self._deficient(block)
                kept += part[deficient].tolist()
                self._searched += int(orbits.lengths[part[~deficient]].sum())
        large = np.flatnonzero(sizes > _SMALL)
        return kept + large[np.argsort(sizes[large], kind="stable")].tolist()

    def _count(self, unknowns: int) -> int:
        """Samples for so many unknowns."""
        return (unknowns + _SLACK) * (1 if self.symmetries.generator.irreducible else GATED)

    def _deficient(self, block: np.ndarray) -> np.ndarray:
        """Which of the classes [classes, size, degree] may hold a law."""
        count, size, degree = block.shape
        rng = np.random.default_rng([self.symmetries.seed, 0x736D61, size])
        for _ in range(_TRIES):
            prime = draw_prime(rng)
            try:
                rows = self._sampler.rows(rng, prime, self._count(size), block.reshape(-1, degree))
            except UnluckyPoint:  # the prime divides a constant's denominator
                continue
            return _ranks(rows.reshape(-1, count, size).transpose(1, 0, 2), prime) < size
        return np.ones(count, dtype=bool)

    def _solved(self, classes: Classes, c: int) -> list[Polynomial]:
        """A basis of the candidates in the span of a class."""
        monomials = classes[c]
        count = self._count(len(monomials))
        basis = rational_nullspace(
            lambda rng, prime: self._sampler.rows(rng, prime, count, monomials),
            np.random.default_rng([self.symmetries.seed, 0x636C61]),
        )
        names = [tuple(int(k) for k in m if k != classes.one) for m in monomials]
        return [
            {m: x for m, x in zip(names, primitive(vector), strict=True) if x} for vector in basis
        ]


def _copies(laws: list[Polynomial], orbits: Orbits, c: int) -> Iterator[list[Polynomial]]:
    yield laws
    for order in islice(orbits.of(c), 1, None):
        yield [{tuple(sorted(int(order[k]) for k in m)): x for m, x in law.items()} for law in laws]


class _Directions(TermSampler):
    """Random points and fields there."""

    def __init__(self, generator: Generator, rate: Expr | None):
        super().__init__(generator, (), rate)
        self._drawn: dict[tuple[int, int], Samples] = {}

    def _evaluate(
        self, field: PrimeField, constants: Field, point: Field, direction: Field
    ) -> tuple[Any, Any, Any]:
        _, _, rate = super()._evaluate(field, constants, point, direction)
        count = max(v.shape[1] for v in direction.values())
        z, x = (self.generator.rows(v, count)[None] for v in (point, direction))
        return [z], [x], rate

    def rows(
        self, rng: np.random.Generator, prime: int, count: int, monomials: np.ndarray
    ) -> np.ndarray:
        """(c F₀ + G_b + c λ) of monomials at random points, [samples, monomials]; the points are the same for the same
        prime and count.

        Raises:
            UnluckyPoint: the prime divides a denominator.
        """
        if (prime, count) not in self._drawn:
            if len(self._drawn) == _KEPT:
                del self._drawn[next(iter(self._drawn))]
            self._drawn[prime, count] = self.draw(rng, prime, count)
        samples = self._drawn[prime, count]
        z, x = _with_one(samples.values[0], 1), _with_one(samples.along[0], 0)
        return _moved(samples, z, x, monomials)


def _with_one(rows: np.ndarray, value: int) -> np.ndarray:
    return np.append(rows, np.full((len(rows), 1), value), axis=1)


def _moved(samples: Samples, z: np.ndarray, x: np.ndarray, monomials: np.ndarray) -> np.ndarray:
    p = samples.prime
    value, moved = z[:, monomials[:, 0]], x[:, monomials[:, 0]]
    for column in monomials.T[1:]:
        factor = z[:, column]
        moved = (moved * factor % p + value * x[:, column]) % p
        value = value * factor % p
    if samples.rate is not None:
        moved = (moved + (samples.weight * samples.rate % p)[:, None] * value) % p
    return moved


def _ranks(rows: np.ndarray, prime: int) -> np.ndarray:
    """Ranks of matrices [count, rows, columns], all at once."""
    left = rows.copy()
    count, height, width = left.shape
    ranks = np.zeros(count, dtype=np.int64)
    every = np.arange(count)
    below = np.arange(height)
    for column in range(width):
        usable = (left[:, :, column] != 0) & (below >= ranks[:, None])
        pivot = usable.argmax(axis=1)
        found = usable[every, pivot]
        top = np.minimum(ranks, height - 1)
        swap = every[found]
        a, b = pivot[found], top[found]
        left[swap, a], left[swap, b] = left[swap, b], left[swap, a].copy()
        inverse = PrimeField(prime).power(left[swap, b, column], prime - 2)
        row = left[swap, b] * inverse[:, None] % prime
        factor = np.where(below > b[:, None], left[swap, :, column], 0)
        left[swap] = (left[swap] - factor[:, :, None] * row[:, None, :]) % prime
        ranks[found] += 1
    return ranks
