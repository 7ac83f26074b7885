"""Linear algebra mod p and rational reconstruction."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, isqrt, prod

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact import linalg
from geoflow.exact.primefield import draw_prime

PRIME = 67108859


@pytest.mark.parametrize(
    ("rows", "columns", "rank"), [(4, 6, 2), (6, 4, 4), (5, 5, 0), (3, 7, 3), (0, 4, 0)]
)
def test_rank_nullspace_and_independent_rows(rows: int, columns: int, rank: int):
    rng = np.random.default_rng(rows + columns)
    matrix = rng.integers(0, PRIME, (rows, rank)).astype(object) @ rng.integers(
        0, PRIME, (rank, columns)
    )
    matrix = (matrix % PRIME).astype(np.int64).reshape(rows, columns)
    assert linalg.rank(matrix, PRIME) == rank
    basis = linalg.nullspace(matrix, PRIME)
    assert basis.shape == (columns - rank, columns)
    assert not np.any((matrix.astype(object) @ basis.T.astype(object)) % PRIME)
    assert linalg.rank(basis, PRIME) == columns - rank
    chosen = linalg.independent_rows(matrix, PRIME)
    assert len(chosen) == rank
    assert linalg.rank(matrix[chosen], PRIME) == rank


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.sampled_from([2, 3, 101, PRIME]),
    st.tuples(st.sampled_from([0, 1, 1, 2, 3, 6]), st.integers(0, 6)),
    st.integers(0, 6),
    st.integers(0, 2**20),
)
def test_echelon_forms_of_integers_of_any_size(prime: int, shape, rank: int, seed: int):
    """What is not reduced mod p counts as what it is mod p; rows and their multiples have the same form."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(-3, 4, (shape[0], rank)), rng.integers(-3, 4, (rank, shape[1]))
    rows = left @ right + prime * rng.integers(-2, 3, shape)
    form = linalg.echelon(rows, prime)
    rank = linalg.rank(rows, prime)
    leads = [int(np.flatnonzero(row)[0]) for row in form]
    assert form.dtype == np.int64 and form.shape == (rank, shape[1])
    assert np.all((form >= 0) & (form < prime))
    assert leads == sorted(set(leads))
    assert np.array_equal(form[:, leads], np.eye(rank))
    combined = np.array(
        [[int(x) % prime for x in row] for row in rows.astype(object)[:, leads] @ form]
    ).reshape(shape)
    assert np.array_equal(combined, rows % prime)
    scaled = np.concatenate([rows * (prime - 1), rows])
    assert np.array_equal(linalg.echelon(scaled, prime), form)
    basis = linalg.nullspace(rows, prime)
    assert basis.dtype == np.int64 and basis.shape == (shape[1] - rank, shape[1])
    assert np.all((basis >= 0) & (basis < prime))
    assert not np.any(rows.astype(object) @ basis.T.astype(object) % prime)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 6), st.integers(0, 5), st.integers(0, 2**20))
def test_independent_rows_are_the_first(rows: int, columns: int, seed: int):
    matrix = np.random.default_rng(seed).integers(0, 2, (rows, columns))
    greedy: list[int] = []
    for k in range(rows):
        if linalg.rank(matrix[[*greedy, k]], PRIME) > len(greedy):
            greedy.append(k)
    assert linalg.independent_rows(matrix, PRIME) == greedy


def test_the_nullspace_is_canonical():
    matrix = np.array([[1, 2, 3, 4], [2, 4, 7, 9]])
    basis = linalg.nullspace(matrix, PRIME)
    assert np.array_equal(basis, linalg.echelon(basis, PRIME))
    mixed = linalg.nullspace((np.array([[3, 1], [5, 2]]) @ matrix) % PRIME, PRIME)
    assert np.array_equal(basis, mixed)


def test_the_rank_mod_p_is_at_most_the_rank():
    for prime in (7, 11, 103):
        for seed in range(10):
            matrix = np.random.default_rng(seed).integers(-9, 10, (4, 5))
            assert linalg.rank(matrix % prime, prime) <= sp.Matrix(matrix.tolist()).rank()


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.fractions(max_denominator=10**9).filter(lambda f: abs(f.numerator) < 10**10))
def test_reconstruction_after_chinese_remainders(value: Fraction):
    rng = np.random.default_rng(0)
    primes = [draw_prime(rng) for _ in range(4)]
    residues = [value.numerator * pow(value.denominator, -1, p) % p for p in primes]
    combined, modulus = linalg.combine_residues(residues, primes)
    assert modulus == prod(primes)
    assert 0 <= combined < modulus
    assert all(combined % p == r for p, r in zip(primes, residues, strict=True))
    assert linalg.reconstruct(combined, modulus) == value


@pytest.mark.parametrize("modulus", [2, 7, 101, 127, 7 * 31])
def test_reconstruction_finds_what_there_is_and_nothing_else(modulus: int):
    """Every residue against all fractions with a numerator and a denominator of at most √(modulus/2)."""
    bound = isqrt(modulus // 2)
    small = {
        n * pow(d, -1, modulus) % modulus: Fraction(n, d)
        for d in range(1, bound + 1)
        for n in range(-bound, bound + 1)
        if gcd(d, modulus) == gcd(n, d) == 1
    }
    for residue in range(modulus):
        assert linalg.reconstruct(residue, modulus) == small.get(residue)


def test_remainders_of_no_prime_or_without_one_are_refused():
    assert linalg.combine_residues([0], [7]) == (0, 7)
    with pytest.raises(ValueError):
        linalg.combine_residues([1, 2], [7])


def test_numbers_too_large_for_the_modulus_are_not_invented():
    value = Fraction(123456789, 987654321)
    residue = value.numerator * pow(value.denominator, -1, PRIME) % PRIME
    found = linalg.reconstruct(residue, PRIME)
    assert found is None or found != value


def test_drawn_primes_have_square_roots_by_a_power():
    rng = np.random.default_rng(0)
    for _ in range(20):
        prime = draw_prime(rng)
        assert sp.isprime(prime)
        assert prime % 4 == 3
        assert 2**25 < prime < 2**26
