"""Ranks by peeling, against python-flint."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact import linalg
from geoflow.exact.blocks import eliminate, peel_blocks
from geoflow.exact.peeling import Rows, peel
from geoflow.exact.sparsespace import SparseSpace

PRIME = 33554467


def flint_rank(matrix: np.ndarray) -> int:
    return linalg._matrix(matrix, PRIME).rank() if matrix.size else 0


def sparse_matrix(seed: int, shape: tuple[int, int], density: float) -> np.ndarray:
    """Few entries, and some rows that are combinations of others."""
    rng = np.random.default_rng(seed)
    matrix = np.where(rng.random(shape) < density, rng.integers(1, 4, shape), 0)
    for _ in range(shape[0] // 4):
        i, j, k = rng.integers(0, shape[0], 3)
        matrix[i] = (matrix[j] + 2 * matrix[k]) % PRIME
    return matrix.astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([0.02, 0.05, 0.1, 0.3]),
)
def test_ranks_are_those_of_dense_elimination(seed: int, count: int, width: int, density: float):
    matrix = sparse_matrix(seed, (count, width), density)
    space = SparseSpace(Rows.dense(matrix), PRIME, np.random.default_rng(0))
    assert space.rank == flint_rank(matrix)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.03, 0.1]), st.booleans())
def test_rows_added_later(seed: int, density: float, sparse: bool):
    matrix = sparse_matrix(seed, (30, 25), density)
    space = SparseSpace(Rows.dense(matrix[:20]), PRIME, np.random.default_rng(0))
    for more in (matrix[20:24], matrix[24:]):
        (space.add_sparse(Rows.dense(more)) if sparse else space.add(more))
    assert space.rank == flint_rank(matrix)


def test_rows_of_the_span_add_nothing_and_others_do():
    rng = np.random.default_rng(0)
    matrix = sparse_matrix(1, (60, 80), 0.04)
    space = SparseSpace(Rows.dense(matrix), PRIME, rng)
    before = space.rank
    inside = rng.integers(0, 1000, (5, 60)) @ matrix % PRIME
    assert space.add(inside) == before < 80
    assert space.add(rng.integers(0, PRIME, (3, 80))) == before + 3


def test_never_more_than_the_rank_when_columns_are_folded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("geoflow.exact.sparsespace.LARGEST_CORE", 8)
    monkeypatch.setattr("geoflow.exact.blocks._TALLEST", 0)
    rng = np.random.default_rng(2)
    matrix = rng.integers(0, 3, (20, 20))
    matrix[15:] = matrix[:5]
    space = SparseSpace(Rows.dense(matrix), PRIME, rng)
    assert space.rank == 8 < flint_rank(matrix)
    assert space.room == 0


def test_a_staircase_peels_completely():
    size = 50
    matrix = np.tril(np.ones((size, size), dtype=np.int64)) - np.tril(np.ones((size, size)), -3)
    peeled = peel(Rows.dense(matrix.astype(np.int64)))
    assert peeled.pivots == size
    assert peeled.core().count == 0


def test_private_blocks_and_their_dependent_rows():
    """Two blocks, one of them singular: its dependent row is a row of what remains."""
    matrix = np.zeros((6, 8), dtype=np.int64)
    matrix[:3, :3] = [[1, 2, 3], [4, 5, 6], [5, 7, 9]]
    matrix[3:, 3:6] = [[2, 1, 1], [1, 2, 1], [1, 1, 2]]
    matrix[:, 6] = [1, 1, 5, 1, 1, 1]
    matrix[:, 7] = [1, 2, 1, 1, 3, 1]
    found = peel_blocks(Rows.dense(matrix), PRIME)
    assert found is not None
    blocks, rest = found
    assert sum(b.rank for b in blocks) == 5
    assert rest.count == 1
    assert len(rest.columns) == 2
    assert SparseSpace(Rows.dense(matrix), PRIME, np.random.default_rng(0)).rank == 6


def test_small_matrices_side_by_side():
    rng = np.random.default_rng(4)
    matrices = rng.integers(0, PRIME, (7, 5, 6))
    matrices[2, 3] = (matrices[2, 0] + 3 * matrices[2, 1]) % PRIME
    matrices[5] = 0
    pivots, combined = eliminate(matrices, PRIME)
    for matrix, columns, t in zip(matrices, pivots, combined, strict=True):
        assert np.count_nonzero(columns >= 0) == flint_rank(matrix)
        wide = (t.astype(object) @ matrix.astype(object)) % PRIME
        for line, column in enumerate(columns):
            if column < 0:
                assert not wide[line].any()
            else:
                assert list(np.flatnonzero(wide[:, column])) == [line]
                assert wide[line, column] == 1
