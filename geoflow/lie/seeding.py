"""A row space that starts with sparse fields of a large flow: one anchored at each parameter, variants of those that
coincide, and brackets of fields that meet.

Whatever is proposed, the rank is a proved lower bound. That nothing is missing is for random fields to show
(`lie.closure`), which are reduced by the same space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoflow.deadline import Deadline, OutOfTime
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.peeling import Rows
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.radicals import has_roots
from geoflow.exact.sparse.relation import Array
from geoflow.exact.sparse.values import TooDense
from geoflow.exact.sparsespace import SparseSpace
from geoflow.lie.anchored import Proposal, Walk
from geoflow.lie.bracket import Generator
from geoflow.lie.point import ModularPoint
from geoflow.lie.sparse_words import CHUNK, SparseFields
from geoflow.results import AnchoredRows

SMALLEST = 2500  # coordinates from which a flow is counted so; dense elimination is quicker below
_PROBES = 16
_PASSES = 6
_MOST_ENTRIES = 2**26  # of all sparse rows together: some GiB
_MOST_BRACKETS = 1024  # at one time
_WORTH = 16  # brackets tried for one that adds to the rank


@dataclass(frozen=True)
class Start:
    """A space with the sparse fields in it. `short`: the rank of the fields alone; `depth`: 1 where brackets are needed
    to span the space, else 0."""

    space: SparseSpace
    run: AnchoredRows
    short: int
    depth: int


def start(generator: Generator, place: ModularPoint, seed: int, deadline: Deadline) -> Start | None:
    """The space at a point; None for a flow that this is not for: small, with a drift, with square roots or functions
    without a value mod p, or with a program that the walk or sparse arithmetic cannot go through, or divide
    in."""
    flow = generator.flow
    if flow.dimension < SMALLEST or flow.has_drift or generator.estimated:
        return None
    if has_roots(generator.program):
        return None
    try:
        return _Seeding(generator, place, seed, deadline).start()
    except (UnsupportedPrimitive, TooDense, UnluckyPoint):  # mostly zeros: a denominator may be 0
        return None


class _Seeding:
    def __init__(
        self, generator: Generator, place: ModularPoint, seed: int, deadline: Deadline = Deadline()
    ):
        self.deadline = deadline
        self.rng = np.random.default_rng([seed, place.field.p, 0x736565])
        self.walk = Walk(generator, place, self.rng)
        self.fields = SparseFields(generator, self.walk.layout, place, seed, deadline)
        self.prime = place.field.p
        self.seen = np.zeros(0, dtype=np.uint64)
        self.proposals: list[Proposal] = []
        self.rows = self.fields.none

    def start(self) -> Start:
        """All stages, each only if a few samples of it add to the rank, until the time is over."""
        places = self._everywhere()
        numbers = self._enter(places, np.zeros(len(places), dtype=np.int64))
        space = SparseSpace(self.rows, self.prime, self.rng)
        shift = numbers  # a number of its own for each of the places with equal fields
        for salt in range(_PASSES):
            places, shift = places[numbers > 0], shift[numbers > 0]
            if not len(places) or self.deadline.passed:
                break
            numbers = np.ones(len(places), dtype=np.int64)
            if self._adds(space, places, shift, salt):
                numbers = self._enter(places, shift, salt)
                space = SparseSpace(self.rows, self.prime, self.rng)
            elif not salt:
                break
        before = space.rank
        brackets = self._brackets(space)
        run = AnchoredRows(self.rows.count, brackets, space.peeled, space.core)
        return Start(space, run, before, int(space.rank > before))

    def _everywhere(self) -> Array:
        """[entries, 2]: block and position of all coordinates."""
        parts = []
        for k, output in self.fields.outputs:
            size = self.fields.sizes[k]
            parts.append(np.stack([np.full(size, output), np.arange(size)], axis=1))
        return np.concatenate(parts)

    def _enter(self, places: Array, shift: Array, salt: int = 0) -> Array:
        """Add the fields anchored at the places; for each, how many before it have the same controls on (0: it is
        new)."""
        numbers = np.zeros(len(places), dtype=np.int64)
        found = [self.rows]
        for block in np.unique(places[:, 0]):
            mine = np.flatnonzero(places[:, 0] == block)
            for k in range(0, len(mine), CHUNK):
                part = mine[k : k + CHUNK]
                proposal = self.walk.proposed(int(block), places[part, 1], shift[part], salt)
                marks = proposal.signature()
                numbers[part], fresh = self._numbered(marks)
                new = proposal.taken(fresh)
                self.seen = np.sort(np.concatenate([self.seen, marks[fresh]]))
                rows = self._rows([new])
                if rows is None:
                    self.rows = Rows.stacked(found)
                    return numbers
                found.append(rows)
                self.proposals.append(new)
                if sum(len(r.columns) for r in found) > _MOST_ENTRIES:
                    raise TooDense
        self.rows = Rows.stacked(found)
        return numbers

    def _rows(self, letters: list[Proposal]) -> Rows | None:
        """Rows of proposed fields; None if the time runs out."""
        try:
            return self.fields.rows(letters)
        except OutOfTime:
            return None

    def _numbered(self, marks: Array) -> tuple[Array, Array]:
        """For each field, how many before it are equal; and which ones are new."""
        order = np.argsort(marks, kind="stable")
        sorted_ = marks[order]
        begin = np.r_[True, sorted_[1:] != sorted_[:-1]]
        first = np.flatnonzero(begin)
        numbers = np.empty(len(marks), dtype=np.int64)
        numbers[order] = np.arange(len(marks)) - first[np.cumsum(begin) - 1]
        place = np.minimum(np.searchsorted(self.seen, marks), max(len(self.seen) - 1, 0))
        old = self.seen[place] == marks if len(self.seen) else np.zeros(len(marks), dtype=bool)
        fresh = np.flatnonzero((numbers == 0) & ~old)
        return numbers + old, fresh

    def _adds(self, space: SparseSpace, places: Array, shift: Array, salt: int) -> bool:
        """Whether a sample of the fields leaves the space."""
        few = np.sort(self.rng.permutation(len(places))[:_PROBES])
        before = space.rank
        for block in np.unique(places[few, 0]):
            mine = few[places[few, 0] == block]
            proposal = self.walk.proposed(int(block), places[mine, 1], shift[mine], salt)
            rows = self._rows([proposal])
            if rows is None:
                return False
            if space.add_sparse(rows) > before:
                return True
        return False

    def _brackets(self, space: SparseSpace) -> int:
        """Brackets of fields with a parameter in common, as long as they add to the rank; how many."""
        count, total = _PROBES, 0
        meeting = _Meeting(self._inner())
        while not self.deadline.passed and space.room:
            pairs = meeting.pairs(count, self.rng)
            if not len(pairs):
                break
            before = space.rank
            rows = self._rows([self._letters(pairs[:, k]) for k in (0, 1)])
            if rows is None:
                break
            total += len(pairs)
            gain = space.add_sparse(rows) - before
            if gain * _WORTH < len(pairs):
                break
            count = min(4 * gain + _PROBES, _MOST_BRACKETS)
        return total

    def _inner(self) -> tuple[Rows, Array]:
        """Fields that share all their parameters with many others, and their numbers."""
        rows = self.rows
        met = np.bincount(rows.columns, minlength=rows.width)
        least = np.full(rows.count, rows.count)
        np.minimum.at(least, rows.owner, met[rows.columns])
        inner = np.flatnonzero(2 * least >= least.max(initial=0))
        return rows.taken(inner), inner

    def _letters(self, numbers: Array) -> Proposal:
        """Fields by number, in any order."""
        parts: list[Proposal] = []
        start = 0
        for proposal in self.proposals:
            mine = numbers - start
            parts.append(proposal.picked(np.where((mine >= 0) & (mine < proposal.count), mine, -1)))
            start += proposal.count
        return Proposal.merged(parts)


class _Meeting:
    """Random pairs of rows with a column in common."""

    def __init__(self, rows: tuple[Rows, Array]):
        inner, self._numbers = rows
        order = np.argsort(inner.columns, kind="stable")
        self._owner = inner.owner[order]
        columns = inner.columns[order]
        starts = np.flatnonzero(np.r_[True, columns[1:] != columns[:-1]]) if len(columns) else order
        counts = np.diff(np.append(starts, len(columns)))
        several = counts > 1
        self._starts, self._counts = starts[several], counts[several]

    def pairs(self, count: int, rng: np.random.Generator) -> Array:
        """[pairs, 2], at most `count`, no pair twice."""
        if not len(self._starts):
            return np.zeros((0, 2), dtype=np.int64)
        column = rng.integers(0, len(self._starts), count)
        first = rng.integers(0, self._counts[column])
        second = (first + rng.integers(1, self._counts[column])) % self._counts[column]
        rows = self._owner[self._starts[column][:, None] + np.stack([first, second], axis=1)]
        return self._numbers[np.unique(np.sort(rows, axis=1), axis=0)]
