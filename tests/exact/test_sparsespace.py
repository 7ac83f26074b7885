"""The span of sparse rows with everything in it: pivots alone, private blocks, a core; and what is added to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact import linalg, sparsespace
from geoflow.exact.peeling import Rows
from geoflow.exact.sparsespace import SparseSpace, _spread

PRIME = 33554467
WIDTH = 40


def mixed(rng: np.random.Generator) -> np.ndarray:
    """A staircase, two blocks of one size of which one is singular, a core, and dependent rows, in any order."""
    matrix = np.zeros((24, WIDTH), dtype=np.int64)
    matrix[:6, :6] = np.tril(rng.integers(1, 9, (6, 6)))
    matrix[6:9, 6:10] = rng.integers(1, 9, (3, 4))
    matrix[9:12, 33:37] = rng.integers(1, 9, (3, 4))
    matrix[11, 33:37] = matrix[9, 33:37] + 2 * matrix[10, 33:37]
    matrix[12:20, 13:30] = rng.integers(1, 9, (8, 17)) * (rng.random((8, 17)) < 0.4)
    matrix[6:20, 13:25] += rng.integers(1, 9, (14, 12)) * (rng.random((14, 12)) < 0.2)
    matrix[20] = matrix[12] + 5 * matrix[7]
    matrix[21, 30:33] = 1, 2, 3
    matrix[22, 32] = 4
    return matrix[rng.permutation(24)][:, rng.permutation(WIDTH)]


def rank(*parts: np.ndarray) -> int:
    return linalg.rank(np.concatenate(parts) % PRIME, PRIME)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**20))
def test_what_is_added_counts_as_it_should(seed: int):
    rng = np.random.default_rng(seed)
    matrix = mixed(rng)
    space = SparseSpace(Rows.dense(matrix), PRIME, rng)
    whole = rank(matrix)
    assert space.rank == whole
    assert space.add(np.zeros((0, WIDTH), dtype=np.int64)) == whole
    inside = rng.integers(0, 1000, (3, 24)) @ matrix - PRIME * rng.integers(0, 3, (3, WIDTH))
    assert space.add(inside) == whole
    assert space.add_sparse(Rows.dense(inside % PRIME)) == whole
    one_more = inside % PRIME
    one_more[1, rng.integers(0, WIDTH)] += 1
    expected = rank(matrix, one_more)
    if seed % 2:
        assert space.add_sparse(Rows.dense(one_more % PRIME)) == expected
    else:
        assert space.add(one_more) == expected
    while space.rank < WIDTH:
        assert space.room >= WIDTH - space.rank
        before = space.rank
        assert space.add(rng.integers(0, PRIME, (2, WIDTH))) == min(before + 2, WIDTH)
    assert space.room == 0
    assert space.add(rng.integers(0, PRIME, (2, WIDTH))) == WIDTH


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**20), st.sampled_from([1, 7, 10**6]), st.sampled_from([1, 5]))
def test_many_rows_come_in_parts(seed: int, window: int, batch: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparsespace, "_WINDOW", window * WIDTH)
        patch.setattr(sparsespace, "BATCH", batch)
        rng = np.random.default_rng(seed)
        matrix, more = mixed(rng), mixed(rng)
        more[5] = 0
        space = SparseSpace(Rows.dense(matrix), PRIME, rng)
        assert space.rank == rank(matrix)
        assert space.add_sparse(Rows.dense(more)) == rank(matrix, more)


def test_private_blocks_leave_no_core():
    """Two of one size, one of another, and nothing is left to dense elimination."""
    rng, matrix = np.random.default_rng(0), np.zeros((8, 11), dtype=np.int64)
    for rows, columns in ((slice(0, 3), slice(0, 4)), (slice(3, 6), slice(4, 8))):
        matrix[rows, columns] = rng.integers(1, 9, (3, 4))
    matrix[6:, 8:] = rng.integers(1, 9, (2, 3))
    space = SparseSpace(Rows.dense(matrix), PRIME, rng)
    assert (space.rank, space.peeled, space.core) == (8, 8, (0, 0))
    assert space.add(rng.integers(0, PRIME, (3, 8)) @ matrix) == 8
    for k in range(11):
        other = rng.integers(0, 9, (1, 8)) @ matrix
        other[0, k] += 1
        assert SparseSpace(Rows.dense(matrix), PRIME, rng).add(other) == 9


@pytest.mark.parametrize("most", [5, 99])
def test_what_peeling_leaves_is_said(monkeypatch: pytest.MonkeyPatch, most: int):
    """A lone pivot, a row with a private column, a dense core of 6 rows and 5 columns, and columns without rows."""
    monkeypatch.setattr(sparsespace, "LARGEST_CORE", most)
    matrix = np.zeros((8, 12), dtype=np.int64)
    matrix[0, 0] = 7
    matrix[1, [0, 1, 2]] = 1, 2, 3
    matrix[2:, 2:7] = np.vander(np.arange(1, 6), 6).T
    space = SparseSpace(Rows.dense(matrix), PRIME, np.random.default_rng(0))
    assert (space.rank, space.peeled, space.core) == (7, 2, (6, 5))
    inside = space.inside(np.arange(12))
    assert inside.tolist() == [False] * 2 + [True] * 10
    assert space.room == 5


@pytest.mark.parametrize("most", [4, 12])
def test_columns_without_rows_are_folded_and_never_counted_twice(
    monkeypatch: pytest.MonkeyPatch, most: int
):
    """Random multiples of columns are added up: as many ranks as there are places, and none that is not there."""
    monkeypatch.setattr(sparsespace, "_SPARE", most)
    rng = np.random.default_rng(1)
    space = SparseSpace(Rows.dense(np.eye(3, 30, dtype=np.int64)), PRIME, rng)
    assert (space.rank, space.room) == (3, most)
    ones = np.zeros((1, 30), dtype=np.int64)
    ones[0, 3:] = 1
    assert space.add(ones) == space.add(3 * ones) == 4
    assert space.add_sparse(Rows.dense(rng.integers(0, PRIME, (40, 30)))) == 3 + most
    assert space.room == 0


def test_folded_columns_beside_a_core():
    """Two places for 26 columns; what differs in two columns of one place is not lost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparsespace, "_SPARE", 2)
        rng = np.random.default_rng(1)
        matrix = np.zeros((6, 30), dtype=np.int64)
        matrix[:, :4] = np.vander(np.arange(1, 7), 4)
        for k in range(4, 29):
            space = SparseSpace(Rows.dense(matrix), PRIME, rng)
            assert (space.rank, space.room, space.core) == (4, 2, (6, 4))
            difference = np.zeros((1, 30), dtype=np.int64)
            difference[0, k : k + 2] = 1, -1
            assert space.add(difference) == 5
            assert space.add(rng.integers(0, PRIME, (9, 30))) == 6


def test_places_are_taken_evenly():
    rng = np.random.default_rng(0)
    for count, into in ((10, 3), (3, 3), (2, 5), (7, 1)):
        places = np.bincount(_spread(count, into, rng), minlength=into)
        assert len(places) == into and places.max() - places.min() <= 1
    assert len(_spread(0, 0, rng)) == 0
    assert len({tuple(_spread(10, 3, rng)) for _ in range(5)}) > 1
