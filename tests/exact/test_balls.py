"""Balls hold the exact values, and a matrix is called invertible only when every matrix in its balls is."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact.balls import Balls, full_rank
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive

from .evaluation import FUNCTIONS


def balls(rows) -> np.ndarray:
    return Balls().literal(np.asarray(rows, dtype=float))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [0.125, 0.75, 3.5])
def test_functions(name: str, x: float):
    (value,) = Balls().smooth(name, balls([x]))
    assert float(value.mid()) == pytest.approx(FUNCTIONS[name](x), rel=1e-14)
    assert 0 <= float(value.rad()) < 1e-12


def test_where_functions_are_defined():
    ring = Balls()
    assert float(ring.smooth("log1p", balls([-0.5]))[0].mid()) == pytest.approx(math.log(0.5))
    for name, values in (("log", (0, -1)), ("sqrt", (0, -1)), ("log1p", (-1, -3))):
        for value in values:
            with pytest.raises(UnluckyPoint):
                ring.smooth(name, balls([value]))
    with pytest.raises(UnluckyPoint):
        ring.smooth("log1p", np.array([flint.arb(-0.5, 0.75)], dtype=object))
    with pytest.raises(UnsupportedPrimitive) as refused:
        ring.smooth("gamma", balls([1]))
    assert "gamma" in str(refused.value)


def test_rationals_are_exact():
    ring = Balls()
    third = ring.constant(Fraction(-2, 3), ()).item()
    assert (third * 3 + 2).contains(0) and 0 < float(third.rad()) < 1e-12
    (half,) = ring.invert(balls([2]))
    assert half == flint.arb(0.5)
    for value in (flint.arb(0), flint.arb(1, 2)):
        with pytest.raises(UnluckyPoint):
            ring.invert(np.array([value], dtype=object))
    around = np.array([flint.arb(0), flint.arb(0, 1), flint.arb(2)], dtype=object)
    assert ring.pattern(around).tolist() == [False, True, True]
    assert ring.pattern(around).dtype == bool


def integer(rng: np.random.Generator, n: int, rank: int) -> np.ndarray:
    return rng.integers(-4, 5, (n, rank)) @ rng.integers(-4, 5, (rank, n))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(1, 6),
    st.integers(0, 6),
    st.integers(0, 2**20),
    st.sampled_from([(0, 0), (15, 15), (300, 0)]),
)
def test_exactly_the_invertible_ones_however_scaled(n: int, rank: int, seed: int, spread):
    """Rows and columns times powers of two."""
    rng = np.random.default_rng(seed)
    matrix = integer(rng, n, min(rank, n))
    exact = flint.fmpz_mat(matrix.tolist())
    rows, columns = (np.exp2(rng.integers(-most, most + 1, n)) for most in spread)
    scaled = balls(matrix) * balls(rows)[:, None] * balls(columns)
    assert full_rank(scaled) == (exact.det() != 0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 5), st.integers(0, 2**20), st.floats(1e-12, 2))
def test_never_where_a_singular_matrix_is_in_the_balls(n: int, seed: int, radius: float):
    rng = np.random.default_rng(seed)
    singular = integer(rng, n, n - 1)
    moved = singular + radius * rng.uniform(-1, 1, (n, n))
    around = np.array([[flint.arb(x, radius * 1.01) for x in row] for row in moved.tolist()])
    assert all(b.contains(int(s)) for b, s in zip(around.ravel(), singular.ravel(), strict=True))
    assert not full_rank(around)


def test_the_edges():
    assert full_rank(np.array([[flint.arb(1, 0.9)]], dtype=object))
    assert not full_rank(np.array([[flint.arb(1, 1)]], dtype=object))
    # I − C·A has entries within 1/2 of 0, two in a row
    one, zero = flint.arb(1, 0.5), flint.arb(0, 0.5)
    assert not full_rank(np.array([[one, zero], [zero, one]]))
    close, small = flint.arb(1, 0.25), flint.arb(0, 0.25)
    assert full_rank(np.array([[close, small], [small, close]]))
    # a float inverse that overflows says nothing
    for small in (flint.arb(5e-324), flint.arb(5e-324, 1)):
        assert not full_rank(np.array(flint.arb_mat([[1, 1, 0], [0, small, 1], [0, 0, 1]]).table()))
    columns = balls([2.0**-600, 1])
    assert full_rank(balls([[3, 1], [1, 7]]) * columns)
    assert full_rank(balls([[3, 1], [1, 7]]) * columns[:, None])
    for last in (flint.arb("nan"), flint.arb("inf"), flint.arb(10) ** 400):
        assert not full_rank(np.array([[flint.arb(1), flint.arb(0)], [flint.arb(0), last]]))
