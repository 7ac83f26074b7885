"""Quotients of polynomials, and what their arithmetic may cost.

Elements are python-flint `fmpq_mpoly`. No operation of flint can be interrupted, so large products are made piece by
piece, and common factors of large polynomials are left alone: a fraction that is not in lowest terms is zero all the
same iff its numerator is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import flint

from geoflow.deadline import Deadline

Polynomial = flint.fmpq_mpoly
MOST_TERMS = 1_500_000
_PIECE = 10**6  # products of terms made in one call
_REDUCED = 10**7  # products of terms up to which common factors are sought


class TooLarge(Exception):
    """An expansion outgrew its terms, its memory or its time; the text says which."""


@dataclass
class Effort:
    """What an expansion may cost: `terms` in one polynomial, `products` of terms in all, and time."""

    terms: int = MOST_TERMS
    products: float = float("inf")
    deadline: Deadline = Deadline()

    def spend(self, products: int) -> None:
        """Count products of terms that are about to be made.

        Raises:
            TooLarge: that is more than is left, or the time is over.
        """
        self.products -= products
        if self.products < 0:
            raise TooLarge("the expansion takes too many products")
        if self.deadline.passed:
            raise TooLarge("the time ran out")

    def check(self, terms: int) -> None:
        """Raise `TooLarge` for a polynomial of so many terms."""
        if terms > self.terms:
            raise TooLarge(f"the expansion has more than {self.terms:,} terms".replace(",", " "))

    def product(self, a: Polynomial, b: Polynomial) -> Polynomial:
        """a·b, in pieces."""
        if len(a) < len(b):
            a, b = b, a
        size = len(a) * len(b)
        self.spend(size)
        if size <= _PIECE:
            return a * b
        context, terms = a.context(), list(a.terms())
        step = max(1, _PIECE // len(b))
        total = context.constant(0)
        for start in range(0, len(terms), step):
            self.spend(0)
            total += context.from_dict(dict(terms[start : start + step])) * b
            self.check(len(total))
        return total

    def common(self, a: Polynomial, b: Polynomial) -> Polynomial:
        """A common factor: the greatest one, unless both are large."""
        size = len(a) * len(b)
        if size > _REDUCED:
            return a.context().constant(1)
        self.spend(size)
        return a.gcd(b)


@dataclass(frozen=True)
class Quotient:
    """numerator / denominator."""

    numerator: Polynomial
    denominator: Polynomial
    effort: Effort = field(default_factory=Effort, compare=False, repr=False)

    def __add__(self, other: Any) -> Any:
        other, effort = self._like(other), self.effort
        if self.denominator == other.denominator:
            return self._reduced(self.numerator + other.numerator, self.denominator)
        common = effort.common(self.denominator, other.denominator)
        left, right = self.denominator / common, other.denominator / common
        return self._reduced(
            effort.product(self.numerator, right) + effort.product(other.numerator, left),
            effort.product(left, other.denominator),
        )

    def __mul__(self, other: Any) -> Any:
        other, effort = self._like(other), self.effort
        a = effort.common(self.numerator, other.denominator)
        b = effort.common(other.numerator, self.denominator)
        return simple(
            effort.product(self.numerator / a, other.numerator / b),
            effort.product(self.denominator / b, other.denominator / a),
            effort,
        )

    def __neg__(self) -> Any:
        return Quotient(-self.numerator, self.denominator, self.effort)

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return (-self) + other

    __radd__ = __add__
    __rmul__ = __mul__

    def _like(self, value: Any) -> Quotient:
        return as_quotient(value, self.denominator.context(), self.effort)

    def _reduced(self, numerator: Polynomial, denominator: Polynomial) -> Any:
        if not numerator:
            return numerator
        common = self.effort.common(numerator, denominator)
        return simple(numerator / common, denominator / common, self.effort)


def as_quotient(value: Any, context: Any, effort: Effort) -> Quotient:
    """A polynomial or an integer as a quotient."""
    if isinstance(value, Quotient):
        return value
    value = context.constant(value) if isinstance(value, int) else value
    return Quotient(value, context.constant(1), effort)


def simple(numerator: Polynomial, denominator: Polynomial, effort: Effort) -> Any:
    """The quotient; a polynomial where the denominator is constant."""
    if denominator.is_constant():
        return numerator / denominator.leading_coefficient() if denominator != 1 else numerator
    return Quotient(numerator, denominator, effort) if numerator else numerator


def terms_of(value: Any) -> int:
    """Number of terms of a polynomial, or of a quotient's numerator."""
    return len(value.numerator) if isinstance(value, Quotient) else len(value)
