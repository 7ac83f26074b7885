"""Arithmetic in F_p against Python's integers, at the largest residues above all."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField, PrincipalRoots, draw_prime
from geoflow.exact.program import UnsupportedPrimitive

PRIMES = (3, 101, 4194287, 67108859)


def integers(array: np.ndarray) -> np.ndarray:
    return array.astype(object)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(PRIMES),
    st.tuples(st.integers(1, 4), st.sampled_from([1, 2, 7, 60]), st.integers(1, 4)),
    st.booleans(),
    st.integers(0, 2**20),
)
def test_matrix_products_are_those_of_integers(prime: int, sizes, large: bool, seed: int):
    rng = np.random.default_rng(seed)
    rows, inner, columns = sizes
    low = max(0, prime - 100) if large else 0
    a = rng.integers(low, prime, (2, 3, rows, inner))
    b = rng.integers(low, prime, (3, inner, columns))
    found = PrimeField(prime).matmul(a, b)
    assert found.dtype == np.int64
    assert np.array_equal(found, integers(a) @ integers(b) % prime)


@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize("inner", [2, 3, 1023, 1024, 1025, 2500])
def test_no_product_is_too_long(prime: int, inner: int):
    """Sums of as many products of the largest odd residues as there are."""
    a, b = np.full((2, 3, inner), prime - 2), np.full((inner, 200), prime - 2)
    found = PrimeField(prime).matmul(a, b)
    assert np.array_equal(found, np.full((2, 3, 200), 4 * inner % prime))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(PRIMES), st.integers(0, 2**20))
def test_the_operations_of_a_ring(prime: int, seed: int):
    rng = np.random.default_rng(seed)
    field = PrimeField(prime)
    a, b = rng.integers(0, prime, (2, 5, 4)), rng.integers(0, prime, (5, 1))
    x, y = integers(a), integers(b)
    assert np.array_equal(field.add(a, b), (x + y) % prime)
    assert np.array_equal(field.sub(a, b), (x - y) % prime)
    assert np.array_equal(field.mul(a, b), x * y % prime)
    assert np.array_equal(field.neg(a), -x % prime)
    assert np.array_equal(field.sum(a, (0, 2)), x.sum(axis=0).sum(axis=1) % prime)
    starts = np.array([0, 2, 3])
    parts = [x[:, :2].sum(axis=1), x[:, 2], x[:, 3:].sum(axis=1)]
    found = field.segment_sum(np.moveaxis(a, 1, 0), starts)
    assert np.array_equal(found, np.stack(parts) % prime)
    units = np.where(a == 0, 1, a)
    assert np.all(field.mul(units, field.invert(units)) == 1)
    assert np.array_equal(field.pattern(a), a != 0)
    for exponent in (0, 1, 5, prime):
        expected = [pow(int(u), exponent, prime) for u in a.ravel()]
        assert field.power(a, exponent).ravel().tolist() == expected


@pytest.mark.parametrize("prime", PRIMES)
def test_numbers_are_read_as_what_they_are(prime: int):
    field = PrimeField(prime)
    cases = [
        np.array([[0, -1], [5, 2**62 - 1]]),
        np.array([2**64 - 1, 7], dtype=np.uint64),
        np.array([255, 3], dtype=np.uint8),
        np.array([True, False]),
        np.array([-(10**30), 10**30 + 1, 2], dtype=object),
    ]
    for values in cases:
        found = field.literal(values)
        assert found.dtype == np.int64 and found.shape == values.shape
        assert found.ravel().tolist() == [int(v) % prime for v in values.ravel()]
    floats = field.literal(np.array([[0.1, -2.5]]))
    tenth = Fraction(0.1)  # a float is a dyadic number
    inverses = [pow(d, -1, prime) for d in (tenth.denominator, 2)]
    assert floats.tolist() == [[tenth.numerator * inverses[0] % prime, -5 * inverses[1] % prime]]
    rationals = np.array([[flint.fmpq(-1, 2)], [flint.fmpq(4, 1)]], dtype=object)
    assert field.residues(rationals).tolist() == [[-inverses[1] % prime], [4 % prime]]
    assert field.residues(rationals).dtype == np.int64
    half = field.constant(Fraction(1, 2), (2, 1))
    assert half.dtype == np.int64 and half.tolist() == [[inverses[1]]] * 2
    assert field.zeros((2, 1)).dtype == np.int64 and field.zeros((2, 1)).tolist() == [[0], [0]]


def test_arrays_without_entries_are_whole_numbers_too():
    field, nothing = PrimeField(101, roots={}), np.zeros((0, 2))
    empty = [field.literal(nothing), field.residues(nothing), field.constant(Fraction(1), (0, 2))]
    empty.append(field.smooth("sqrt", empty[0]))
    assert all(x.dtype == np.int64 and x.shape == (0, 2) for x in empty)


def test_what_has_no_value_is_refused():
    field = PrimeField(101, roots={4: 99})
    for denominator in (101, 202):
        with pytest.raises(UnluckyPoint):
            field.fraction(Fraction(1, denominator))
    with pytest.raises(UnluckyPoint):
        field.invert(np.array([[3, 0]]))
    assert field.smooth("sqrt", np.array([[4], [4]])).tolist() == [[99], [99]]
    with pytest.raises(UnluckyPoint):
        field.smooth("sqrt", np.array([4, 5]))
    with pytest.raises(UnsupportedPrimitive):
        field.smooth("exp", np.array([4]))
    for other in (PrimeField(101), PrincipalRoots(103)):
        name = "sqrt" if type(other) is PrimeField else "exp"
        with pytest.raises(UnsupportedPrimitive):
            other.smooth(name, np.array([4]))


def test_batch_entries_without_a_root_or_an_inverse_are_named():
    field = PrincipalRoots(103)
    assert field.usable(2).tolist() == [True, True]
    squares = np.array([[[4, 9], [4, 3], [16, 0], [1, 4], [1, 1]]])  # 3 has no root mod 103
    roots = field.smooth("sqrt", squares)
    assert np.array_equal((roots * roots % 103 == squares).all(axis=(0, 2)), [1, 0, 1, 1, 1])
    assert field.usable(5).tolist() == [True, False, True, True, True]
    values = np.array([[[2], [3], [1], [0], [7]], [[5], [6], [1], [1], [7]]])
    assert np.all((field.invert(values) * values % 103 == 1) | (values == 0))
    assert field.usable(5).tolist() == [True, False, True, False, True]
    field.invert(np.zeros((1, 1, 2), dtype=np.int64))  # of all batch entries
    assert not field.usable(5).any()


@pytest.mark.parametrize("bits", [22, 26])
def test_drawn_primes_have_so_many_bits_and_differ(bits: int):
    rng = np.random.default_rng(1)
    primes = [draw_prime(rng, bits) for _ in range(20)]
    assert len(set(primes)) > 15
    for prime in primes:
        assert sp.isprime(prime) and prime % 4 == 3
        assert 2 ** (bits - 1) < prime < 2**bits


@pytest.mark.parametrize("shape", [(2, 3, 4), (12, 11, 10)])
def test_products_of_plain_matrices(shape: tuple[int, int, int]):
    """Without leading axes, by both ways."""
    rows, inner, columns = shape
    field, rng = PrimeField(67108859), np.random.default_rng(0)
    a, b = rng.integers(0, field.p, (rows, inner)), rng.integers(0, field.p, (inner, columns))
    expected = a.astype(object) @ b.astype(object) % field.p
    assert field.matmul(a, b).tolist() == expected.tolist()
