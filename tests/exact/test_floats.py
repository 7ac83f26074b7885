"""Doubles behind the interface of exact arithmetic: what NumPy says, and no infinity."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from geoflow.exact.floats import Floats
from geoflow.exact.interpreter import UnluckyPoint

from .evaluation import FUNCTIONS

RING = Floats()


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 2, shape)


def test_numbers():
    literal = RING.literal(np.array([1, 2]))
    assert literal.dtype == np.float64
    assert literal.tolist() == [1, 2]
    assert RING.constant(Fraction(1, 4), (2, 3)).tolist() == [[0.25] * 3] * 2
    zeros = RING.zeros((2, 1))
    assert zeros.shape == (2, 1)
    assert not zeros.any()


def test_ring():
    a, b = drawn(2, 3), drawn(2, 3)[::-1]
    assert np.array_equal(RING.add(a, b), a - (-b))
    assert np.array_equal(RING.sub(a, b), a + (-b))
    assert np.array_equal(RING.mul(a, b), np.multiply(a, b))
    assert not (a + RING.neg(a)).any()
    assert np.allclose(RING.matmul(a, b.T), np.einsum("ik,jk->ij", a, b))
    assert np.allclose(RING.sum(a, (1,)), [math.fsum(r) for r in a])
    assert np.allclose(RING.sum(a, (0, 1)), math.fsum(a.ravel()))
    sums = RING.segment_sum(drawn(5, 2), np.array([0, 2]))
    assert np.allclose(sums, [drawn(5, 2)[:2].sum(0), drawn(5, 2)[2:].sum(0)])


def test_reciprocals_of_zero_are_refused():
    assert RING.invert(np.array([2.0, -4.0])).tolist() == [0.5, -0.25]
    with pytest.raises(UnluckyPoint):
        RING.invert(np.array([1.0, 0.0]))
    assert RING.pattern(np.array([2.0, 0.0])).tolist() == [True, False]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str):
    values = drawn(2, 3)
    expected = np.vectorize(FUNCTIONS[name])(values)
    assert np.allclose(RING.smooth(name, values), expected, rtol=1e-14)


@pytest.mark.parametrize("name, pole", [("log", 0.0), ("sqrt", -1.0), ("log1p", -1.0)])
@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_is_refused_without_a_warning(name: str, pole: float):
    with pytest.raises(UnluckyPoint):
        RING.smooth(name, np.array([1.0, pole]))
