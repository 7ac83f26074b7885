"""Exact arithmetic on the numbers of a model, with limits: what a model writes down stays small
enough to compute.

Every refusal happens before the number is computed, so that `10 ** 10 ** 10` is answered at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

LARGEST_BITS = 4096
LARGEST_EXPONENT = 64


class TooLarge(Exception):
    """The number has more than `LARGEST_BITS` bits."""


class DivisionByZero(Exception):
    """A quotient by zero, or a negative power of zero."""


def parse_number(text: str) -> Fraction:
    """The exact value of `12`, `0.25` or `1e-6`."""
    mantissa, _, exponent = text.lower().partition("e")
    digits = LARGEST_BITS * 3 // 10  # decimal digits of the largest number, rounded down
    if (
        len(mantissa) > digits
        or len(exponent.lstrip("+-0")) > 4
        or abs(int(exponent or 0)) > digits
    ):
        raise TooLarge
    return limited(Fraction(text))


def limited(value: Fraction) -> Fraction:
    """The value itself, unless it is too large."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
        raise TooLarge
    return value


def divide(left: Fraction, right: Fraction) -> Fraction:
    """left / right."""
    if right == 0:
        raise DivisionByZero
    return limited(left / right)


def power(base: Fraction, exponent: Fraction) -> Fraction | None:
    """base ** exponent; None where it is not rational."""
    if exponent.denominator == 2:
        root = square_root(base)
        if root is None:
            return None
        base, exponent = root, Fraction(exponent.numerator)
    if exponent.denominator != 1:
        return None
    if base == 0 and exponent < 0:
        raise DivisionByZero
    if abs(base) in (0, 1):
        # only the parity matters, however large the exponent
        return base ** (abs(exponent.numerator) % 2 or 2) if exponent else Fraction(1)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length()) - 1
    if abs(exponent) * max(bits, 1) > LARGEST_BITS:
        raise TooLarge
    return limited(base**exponent.numerator)


def square_root(value: Fraction) -> Fraction | None:
    """The square root where it is rational."""
    if value < 0:
        return None
    over, under = math.isqrt(value.numerator), math.isqrt(value.denominator)
    root = Fraction(over, under)
    return root if root * root == value else None


OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": lambda a, b: limited(a + b),
    "sub": lambda a, b: limited(a - b),
    "mul": lambda a, b: limited(a * b),
    "div": divide,
    "maximum": max,
    "minimum": min,
}
