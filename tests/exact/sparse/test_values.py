"""Values of a batch and relations between positions, against dense arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact.sparse import values
from geoflow.exact.sparse.relation import Relation, distinct, ranges
from geoflow.exact.sparse.values import (
    Fixed,
    Moved,
    OneHot,
    Product,
    Scaled,
    Space,
    Sparse,
    Sum,
    TooDense,
    Value,
    collected,
    settled,
    summed,
)

SPACE = Space(101, 3)
SEEDS = st.integers(0, 2**20)


def dense(value: Value) -> np.ndarray:
    """By its entries: in order, each place once, none zero."""
    found = value.entries()
    assert found.size == value.size
    assert np.all((found.values > 0) & (found.values < SPACE.p))
    assert np.all((found.index >= 0) & (found.index < found.size))
    assert np.all(np.diff(found.keys) > 0)
    assert found.values.dtype == np.int64
    out = np.zeros((SPACE.count, value.size), dtype=np.int64)
    out[found.batch, found.index] = found.values
    return out


def asked(value: Value) -> np.ndarray:
    """By what it is at each place, asked in an order of its own."""
    places = np.random.default_rng(0).permutation(SPACE.count * value.size)
    batch, index = np.divmod(places, max(value.size, 1))
    found = value.at(batch, index)
    assert found.dtype == np.int64
    out = np.zeros(len(places), dtype=np.int64)
    out[places] = found
    return out.reshape(SPACE.count, value.size)


def check(value: Value, expected: np.ndarray) -> None:
    assert np.array_equal(dense(value), expected)
    assert np.array_equal(asked(value), expected)


def drawn(rng: np.random.Generator, size: int, same: bool = False) -> tuple[Value, np.ndarray]:
    array = rng.integers(0, SPACE.p, (SPACE.count, size)) * (rng.random((3, size)) < 0.5)
    if same:
        array[:] = array[0]
        return Fixed(SPACE, array[0]), array
    batch, index = np.nonzero(array)
    return Sparse(size, batch, index, array[batch, index]), array


class Counted:
    """A value that counts the places it is asked at and the entries it makes."""

    def __init__(self, value: Value):
        self.value, self.places, self.made = value, 0, 0

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def weight(self) -> float:
        return self.value.weight

    def at(self, batch: np.ndarray, index: np.ndarray) -> np.ndarray:
        self.places += len(batch)
        return self.value.at(batch, index)

    def entries(self) -> Sparse:
        self.made += 1
        return self.value.entries()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS, st.integers(0, 6), st.booleans(), st.booleans())
def test_sums_and_products(seed: int, size: int, same: bool, other: bool):
    rng = np.random.default_rng(seed)
    (a, x), (b, y) = drawn(rng, size, same), drawn(rng, size, other)
    check(a, x)
    assert a.weight == np.count_nonzero(x)
    check(Sum(SPACE, a, b), (x + y) % 101)
    check(Sum(SPACE, a, Scaled(SPACE, 100, a)), 0 * x)
    assert Sum(SPACE, a, b).weight == a.weight + b.weight
    check(Product(SPACE, a, b), x * y % 101)
    assert Product(SPACE, a, b).weight == a.weight
    seldom = Counted(b)
    assert np.array_equal(asked(Product(SPACE, a, seldom)), x * y % 101)
    assert seldom.places == np.count_nonzero(x)
    check(Scaled(SPACE, 100, a), -x % 101)
    assert Scaled(SPACE, 100, a).weight == a.weight


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS, st.integers(1, 6), st.integers(1, 6), st.booleans(), st.booleans())
def test_entries_moved_along_a_relation(
    seed: int, inside: int, outside: int, forward: bool, same: bool
):
    """A relation is a matrix of zeros and ones with at most one in each row, or in each column."""
    rng = np.random.default_rng(seed)
    value, array = drawn(rng, inside, same)
    size, other = (inside, outside) if forward else (outside, inside)
    table = rng.integers(-1, other, size)
    matrix = np.zeros((inside, outside), dtype=np.int64)
    for k, there in enumerate(table):
        if there >= 0:
            matrix[(k, there) if forward else (there, k)] = 1
    relation = Relation(table, other, forward)
    assert (relation.inside, relation.outside) == (inside, outside)
    moved = Moved(SPACE, value, relation)
    check(moved, array @ matrix % 101)
    assert moved.weight == value.weight * relation.growth
    assert relation.growth == (1 if forward else outside / inside)
    assert relation.widest == (1 if forward else matrix.sum(axis=1).max())
    inputs, outputs = rng.integers(0, inside, 5), rng.integers(0, outside, 5)
    owner, target = relation.targets(inputs)
    assert sorted(zip(inputs[owner], target, strict=True)) == sorted(
        (i, j) for i in inputs for j in np.flatnonzero(matrix[i])
    )
    owner, source = relation.sources(outputs)
    assert sorted(zip(source, outputs[owner], strict=True)) == sorted(
        (i, j) for j in outputs for i in np.flatnonzero(matrix[:, j])
    )
    assert np.all(np.diff(owner) >= 0)


def test_relations_of_nothing():
    empty = Relation(np.zeros(0, dtype=int), 0, forward=False)
    assert (empty.widest, empty.growth) == (0, 0)
    nowhere = Relation(np.full(3, -1), 0, forward=False)
    assert (nowhere.widest, nowhere.growth) == (0, 3)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS, st.integers(1, 4), st.integers(1, 4))
def test_one_of_each_group_is_chosen(seed: int, groups: int, members: int):
    """By its number; the first where none is."""
    rng = np.random.default_rng(seed)
    choice = rng.integers(0, members, (SPACE.count, groups))
    group, member = np.divmod(rng.permutation(groups * members), members)
    batch, index = np.nonzero(choice)
    chosen = Sparse(groups, batch, index, choice[batch, index])
    value = OneHot(SPACE, group, member, chosen)
    expected = (choice[:, group] == member).astype(np.int64)
    check(value, expected)
    assert value.weight == expected.sum()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 100)), max_size=9))
def test_entries_of_one_place_are_added_up(entries: list[tuple[int, int, int]]):
    batch, index, numbers = np.array(entries, dtype=np.int64).reshape(-1, 3).T
    expected = np.zeros((3, 5), dtype=np.int64)
    np.add.at(expected, (batch, index), numbers)
    check(collected(SPACE, 5, batch, index, numbers), expected % 101)
    assert np.array_equal(summed(index, numbers, 5, 101), expected.sum(axis=0) % 101)
    assert summed(index, numbers, 5, 101).dtype == np.int64


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=5))
def test_ranges_and_what_is_distinct(pairs: list[tuple[int, int]]):
    starts, counts = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    owner, found = ranges(starts, counts)
    assert found.tolist() == [s + k for s, c in pairs for k in range(c)]
    assert owner.tolist() == [i for i, (_, c) in enumerate(pairs) for _ in range(c)]
    for numbers in (found, np.sort(found), np.sort(found)[::-1]):
        assert distinct(numbers).tolist() == sorted(set(found.tolist()))


def test_what_has_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch):
    """At the first entry above the limit, before anything is computed."""
    full = Fixed(SPACE, np.ones(4, dtype=np.int64))
    onto_one = Relation(np.zeros(4, dtype=int), 1, forward=True)
    to_all = Relation(np.zeros(12, dtype=int), 4, forward=False)
    chosen = Sparse(2, *(np.zeros(0, dtype=int),) * 3)
    zero = np.zeros(1, dtype=int)
    recipes: list[tuple[int, Callable[[], object]]] = [
        (12, full.entries),
        (12, Product(SPACE, full, full).entries),
        (36, Moved(SPACE, full, to_all).entries),
        (4, lambda: Moved(SPACE, full, onto_one).at(zero, zero)),
        (12, OneHot(SPACE, np.arange(4) // 2, np.arange(4) % 2, chosen).entries),
    ]
    for size, compute in recipes:
        monkeypatch.setattr(values, "MOST_ENTRIES", size)
        compute()
        monkeypatch.setattr(values, "MOST_ENTRIES", size - 1)
        with pytest.raises(TooDense):
            compute()


def test_light_recipes_are_carried_out():
    entries = Sparse(99, *(np.arange(values.SMALL * SPACE.count) % 3 * 0 + k for k in (0, 1, 1)))
    light = Scaled(SPACE, 2, Sparse(60, *np.ones((3, values.SMALL * SPACE.count), dtype=int)))
    heavy = Scaled(SPACE, 2, Sparse(60, *np.ones((3, values.SMALL * SPACE.count + 1), dtype=int)))
    fixed = Fixed(SPACE, np.ones(999, dtype=np.int64))
    assert isinstance(settled(SPACE, light), Sparse)
    for value in (heavy, entries, fixed):
        assert settled(SPACE, value) is value
