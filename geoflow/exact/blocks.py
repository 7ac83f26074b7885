"""Private blocks of a sparse matrix: groups of columns that are met by one group of rows only.

With the columns of the blocks first the matrix is block triangular: its rank is at least the sum of the ranks of the
blocks and of what is left without their rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoflow.exact.peeling import Rows
from geoflow.exact.sparse.relation import Array

_MOST_ENTRIES = 2**24  # of blocks that are eliminated at one time
_WIDEST = 2048


@dataclass(frozen=True)
class Blocks:
    """The rank of the blocks, and the rows that are in none."""

    rank: int
    rest: Rows


def peel_blocks(rows: Rows, prime: int) -> Blocks | None:
    """Blocks with at most as many rows as columns, or None."""
    owner, columns = rows.owner, rows.columns
    kinds, group = _alike(rows)
    # by kind of column: how many columns, how many rows meet one
    names, kind = np.unique(columns, return_inverse=True)
    wide = np.bincount(group, minlength=kinds)
    high = np.zeros(kinds, dtype=np.int64)
    high[group] = np.bincount(kind, minlength=len(names))
    fits = (high <= wide) & (high <= _WIDEST) & (high > 0)
    if not fits.any():
        return None
    entry = group[kind]  # the kind of every entry's column
    # a row belongs to the smallest block it meets; a block is taken if all its rows belong to it
    order = np.where(fits, high * kinds + np.arange(kinds), np.iinfo(np.int64).max)
    best = np.full(rows.count, np.iinfo(np.int64).max)
    np.minimum.at(best, owner, order[entry])
    won = np.bincount(entry, weights=best[owner] == order[entry], minlength=kinds)
    taken = fits & (won == high * wide)
    if not taken.any():
        return None
    inside = taken[entry]
    found = _ranks(*(x[inside] for x in (owner, columns, rows.values, entry)), (high, wide), prime)
    alive = np.ones(rows.count, dtype=bool)
    alive[owner[inside]] = False
    return Blocks(found, rows.taken(np.flatnonzero(alive)))


def _alike(rows: Rows) -> tuple[int, Array]:
    """How many kinds of columns there are, by which rows meet them, and the kind of every column that is met."""
    mark = np.random.default_rng(0).integers(0, 2**63, (2, rows.count), dtype=np.uint64)
    names, kind = np.unique(rows.columns, return_inverse=True)
    order = np.argsort(kind, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(kind, minlength=len(names)))])[:-1]
    owner = rows.owner[order]
    sums = np.stack([np.add.reduceat(m[owner], starts) for m in mark], axis=1)
    found, group = np.unique(sums, axis=0, return_inverse=True)
    return len(found), group.reshape(-1)


def _ranks(
    owner: Array, columns: Array, values: Array, entry: Array, sizes: tuple[Array, Array], prime: int
) -> int:
    """The sum of the ranks of blocks, given their entries: every column of a block meets all its rows, so blocks of
    one size are dense matrices that are eliminated side by side."""
    order = np.lexsort((columns, owner, entry))
    values, entry = values[order], entry[order]
    high, wide = sizes[0][entry], sizes[1][entry]
    total = 0
    for height, width in np.unique(np.stack([high, wide], axis=1), axis=0):
        here = (high == height) & (wide == width)
        matrices = values[here].reshape(-1, height, width)
        step = max(1, _MOST_ENTRIES // (height * width))
        for k in range(0, len(matrices), step):
            total += ranks(matrices[k : k + step], prime)
    return total


def ranks(matrices: Array, prime: int) -> int:
    """The sum of the ranks of many small matrices [count, rows, columns] over F_p, eliminated side by side."""
    a = matrices % prime
    count, height, width = a.shape
    done = np.zeros((count, height), dtype=bool)
    total = 0
    for k in range(width):
        usable = (a[:, :, k] != 0) & ~done
        has = usable.any(axis=1)
        which = np.flatnonzero(has)
        if not len(which):
            continue
        row = usable[which].argmax(axis=1)
        done[which, row] = True
        total += len(which)
        if done.all():
            break
        pivot = a[which, row, k]
        line = a[which, row] * _inverses(pivot, prime)[:, None] % prime
        factor = np.where(done[which], 0, a[which, :, k])
        a[which, :, k:] = (a[which, :, k:] - factor[:, :, None] * line[:, None, k:]) % prime
    return total


def _inverses(values: Array, prime: int) -> Array:
    result, square, exponent = np.ones_like(values), values % prime, prime - 2
    while exponent:
        if exponent & 1:
            result = result * square % prime
        square = square * square % prime
        exponent >>= 1
    return result
