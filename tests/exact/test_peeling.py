"""Ranks by peeling, against python-flint."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact import linalg
from geoflow.exact.blocks import _alike, combinations, eliminate, inverses, peel_blocks
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


def written_out(rows: Rows) -> np.ndarray:
    matrix = np.zeros((rows.count, rows.width), dtype=np.int64)
    matrix[rows.owner, rows.columns] = rows.values
    return matrix


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_rows_are_those_of_the_matrix(seed: int, count: int, width: int, empty: bool):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(1, 9, (count, width)) * (rng.random((count, width)) < 0.3) * (not empty)
    rows = Rows.dense(matrix)
    assert rows.count == count and np.array_equal(written_out(rows), matrix)
    some = rng.integers(0, count, 5) if count else np.zeros(0, dtype=int)
    assert np.array_equal(written_out(rows.taken(some)), matrix[some])
    for parts in ([rows], [rows, rows.taken(some), rows]):
        below = np.concatenate([written_out(part) for part in parts])
        assert np.array_equal(written_out(Rows.stacked(parts)), below)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([0.03, 0.06, 0.1, 0.2]), st.integers(1, 30))
def test_pivots_and_what_is_left(seed: int, density: float, width: int):
    """In the order of peeling, the pivots make a triangular matrix; the core is what no pivot is in."""
    matrix = sparse_matrix(seed, (25, width), density)
    peeled = peel(Rows.dense(matrix))
    lines = [int(k) for found, _ in peeled.rounds for k in found]
    columns = [int(k) for _, pivots in peeled.rounds for k in pivots]
    assert len(set(lines)) == len(lines) and len(set(columns)) == len(columns)
    for place, column in enumerate(columns):
        assert matrix[lines[place], column] != 0
        assert not matrix[lines[place + 1 :], column].any()
        assert not matrix[peeled.left, column].any()
    assert len(set(peeled.lone.tolist()) | set(columns)) == peeled.pivots
    core = written_out(peeled.core())
    kept = np.setdiff1d(np.arange(width), peeled.lone)
    assert np.array_equal(core[:, kept], matrix[peeled.left][:, kept])
    assert not core[:, peeled.lone].any()
    assert np.all((core != 0).sum(axis=1) > 1) and np.all((core != 0).sum(axis=0) != 1)
    assert peeled.pivots + flint_rank(core) == flint_rank(matrix)


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


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8), st.integers(0, 5))
def test_combinations_are_sums_of_rows(seed: int, count: int, width: int, sums: int):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(0, 3, (count, width)) * (PRIME - 1) % PRIME
    factors = rng.integers(0, PRIME, (sums, count)) * (rng.random((sums, count)) < 0.5)
    factors[::2] = 1
    owner, source = np.nonzero(factors)
    found = combinations(Rows.dense(matrix), owner, source, factors[owner, source], sums, PRIME)
    expected = factors.astype(object) @ matrix.astype(object) % PRIME
    assert np.array_equal(written_out(found), expected)
    assert np.all(found.values > 0) and found.width == width
    assert np.all(np.diff(found.owner * width + found.columns) > 0)


@pytest.mark.parametrize("prime", [3, 101, PRIME, 67108859])
def test_inverses_are_symmetric_residues(prime: int):
    top = np.array([1, 2, prime // 2, prime // 2 + 1, prime - 1])
    for values in (top, -top, np.random.default_rng(0).integers(1, prime, (3, 4))):
        found = inverses(values, prime)
        assert np.all(found * values % prime == 1)
        assert np.all(np.abs(found) <= prime // 2)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=5
    ),
    st.integers(0, 4),
    st.integers(0, 10**6),
)
def test_blocks_are_found_wherever_they_are(shapes, shared: int, seed: int):
    """Dense blocks (rows, columns, rank), rows and columns of all in any order, with columns that other rows meet."""
    rng = np.random.default_rng(seed)
    height, width = sum(s[0] for s in shapes), sum(s[1] for s in shapes)
    matrix = np.zeros((height + 3, width + shared), dtype=np.int64)
    row = column = 0
    for rows, columns, rank in shapes:
        dense = rng.integers(1, 50, (rows, columns))
        dense[rank:] = dense[:1] * 3
        matrix[row : row + rows, column : column + columns] = dense
        row, column = row + rows, column + columns
    matrix[:, width:] = rng.integers(1, 50, (height + 3, shared))
    matrix = matrix[rng.permutation(height + 3)][:, rng.permutation(width + shared)]
    found = peel_blocks(Rows.dense(matrix), PRIME)
    if all(rows > columns for rows, columns, _ in shapes) and not shared:
        assert found is None
    if found is None:
        return
    blocks, rest = found
    eliminated: list[int] = []
    for part in blocks:
        height = part.pivots.shape[1]
        rows = written_out(part.rows).reshape(-1, height, matrix.shape[1])
        combined = part.combined.astype(object) @ rows.astype(object) % PRIME
        assert part.pivots.min() >= -1
        for names, lines in zip(part.pivots, combined, strict=True):
            own = names[names >= 0]
            eliminated += own.tolist()
            assert np.array_equal(lines[names >= 0][:, own], np.eye(len(own)))
            assert not lines[names < 0][:, own].any()
    left = written_out(rest)
    assert len(set(eliminated)) == len(eliminated) == sum(part.rank for part in blocks)
    assert not left[:, eliminated].any()
    assert np.all(rest.values % PRIME > 0)
    assert len(eliminated) + flint_rank(left) == flint_rank(matrix)
    assert rest.count + len(eliminated) == len(matrix)


def test_blocks_that_are_too_tall_or_taller_than_wide_are_left(monkeypatch: pytest.MonkeyPatch):
    square = np.full((3, 3), 2) + np.eye(3, dtype=np.int64)
    found = peel_blocks(Rows.dense(square), PRIME)
    assert found is not None and sum(b.rank for b in found[0]) == 3
    assert peel_blocks(Rows.dense(square[:, :2]), PRIME) is None
    monkeypatch.setattr("geoflow.exact.blocks._TALLEST", 3)
    assert peel_blocks(Rows.dense(square), PRIME) is not None
    monkeypatch.setattr("geoflow.exact.blocks._TALLEST", 2)
    assert peel_blocks(Rows.dense(square), PRIME) is None


def test_blocks_of_one_size_in_several_parts(monkeypatch: pytest.MonkeyPatch):
    matrix = np.kron(np.eye(5, dtype=np.int64), np.array([[1, 2, 3], [2, 4, 7]]))
    for most, parts in ((2 * 2 * (3 + 2), [2, 2, 1]), (1, [1] * 5)):
        monkeypatch.setattr("geoflow.exact.blocks._MOST_ENTRIES", most)
        found = peel_blocks(Rows.dense(matrix), PRIME)
        assert found is not None
        assert [len(b.pivots) for b in found[0]] == parts
        assert sum(b.rank for b in found[0]) == 10 and found[1].count == 0


def test_columns_met_by_other_rows_are_of_another_kind():
    """Also where sets of rows are many: all pairs, and some twice."""
    pairs = np.array([(i, j) for i in range(60) for j in range(i)])
    columns = np.concatenate([np.arange(len(pairs)), np.arange(20)])
    matrix = np.zeros((60, len(columns)), dtype=np.int64)
    for side in (0, 1):
        matrix[pairs[columns, side], np.arange(len(columns))] = 1
    kinds, group, high = _alike(Rows.dense(matrix))
    assert kinds == len(pairs)
    assert np.array_equal(group[len(pairs) :], group[:20])
    assert np.all(high == 2)


def test_small_matrices_side_by_side():
    rng = np.random.default_rng(4)
    matrices = rng.integers(0, PRIME, (7, 5, 6))
    matrices[2, 3] = (matrices[2, 0] + 3 * matrices[2, 1]) % PRIME
    matrices[5] = 0
    pivots, combined = eliminate(matrices, PRIME)
    assert combined.dtype == pivots.dtype == np.int64
    for matrix, columns, t in zip(matrices, pivots, combined, strict=True):
        assert np.count_nonzero(columns >= 0) == flint_rank(matrix)
        wide = (t.astype(object) @ matrix.astype(object)) % PRIME
        for line, column in enumerate(columns):
            if column < 0:
                assert column == -1 and not wide[line].any()
            else:
                assert list(np.flatnonzero(wide[:, column])) == [line]
                assert wide[line, column] == 1
