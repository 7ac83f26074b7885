"""Products summed over common axes, at places and as entries, against dense arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact.sparse import values
from geoflow.exact.sparse.contraction import Axes, Contraction, axes_of
from geoflow.exact.sparse.values import Fixed, Scaled, Space, Sparse, TooDense
from tests.exact.sparse.test_values import Counted, asked, check, drawn

SPACE = Space(101, 3)
KINDS = ("fixed", "light", "heavy", "recipe")


def operand(rng: np.random.Generator, shape: tuple[int, ...], kind: str):
    size = math.prod(shape)
    if kind == "fixed":
        value, array = drawn(rng, size, same=True)
    else:
        array = rng.integers(1, 101, (3, size)) * (rng.random((3, size)) < (kind != "light") + 0.1)
        batch, index = np.nonzero(array)
        value = Sparse(size, batch, index, array[batch, index])
    if kind == "recipe":
        value, array = Scaled(SPACE, 100, value), -array % 101
    return value, array.reshape(3, *shape)


def contraction(seed: int, counts: tuple[int, ...], kinds: tuple[str, str]):
    """With so many shared, free (left, right) and summed axes of sizes 1 to 3, in any order, and what it is."""
    rng = np.random.default_rng(seed)
    names = iter("abcdefghi")
    groups = [[next(names) for _ in range(n)] for n in counts]
    sizes = {name: int(rng.integers(1, 4)) for group in groups for name in group}
    left = [str(x) for x in rng.permutation([*groups[0], *groups[1], *groups[3]])]
    right = [str(x) for x in rng.permutation([*groups[0], *groups[2], *groups[3]])]
    pairs = [[tuple(map(side.index, groups[g])) for side in (left, right)] for g in (3, 0)]
    shapes = [tuple(sizes[x] for x in side) for side in (left, right)]
    axes = axes_of((tuple(pairs[0]), tuple(pairs[1])), *shapes)
    (a, x), (b, y) = (operand(rng, s, k) for s, k in zip(shapes, kinds, strict=True))
    out = [*groups[0], *(k for k in left if k in groups[1]), *(k for k in right if k in groups[2])]
    spelled = f"z{''.join(left)},z{''.join(right)}->z{''.join(out)}"
    expected = np.einsum(spelled, x, y).reshape(3, -1) % 101
    return Contraction(SPACE, a, b, axes), expected


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**20),
    st.tuples(*(st.integers(0, 2) for _ in range(4))),
    st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
)
def test_contractions_are_those_of_einsum(seed, counts, kinds):
    value, expected = contraction(seed, counts, kinds)
    assert value.size == expected.shape[1]
    check(value, expected)
    for place in np.random.default_rng(seed).integers(0, expected.size, 3):  # one alone
        batch, index = np.divmod(place[None], expected.shape[1])
        assert value.at(batch, index).tolist() == [expected.flat[place]]
    free = [math.prod(axes.shape[k] for k in axes.free) for axes in value.axes]
    most = [value.left.weight * free[1], value.right.weight * free[0]]
    fixed = [isinstance(x, Fixed) for x in (value.left, value.right)]
    if fixed == [False, False]:
        product = value.left.weight * value.right.weight / 3
        assert value.weight == pytest.approx(min(*most, product))
    elif fixed != [True, True]:
        assert value.weight == most[fixed.index(False)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.permutations(range(4)), st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**20))
def test_positions_are_split_and_joined(order, first: int, second: int, seed: int):
    low, high = sorted((first, second))
    groups = tuple(order[:low]), tuple(order[low:high]), tuple(order[high:])
    shape = tuple(int(n) for n in np.random.default_rng(seed).integers(1, 4, 4))
    axes = Axes(shape, *groups)
    index = np.arange(math.prod(shape))
    parts = axes.split(index)
    assert np.array_equal(axes.join(*parts), index)
    for group, part in zip(groups, parts, strict=True):
        where = np.indices(shape).reshape(4, -1)
        sizes = [shape[k] for k in group]
        assert axes.size(group) == math.prod(sizes)
        if group:
            assert np.array_equal(part, np.ravel_multi_index([where[k] for k in group], sizes))
        else:
            assert not part.any()


@pytest.mark.parametrize("swapped", [False, True])
def test_only_the_lighter_operand_is_gone_through(swapped: bool):
    """A vector with one entry a generator times a full matrix: as many places as the vector has entries."""
    size = 50
    one = Sparse(size, np.arange(3), np.array([4, 7, 9]), np.ones(3, dtype=np.int64))
    full = Counted(Fixed(SPACE, np.ones(size * size, dtype=np.int64)))
    full_axes, one_axes = Axes((size, size), (), (0,), (1,)), Axes((size,), (), (), (0,))
    pair = (one, full) if swapped else (full, one)
    axes = (one_axes, full_axes) if swapped else (full_axes, one_axes)
    value = Contraction(SPACE, *pair, axes)
    assert np.array_equal(asked(value), np.ones((3, size)))
    assert full.places == 3 * size and full.made == 0


def test_a_recipe_asked_at_few_places_is_not_written_out():
    """It is for many, once."""
    size, space = 20, Space(101, 9)
    ones = np.ones((3, 9 * size), dtype=np.int64)
    full = Sparse(size, np.repeat(np.arange(9), size), np.tile(np.arange(size), 9), ones[0])
    left, right = Counted(Scaled(space, 2, full)), Counted(Scaled(space, 3, full))
    axes = Axes((size,), (), (), (0,))
    value = Contraction(space, left, right, (axes, axes))
    for places, made in ((2, 0), (3, 1), (4, 1)):
        zeros = np.zeros(places, dtype=int)
        assert value.at(zeros, zeros).tolist() == [6 * size % 101] * places
        assert left.made + right.made == made


def test_what_has_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch):
    n = 6
    ones = Sparse(
        n, np.repeat(np.arange(3), n), np.tile(np.arange(n), 3), np.ones(3 * n, dtype=np.int64)
    )
    matrix = Fixed(SPACE, np.ones(n * n, dtype=np.int64))
    vector, square = Axes((n,), (), (), (0,)), Axes((n, n), (), (1,), (0,))
    zeros = np.zeros(4, dtype=int)
    times_matrix = Contraction(SPACE, ones, matrix, (vector, square))
    inner = Contraction(SPACE, ones, ones, (vector, vector))
    for entries, compute in (
        (3 * n * n, times_matrix.entries),
        (3 * n, inner.entries),
        (4 * n, lambda: inner.at(zeros, zeros)),
        (4 * n, lambda: inner._throughout(zeros, zeros, zeros, zeros, n)),
    ):
        monkeypatch.setattr(values, "MOST_ENTRIES", entries)
        compute()
        monkeypatch.setattr(values, "MOST_ENTRIES", entries - 1)
        with pytest.raises(TooDense):
            compute()
