"""Rational functions of a certificate: `[numerator]` or `[numerator, denominator]`, polynomials as lists of terms
`[coefficient, [variable, exponent], …]` with a coefficient "-3/2" and variables in rising order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any

from geoflow.exact.quotient import Polynomial, Quotient

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


def variables(value: Any) -> frozenset[int]:
    """Positions of the variables that a value depends on."""
    return frozenset(
        k for p in parts(value) if p for k, degree in enumerate(p.degrees()) if degree
    )


def derivative(value: Any, variable: int) -> Any:
    """By a variable."""
    numerator, denominator = parts(value)
    if not isinstance(value, Quotient):
        return numerator.derivative(variable)
    below = Quotient(denominator.context().constant(1), denominator * denominator, value.effort)
    top = numerator.derivative(variable) * denominator - numerator * denominator.derivative(variable)
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
