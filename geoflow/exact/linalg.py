"""Ranks and nullspaces mod p, and rational numbers from residues."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, isqrt

import flint
import numpy as np

from geoflow.exact.elimination import LARGEST_PRIME, RowSpace

_LARGE = (
    400  # rows and columns from which elimination by matrix products is faster than python-flint
)


def rank(rows: np.ndarray, prime: int) -> int:
    """Rank over F_p of an integer matrix [rows, columns]."""
    if len(rows) == 1:
        return int(np.any(rows % prime))
    if min(rows.shape) < _LARGE or prime >= LARGEST_PRIME:
        return _matrix(rows, prime).rank()
    return RowSpace(rows.shape[1], prime).add(rows)


def nullspace(rows: np.ndarray, prime: int) -> np.ndarray:
    """Reduced row echelon basis [nullity, columns] of {x : rows @ x = 0} over F_p."""
    columns = rows.shape[1]
    # with the columns reversed, the vector of a free column has its other entries in later columns, at pivots
    reduced = echelon(np.ascontiguousarray(rows[:, ::-1]), prime)
    pivots = [columns - 1 - int(np.flatnonzero(row)[0]) for row in reduced]
    free = np.setdiff1d(np.arange(columns), pivots)
    basis = np.zeros((len(free), columns), dtype=np.int64)
    basis[np.arange(len(free)), free] = 1
    basis[:, pivots] = -reduced[:, columns - 1 - free].T % prime
    return basis


def echelon(rows: np.ndarray, prime: int) -> np.ndarray:
    """Reduced row echelon form over F_p without zero rows."""
    if len(rows) == 1:
        row = rows % prime
        return row * pow(int(row[row != 0][0]), -1, prime) % prime if row.any() else row[:0]
    reduced, count = _matrix(rows, prime).rref()
    entries = np.array([int(x) for x in reduced.entries()], dtype=np.int64)
    return entries.reshape(rows.shape)[:count]


def _matrix(rows: np.ndarray, prime: int) -> flint.nmod_mat:
    return flint.nmod_mat(rows.shape[0], rows.shape[1], rows.ravel().tolist(), prime)


def independent_rows(rows: np.ndarray, prime: int) -> list[int]:
    """Indices of the first rows that form a basis of the row space."""
    return [int(np.flatnonzero(row)[0]) for row in echelon(np.ascontiguousarray(rows.T), prime)]


def combine_residues(residues: list[int], primes: list[int]) -> tuple[int, int]:
    """Chinese remainders: (value, modulus)."""
    value, modulus = 0, 1
    for r, p in zip(residues, primes, strict=True):
        value += modulus * ((r - value) * pow(modulus, -1, p) % p)
        modulus *= p
    return value, modulus


def reconstruct(value: int, modulus: int) -> Fraction | None:
    """The rational n/d ≡ value with |n|, d ≤ √(modulus/2), if there is one (Wang 1981)."""
    bound = isqrt(modulus // 2)
    r0, r1, s0, s1 = modulus, value % modulus, 0, 1
    while r1 > bound:
        q = r0 // r1
        r0, r1, s0, s1 = r1, r0 - q * r1, s1, s0 - q * s1
    return Fraction(r1, s1) if abs(s1) <= bound and gcd(r1, s1) == 1 else None
