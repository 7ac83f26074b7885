"""Arithmetic in Q at a rational point, for witnesses that a person can check and for radicands (`exact.radicals`)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flint

from geoflow.exact.objects import ObjectArithmetic


class Irrational(Exception):
    """A square root that is not rational was met."""


class Rationals(ObjectArithmetic):
    """Q; square roots of squares are taken positive."""

    def number(self, value: Fraction) -> flint.fmpq:
        return flint.fmpq(value.numerator, value.denominator)

    def reciprocal(self, value: flint.fmpq) -> flint.fmpq:
        return 1 / value

    def square_root(self, value: flint.fmpq) -> Any:
        root = exact_root(value)
        if root is None:
            raise Irrational
        return root


def exact_root(value: flint.fmpq) -> flint.fmpq | None:
    """The positive square root of a positive square, else None."""
    if value <= 0:
        return None
    n, d = flint.fmpz(value.p).isqrt(), flint.fmpz(value.q).isqrt()
    return flint.fmpq(n, d) if n * n == value.p and d * d == value.q else None
