"""Which entries of one array go to which entries of another: a move, a broadcast, a sum over axes, as a relation."""

from __future__ import annotations

from functools import cached_property

import numpy as np

Array = np.ndarray


def ranges(starts: Array, counts: Array) -> tuple[Array, Array]:
    """All numbers of the ranges start, …, start + count − 1, one after the other, and whose they are."""
    owner = np.repeat(np.arange(len(counts)), counts)
    if not len(owner):
        return owner, owner
    shift = np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return owner, shift + np.arange(len(owner))


def distinct(keys: Array) -> Array:
    """The numbers that occur, sorted; quick where they are sorted already."""
    if len(keys) < 2:
        return keys
    if np.any(keys[1:] < keys[:-1]):
        keys = np.sort(keys)
    return keys[np.r_[True, keys[1:] != keys[:-1]]]


class Relation:
    """A relation between `inside` positions of an input and `outside` positions of an output, in which one side
    decides the other: `table` has, by position of the output (or of the input, if `forward`), the position of the
    other side, or −1."""

    def __init__(self, table: Array, other: int, forward: bool):
        self.table = np.ascontiguousarray(table)
        self.forward = forward
        self.inside, self.outside = (len(table), other) if forward else (other, len(table))

    @cached_property
    def _inverse(self) -> tuple[Array, Array]:
        """Positions ordered by their value in the table, and where each value starts."""
        there = np.flatnonzero(self.table >= 0)
        order = there[np.argsort(self.table[there], kind="stable")]
        size = self.outside if self.forward else self.inside
        counts = np.bincount(self.table[there], minlength=size)
        return order, np.concatenate([[0], np.cumsum(counts)])

    @cached_property
    def widest(self) -> int:
        """To how many outputs one input goes, at most."""
        if self.forward:
            return 1
        return int(np.diff(self._inverse[1]).max(initial=0))

    @cached_property
    def growth(self) -> float:
        """To how many outputs an input goes on average."""
        return 1.0 if self.forward else self.outside / max(self.inside, 1)

    def targets(self, index: Array) -> tuple[Array, Array]:
        """Where the inputs go: (which of `index`, output)."""
        return self._direct(index) if self.forward else self._several(index)

    def sources(self, index: Array) -> tuple[Array, Array]:
        """Where the outputs come from: (which of `index`, input)."""
        return self._several(index) if self.forward else self._direct(index)

    def _direct(self, index: Array) -> tuple[Array, Array]:
        found = self.table[index]
        kept = np.flatnonzero(found >= 0)
        return kept, found[kept]

    def _several(self, index: Array) -> tuple[Array, Array]:
        order, starts = self._inverse
        begin = starts[index]
        owner, place = ranges(begin, starts[index + 1] - begin)
        return owner, order[place]
