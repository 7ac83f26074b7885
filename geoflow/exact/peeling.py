"""The rank of a large sparse matrix over F_p: what can be told from where its entries are, then a dense core.

A column met by one row only makes a pivot: the rank is one more than without that row. A row with one entry does, too:
the rank is one more than without that row and that column. Both are exact, and what is left after many rounds is small
where the rows were chosen well. A group of rows with columns that no other row meets (a *block*) adds the rank of the
block at least. What is returned is always a lower bound of the rank.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geoflow.exact import linalg
from geoflow.exact.sparse.relation import Array, distinct, ranges

LARGEST_CORE = 6000  # columns of the core that goes to the dense engine; more are folded together
_SPREAD = 4  # rows of the folded core that each row is added to

DenseRank = Callable[[Array, int], int]


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
        return Rows.of(*matrix.shape, rows, columns, matrix[rows, columns])

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

    def joined(self, other: Rows) -> Rows:
        """These rows and then the others."""
        starts = np.concatenate([self.starts, self.starts[-1] + other.starts[1:]])
        columns = np.concatenate([self.columns, other.columns])
        return Rows(starts, columns, np.concatenate([self.values, other.values]), self.width)


@dataclass(frozen=True)
class Peeled:
    """Rank = number of pivots + rank of the core. `rounds`: rows and their private columns, in order; `lone`: columns
    of the pivots that were the only entry of their row; `left`: the rows of the core, `open`: which columns are left."""

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
        met = np.bincount(columns[place], minlength=rows.width)
        private = place[met[columns[place]] == 1]
        if len(private):
            found, first = np.unique(owner[private], return_index=True)
            pivots = columns[private[first]]
            rounds.append((found, pivots))
            alive[found] = False
            open_[pivots] = False
        else:
            entries = np.bincount(owner[place], minlength=rows.count)
            single = place[entries[owner[place]] == 1]
            if not len(single):
                break
            pivots, first = np.unique(columns[single], return_index=True)
            alive[owner[single[first]]] = False
            lone.append(pivots)
            open_[pivots] = False
        place = place[alive[owner[place]] & open_[columns[place]]]
    left = distinct(owner[place])
    return Peeled(rows, tuple(rounds), np.concatenate([np.zeros(0, int), *lone]), left, open_)


@dataclass(frozen=True)
class SparseRank:
    """A proved lower bound of a rank, and how it was found."""

    rank: int
    peeled: int  # pivots from the places of entries
    blocks: int  # rank of the private blocks
    core: tuple[int, int]  # rows and columns of what went to the dense engine


def rank(rows: Rows, prime: int, rng: np.random.Generator, dense: DenseRank = linalg.rank) -> SparseRank:
    """A lower bound of the rank; the rank itself unless a block was singular or the core too large."""
    from geoflow.exact.blocks import peel_blocks

    peeled = peel(rows)
    total, blocks, core = peeled.pivots, 0, peeled.core()
    while core.count:
        found = peel_blocks(core, prime)
        if found is None:
            break
        blocks += found.rank
        again = peel(found.rest)
        total += again.pivots
        core = again.core()
    matrix = folded(core, prime, rng)
    found = dense(matrix, prime) if matrix.size else 0
    shape = (core.count, len(distinct(core.columns)))
    return SparseRank(total + blocks + found, total, blocks, shape)


def folded(core: Rows, prime: int, rng: np.random.Generator) -> Array:
    """The core as a dense matrix without empty columns. Rows beyond the number of columns, and columns beyond
    `LARGEST_CORE`, are added to others with random factors, which never makes the rank greater."""
    names, columns = np.unique(core.columns, return_inverse=True)
    rows, values = core.owner, core.values
    count, width = core.count, len(names)
    if width > LARGEST_CORE:
        columns, rows, values = _fold(columns, rows, values, width, LARGEST_CORE, prime, rng)
        width = LARGEST_CORE
    if count > width + width // 8 + 32:
        rows, columns, values = _fold(rows, columns, values, count, width + 32, prime, rng)
        count = width + 32
    keys = rows * width + columns
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else keys
    out = np.zeros(count * width, dtype=np.int64)
    if len(keys):
        out[keys[first]] = np.add.reduceat(values[order], first) % prime
    return out.reshape(count, width)


def _fold(
    folded: Array, kept: Array, values: Array, count: int, into: int, prime: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Each of `count` lines added, with random factors, to some of `into` lines."""
    target = rng.integers(0, into, (count, _SPREAD))
    factor = rng.integers(1, prime, (count, _SPREAD))
    new = target[folded].ravel()
    grown = (values[:, None] * factor[folded] % prime).ravel()
    return new, np.repeat(kept, _SPREAD), grown
