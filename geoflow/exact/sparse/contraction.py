"""Products summed over common axes (`dot_general`), at given places or as entries.

Every position of an operand is a triple (shared axes, free axes, summed axes); the output's is (shared, free of the
left, free of the right). At a place, only those summed positions are visited where the lighter operand has an entry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geoflow.exact.sparse.relation import Array, ranges
from geoflow.exact.sparse.values import Fixed, Space, Sparse, Value, collected, summed


@dataclass(frozen=True)
class Axes:
    """The axes of one operand in three groups, each in the order in which it is flattened."""

    shape: tuple[int, ...]
    shared: tuple[int, ...]
    free: tuple[int, ...]
    summed: tuple[int, ...]

    def size(self, group: Sequence[int]) -> int:
        """The number of positions of a group of axes."""
        return math.prod(self.shape[k] for k in group)

    def split(self, index: Array) -> tuple[Array, Array, Array]:
        """(shared, free, summed) of flat positions."""
        where = np.unravel_index(index, self.shape) if self.shape else ()
        shared, free, summed = (
            self._flat([where[k] for k in group], group, index) for group in self._groups
        )
        return shared, free, summed

    def join(self, shared: Array, free: Array, summed: Array) -> Array:
        """Flat positions."""
        out = np.zeros(len(shared), dtype=np.int64)
        strides = np.cumprod((1, *self.shape[:0:-1]))[::-1]
        for group, flat in zip(self._groups, (shared, free, summed), strict=True):
            sizes = [self.shape[k] for k in group]
            if not sizes:
                continue
            for k, place in zip(group, np.unravel_index(flat, sizes), strict=True):
                out += place * int(strides[k])
        return out

    @property
    def _groups(self) -> tuple[tuple[int, ...], ...]:
        return (self.shared, self.free, self.summed)

    def _flat(self, places: Sequence[Array], group: Sequence[int], like: Array) -> Array:
        out = np.zeros(len(like), dtype=np.int64)
        for k, place in zip(group, places, strict=True):
            out = out * self.shape[k] + place
        return out


def axes_of(
    numbers: tuple[tuple[Sequence[int], ...], ...],
    left: tuple[int, ...],
    right: tuple[int, ...],
) -> tuple[Axes, Axes]:
    """The groups of axes that `dimension_numbers` mean."""
    (sum_a, sum_b), (shared_a, shared_b) = (tuple(tuple(map(int, g)) for g in p) for p in numbers)
    free_a = tuple(k for k in range(len(left)) if k not in sum_a and k not in shared_a)
    free_b = tuple(k for k in range(len(right)) if k not in sum_b and k not in shared_b)
    return Axes(left, shared_a, free_a, sum_a), Axes(right, shared_b, free_b, sum_b)


@dataclass(frozen=True)
class Contraction:
    """Σ left · right over the summed axes."""

    space: Space
    left: Value
    right: Value
    axes: tuple[Axes, Axes]

    @cached_property
    def _free(self) -> tuple[int, int]:
        return self.axes[0].size(self.axes[0].free), self.axes[1].size(self.axes[1].free)

    @property
    def size(self) -> int:
        return self.axes[0].size(self.axes[0].shared) * math.prod(self._free)

    @property
    def weight(self) -> float:
        return self._weight

    @cached_property
    def _weight(self) -> float:
        (a, b), (free_a, free_b) = (self.left, self.right), self._free
        if isinstance(a, Fixed) or isinstance(b, Fixed):
            moving, free = (b, free_a) if isinstance(a, Fixed) else (a, free_b)
            return moving.weight * free
        most = min(a.weight * free_b, b.weight * free_a)
        return min(most, a.weight * b.weight / max(self.space.count, 1))

    @cached_property
    def _lighter(self) -> int:
        """Which operand has fewer entries; never one that is the same for all generators."""
        if isinstance(self.left, Fixed) or isinstance(self.right, Fixed):
            return int(isinstance(self.left, Fixed))
        return int(self.right.weight < self.left.weight)

    @cached_property
    def _sorted(self) -> tuple[Array, Array, Array]:
        """The lighter operand's entries by (generator, shared, free): keys, summed positions, values."""
        axes = self.axes[self._lighter]
        e = (self.left, self.right)[self._lighter].entries()
        shared, free, summed = axes.split(e.index)
        keys = (e.batch * axes.size(axes.shared) + shared) * axes.size(axes.free) + free
        order = np.argsort(keys, kind="stable")
        return keys[order], summed[order], e.values[order]

    def at(self, batch: Array, index: Array) -> Array:
        free_a, free_b = self._free
        rest, fb = np.divmod(index, free_b)
        shared, fa = np.divmod(rest, free_a)
        light = self._lighter
        heavy, axes = (self.left, self.right)[1 - light], self.axes[1 - light]
        own, others = (fa, fb) if light == 0 else (fb, fa)
        size = self.axes[0].size(self.axes[0].summed)
        moving = (self.left, self.right)[light]
        if moving.weight > 4 * size * len(index) and not isinstance(moving, Sparse):
            return self._throughout(batch, shared, fa, fb, size)
        keys, places, values = self._sorted
        wanted = (batch * self.axes[light].size(self.axes[light].shared) + shared) * (
            free_a if light == 0 else free_b
        ) + own
        start = np.searchsorted(keys, wanted)
        counts = np.searchsorted(keys, wanted, side="right") - start
        self.space.allow(int(counts.sum()))
        owner, k = ranges(start, counts)
        found = heavy.at(batch[owner], axes.join(shared[owner], others[owner], places[k]))
        return summed(owner, found * values[k] % self.space.p, len(index), self.space.p)

    def _throughout(self, batch: Array, shared: Array, fa: Array, fb: Array, size: int) -> Array:
        """Every summed position visited."""
        self.space.allow(size * len(batch))
        owner = np.repeat(np.arange(len(batch)), size)
        places = np.tile(np.arange(size), len(batch))
        batch, shared = batch[owner], shared[owner]
        left = self.left.at(batch, self.axes[0].join(shared, fa[owner], places))
        right = self.right.at(batch, self.axes[1].join(shared, fb[owner], places))
        return summed(owner, left * right % self.space.p, len(fa), self.space.p)

    def entries(self) -> Sparse:
        light = self._lighter
        heavy, free = (self.left, self.right)[1 - light], self._free[1 - light]
        e = (self.left, self.right)[light].entries()
        shared, own, places = self.axes[light].split(e.index)
        if isinstance(heavy, Fixed) or heavy.weight > e.weight * free:
            self.space.allow(e.weight * free)
            owner = np.repeat(np.arange(len(e.values)), free)
            others = np.tile(np.arange(free), len(e.values))
            index = self.axes[1 - light].join(shared[owner], others, places[owner])
            found = heavy.at(e.batch[owner], index)
        else:
            owner, others, found = self._joined(heavy.entries(), e.batch, shared, places)
        own, shared = own[owner], shared[owner]
        fa, fb = (own, others) if light == 0 else (others, own)
        index = (shared * self._free[0] + fa) * self._free[1] + fb
        values = found * e.values[owner] % self.space.p
        return collected(self.space, self.size, e.batch[owner], index, values)

    def _joined(
        self, heavy: Sparse, batch: Array, shared: Array, places: Array
    ) -> tuple[Array, Array, Array]:
        """The heavier operand's entries that meet each of the lighter's: (which, free position, value)."""
        axes = self.axes[1 - self._lighter]
        other_shared, free, other_places = axes.split(heavy.index)
        many, size = axes.size(axes.shared), axes.size(axes.summed)
        keys = (heavy.batch * many + other_shared) * size + other_places
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        wanted = (batch * many + shared) * size + places
        start = np.searchsorted(keys, wanted)
        counts = np.searchsorted(keys, wanted, side="right") - start
        self.space.allow(int(counts.sum()))
        owner, k = ranges(start, counts)
        return owner, free[order[k]], heavy.values[order[k]]
