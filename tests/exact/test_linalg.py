"""Linear algebra mod p and rational reconstruction."""

from __future__ import annotations

from fractions import Fraction
from math import prod

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
    assert all(combined % p == r for p, r in zip(primes, residues, strict=True))
    assert linalg.reconstruct(combined, modulus) == value


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
