"""Row spaces mod p by matrix products, against python-flint."""

from __future__ import annotations

import tracemalloc

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact import elimination, linalg
from geoflow.exact.elimination import RowSpace

PRIMES = (
    2,
    3,
    101,
    1048559,
    4194287,
    67108859,
)  # the fourth and fifth need one product, the last two
BEYOND = 7199957  # slightly too large for one product of the largest inner dimension


def by_flint(rows: np.ndarray, prime: int) -> int:
    return flint.nmod_mat(
        rows.shape[0], rows.shape[1], (rows % prime).ravel().tolist(), prime
    ).rank()


def of_rank(rng: np.random.Generator, prime: int, rows: int, columns: int, rank: int) -> np.ndarray:
    left, right = rng.integers(0, prime, (rows, rank)), rng.integers(0, prime, (rank, columns))
    return left @ right % prime  # sums of less than 2^10 products below 2^52


def sparse(rng: np.random.Generator, prime: int, rows: int, columns: int, _: int) -> np.ndarray:
    return rng.integers(0, prime, (rows, columns)) * (rng.random((rows, columns)) < 0.03)


def staircase(rng: np.random.Generator, prime: int, rows: int, columns: int, step: int):
    """Pivots come last first, so every row eliminated later has an earlier pivot."""
    return np.tril(rng.integers(0, prime, (rows, columns)), -step)[:, ::-1]


def disjoint(rng: np.random.Generator, prime: int, rows: int, columns: int, _: int) -> np.ndarray:
    """Multiples of few rows that share no column."""
    owner, weight = rng.integers(0, 9, columns), rng.integers(0, prime, (rows, 1))
    return weight * (owner == rng.integers(0, 9, (rows, 1))) % prime


KINDS = (of_rank, sparse, staircase, disjoint)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(PRIMES),
    st.sampled_from(KINDS),
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(0, 120),
    st.integers(0, 2**20),
)
def test_the_rank_is_that_of_flint(prime: int, kind, rows: int, columns: int, size: int, seed: int):
    rng = np.random.default_rng(seed)
    matrix = kind(rng, prime, rows, columns, size)
    space = RowSpace(columns, prime)
    cut = int(rng.integers(0, rows + 1))
    assert space.add(matrix[:cut]) == by_flint(matrix[:cut], prime)
    assert space.add(matrix[cut:]) == by_flint(matrix, prime)
    assert space.add(matrix[rng.permutation(rows)]) == space.rank


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (900, 3), (3, 900), (70, 70)])
def test_nothing_and_zeros_have_no_rank(shape: tuple[int, int]):
    space = RowSpace(shape[1], 101)
    assert space.add(np.zeros(shape, dtype=np.int64)) == 0
    assert space.blocks == []


def test_more_rows_than_a_batch_and_than_the_rank():
    rng = np.random.default_rng(5)
    for columns, rank in ((250, 200), (150, 150)):
        matrix = of_rank(rng, 4194287, elimination.BATCH + 300, columns, rank)
        assert RowSpace(columns, 4194287).add(matrix) == rank


def test_a_row_outside_the_span_counts_and_one_inside_does_not():
    rng = np.random.default_rng(1)
    prime, matrix = 1048559, rng.integers(0, 1048559, (150, 300))
    space = RowSpace(300, prime)
    assert space.add(matrix) == 150
    inside = rng.integers(0, prime, (2, 150)) @ matrix % prime
    assert space.add(inside) == 150
    outside = inside.copy()
    outside[1, 299] = (outside[1, 299] + 1) % prime
    assert space.add(outside) == 151


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(PRIMES),
    st.sampled_from(KINDS),
    st.sampled_from([1, 2, 63, 64, 65, 100]),
    st.integers(1, 120),
    st.integers(0, 80),
    st.integers(0, 2**20),
)
def test_a_block_is_a_basis_of_its_rows(
    prime: int, kind, rows: int, columns: int, size: int, seed: int
):
    """Its rows, written out, are the identity at the pivots and have the reduced echelon form of what they span."""
    matrix = kind(np.random.default_rng(seed), prime, rows, columns, size)
    block = elimination.eliminated(elimination.reduced(matrix.astype(float), prime), prime)
    rank = len(block.pivots)
    basis = np.zeros((rank, columns), dtype=np.int64)
    basis[:, block.pivots] = np.eye(rank)
    basis[:, block.free] += block.tail.astype(np.int64) % prime
    assert block.tail.shape == (rank, columns - rank)
    assert np.all(np.abs(block.tail) <= prime / 2)
    assert np.array_equal(linalg.echelon(basis, prime), linalg.echelon(matrix, prime))


def test_rows_may_come_one_by_one_and_in_any_order_of_memory():
    rng = np.random.default_rng(3)
    matrix = of_rank(rng, 4194287, 40, 50, 17)
    one_by_one = RowSpace(50, 4194287)
    assert [one_by_one.add(row[None]) for row in matrix] == [min(k + 1, 17) for k in range(40)]
    assert RowSpace(50, 4194287).add(np.asfortranarray(matrix)) == 17


def test_what_a_row_space_takes_is_foretold():
    """Never more memory than is said, a third of that for a small one, half a square matrix for a large one."""
    size = 1000
    matrix = np.random.default_rng(0).integers(0, 101, (size, size))
    tracemalloc.start()
    RowSpace(size, 101).add(matrix)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < elimination.memory(size) < 4 * most
    assert 1 < elimination.memory(10**5) / (8 * 10**10 / 2) < 1.2


def test_one_product_only_where_it_is_exact():
    rng = np.random.default_rng(4)
    half = BEYOND // 2
    a, b = (rng.integers(half - 1000, half + 1, shape) for shape in ((4, 768), (768, 4)))
    assert elimination.BATCH == 768
    found = elimination.reduced(elimination.product(a * 1.0, b * 1.0, BEYOND), BEYOND)
    exact = a.astype(object) @ b.astype(object) % BEYOND
    assert np.array_equal(found.astype(np.int64) % BEYOND, exact.astype(np.int64))


@pytest.mark.parametrize("prime", PRIMES)
def test_products_are_exact_at_the_largest_residues(prime: int):
    """Every residue as large as it gets, and as many of them as a batch has rows."""
    top = float(prime // 2)
    a = np.full((2, elimination.BATCH), top) * [[1], [-1]]
    b = np.full((elimination.BATCH, 2), top)
    found = elimination.product(a, b, prime)
    assert np.all(np.abs(found) < 2**53)
    exact = elimination.BATCH * int(top) ** 2
    residues = elimination.reduced(found, prime).astype(np.int64) % prime
    assert residues.tolist() == [[exact % prime] * 2, [-exact % prime] * 2]


def test_reduction_is_symmetric_and_exact():
    rng = np.random.default_rng(2)
    for prime in PRIMES[1:]:
        values = rng.integers(-(2**52), 2**52, 5000)
        multiples = prime * rng.integers(-(2**20), 2**20, 500)
        for integers in (values, multiples, multiples + 1):
            found = elimination.reduced(integers.astype(np.float64), prime)
            assert np.array_equal(found.astype(np.int64) % prime, integers % prime)
            assert np.all(np.abs(found) <= prime / 2 + 1)
        assert not elimination.reduced(multiples.astype(np.float64), prime).any()


@pytest.mark.parametrize("prime", [4194287, 67108859])
def test_large_ranks_go_the_same_way_as_small_ones(prime: int):
    rng = np.random.default_rng(0)
    wide = of_rank(rng, prime, 410, 430, 333)
    for matrix in (wide, np.ascontiguousarray(wide.T)):
        assert linalg.rank(matrix, prime) == by_flint(matrix, prime) == 333


def test_a_prime_too_large_for_products_is_left_to_flint():
    rng = np.random.default_rng(0)
    prime = 2**31 - 1
    matrix = rng.integers(0, prime, (410, 410))
    matrix[300:] = matrix[:110] * 3 % prime
    assert linalg.rank(matrix, prime) == by_flint(matrix, prime) == 300


@pytest.mark.parametrize("dimension", [300, 60_000])
def test_operations_are_those_of_gaussian_elimination(dimension: int):
    """Two for each of the Σ k² numbers that are changed, to leading order."""
    counted = sum(2.0 * k * k for k in range(dimension))
    assert elimination.operations(dimension) == pytest.approx(counted, rel=2 / dimension)
