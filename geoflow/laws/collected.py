"""Laws as they are found: proved candidates that raise the rank of the gradients at one point over F_p."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact import linalg
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.quotient import TooLarge
from geoflow.expr.build import linear_combination, multiply
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr
from geoflow.laws.differential import Differential, differentiate
from geoflow.laws.factors import TimeFactor
from geoflow.laws.identity import Judgement, doubtful, gradient_rows, judge
from geoflow.laws.monomials import coordinates, monomial_expression
from geoflow.laws.polynomialfield import PolynomialField
from geoflow.laws.polynomiallaws import Polynomial, Search
from geoflow.laws.tokens import UnsupportedExponential
from geoflow.lie.bracket import Generator
from geoflow.lie.point import ModularPoint
from geoflow.results import HOLDS
from geoflow.structure.symmetries import Symmetries

_PATIENCE = 32  # copies without a new law that end an orbit


@dataclass
class Span:
    """The span of rows over F_p in reduced echelon form, which grows."""

    dimension: int
    prime: int
    pivots: list[int] = field(default_factory=list)
    _rows: np.ndarray | None = None

    @property
    def rank(self) -> int:
        """The dimension of the span."""
        return len(self.pivots)

    def remainder(self, rows: np.ndarray) -> np.ndarray:
        """Rows modulo the span: zero in its pivots."""
        if self._rows is None:
            return rows % self.prime
        ring = PrimeField(self.prime)
        return ring.sub(rows, ring.matmul(rows[:, self.pivots], self._rows))

    def raised(self, rows: np.ndarray) -> int:
        """The rank with further rows."""
        left = self.remainder(rows)
        return self.rank + (linalg.rank(left, self.prime) if left.any() else 0)

    def add(self, rows: np.ndarray) -> None:
        """Add the span of further rows."""
        left = self.remainder(rows)
        left = left[left.any(axis=1)]
        if not len(left):
            return
        new = linalg.echelon(left, self.prime)
        pivots = [int(np.flatnonzero(row)[0]) for row in new]
        if self._rows is None:
            self._rows, self.pivots = new, pivots
            return
        ring = PrimeField(self.prime)
        old = ring.sub(self._rows, ring.matmul(self._rows[:, pivots], new))
        self._rows, self.pivots = np.concatenate([old, new]), [*self.pivots, *pivots]


@dataclass(frozen=True)
class Held:
    """A law that holds, with the rows of its gradients."""

    law: Expr
    judgement: Judgement
    rows: np.ndarray


class Collected:
    """Laws so far."""

    def __init__(
        self,
        generator: Generator,
        places: Sequence[ModularPoint],
        seed: int,
        deadline: Deadline,
        symmetries: Symmetries | None = None,
    ):
        self.generator, self.places, self.seed, self.deadline = generator, places, seed, deadline
        self.symmetries = symmetries
        self.laws: list[Held] = []
        self._span = self.empty()

    @property
    def rank(self) -> int:
        """The number of independent laws."""
        return self._span.rank

    def empty(self) -> Span:
        """The span of no rows."""
        return Span(self.generator.flow.dimension, self.places[0].field.p)

    def gradients(self, law: Expr) -> tuple[Differential, np.ndarray] | None:
        """The differential of a law and its gradients at the first point; None where they have no value."""
        try:
            differential = differentiate(self.generator.flow, [law])
            return differential, gradient_rows(differential, self.places[0])
        except (UnluckyPoint, UnsupportedPrimitive, UnsupportedExponential):
            return None

    def take(self, candidates: Sequence[Expr], enough: int) -> None:
        """Add proved candidates that raise the rank: those with most independent entries first, then the shortest."""
        measured = []
        for law in candidates:
            found = self.gradients(law)
            if found is not None:
                rank = linalg.rank(found[1], self._span.prime)
                measured.append((-rank, len(print_expr(law)), len(measured), law, *found))
        measured.sort(key=lambda m: m[:3])
        for *_, law, differential, rows in measured:
            if self.rank >= enough:
                return
            if self._span.raised(rows) > self.rank:
                judged = self._judged(differential)
                if judged.verdict in HOLDS:
                    self._add(Held(law, judged, rows))

    def _judged(self, differential: Differential) -> Judgement:
        return judge(
            self.generator, differential, self.places, self.seed, self.deadline, self.symmetries
        )

    def take_polynomials(self, search: Search, factor: TimeFactor, enough: int) -> None:
        """Add proved polynomials, times the factor, that raise the rank, until there are enough."""
        flow, field = self.generator.flow, search.symmetries.field
        moving = field.moving
        span = Span(
            len(moving), self._span.prime
        )  # along t a law moves as its drift does elsewhere
        for held in self.laws:
            span.add(held.rows[:, moving])
        variables = dict(zip(moving, coordinates(flow), strict=True))
        for orbit in search.orbits():
            idle = 0
            for candidates in orbit:
                before = span.rank
                for law in candidates:
                    row = _gradient(law, flow.dimension, self.places[0])[:, moving]
                    if span.raised(row) == span.rank:
                        continue
                    held = self._held(law, field, factor, variables)
                    if held is not None:
                        span.add(row)
                        self._add(held)
                idle = 0 if span.rank > before else idle + 1
                if idle > _PATIENCE or self.rank >= enough:
                    break
            if self.rank >= enough:
                return

    def _held(
        self,
        law: Polynomial,
        field: PolynomialField,
        factor: TimeFactor,
        variables: dict[int, Expr],
    ) -> Held | None:
        """The law as an expression, proved; None where it does not hold."""
        try:
            if not field.conserves(law, self.deadline):
                return None
        except TooLarge:
            return None
        doubts = self.generator.flow.doubts
        judged = Judgement(doubtful("proved"), "; ".join(doubts)) if doubts else Judgement("proved")
        written = _expression(law, variables)
        if factor.factor is None:
            row = _gradient(law, self.generator.flow.dimension, self.places[0])
            return Held(written, judged, row)
        written = multiply(factor.factor, written)
        found = self.gradients(written)
        return None if found is None else Held(written, judged, found[1])

    def _add(self, held: Held) -> None:
        self._span.add(held.rows)
        self.laws.append(held)

    def without_redundant(self) -> list[Held]:
        """The laws without those that later ones made redundant."""
        prime = self._span.prime
        kept = [(held, held.rows[linalg.independent_rows(held.rows, prime)]) for held in self.laws]
        if sum(len(rows) for _, rows in kept) > self.rank:
            for pair in list(reversed(kept)):
                rest = [x for x in kept if x is not pair]
                if rest and linalg.rank(np.concatenate([r for _, r in rest]), prime) == self.rank:
                    kept = rest
        return [held for held, _ in kept]


def _gradient(law: Polynomial, dimension: int, place: ModularPoint) -> np.ndarray:
    """The gradient of a polynomial at a point, [1, N]."""
    p, flow_point = place.field.p, place.integers
    row = np.zeros((1, dimension), dtype=np.int64)
    for monomial, coefficient in law.items():
        for k in set(monomial):
            value = coefficient * monomial.count(k)
            rest = list(monomial)
            rest.remove(k)
            for j in rest:
                value = value * flow_point[j] % p
            row[0, k] = (row[0, k] + value) % p
    return row


def _expression(law: Polynomial, variables: dict[int, Expr]) -> Expr:
    """The polynomial written out, low degrees first, its first coefficient positive."""
    position = {k: i for i, k in enumerate(variables)}
    leaves = list(variables.values())
    terms = sorted(law.items(), key=lambda term: (len(term[0]), term[0]))
    sign = 1 if terms[0][1] > 0 else -1
    return linear_combination(
        [
            (Fraction(sign * x), monomial_expression(leaves, tuple(position[k] for k in m)))
            for m, x in terms
        ]
    )
