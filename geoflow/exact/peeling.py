"""Pivots of a large sparse matrix that can be told from where its entries are.

A column met by one row only makes a pivot: the rank is one more than without that row. A row with one entry does, too:
the rank is one more than without that row and that column. Both are exact, and what is left after many rounds is small
where the rows were chosen well (`exact.sparsespace` goes on from there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geoflow.exact.sparse.relation import Array, distinct, ranges


@dataclass(frozen=True)
class Rows:
    """A sparse matrix by rows: those of row k are `columns[starts[k]:starts[k + 1]]`, each once, values not 0."""

    starts: Array
    columns: Array
    values: Array
    width: int

    @staticmethod
    def of(count: int, width: int, rows: Array, columns: Array, values: Array) -> Rows:
        """From entries sorted by row."""
        counts = np.bincount(rows, minlength=count)
        return Rows(np.concatenate([[0], np.cumsum(counts)]), columns, values, width)

    @staticmethod
    def dense(matrix: Array) -> Rows:
        """From a dense matrix."""
        rows, columns = np.nonzero(matrix)
        count, width = matrix.shape
        return Rows.of(count, width, rows, columns, matrix[rows, columns])

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.starts) - 1

    @property
    def owner(self) -> Array:
        """The row of every entry."""
        return np.repeat(np.arange(self.count), np.diff(self.starts))

    def taken(self, rows: Array) -> Rows:
        """Some rows, in the given order."""
        counts = np.diff(self.starts)[rows]
        _, place = ranges(self.starts[rows], counts)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return Rows(starts, self.columns[place], self.values[place], self.width)

    @staticmethod
    def stacked(parts: Sequence[Rows]) -> Rows:
        """Rows below one another."""
        counts = np.concatenate([np.diff(p.starts) for p in parts])
        columns = np.concatenate([p.columns for p in parts])
        values = np.concatenate([p.values for p in parts])
        return Rows(np.concatenate([[0], np.cumsum(counts)]), columns, values, parts[0].width)


@dataclass(frozen=True)
class Peeled:
    """Rank = number of pivots + rank of the core. `rounds`: rows and their private columns, in order; `lone`: columns
    of the pivots that were the only entry of their row, `open`: all others; `left`: the rows of the core."""

    rows: Rows
    rounds: tuple[tuple[Array, Array], ...]
    lone: Array
    left: Array
    open: Array  # by column

    @property
    def pivots(self) -> int:
        """Number of pivots found from the places of entries."""
        return sum(len(rows) for rows, _ in self.rounds) + len(self.lone)

    def core(self) -> Rows:
        """The rows that are left, on the columns that are left."""
        core = self.rows.taken(self.left)
        kept = self.open[core.columns]
        return Rows.of(
            core.count, core.width, core.owner[kept], core.columns[kept], core.values[kept]
        )


def peel(rows: Rows) -> Peeled:
    """Pivots that the places of the entries show."""
    owner, columns, place = rows.owner, rows.columns, np.arange(len(rows.columns))
    alive = np.ones(rows.count, dtype=bool)
    rounds: list[tuple[Array, Array]] = []
    lone: list[Array] = []
    open_ = np.ones(rows.width, dtype=bool)
    while len(place):
        met = np.bincount(columns[place])
        private = place[met[columns[place]] == 1]
        if len(private):
            lines = owner[private]  # sorted, as entries are
            first = np.r_[True, lines[1:] != lines[:-1]]
            found, pivots = lines[first], columns[private[first]]
            rounds.append((found, pivots))
            alive[found] = False  # and no other row meets these columns
        else:
            entries = np.bincount(owner[place])
            single = place[entries[owner[place]] == 1]
            if not len(single):
                break
            pivots = distinct(columns[single])
            lone.append(pivots)
            open_[pivots] = False  # and these rows have no other entry
        place = place[alive[owner[place]] & open_[columns[place]]]
    left = distinct(owner[place])
    return Peeled(rows, tuple(rounds), np.concatenate([np.zeros(0, int), *lone]), left, open_)
