"""Closures under Lie brackets and identities over Q, with FLINT's polynomials: all pairs, no short cuts.

A rational field is replaced by a polynomial multiple, which spans the same line over the rational functions; the
span over them of all brackets is what counts. Ranks are taken over Q at three random integer points, which must agree.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import flint
import sympy

from .system import Column, System

POINT_SIZE = 10**6
POINTS = 3
MOST_TERMS = 6_000  # of a bracket


class GaveUp(Exception):
    """The oracle would take too long."""


Poly = Any
Field = tuple[Poly, ...]


class NotRational(Exception):
    """An expression with roots or functions."""


@dataclass
class Rationals:
    """Rational functions in the state and the symbolic constants, as pairs of polynomials."""

    symbols: tuple[Any, ...]
    known: dict[Any, tuple[Poly, Poly]] = field(default_factory=dict)

    @cached_property
    def context(self) -> Any:
        """FLINT's ring."""
        names = [f"z{i}" for i in range(len(self.symbols))]
        return flint.fmpq_mpoly_ctx.get(names, "degrevlex")

    @cached_property
    def generators(self) -> dict[Any, Poly]:
        """By symbol."""
        return dict(zip(self.symbols, self.context.gens(), strict=True))

    def of(self, expression: Any) -> tuple[Poly, Poly]:
        """Numerator and denominator."""
        if expression not in self.known:
            self.known[expression] = self._of(sympy.sympify(expression))
        return self.known[expression]

    def _of(self, e: Any) -> tuple[Poly, Poly]:
        one = self.context.constant(1)
        if e.is_Rational:
            return self.context.constant(flint.fmpq(int(e.p), int(e.q))), one
        if e.is_Symbol:
            if e not in self.generators:
                raise NotRational(str(e))
            return self.generators[e], one
        if e.is_Add:
            num, den = self.context.constant(0), one
            for part in e.args:
                a, b = self.of(part)
                num, den = (num + a, den) if b == den else reduced(num * b + a * den, den * b)
            return num, den
        if e.is_Mul:
            num, den = one, one
            for part in e.args:
                a, b = self.of(part)
                num, den = num * a, den * b
            return reduced(num, den)
        if e.is_Pow and e.exp.is_Integer:
            a, b = self.of(e.base)
            k = int(e.exp)
            if k < 0 and a == 0:
                raise GaveUp("division by zero")
            return (a**k, b**k) if k >= 0 else (b**-k, a**-k)
        raise NotRational(str(e))

    def field(self, column: Column) -> Field:
        """A polynomial multiple of a rational field, without a common factor."""
        fractions = [self.of(entry) for entry in column]
        common = self.context.constant(1)
        for _, den in fractions:
            common = common * quotient(den, common.gcd(den))
        return primitive(tuple(num * quotient(common, den) for num, den in fractions))


def reduced(num: Poly, den: Poly) -> tuple[Poly, Poly]:
    """In lowest terms."""
    if num == 0:
        return num, den**0
    if den.is_constant():
        return num / den, den**0
    factor = num.gcd(den)
    return (num, den) if factor.is_constant() else (quotient(num, factor), quotient(den, factor))


def quotient(a: Poly, b: Poly) -> Poly:
    """a / b, which is exact."""
    found, rest = divmod(a, b)
    assert rest == 0
    return found


def primitive(column: Field) -> Field:
    """Divided by the common factor of its entries."""
    factor = None
    for entry in sorted(column, key=len):
        if entry != 0:
            factor = entry if factor is None else factor.gcd(entry)
            if factor.is_constant():
                break
    if factor is None:
        return column
    return tuple(quotient(entry, factor) for entry in column)


def size(column: Field) -> int:
    """The number of terms."""
    return sum(len(entry) for entry in column)


def bracket(left: Field, right: Field) -> Field:
    """[X, Y] = DY·X − DX·Y."""
    if size(left) * size(right) > MOST_TERMS * 40:
        raise GaveUp("large brackets")
    found = []
    for x, y in zip(left, right, strict=True):
        entry = x * 0
        for i, (a, b) in enumerate(zip(left, right, strict=True)):
            if a != 0:
                entry += a * y.derivative(i)
            if b != 0:
                entry -= b * x.derivative(i)
        found.append(entry)
    if sum(map(len, found)) > MOST_TERMS:
        raise GaveUp("large brackets")
    return tuple(found)


class Echelon:
    """The span over Q of the rows added so far."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Any]] = {}

    def add(self, row: Sequence[Any]) -> bool:
        """Add a row; true if it was outside the span."""
        left = list(row)
        for pivot, known in self.rows.items():
            if left[pivot] != 0:
                factor = left[pivot]
                left = [a - factor * b for a, b in zip(left, known, strict=True)]
        pivot = next((i for i, x in enumerate(left) if x != 0), None)
        if pivot is None:
            return False
        self.rows[pivot] = [x / left[pivot] for x in left]
        return True


class Span:
    """The span over the rational functions, seen at several points."""

    def __init__(self, points: Sequence[Sequence[Any]]) -> None:
        self.points = points
        self.at = [Echelon() for _ in points]

    def add(self, column: Field) -> bool:
        """Add a field; true if it was independent of the earlier ones."""
        answers = {
            echelon.add([entry(*point) for entry in column])
            for echelon, point in zip(self.at, self.points, strict=True)
        }
        if len(answers) == 2:
            raise GaveUp("one of the points is special")
        return answers.pop()


@dataclass(frozen=True)
class Closed:
    """`ranks` by depth of brackets, and a basis of the closure."""

    ranks: tuple[int, ...]
    basis: tuple[Field, ...]

    @property
    def rank(self) -> int:
        """The rank of the closure."""
        return self.ranks[-1]


@dataclass(frozen=True)
class Exact:
    """The oracle over Q, for systems of rational functions."""

    system: System
    seed: int = 0

    @cached_property
    def ring(self) -> Rationals:
        """Over the state and the symbolic constants."""
        return Rationals((*self.system.state, *self.system.symbolic))

    @cached_property
    def points(self) -> list[list[Any]]:
        """Random integers."""
        source = random.Random(f"closing {self.seed}")
        size = len(self.ring.symbols)
        return [
            [flint.fmpq(source.randint(1, POINT_SIZE)) for _ in range(size)] for _ in range(POINTS)
        ]

    @cached_property
    def drift(self) -> Field | None:
        """The drift, as polynomials."""
        drift = self.system.drift
        return self.ring.field(drift) if drift and any(v != 0 for v in drift) else None

    @cached_property
    def controlled(self) -> tuple[Field, ...]:
        """The controlled fields, as polynomials."""
        return tuple(self.ring.field(c) for c in self.system.controlled)

    @cached_property
    def closed(self) -> Closed:
        """The Lie algebra of all fields."""
        return self.close([*([self.drift] if self.drift else []), *self.controlled])

    def close(self, fields: Sequence[Field]) -> Closed:
        """Level by level: V₀, then V_k with all [generator, what is new in V_k]."""
        span = Span(self.points)
        generators = [f for f in sorted(fields, key=size) if any(f) and span.add(f)]
        basis, new = list(generators), list(generators)
        ranks = [len(basis)]
        while new and ranks[-1] < len(self.system.state):
            found = []
            pairs = sorted(
                ((x, y) for y in new for x in generators if x is not y),
                key=lambda p: size(p[0]) * size(p[1]),
            )
            for x, y in pairs:
                made = primitive(bracket(x, y))
                if any(made) and span.add(made):
                    found.append(made)
                if len(basis) + len(found) == len(self.system.state):
                    break
            if not found:
                break
            basis += found
            ranks.append(len(basis))
            new = found
        return Closed(tuple(ranks), tuple(basis))

    @property
    def count(self) -> int:
        """The number of independent laws."""
        return len(self.system.state) - self.closed.rank

    def block(self, symbols: Sequence[Any]) -> int:
        """How many laws read these coordinates alone: all others are moved freely."""
        held = set(symbols)
        one, nothing = self.ring.context.constant(1), self.ring.context.constant(0)
        free = [
            tuple(one if other is x else nothing for other in self.system.state)
            for x in self.system.state
            if x not in held
        ]
        fields = [*([self.drift] if self.drift else []), *self.controlled, *free]
        return len(self.system.state) - self.close(fields).rank

    @cached_property
    def commuting(self) -> bool:
        """Whether the controlled fields commute: the fields themselves, not multiples of them."""
        fields = self.system.controlled
        return all(
            self.vanishes(entry)
            for k, x in enumerate(fields)
            for y in fields[:k]
            for entry in plain_bracket(x, y, self.system.state)
        )

    @cached_property
    def kernel(self) -> int:
        """dim ker ∂φ/∂θ."""
        own = self.system.parameters
        span, rank = Span(self.points), 0
        for f in self.system.outputs:
            rank += span.add(self.ring.field(tuple(sympy.diff(f, x) for x in own)))
        return len(own) - rank

    def vanishes(self, expression: Any) -> bool:
        """Whether a rational expression is zero."""
        return self.ring.of(expression)[0] == 0

    def independent(self, laws: Sequence[Any]) -> int:
        """The rank of the gradients of functions with rational derivatives."""
        span = Span(self.points)
        rank = 0
        for law in laws:
            row = tuple(without_time(sympy.diff(law, z), law) for z in self.system.state)
            rank += span.add(self.ring.field(row)) if any(v != 0 for v in row) else 0
        return rank

    def is_law(self, law: Any) -> bool:
        """Whether every field annihilates a function with a rational logarithmic derivative."""
        gradient = [without_time(sympy.diff(law, z), law) for z in self.system.state]
        return all(
            self.vanishes(
                sum((a * b for a, b in zip(f, gradient, strict=True) if a != 0), sympy.S.Zero)
            )
            for f in self.system.fields
        )


def without_time(expression: Any, law: Any) -> Any:
    """Divided by the one exponential that is a factor of the law."""
    factors = [f for f in sympy.Mul.make_args(law) if f.func is sympy.exp]
    if not factors:
        return expression
    return sympy.expand(expression / sympy.Mul(*factors))


def plain_bracket(x: Column, y: Column, state: Sequence[Any]) -> list[Any]:
    """[X, Y] as expressions."""
    return [
        sum(
            (
                a * sympy.diff(q, z) - b * sympy.diff(p, z)
                for a, b, z in zip(x, y, state, strict=True)
                if a != 0 or b != 0
            ),
            sympy.S.Zero,
        )
        for p, q in zip(x, y, strict=True)
    ]
