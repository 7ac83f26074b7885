"""The span of sparse rows over F_p, to which dense rows can be added.

Peeling (`exact.peeling`) and private blocks (`exact.blocks`) take nearly all rows and columns away; what remains is a
dense `RowSpace`. A dense row is reduced by the same pivots in the same order, and then by that. Ranks are exact, or
lower bounds where columns that no row of the core meets are folded together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoflow.exact.blocks import Blocks, inverses, peel_blocks
from geoflow.exact.elimination import BATCH, RowSpace
from geoflow.exact.peeling import Rows, peel
from geoflow.exact.sparse.relation import Array, distinct, ranges
from geoflow.exact.sparse.values import summed

_SPARE = 4096  # columns of the core for those that none of its rows meets
LARGEST_CORE = 16384  # columns; more are folded together
_WINDOW = 2**22  # numbers of dense rows at one time


@dataclass(frozen=True)
class _Round:
    """Rows with a pivot of their own each, in columns that no later row meets."""

    rows: Rows
    pivots: Array
    inverse: Array

    def factors(self, row: Array, prime: int) -> Array:
        return row[self.pivots] * self.inverse % prime


@dataclass(frozen=True)
class _Blocks:
    """Rows of private blocks."""

    rows: Rows
    blocks: Blocks

    def factors(self, row: Array, prime: int) -> Array:
        pivots = self.blocks.pivots
        at = np.where(pivots >= 0, row[np.maximum(pivots, 0)], 0)
        hit = np.flatnonzero(at.any(axis=1))
        out = np.zeros_like(pivots)
        for b in hit:
            out[b] = (at[b][:, None] * self.blocks.combined[b] % prime).sum(axis=0) % prime
        return out.ravel()


class SparseSpace:
    """A row space of sparse rows and of what is added. `peeled`: pivots found from the places of entries, and of
    blocks; `core`: rows and columns of what was left."""

    def __init__(self, rows: Rows, prime: int, rng: np.random.Generator):
        self.dimension, self.prime = rows.width, prime
        self._stages: list[_Round | _Blocks] = []
        closed = np.zeros(rows.width, dtype=bool)
        self.peeled = 0
        core = rows
        while core.count:
            peeled = peel(core)
            self.peeled += peeled.pivots
            closed[peeled.lone] = True
            for lines, pivots in peeled.rounds:
                self._stages.append(self._round(core, lines, pivots))
                closed[pivots] = True
            core = peeled.core()
            found = peel_blocks(core, prime) if core.count else None
            if found is None:
                break
            for blocks in found[0]:
                self._stages.append(_Blocks(blocks.rows, blocks))
                self.peeled += blocks.rank
                closed[blocks.pivots[blocks.pivots >= 0]] = True
            core = found[1]
        self._make_core(core, closed, rng)

    def _round(self, rows: Rows, lines: Array, pivots: Array) -> _Round:
        taken = rows.taken(lines)
        at = taken.columns == np.repeat(pivots, np.diff(taken.starts))
        return _Round(taken, pivots, inverses(taken.values[at], self.prime))

    def _make_core(self, core: Rows, closed: Array, rng: np.random.Generator) -> None:
        names = distinct(core.columns)
        others = np.flatnonzero(~closed)
        if len(names) <= LARGEST_CORE:
            others = np.setdiff1d(others, names)
            width = len(names) + min(len(others), _SPARE)
        else:
            names, width = names[:0], LARGEST_CORE
        self._target = np.full(self.dimension, -1)
        self._target[names] = np.arange(len(names))
        if len(others):
            self._target[others] = len(names) + _spread(len(others), width - len(names), rng)
        self._factor = np.full(self.dimension, 1)
        self._factor[others] = rng.integers(1, self.prime, len(others))
        self._core = RowSpace(width, self.prime)
        self.core = (core.count, len(distinct(core.columns)))
        for start in range(0, core.count, BATCH):
            part = core.taken(np.arange(start, min(start + BATCH, core.count)))
            self._core.add(self._folded(part))

    @property
    def rank(self) -> int:
        """A lower bound of the rank of all rows."""
        return self.peeled + self._core.rank

    @property
    def room(self) -> int:
        """How far the rank can grow."""
        return self._core.dimension - self._core.rank

    def inside(self, columns: Array) -> Array:
        """Whether columns are among those that peeling left."""
        return self._target[columns] >= 0

    def _folded(self, rows: Rows) -> Array:
        """Rows on the columns of the core."""
        target = self._target[rows.columns]
        kept = np.flatnonzero(target >= 0)
        where = rows.owner[kept] * self._core.dimension + target[kept]
        values = rows.values[kept] * self._factor[rows.columns[kept]] % self.prime
        size = rows.count * self._core.dimension
        return summed(where, values, size, self.prime).reshape(rows.count, -1)

    def add(self, rows: Array) -> int:
        """Add residues [rows, dimension]; the rank of all so far."""
        if len(rows):
            self._core.add(np.stack([self._reduced(row) for row in rows]))
        return self.rank

    def add_sparse(self, rows: Rows) -> int:
        """Add sparse rows; the rank of all so far."""
        for start in range(0, rows.count, BATCH):
            part = rows.taken(np.arange(start, min(start + BATCH, rows.count)))
            folded = self._folded(part)
            touched = distinct(part.owner[~self.inside(part.columns)])  # what has to be reduced
            step = max(1, _WINDOW // self.dimension)
            for k in range(0, len(touched), step):
                some = part.taken(touched[k : k + step])
                dense = np.zeros((some.count, self.dimension), dtype=np.int64)
                dense[some.owner, some.columns] = some.values
                folded[touched[k : k + step]] = [self._reduced(row) for row in dense]
            self._core.add(folded)
        return self.rank

    def _reduced(self, row: Array) -> Array:
        """A row on the columns of the core, after elimination by all pivots."""
        row = row % self.prime
        for stage in self._stages:
            factors = stage.factors(row, self.prime)
            hit = np.flatnonzero(factors)
            if not len(hit):
                continue
            rows = stage.rows
            owner, place = ranges(rows.starts[hit], rows.starts[hit + 1] - rows.starts[hit])
            values = factors[hit][owner] * rows.values[place] % self.prime
            row = (
                row - summed(rows.columns[place], values, self.dimension, self.prime)
            ) % self.prime
        kept = np.flatnonzero((self._target >= 0) & (row != 0))
        values = row[kept] * self._factor[kept] % self.prime
        return summed(self._target[kept], values, self._core.dimension, self.prime)


def _spread(count: int, into: int, rng: np.random.Generator) -> Array:
    """A place among `into` for each of `count`, as evenly as can be."""
    return rng.permutation(count) % max(into, 1)
