"""Private blocks of a sparse matrix: groups of columns that are met by one group of rows only.

Such a group is eliminated by itself. Rows of it that are zero there after elimination are rows of what remains; the
others are pivots, and no other row meets them: rank = ranks of the blocks + rank of what remains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from geoflow.exact.elimination import reduced
from geoflow.exact.peeling import Rows
from geoflow.exact.sparse.relation import Array, distinct, ranges

_MOST_ENTRIES = 2**20  # of blocks that are eliminated at one time
_TALLEST = 256
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Blocks:
    """Eliminated blocks of one size. `rows`: all rows of the first block, then of the next; `pivots` [blocks, height]:
    the column of every pivot, −1 for none; `combined` [blocks, height, height]: the combinations of a block's rows that
    are 1 at one pivot and 0 at the others (or 0 at all columns of the block, without a pivot)."""

    rows: Rows
    pivots: Array
    combined: Array

    @property
    def rank(self) -> int:
        """Number of pivots."""
        return int(np.count_nonzero(self.pivots >= 0))

    def rest(self, prime: int) -> Rows:
        """The combinations without a pivot."""
        block, line = np.nonzero(self.pivots < 0)
        height = self.pivots.shape[1]
        owner = np.repeat(np.arange(len(block)), height)
        source = (block[:, None] * height + np.arange(height)).ravel()
        factor = self.combined[block, line].ravel()
        used = np.flatnonzero(factor)
        return combinations(self.rows, owner[used], source[used], factor[used], len(block), prime)


def combinations(
    rows: Rows, owner: Array, source: Array, factor: Array, count: int, prime: int
) -> Rows:
    """Sums of rows: `factor` times row `source` is added to the sum `owner`."""
    counts = np.diff(rows.starts)[source]
    which, place = ranges(rows.starts[source], counts)
    keys = owner[which] * rows.width + rows.columns[place]
    values = factor[which] * rows.values[place] % prime
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    if len(keys):
        first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        keys, values = keys[first], np.add.reduceat(values, first) % prime
    kept = values != 0
    keys = keys[kept]
    return Rows.of(count, rows.width, keys // rows.width, keys % rows.width, values[kept])


def peel_blocks(rows: Rows, prime: int) -> tuple[list[Blocks], Rows] | None:
    """The private blocks with at most as many rows as columns, eliminated, and the rows that remain; None without."""
    owner, columns = rows.owner, rows.columns
    kinds, group, high = _alike(rows)
    wide = np.bincount(group)
    fits = (high <= wide) & (high <= _TALLEST)
    if not fits.any():
        return None
    entry = group[np.searchsorted(distinct(columns), columns)]  # the kind of every entry's column
    # a row belongs to the smallest block it meets; a block is taken if all its rows belong to it
    order = np.where(fits, high * kinds + np.arange(kinds), _NEVER)
    best = np.full(rows.count, _NEVER)
    np.minimum.at(best, owner, order[entry])
    won = np.bincount(entry, weights=best[owner] == order[entry])
    taken = fits & (won == high * wide)
    if not taken.any():
        return None
    inside = np.flatnonzero(taken[entry])
    found = list(_eliminated(rows, inside, entry[inside], high, wide, prime))
    rest = rows.taken(np.delete(np.arange(rows.count), owner[inside]))
    return found, Rows.stacked([rest, *(blocks.rest(prime) for blocks in found)])


def _alike(rows: Rows) -> tuple[int, Array, Array]:
    """How many kinds of columns there are, by which rows meet them; the kind of every column that is met, and how many
    rows meet those of each kind. Sets of rows are told apart by sums of random numbers of 128 bits: a mistake would
    make a block that is not dense, and be found."""
    mark = np.random.default_rng(0).integers(0, 2**63, (2, rows.count), dtype=np.uint64)
    order = np.argsort(rows.columns, kind="stable")
    sorted_, owner = rows.columns[order], rows.owner[order]
    starts = np.flatnonzero(np.r_[True, sorted_[1:] != sorted_[:-1]])
    sums = np.stack([np.add.reduceat(m[owner], starts) for m in mark], axis=1)
    _, first, group = np.unique(sums, axis=0, return_index=True, return_inverse=True)
    met = np.diff(np.append(starts, len(sorted_)))
    return len(first), group.ravel(), met[first]


def _eliminated(
    rows: Rows, inside: Array, kind: Array, high: Array, wide: Array, prime: int
) -> Iterator[Blocks]:
    """Blocks of one size side by side. Every column of a block meets all its rows: it is a dense matrix."""
    owner, columns = rows.owner[inside], rows.columns[inside]
    order = np.lexsort((columns, owner, kind))
    owner, columns, kind, values = (x[order] for x in (owner, columns, kind, rows.values[inside]))
    used = distinct(kind)
    for height, width in np.unique(np.stack([high[used], wide[used]], axis=1), axis=0):
        here = ((high == height) & (wide == width))[kind]
        step = max(1, _MOST_ENTRIES // (height * (width + height)))
        shape = (-1, height, width)
        lines = owner[here].reshape(shape)[:, :, 0]
        names = columns[here].reshape(shape)[:, 0, :]
        matrices = values[here].reshape(shape)
        for k in range(0, len(matrices), step):
            pivots, combined = eliminate(matrices[k : k + step], prime)
            named = np.take_along_axis(names[k : k + step], np.maximum(pivots, 0), axis=1)
            taken = rows.taken(lines[k : k + step].ravel())
            yield Blocks(taken, np.where(pivots >= 0, named, -1), combined)


def eliminate(matrices: Array, prime: int) -> tuple[Array, Array]:
    """Small matrices A [count, rows, columns], side by side: T with T·A reduced, and for every row of T·A the column of
    its pivot, −1 where it is zero. In float64: residues are symmetric, so products are below 2^51."""
    count, height, width = matrices.shape
    identity = np.broadcast_to(np.eye(height), (count, height, height))
    a = reduced(np.concatenate([matrices, identity], axis=2), prime)
    pivots = np.full((count, height), -1)
    for k in range(width):
        usable = (a[:, :, k] != 0) & (pivots < 0)
        which = np.flatnonzero(usable.any(axis=1))
        if not len(which):
            continue
        row = usable[which].argmax(axis=1)
        pivots[which, row] = k
        inverse = inverses(a[which, row, k], prime)
        line = reduced(np.ascontiguousarray(a[which, row, k:] * inverse[:, None]), prime)
        some = slice(None) if len(which) == count else which  # a slice takes no copy
        a[some, :, k:] -= a[some, :, k, None] * line[:, None, :]
        a[which, row, k:] = line
        a = reduced(a, prime)
    return pivots, a[:, :, width:].astype(np.int64) % prime


def inverses(values: Array, prime: int) -> Array:
    """Of nonzero residues, as residues; symmetric ones below p/2 in size."""
    result, square, exponent = np.ones_like(values), values % prime, prime - 2
    while exponent:
        if exponent & 1:
            result = result * square % prime
        square = square * square % prime
        exponent >>= 1
    return np.where(result > prime // 2, result - prime, result)
