"""Where the instructions of a program move entries, as relations; found once for all batches of generators.

A move is found by moving: the dense rule is run on the positions themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from geoflow.exact.dual import Array
from geoflow.exact.interpreter import Evaluator
from geoflow.exact.moves import positions, scatter_targets
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import Instruction, Program, UnsupportedPrimitive
from geoflow.exact.sparse.relation import Relation

IDENTITIES = {"reshape", "squeeze"}  # a new shape, the same order
_MOVED_INPUTS: dict[str, slice] = {
    "broadcast_in_dim": slice(0, 1),
    "transpose": slice(0, 1),
    "reshape": slice(0, 1),
    "slice": slice(0, 1),
    "rev": slice(0, 1),
    "dynamic_slice": slice(0, 1),
    "gather": slice(0, 1),
    "pad": slice(0, 1),
    "select_n": slice(1, None),
    "concatenate": slice(0, None),
    "stack": slice(0, None),
    "unstack": slice(0, 1),
    "split": slice(0, 1),
}
MOVES = frozenset(_MOVED_INPUTS)


class _Positions(PrimeField):
    """Positions in the place of numbers; what fills a hole is none."""

    def __init__(self) -> None:
        super().__init__(2)

    def literal(self, values: Array) -> Array:
        if np.any(np.asarray(values) != 0):
            raise UnsupportedPrimitive("a move that fills with something else than 0")
        return np.full(np.shape(values), -1, dtype=np.int64)


class Layout:
    """Shapes and relations of a program."""

    def __init__(self, program: Program):
        self.program = program
        self.shapes: dict[int, tuple[int, ...]] = dict(enumerate(program.input_shapes))
        self.shapes |= {g.slot: g.shape for g in program.gates}
        self.shapes |= {s: tuple(np.shape(v)) for s, v in program.literals.items()}
        for ins in program.instructions:
            self.shapes |= dict(zip(ins.outputs, ins.out_shapes, strict=True))
        self._moves: dict[int, list[list[tuple[int, Relation]]]] = {}
        self._sums: dict[int, Relation] = {}
        self._spreads: dict[tuple[tuple[int, ...], tuple[int, ...]], Relation] = {}

    def size(self, slot: int) -> int:
        """Number of entries."""
        return math.prod(self.shapes[slot])

    def moves(self, ins: Instruction) -> list[list[tuple[int, Relation]]]:
        """For each output, the inputs it takes entries from, and how.

        Raises:
            UnsupportedPrimitive: holes are filled with a number.
        """
        key = ins.outputs[0]
        if key not in self._moves:
            self._moves[key] = self._found(ins)
        return self._moves[key]

    def _found(self, ins: Instruction) -> list[list[tuple[int, Relation]]]:
        slots = list(dict.fromkeys(ins.inputs[_MOVED_INPUTS[ins.primitive]]))
        starts = np.cumsum([0, *(self.size(s) for s in slots)])
        given: dict[int, Any] = {
            s: (start + positions(self.shapes[s]))[None, None]
            for s, start in zip(slots, starts[:-1], strict=True)
        }
        if ins.primitive != "pad":  # what remains are indices
            known = self.program.literals
            given |= {s: known[s][None, None] for s in ins.inputs if s in known and s not in given}
        outputs = Evaluator(self.program, _Positions(), given).outputs(ins)
        return [self._pieces(o.reshape(-1), slots, starts) for o in outputs]

    def _pieces(
        self, source: Array, slots: Sequence[int], starts: Array
    ) -> list[tuple[int, Relation]]:
        pieces = []
        for slot, low, high in zip(slots, starts[:-1], starts[1:], strict=True):
            inside = (source >= low) & (source < high)
            if inside.any():
                table = np.where(inside, source - low, -1)
                pieces.append((slot, Relation(table, int(high - low), forward=False)))
        return pieces

    def sums(self, ins: Instruction) -> Relation:
        """`reduce_sum`: which output each input is added to; `scatter-add`: the same for its updates."""
        key = ins.outputs[0]
        if key not in self._sums:
            shape = self.shapes[ins.inputs[0]]
            if ins.primitive == "scatter-add":
                evaluator = Evaluator(self.program, _Positions(), {})
                updates = self.shapes[ins.inputs[2]]
                table = scatter_targets(evaluator, ins, shape, updates)
            else:
                axes = {int(k) for k in ins.params["axes"]}
                kept = [1 if k in axes else n for k, n in enumerate(shape)]
                table = np.broadcast_to(positions(kept), shape)
            self._sums[key] = Relation(table.reshape(-1), self.size(key), forward=True)
        return self._sums[key]

    def spread(self, slot: int, shape: tuple[int, ...]) -> Relation | None:
        """An input of an elementwise primitive, as large as the output; None where it is."""
        if self.size(slot) == math.prod(shape):
            return None
        own = self.shapes[slot]
        if (own, shape) not in self._spreads:
            table = np.broadcast_to(positions(own), shape)
            self._spreads[own, shape] = Relation(table.reshape(-1), self.size(slot), forward=False)
        return self._spreads[own, shape]
