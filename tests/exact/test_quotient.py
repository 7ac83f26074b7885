"""Quotients have the values of what they are made of, in lowest terms where that is cheap, and cost what is allowed."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import flint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.deadline import Deadline
from geoflow.exact import quotient
from geoflow.exact.quotient import Effort, Quotient, TooLarge, as_quotient, simple, terms_of

CONTEXT = flint.fmpq_mpoly_ctx.get(["x", "y"], "lex")
X, Y = CONTEXT.gens()
POINT = (Fraction(3, 7), Fraction(-5, 11))
COEFFICIENTS = st.lists(st.integers(-2, 2), min_size=4, max_size=4)


def polynomial(c: list[int]) -> Any:
    return c[0] + c[1] * X + c[2] * Y + c[3] * X * Y


def element(top: list[int], bottom: list[int], effort: Effort) -> Any:
    """A quotient in lowest terms."""
    numerator, denominator = polynomial(top), polynomial(bottom)
    common = numerator.gcd(denominator)
    return simple(numerator / common, denominator / common, effort) if denominator else numerator


def at_point(value: Any) -> Fraction:
    if isinstance(value, Quotient):
        return at_point(value.numerator) / at_point(value.denominator)
    if isinstance(value, int):
        return Fraction(value)
    total = Fraction()
    for exponents, c in value.terms():
        powers = (p ** int(k) for p, k in zip(POINT, exponents, strict=True))
        total += Fraction(int(c.p), int(c.q)) * math.prod(powers)
    return total


def results(p: Any, q: Any) -> list[tuple[Any, Fraction]]:
    """Of every operation, and what they must be at the point."""
    a, b = at_point(p), at_point(q)
    return [
        (p + q, a + b),
        (p - q, a - b),
        (q - p, b - a),
        (p * q, a * b),
        (q * p, a * b),
        (-p, -a),
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(COEFFICIENTS, COEFFICIENTS, COEFFICIENTS, COEFFICIENTS, st.integers(-3, 3))
def test_values_and_lowest_terms(a, b, c, d, n):
    effort = Effort()
    p, q, r = element(a, b, effort), element(c, d, effort), element(c, b, effort)
    for other in (q, r, polynomial(c), n):
        for found, expected in results(p, other):
            assert at_point(found) == expected
            if isinstance(found, Quotient):
                assert found.numerator.gcd(found.denominator) == 1
                assert not found.denominator.is_constant()
                assert found.effort is effort


@settings(max_examples=60, deadline=None, derandomize=True)
@given(COEFFICIENTS, COEFFICIENTS, COEFFICIENTS, COEFFICIENTS)
def test_values_without_common_factors_taken_out(a, b, c, d):
    p, q = element(a, b, Effort()), element(c, d, Effort())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quotient, "_REDUCED", -1)
        for found, expected in results(p, q):
            assert at_point(found) == expected
            assert expected or not terms_of(found)


def test_a_quotient_by_a_number_is_a_polynomial():
    effort = Effort()
    assert simple(X, CONTEXT.constant(1), effort) == X
    for number in (2, 3):
        assert simple(X, CONTEXT.constant(number), effort) * number == X
    assert isinstance(simple(X, Y, effort), Quotient)
    assert simple(CONTEXT.constant(0), Y, effort) == 0
    assert isinstance(simple(CONTEXT.constant(0), Y, effort), type(X))
    one = as_quotient(Y, CONTEXT, effort)
    assert (one.numerator, one.denominator, one.effort is effort) == (Y, 1, True)
    assert as_quotient(2, CONTEXT, effort).numerator == 2
    assert as_quotient(one, CONTEXT, Effort()) is one


def test_terms_are_those_of_the_numerator():
    assert terms_of(X + Y + 1) == 3
    assert terms_of(Quotient(X + Y, X - Y + 1)) == 2


@pytest.mark.parametrize("piece", [1, 3, 10, 29, 30])
@pytest.mark.parametrize("swapped", [False, True])
def test_products_in_pieces(piece: int, swapped: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quotient, "_PIECE", piece)
    a, b = (X + 2) ** 5, (Y - 1) ** 4
    assert len(a) * len(b) == 30
    effort = Effort(products=30)
    assert effort.product(*((b, a) if swapped else (a, b))) == a * b
    assert effort.products == 0
    with pytest.raises(TooLarge):
        effort.product(X, Y)


def test_products_of_a_piece_each_are_few_at_a_time(monkeypatch: pytest.MonkeyPatch):
    """At each piece the time is looked at; as many are made in one as it holds."""
    monkeypatch.setattr(quotient, "_PIECE", 10)
    seen = []

    class Watched(Effort):
        def spend(self, products: int) -> None:
            seen.append(products)
            super().spend(products)

    for a, b in (((X + 2) ** 5, (Y - 1) ** 4), ((Y - 1) ** 4, (X + 2) ** 5)):
        seen.clear()
        Watched().product(a, b)
        assert seen == [30, 0, 0, 0]


def test_terms_that_are_too_many_are_refused(monkeypatch: pytest.MonkeyPatch):
    Effort(terms=3).check(3)
    with pytest.raises(TooLarge, match="3 000"):
        Effort(terms=3000).check(3001)
    monkeypatch.setattr(quotient, "_PIECE", 10)
    a, b = (X + 2) ** 5, (Y - 1) ** 4
    assert len(Effort(terms=30).product(a, b)) == 30
    with pytest.raises(TooLarge):
        Effort(terms=29).product(a, b)


def test_no_time_is_left():
    with pytest.raises(TooLarge, match="time"):
        Effort(deadline=Deadline.after(-1)).spend(0)
    with pytest.raises(TooLarge, match="products"):
        Effort(products=1).spend(2)


def test_common_factors_are_sought_where_it_is_cheap(monkeypatch: pytest.MonkeyPatch):
    a, b = (X + Y) * (X + 1), (X + Y) * (Y + 2)
    size = len(a) * len(b)
    monkeypatch.setattr(quotient, "_REDUCED", size)
    effort = Effort(products=size)
    assert effort.common(a, b) == X + Y
    assert effort.products == 0
    with pytest.raises(TooLarge):
        effort.common(a, b)
    monkeypatch.setattr(quotient, "_REDUCED", size - 1)
    assert effort.common(a, b) == 1


def test_the_effort_does_not_tell_quotients_apart():
    assert Quotient(X, Y, Effort()) == Quotient(X, Y, Effort(terms=5))
    assert Quotient(X, Y) != Quotient(Y, X)
