"""Polynomials and rational functions over Q, for identities that are proved by expansion.

Elements are python-flint `fmpq_mpoly`; dividing makes a `Quotient`. The square root of P is a new variable w with
w² = P. A numerator that is zero modulo these relations is the zero function for either sign of every root, so an
identity found here is proved; one not found (√x√y − √(xy)) is not refuted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.objects import ObjectArithmetic
from geoflow.exact.program import UnsupportedPrimitive

Polynomial = flint.fmpq_mpoly
MOST_MEMORY = 4 * 10**8  # bytes of exponents in one array


class TooLarge(Exception):
    """An expansion outgrew its terms, its memory or its time."""


@dataclass(frozen=True)
class Quotient:
    """numerator / denominator, without common factors."""

    numerator: Polynomial
    denominator: Polynomial

    def __add__(self, other: Any) -> Any:
        other = _quotient(other, self.denominator)
        if self.denominator == other.denominator:
            return _reduced(self.numerator + other.numerator, self.denominator)
        common = self.denominator.gcd(other.denominator)
        left, right = self.denominator / common, other.denominator / common
        return _reduced(self.numerator * right + other.numerator * left, left * other.denominator)

    def __mul__(self, other: Any) -> Any:
        other = _quotient(other, self.denominator)
        a = self.numerator.gcd(other.denominator)
        b = other.numerator.gcd(self.denominator)
        return _simple(
            (self.numerator / a) * (other.numerator / b),
            (self.denominator / b) * (other.denominator / a),
        )

    def __neg__(self) -> Any:
        return Quotient(-self.numerator, self.denominator)

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return (-self) + other

    __radd__ = __add__
    __rmul__ = __mul__


def _quotient(value: Any, like: Polynomial) -> Quotient:
    return value if isinstance(value, Quotient) else Quotient(value, like.context().constant(1))


def _simple(numerator: Polynomial, denominator: Polynomial) -> Any:
    """A polynomial where the denominator is constant."""
    if denominator.is_constant():
        return numerator / denominator.leading_coefficient() if denominator != 1 else numerator
    return Quotient(numerator, denominator) if numerator else numerator


def _reduced(numerator: Polynomial, denominator: Polynomial) -> Any:
    if not numerator:
        return numerator
    common = numerator.gcd(denominator)
    return _simple(numerator / common, denominator / common)


class Polynomials(ObjectArithmetic):
    """Rational functions over Q in named variables, with `roots` spare variables for square roots."""

    def __init__(
        self,
        names: Sequence[str],
        roots: int = 0,
        limit: int = 1_500_000,
        deadline: Deadline = Deadline(),
    ):
        self.context = flint.fmpq_mpoly_ctx.get(
            tuple(names) + tuple(f"root{k}" for k in range(roots)), flint.Ordering.degrevlex
        )
        self.variables = self.context.gens()[: len(names)]
        self._spare = list(self.context.gens()[len(names) :])
        self._roots: list[tuple[Polynomial, Polynomial]] = []  # (w, w²)
        self._memo: dict[str, Any] = {}
        self.limit = limit
        self.deadline = deadline
        self._width = len(names) + roots  # bytes of one exponent vector, about

    @staticmethod
    def in_shapes(
        shapes: Sequence[tuple[int, ...]], roots: int = 0, deadline: Deadline = Deadline()
    ) -> tuple[Polynomials, list[np.ndarray]]:
        """A ring with one variable per entry of arrays of these shapes, and the arrays [1, 1, *shape]."""
        sizes = [int(np.prod(s, dtype=np.int64)) for s in shapes]
        ring = Polynomials([f"x{k}" for k in range(sum(sizes))], roots, deadline=deadline)
        variables = iter(ring.variables)
        arrays = []
        for shape in shapes:
            array = np.empty((1, 1, *shape), dtype=object)
            for index in np.ndindex(array.shape):
                array[index] = next(variables)
            arrays.append(array)
        return ring, arrays

    def number(self, value: Fraction) -> Polynomial:
        return self.context.constant(flint.fmpq(value.numerator, value.denominator))

    def reciprocal(self, value: Any) -> Any:
        """1/value; raises ZeroDivisionError also where value vanishes for some signs of the roots."""
        fraction = _quotient(value, self.context.constant(1))
        if not self._norm(fraction.numerator):
            raise ZeroDivisionError
        return _simple(fraction.denominator, fraction.numerator)

    def mul(self, a: Any, b: Any) -> Any:
        return self._bounded(super().mul(a, b))

    def sum(self, a: Any, axes: tuple[int, ...]) -> Any:
        return self._bounded(super().sum(a, axes))

    def _bounded(self, array: Any) -> Any:
        """The array, unless one element or the memory of all is out of bounds."""
        total = 0
        if self.deadline.passed:
            raise TooLarge
        for value in array.flat:
            terms = len(value.numerator) if isinstance(value, Quotient) else len(value)
            total += terms
            if terms > self.limit or total * self._width > MOST_MEMORY:
                raise TooLarge
        return array

    def square_root(self, value: Any) -> Any:
        """√(n/d) = w/d with w² = n·d. Each n/d has a w of its own: √(n·d) may have the other sign."""
        fraction = _quotient(value, self.context.constant(1))
        radicand = fraction.numerator * fraction.denominator
        key = f"{fraction.numerator} over {fraction.denominator}"
        if key not in self._memo:
            if not self._spare:
                raise UnsupportedPrimitive("sqrt")
            w = self._spare.pop()
            self._roots.append((w, radicand))
            self._memo[key] = w
        return Quotient(self._memo[key], self.context.constant(1)) * self.reciprocal(
            fraction.denominator
        )

    def _norm(self, p: Polynomial) -> Polynomial:
        """The product over both signs of every root that p holds: zero where p may be the zero function."""
        for w, radicand in reversed(self._roots):
            even, odd = _split(_reduce_square(p, w, radicand, self.context), w, self.context)
            p = even * even - odd * odd * radicand if odd else even
        return p

    def is_zero(self, value: Any) -> bool:
        """Whether a value is zero modulo the relations of the square roots."""
        numerator = value.numerator if isinstance(value, Quotient) else value
        for w, radicand in reversed(self._roots):  # later radicands may contain earlier roots
            numerator = _reduce_square(numerator, w, radicand, self.context)
        return not numerator


def _split(p: Polynomial, w: Polynomial, context: Any) -> tuple[Polynomial, Polynomial]:
    """(a, b) with p = a + b·w, for p of degree at most 1 in w."""
    position = next(k for k, g in enumerate(context.gens()) if g == w)
    if not p.degrees()[position]:
        return p, context.constant(0)
    even, odd = {}, {}
    for exponents, coefficient in p.to_dict().items():
        if exponents[position]:
            odd[(*exponents[:position], 0, *exponents[position + 1 :])] = coefficient
        else:
            even[exponents] = coefficient
    return context.from_dict(even), context.from_dict(odd)


def _reduce_square(p: Polynomial, w: Polynomial, radicand: Polynomial, context: Any) -> Polynomial:
    position = next(k for k, g in enumerate(context.gens()) if g == w)
    if p.degrees()[position] < 2:
        return p
    parts: dict[int, dict[tuple[int, ...], Any]] = {}
    for exponents, coefficient in p.to_dict().items():
        power, rest = divmod(exponents[position], 2)
        lowered = (*exponents[:position], rest, *exponents[position + 1 :])
        parts.setdefault(power, {})[lowered] = coefficient
    total = context.constant(0)
    for power, terms in parts.items():
        total += context.from_dict(terms) * radicand**power
    return total
