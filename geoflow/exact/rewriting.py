"""A program while it is written again: new instructions, constants, and which values are positive or piecewise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from geoflow.exact.gates import Gate
from geoflow.exact.program import Instruction, Program

SAME = {"broadcast_in_dim", "reshape", "squeeze", "expand_dims"}
_POSITIVE = SAME | {
    "add", "add_any", "mul", "div", "reduce_sum", "cumsum", "sqrt", "rsqrt", "slice", "transpose", "concatenate",
    "integer_pow", "dot_general", "log1p", "reduce_prod",
}  # fmt: skip


class Rewriting:
    """A program while it is written again, with what is known of its values."""

    def __init__(self, program: Program):
        self.program = program
        self.literals = dict(program.literals)
        self.shapes: dict[int, tuple[int, ...]] = dict(enumerate(program.input_shapes))
        self.shapes |= {k: v.shape for k, v in program.literals.items()}
        slots = {s for i in program.instructions for s in (*i.inputs, *i.outputs)}
        self.next = max({*slots, *self.literals, len(program.input_shapes), *program.outputs}) + 1
        self.raw = {s: i for i in program.instructions for s in i.outputs}
        self.alias: dict[int, int] = {}
        self.out: list[Instruction] = []
        self.made: dict[int, Instruction] = {}
        self.gates: dict[Any, Gate] = {}
        self.piecewise: set[int] = set()  # slots whose values depend on gates
        self.positive: set[int] = set()
        self.where = ""

    def keep(self, ins: Instruction) -> None:
        self.out.append(ins)
        gates = {g.slot for g in self.gates.values()}
        piecewise = any(s in self.piecewise or s in gates for s in ins.inputs)
        positive = self.is_positive(ins)
        for slot, shape in zip(ins.outputs, ins.out_shapes, strict=True):
            self.shapes[slot] = shape
            self.made[slot] = ins
            if piecewise:
                self.piecewise.add(slot)
            if positive:
                self.positive.add(slot)

    def is_positive(self, ins: Instruction) -> bool:
        if ins.primitive in ("exp", "logistic"):
            return True
        return ins.primitive in _POSITIVE and all(map(self.exceeds_zero, ins.inputs))

    def exceeds_zero(self, slot: int) -> bool:
        literal = self.literals.get(slot)
        return slot in self.positive or (literal is not None and bool(np.all(literal > 0)))

    def emit(self, name: str, inputs: Sequence[int], out: tuple[int, ...], **params: Any) -> int:
        slot, self.next = self.next, self.next + 1
        self.keep(Instruction(name, tuple(inputs), (slot,), params, (out,), self.where))
        return slot

    def literal(self, value: Any) -> int:
        slot, self.next = self.next, self.next + 1
        self.literals[slot] = np.asarray(value, dtype=np.float64)
        self.shapes[slot] = self.literals[slot].shape
        return slot

    def spread(self, slot: int, shape: tuple[int, ...]) -> int:
        if slot in self.literals:
            return self.literal(np.broadcast_to(self.literals[slot], shape))
        offset = len(shape) - len(self.shapes[slot])
        dims = tuple(range(offset, len(shape)))
        return self.emit("broadcast_in_dim", (slot,), shape, shape=shape, broadcast_dimensions=dims)

    def elementwise(self, name: str, a: int, b: int) -> int:
        return self.emit(name, (a, b), np.broadcast_shapes(self.shapes[a], self.shapes[b]))

    def constant(self, slot: int) -> float | None:
        """The number that fills the slot, where it is one."""
        slot = self.root(slot)
        if slot not in self.literals:
            return None
        values = np.unique(self.literals[slot])
        return float(values[0]) if len(values) == 1 else None

    def root(self, slot: int) -> int:
        while (made := self.made.get(slot)) is not None and made.primitive in SAME:
            slot = made.inputs[0]
        return slot
