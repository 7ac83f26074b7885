"""Ranks and nullspaces mod p, and rational numbers from residues."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import flint
import numpy as np

from geoflow.exact.elimination import LARGEST_PRIME, RowSpace

_LARGE = (
    400  # rows and columns from which elimination by matrix products is faster than python-flint
)


def rank(rows: np.ndarray, prime: int) -> int:
    """Rank over F_p of an integer matrix [rows, columns]."""
    if rows.size == 0:
        return 0
    if len(rows) == 1:
        return int(np.any(rows % prime))
    if min(rows.shape) < _LARGE or prime >= LARGEST_PRIME:
        return _matrix(rows, prime).rank()
    return RowSpace(rows.shape[1], prime).add(rows)


def nullspace(rows: np.ndarray, prime: int) -> np.ndarray:
    """Reduced row echelon basis [nullity, columns] of {x : rows @ x = 0} over F_p."""
    columns = rows.shape[1]
    if rows.shape[0] == 0:
        return np.eye(columns, dtype=np.int64)
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
        row = rows[0] % prime
        lead = row[np.flatnonzero(row)[:1]]
        return np.stack([row * pow(int(x), -1, prime) % prime for x in lead] or [row])[: len(lead)]
    reduced, count = _matrix(rows, prime).rref()
    entries = np.array([int(x) for x in reduced.entries()], dtype=np.int64)
    return entries.reshape(rows.shape)[:count]


def _matrix(rows: np.ndarray, prime: int) -> flint.nmod_mat:
    return flint.nmod_mat(rows.shape[0], rows.shape[1], rows.ravel().tolist(), prime)


def independent_rows(rows: np.ndarray, prime: int) -> list[int]:
    """Indices of the first rows that form a basis of the row space."""
    if rows.size == 0:
        return []
    if len(rows) == 1:
        return [0][: rank(rows, prime)]
    reduced, count = _matrix(np.ascontiguousarray(rows.T), prime).rref()
    entries = np.array([int(x) for x in reduced.entries()], dtype=np.int64).reshape(
        rows.shape[1], rows.shape[0]
    )
    return [int(np.flatnonzero(entries[k])[0]) for k in range(count)]


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
    if s1 == 0 or abs(s1) > bound:
        return None
    return Fraction(r1, s1)
