"""Rational functions of a certificate: `[numerator]` or `[numerator, denominator]`, polynomials as lists of terms
`[coefficient, [variable, exponent], …]` with a coefficient "-3/2" and variables in rising order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any

import flint

from geoflow.exact.polynomials import Polynomials
from geoflow.exact.quotient import Effort, Polynomial, Quotient, simple

_LONGEST_NUMBER = 2000  # characters
Function = list[list[list[Any]]]


def parts(value: Any) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator of a polynomial or a quotient."""
    if isinstance(value, Quotient):
        return value.numerator, value.denominator
    return value, value.context().constant(1)


def written(value: Any) -> Function:
    """A value of `exact.polynomials`, as the certificate has it."""
    numerator, denominator = parts(value)
    found = [_terms(numerator)]
    return found if denominator == 1 else [*found, _terms(denominator)]


def _terms(p: Polynomial) -> list[list[Any]]:
    return [
        [str(Fraction(int(c.p), int(c.q))), *([k, int(e)] for k, e in enumerate(m) if e)]
        for m, c in sorted(((tuple(map(int, m)), c) for m, c in p.to_dict().items()), reverse=True)
    ]


class Malformed(ValueError):
    """A function that is not in the form of certificates."""


def read(data: Any, ring: Polynomials, allowed: int) -> Any:
    """A function in the first `allowed` variables of a ring, from the one form that it has in a certificate.

    Raises:
        Malformed: it has another form.
    """
    try:
        found = [ring.context.from_dict(_read_terms(p, ring, allowed)) for p in data]
    except (
        TypeError,
        ValueError,
        KeyError,
        IndexError,
        ZeroDivisionError,
        OverflowError,
        AttributeError,
    ):
        raise Malformed("a function is not in the form of certificates") from None
    if len(found) not in (1, 2) or (not found[-1] and len(found) == 2):
        raise Malformed("a function has a numerator, and perhaps a denominator that is not 0")
    value = found[0] if len(found) == 1 else simple(found[0], found[1], Effort())
    return value


def _read_terms(data: Any, ring: Polynomials, allowed: int) -> dict[tuple[int, ...], flint.fmpq]:
    width = ring.context.nvars()
    found: dict[tuple[int, ...], flint.fmpq] = {}
    for text, *powers in data:
        if len(text) > _LONGEST_NUMBER or text.strip(
            "-/0123456789"
        ):  # "1e999999999" would take all memory
            raise Malformed("a coefficient is no fraction")
        value, exponents, last = Fraction(text), [0] * width, -1
        for v, e in powers:
            if not (type(v) is int and type(e) is int and last < v < allowed and 0 < e < 1000):
                raise Malformed("a power is out of range or out of order")
            exponents[v], last = e, v
        key = tuple(exponents)
        if not isinstance(text, str) or str(value) != text or not value or key in found:
            raise Malformed("a term is not in its only form")
        found[key] = flint.fmpq(value.numerator, value.denominator)
    return found


def variables(value: Any) -> frozenset[int]:
    """Positions of the variables that a value depends on."""
    return frozenset(k for p in parts(value) if p for k, degree in enumerate(p.degrees()) if degree)


def derivative(value: Any, variable: int) -> Any:
    """By a variable."""
    numerator, denominator = parts(value)
    if not isinstance(value, Quotient):
        return numerator.derivative(variable)
    below = Quotient(denominator.context().constant(1), denominator * denominator, value.effort)
    top = numerator.derivative(variable) * denominator - numerator * denominator.derivative(
        variable
    )
    return below * top


def residue(value: Any, place: Sequence[int], prime: int) -> int:
    """The value at a point over a prime field, by variable.

    Raises:
        ZeroDivisionError: the denominator vanishes there.
    """
    numerator, denominator = (_residue(p, place, prime) for p in parts(value))
    if not denominator:
        raise ZeroDivisionError
    return numerator * pow(denominator, -1, prime) % prime


def _residue(p: Polynomial, place: Sequence[int], prime: int) -> int:
    total = 0
    for exponents, c in p.to_dict().items():
        if not int(c.q) % prime:
            raise ZeroDivisionError
        term = int(c.p) * pow(int(c.q), -1, prime)
        for k, e in enumerate(exponents):
            if e:
                term = term * pow(place[k], int(e), prime) % prime
        total += term
    return total % prime


def only_of(value: Any, allowed: Collection[int]) -> bool:
    """Whether a value depends on these variables alone."""
    return variables(value) <= set(allowed)
