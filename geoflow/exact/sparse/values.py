"""Values of a batch of generators: the same for all (`Fixed`), entries (`Sparse`), or a recipe for them.

Every value answers two questions: what it is *at* given places (generator, position), and which *entries* it has. A
recipe answers the first from the first of what it is made of, so that nothing is computed where nobody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.sparse.relation import Array, Relation

MOST_ENTRIES = 2**24
SMALL = 16  # entries a generator up to which a value is computed at once


class TooDense(Exception):
    """A value has too many entries: take fewer generators at a time."""


@dataclass(frozen=True)
class Space:
    """F_p, how many generators there are, and until when."""

    p: int
    count: int
    deadline: Deadline = Deadline()

    def allow(self, entries: float) -> None:
        """Raises: TooDense, OutOfTime."""
        self.deadline.check()
        if entries > MOST_ENTRIES:
            raise TooDense


class Value(Protocol):
    """An array of `size` entries for every generator. `weight` estimates the number of all entries."""

    @property
    def size(self) -> int: ...
    @property
    def weight(self) -> float: ...
    def at(self, batch: Array, index: Array) -> Array: ...
    def entries(self) -> Sparse: ...


@dataclass(frozen=True)
class Sparse:
    """Nonzero values at places (generator, position), sorted, each place once."""

    size: int
    batch: Array
    index: Array
    values: Array

    @property
    def weight(self) -> float:
        return len(self.values)

    @cached_property
    def keys(self) -> Array:
        return self.batch * self.size + self.index

    def at(self, batch: Array, index: Array) -> Array:
        keys = self.keys
        if not len(keys):
            return np.zeros(len(batch), dtype=np.int64)
        wanted = batch * self.size + index
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[place] == wanted, self.values[place], 0)

    def entries(self) -> Sparse:
        return self


def collected(space: Space, size: int, batch: Array, index: Array, values: Array) -> Sparse:
    """Entries in any order, those of one place added up."""
    keys = batch * size + index
    if np.any(keys[1:] < keys[:-1]):
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    if len(first) < len(keys):
        keys, values = keys[first], np.add.reduceat(values, first) % space.p
    kept = values != 0
    if not kept.all():
        keys, values = keys[kept], values[kept]
    return Sparse(size, keys // size, keys % size, values)


@dataclass(frozen=True)
class Fixed:
    """One array for all generators."""

    space: Space
    array: Array  # flat

    @property
    def size(self) -> int:
        return len(self.array)

    @cached_property
    def _nonzero(self) -> int:
        return int(np.count_nonzero(self.array))

    @property
    def weight(self) -> float:
        return float(self._nonzero) * self.space.count

    def at(self, batch: Array, index: Array) -> Array:
        return self.array[index]

    def entries(self) -> Sparse:
        self.space.allow(self.weight)
        where = np.flatnonzero(self.array)
        count = self.space.count
        return Sparse(
            self.size,
            np.repeat(np.arange(count), len(where)),
            np.tile(where, count),
            np.tile(self.array[where], count),
        )


@dataclass(frozen=True)
class Sum:
    """left + right."""

    space: Space
    left: Value
    right: Value

    @property
    def size(self) -> int:
        return self.left.size

    @cached_property
    def _weight(self) -> float:
        return self.left.weight + self.right.weight

    @property
    def weight(self) -> float:
        return self._weight

    def at(self, batch: Array, index: Array) -> Array:
        return (self.left.at(batch, index) + self.right.at(batch, index)) % self.space.p

    def entries(self) -> Sparse:
        a, b = self.left.entries(), self.right.entries()
        parts = ((x.batch, x.index, x.values) for x in (a, b))
        return collected(self.space, self.size, *map(np.concatenate, zip(*parts, strict=True)))


@dataclass(frozen=True)
class Product:
    """left · right, entry by entry; `left` is the lighter one."""

    space: Space
    left: Value
    right: Value

    @property
    def size(self) -> int:
        return self.left.size

    @property
    def weight(self) -> float:
        return self.left.weight

    def at(self, batch: Array, index: Array) -> Array:
        out = self.left.at(batch, index)
        there = np.flatnonzero(out)
        right = self.right.at(batch[there], index[there])
        out = out.copy()
        out[there] = out[there] * right % self.space.p
        return out

    def entries(self) -> Sparse:
        self.space.allow(self.weight)
        e = self.left.entries()
        values = e.values * self.right.at(e.batch, e.index) % self.space.p
        kept = np.flatnonzero(values)
        return Sparse(self.size, e.batch[kept], e.index[kept], values[kept])


@dataclass(frozen=True)
class Scaled:
    """A number times a value."""

    space: Space
    factor: int
    value: Value

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def weight(self) -> float:
        return self.value.weight

    def at(self, batch: Array, index: Array) -> Array:
        return self.value.at(batch, index) * self.factor % self.space.p

    def entries(self) -> Sparse:
        e = self.value.entries()
        return Sparse(e.size, e.batch, e.index, e.values * self.factor % self.space.p)


@dataclass(frozen=True)
class Moved:
    """The sums of a value's entries along a relation."""

    space: Space
    value: Value
    relation: Relation

    @property
    def size(self) -> int:
        return self.relation.outside

    @cached_property
    def _weight(self) -> float:
        return self.value.weight * self.relation.growth

    @property
    def weight(self) -> float:
        return self._weight

    def at(self, batch: Array, index: Array) -> Array:
        owner, source = self.relation.sources(index)
        self.space.allow(len(owner))
        found = self.value.at(batch[owner], source)
        if not self.relation.forward:  # one source at most
            out = np.zeros(len(index), dtype=np.int64)
            out[owner] = found
            return out
        return summed(owner, found, len(index), self.space.p)

    def entries(self) -> Sparse:
        self.space.allow(self.weight)
        e = self.value.entries()
        owner, target = self.relation.targets(e.index)
        return collected(self.space, self.size, e.batch[owner], target, e.values[owner])


@dataclass(frozen=True)
class OneHot:
    """A single 1 in each group of positions: at its `chosen` member where that is not 0 (entries: generator, group,
    number), else at the first. `group` and `member` say where each position belongs."""

    space: Space
    group: Array
    member: Array
    chosen: Sparse

    @property
    def size(self) -> int:
        return len(self.group)

    @property
    def weight(self) -> float:
        return float(self.chosen.size * self.space.count)

    def at(self, batch: Array, index: Array) -> Array:
        chosen = self.chosen.at(batch, self.group[index])
        return (chosen == self.member[index]).astype(np.int64)

    def entries(self) -> Sparse:
        self.space.allow(self.size * self.space.count)
        batch = np.repeat(np.arange(self.space.count), self.size)
        index = np.tile(np.arange(self.size), self.space.count)
        values = self.at(batch, index)
        kept = np.flatnonzero(values)
        return Sparse(self.size, batch[kept], index[kept], values[kept])


def summed(owner: Array, values: Array, count: int, p: int) -> Array:
    """Sums of residues by owner; exact, since doubles hold sums of 2^27 of them."""
    return np.bincount(owner, weights=values, minlength=count).astype(np.int64) % p


def settled(space: Space, value: Value) -> Value:
    """A light recipe carried out, any other as it is."""
    if isinstance(value, Sparse | Fixed):
        return value
    return value.entries() if value.weight <= SMALL * space.count else value
