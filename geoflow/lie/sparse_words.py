"""Rows of proposed fields and of their brackets, by sparse arithmetic.

The bracket is that of `lie.bracket`: [X, Y] = DY·X − DX·Y from values at z + e·X(z); here with sparse values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.peeling import Rows
from geoflow.exact.primefield import PrimeField
from geoflow.exact.sparse.evaluator import Number, SparseEvaluator
from geoflow.exact.sparse.layout import Layout
from geoflow.exact.sparse.values import Fixed, OneHot, Space, Sparse, TooDense, Value, collected
from geoflow.lie.anchored import Demand, Proposal
from geoflow.lie.bracket import Generator
from geoflow.lie.point import ModularPoint
from geoflow.parametrization import Control

CHUNK = 2**17  # generators evaluated at one time, at most


class SparseFields:
    """The fields of a generator at a point, for proposals. `outputs`: by block of the state, the output of the program
    that holds its part of a field."""

    def __init__(
        self,
        generator: Generator,
        layout: Layout,
        place: ModularPoint,
        seed: int,
        deadline: Deadline = Deadline(),
    ):
        self.generator, self.layout, self.place, self.deadline = generator, layout, place, deadline
        self.field = PrimeField(place.field.p)
        self._rng = np.random.default_rng([seed, 0x737061])
        self._step = CHUNK
        flow = generator.flow
        names = sorted(place.point)
        self.outputs = [(k, names.index(b.name)) for k, b in enumerate(flow.state)]
        self.sizes = [math.prod(b.shape) for b in flow.state]
        self._starts = np.cumsum([0, *self.sizes])
        self.none = Rows.dense(np.zeros((0, flow.dimension), dtype=np.int64))
        self._names = names

    def rows(self, letters: Sequence[Proposal]) -> Rows:
        """The words [X₁, [X₂, … Y]] of the letters' fields, in chunks as large as their values allow.

        Raises:
            TooDense: not even one at a time.
            UnsupportedPrimitive: see `SparseEvaluator.run`.
            OutOfTime: the deadline passed.
        """
        parts: list[Rows] = []
        for start, stop in self._chunks(letters[0].count):
            which = np.arange(start, stop)
            parts.append(self._chunk([p.taken(which) for p in letters]))
        return Rows.stacked([self.none, *parts])

    def _chunks(self, count: int) -> Iterator[tuple[int, int]]:
        start = 0
        while start < count:
            stop = min(start + self._step, count)
            yield start, stop
            start = stop

    def _chunk(self, letters: list[Proposal]) -> Rows:
        count = letters[0].count
        try:
            return self._word_rows(letters)
        except TooDense:
            if count == 1:
                raise
            half = np.arange(count // 2)
            rest = np.arange(count // 2, count)
            self._step = max(1, count // 2)
            parts = [self._chunk([p.taken(part) for p in letters]) for part in (half, rest)]
            return Rows.stacked(parts)

    def _word_rows(self, letters: list[Proposal]) -> Rows:
        space = Space(self.field.p, letters[0].count, self.deadline)
        evaluator = SparseEvaluator(self.layout, self.field, space)
        controls: list[list[Number]] = [[{0: v} for v in self.controls(p)] for p in letters]
        point = [_same(space, self.place.point[n]) for n in self._names]
        field = self._word(evaluator, controls, point)
        entries = [
            (int(self._starts[k]), value.entries())
            for k, position in self.outputs
            for value in field[position].values()
        ]
        none = np.zeros(0, dtype=np.int64)
        batch = np.concatenate([none, *(e.batch for _, e in entries)])
        columns = np.concatenate([none, *(start + e.index for start, e in entries)])
        values = np.concatenate([none, *(e.values for _, e in entries)])
        found = collected(space, self.none.width, batch, columns, values)
        return Rows.of(space.count, found.size, found.batch, found.index, found.values)

    def _word(
        self, evaluator: SparseEvaluator, controls: Sequence[list[Number]], point: list[Number]
    ) -> list[Number]:
        def value(k: int, z: list[Number], size: int) -> list[Number]:
            own = self._field(evaluator, controls[k], z)
            if k == len(controls) - 1:
                return own
            inner = value(k + 1, _shifted(z, own, size), 2 * size)
            low = [{m: v for m, v in n.items() if m < size} for n in inner]
            along = self._field(evaluator, controls[k], _shifted(z, low, size))
            return [_upper(evaluator, a, b, size) for a, b in zip(inner, along, strict=True)]

        return value(0, point, 1)

    def _field(
        self, evaluator: SparseEvaluator, controls: list[Number], point: list[Number]
    ) -> list[Number]:
        program, constants = self.generator.program, self.place.constants
        same = [_same(evaluator.space, constants[n]) for n in sorted(constants)]
        own = len(controls) - len(program.gates)
        # {}: the weight of the drift, which there is not
        inputs = [*same, *point, {}, *controls[:own]]
        return evaluator.run(inputs, controls[own:], program.outputs)

    def controls(self, proposal: Proposal) -> list[Value]:
        """What is on, with values: 1 for what chooses, random numbers elsewhere."""
        space = Space(self.field.p, proposal.count)
        pairs = zip(self.generator.controls, proposal.on, strict=True)
        return [self._control(space, c, on) for c, on in pairs]

    def _control(self, space: Space, control: Control, on: Demand) -> Value:
        axes = _single(control)
        if axes is not None:
            return _chosen(space, control.shape, axes, on)
        whole = control.kind == "gate" and not self.generator.free_gates
        size = math.prod(control.shape)
        values = (
            np.ones(len(on.batch), dtype=np.int64)
            if whole
            else self._rng.integers(1, space.p, len(on.batch))
        )
        return Sparse(size, on.batch, on.index, values)


def _same(space: Space, array: np.ndarray) -> Number:
    """The same numbers for all generators."""
    return {0: Fixed(space, array.ravel())}


def _upper(evaluator: SparseEvaluator, a: Number, b: Number, size: int) -> Number:
    """The coefficient of the last nilpotent in a − b."""
    high = [{m - size: v for m, v in n.items() if m >= size} for n in (a, b)]
    return evaluator.added(high[0], evaluator.moved(high[1], lambda v: evaluator.scaled(-1, v)))


def _single(control: Control) -> tuple[int, ...] | None:
    """The axes over which a control has a single 1."""
    match control.kind:
        case "onehot":
            return (len(control.shape) - 1,)
        case "choice":
            return control.axes
        case _:
            return None


def _chosen(space: Space, shape: tuple[int, ...], axes: tuple[int, ...], on: Demand) -> OneHot:
    """A single 1 over the axes: where the demand says, else at the first place."""
    kept = [k for k in range(len(shape)) if k not in axes]
    order = np.arange(math.prod(shape)).reshape(shape).transpose(*kept, *axes)
    width = math.prod(shape[k] for k in axes)
    group, member = (np.empty(math.prod(shape), dtype=np.int64) for _ in range(2))
    flat = order.ravel()
    group[flat], member[flat] = np.divmod(np.arange(len(flat)), width)
    keys = on.batch * (len(flat) // width) + group[on.index]
    keys, first = np.unique(keys, return_index=True)  # two wishes in one group: the first
    number = member[on.index[first]]
    groups = len(flat) // width
    there = number != 0
    chosen = Sparse(groups, keys[there] // groups, keys[there] % groups, number[there])
    return OneHot(space, group, member, chosen)


def _shifted(z: list[Number], direction: list[Number], size: int) -> list[Number]:
    """z + e·direction with a new nilpotent e."""
    return [{**a, **{m | size: v for m, v in d.items()}} for a, d in zip(z, direction, strict=True)]
