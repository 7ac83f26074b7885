"""Piecewise functions as polynomials in their gates: max(a, b) = b + m·(a − b) with m = 1 where a > b, else 0.

A gate is locally constant, so it has no derivative and is one more input of a program. `lift` replaces every comparison
by such an input: a relu and its derivative, which compare the same values, share one. In the *lifted* reading gates are
free; in the *real* one they are what the values at the point say (`Gate.left`, `Gate.right`).

What a numerically stable softmax compares is removed before (`exact.softmax`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geoflow.exact.program import Instruction, Program, UnsupportedPrimitive, live

_COMPARISONS = {"gt", "ge", "lt", "le"}
PIECEWISE = _COMPARISONS | {
    "eq", "ne", "max", "min", "abs", "sign", "clamp", "reduce_max", "reduce_min", "is_finite",
    "and", "or", "not", "xor",
}  # fmt: skip
_LINEAR = {
    "add", "add_any", "sub", "neg", "reduce_sum", "cumsum", "transpose", "reshape", "broadcast_in_dim", "squeeze",
    "slice", "rev", "dynamic_slice", "pad", "concatenate", "stack", "unstack", "split", "gather", "scatter-add",
    "select_n",
}  # fmt: skip
_SAME = {"broadcast_in_dim", "reshape", "squeeze", "expand_dims"}


@dataclass(frozen=True)
class Gate:
    """An input slot that holds 1 where the value of `left` exceeds that of `right` (0 if None), else 0; a `choice`
    holds a single 1 over `axes`, where `left` is greatest."""

    slot: int
    shape: tuple[int, ...]
    left: int
    right: int | None = None
    axes: tuple[int, ...] = ()


def lift(program: Program) -> Program:
    """The program with its comparisons replaced by gates.

    Raises:
        UnsupportedPrimitive: a comparison in a place where it is no gate.
    """
    names = {i.primitive for i in program.instructions}
    if not names & (PIECEWISE | {"select_n"}):
        return program
    return _Lifting(program).lifted()


def multi_affine(program: Program) -> bool:
    """Whether no gate is multiplied with itself, so that gates may take any value: a multi-affine function of them is
    at every point in the span of its values at 0 and 1. Gates of one array count as one."""
    gates = {g.slot for g in program.gates}
    if any(g.axes for g in program.gates):
        return False
    degrees: dict[int, Counter[int]] = {g: Counter({g: 1}) for g in gates}
    none: Counter[int] = Counter()
    for ins in program.instructions:
        given = [degrees.get(s, none) for s in ins.inputs]
        if not any(given):
            continue
        match ins.primitive:
            case "mul" | "dot_general":
                found = given[0] + given[1]
            case "div" if not given[1]:
                found = given[0]
            case name if name in _LINEAR:
                found = given[0]
                for other in given[1:]:
                    found = found | other
            case _:
                return False
        if any(d > 1 for d in found.values()):
            return False
        degrees.update(dict.fromkeys(ins.outputs, found))
    return True


class _Lifting:
    def __init__(self, program: Program):
        self.program = program
        self.literals = dict(program.literals)
        self.shapes: dict[int, tuple[int, ...]] = dict(enumerate(program.input_shapes))
        self.shapes |= {k: v.shape for k, v in program.literals.items()}
        slots = {s for i in program.instructions for s in (*i.inputs, *i.outputs)}
        self.next = max({*slots, *self.literals, len(program.input_shapes), *program.outputs}) + 1
        self.alias: dict[int, int] = {}
        self.out: list[Instruction] = []
        self.made: dict[int, Instruction] = {}
        self.gates: dict[Any, Gate] = {}
        self.maxima: dict[int, int] = {}  # the slot of a greatest value → the choice that makes it
        self.where = ""

    def lifted(self) -> Program:
        for instruction in self.program.instructions:
            inputs = tuple(self.alias.get(s, s) for s in instruction.inputs)
            self._rewrite(replace(instruction, inputs=inputs))
        outputs = [self.alias.get(s, s) for s in self.program.outputs]
        instructions = live(self.out, outputs)
        used = {s for i in instructions for s in i.inputs} | set(outputs)
        gates = tuple(g for g in self.gates.values() if g.slot in used)
        if gates:  # what real gates compare must be computed too
            compared = [s for g in gates for s in (g.left, g.right) if s is not None]
            instructions = live(self.out, [*outputs, *compared])
        return replace(
            self.program,
            instructions=instructions,
            literals=self.literals,
            outputs=tuple(outputs),
            gates=gates,
        )

    def _rewrite(self, ins: Instruction) -> None:
        self.where = ins.where
        name = ins.primitive
        if name in PIECEWISE:
            self._become(ins, getattr(self, f"_{name}", self._compare)(ins))
        elif name == "select_n" and ins.inputs[0] not in self.literals:
            if ins.inputs[0] < len(self.program.input_shapes):
                raise UnsupportedPrimitive("select by an input that is no comparison", ins.where)
            self._become(ins, self._choose(*ins.inputs))
        else:
            self._keep(ins)

    def _keep(self, ins: Instruction) -> None:
        self.out.append(ins)
        for slot, shape in zip(ins.outputs, ins.out_shapes, strict=True):
            self.shapes[slot] = shape
            self.made[slot] = ins

    def _become(self, ins: Instruction, slot: int) -> None:
        if self.shapes[slot] != ins.out_shapes[0]:
            slot = self._spread(slot, ins.out_shapes[0])
        self.alias[ins.outputs[0]] = slot

    def _emit(self, name: str, inputs: Sequence[int], out: tuple[int, ...], **params: Any) -> int:
        slot, self.next = self.next, self.next + 1
        self._keep(Instruction(name, tuple(inputs), (slot,), params, (out,), self.where))
        return slot

    def _literal(self, value: Any) -> int:
        slot, self.next = self.next, self.next + 1
        self.literals[slot] = np.asarray(value, dtype=np.float64)
        self.shapes[slot] = self.literals[slot].shape
        return slot

    def _spread(self, slot: int, shape: tuple[int, ...]) -> int:
        offset = len(shape) - len(self.shapes[slot])
        dims = tuple(range(offset, len(shape)))
        return self._emit(
            "broadcast_in_dim", (slot,), shape, shape=shape, broadcast_dimensions=dims
        )

    def _elementwise(self, name: str, a: int, b: int) -> int:
        return self._emit(name, (a, b), np.broadcast_shapes(self.shapes[a], self.shapes[b]))

    def _constant(self, slot: int) -> float | None:
        """The number that fills the slot, where it is one."""
        while slot not in self.literals:
            made = self.made.get(slot)
            if made is None or made.primitive not in _SAME:
                return None
            slot = made.inputs[0]
        values = np.unique(self.literals[slot])
        return float(values[0]) if len(values) == 1 else None

    def _gate(self, left: int, right: int) -> int:
        """1 where left > right."""
        a, b = self._constant(left), self._constant(right)
        if a is not None and b is not None:
            return self._literal(float(a > b))
        if a is not None and np.isinf(a):
            return self._literal(float(a > 0))
        if b is not None and np.isinf(b):
            return self._literal(float(b < 0))
        key: Any = (left if a is None else ("number", a), right if b is None else ("number", b))
        if key[::-1] in self.gates:
            return self._not_of(self.gates[key[::-1]].slot)
        if key not in self.gates:
            shape = np.broadcast_shapes(self.shapes[left], self.shapes[right])
            slot, self.next = self.next, self.next + 1
            self.shapes[slot] = shape
            self.gates[key] = Gate(slot, shape, left, None if b == 0 else right)
        return self.gates[key].slot

    def _not_of(self, slot: int) -> int:
        return self._elementwise("sub", self._literal(1.0), slot)

    def _choose(self, which: int, first: int, second: int, *more: int) -> int:
        """first where which is 0, second where it is 1."""
        if more:
            raise UnsupportedPrimitive("select between more than two", self.where)
        if self._constant(first) == 0:
            return self._elementwise("mul", which, second)
        if self._constant(second) == 0:
            return self._elementwise("mul", self._not_of(which), first)
        change = self._elementwise("sub", second, first)
        return self._elementwise("add", first, self._elementwise("mul", which, change))

    def _compare(self, ins: Instruction) -> int:
        a, b = ins.inputs
        return self._gate(a, b) if ins.primitive in ("gt", "ge") else self._gate(b, a)

    def _eq(self, ins: Instruction) -> int:
        """Equal values are a null set, except where one is the greatest of the others."""
        for value, other in (ins.inputs, ins.inputs[::-1]):
            choice = self.maxima.get(self._root(other))
            for gate in self.gates.values():
                if gate.slot == choice and gate.left == value:
                    return gate.slot
        return self._literal(0.0)

    def _ne(self, ins: Instruction) -> int:
        return self._not_of(self._eq(ins))

    def _root(self, slot: int) -> int:
        while (made := self.made.get(slot)) is not None and made.primitive in _SAME:
            slot = made.inputs[0]
        return slot

    def _max(self, ins: Instruction) -> int:
        a, b = ins.inputs
        return self._choose(self._gate(a, b), b, a)

    def _min(self, ins: Instruction) -> int:
        a, b = ins.inputs
        return self._choose(self._gate(a, b), a, b)

    def _clamp(self, ins: Instruction) -> int:
        low, x, high = ins.inputs
        raised = self._choose(self._gate(x, low), low, x)
        return self._choose(self._gate(raised, high), raised, high)

    def _abs(self, ins: Instruction) -> int:
        return self._elementwise("mul", self._sign(ins), ins.inputs[0])

    def _sign(self, ins: Instruction) -> int:
        gate = self._gate(ins.inputs[0], self._literal(0.0))
        twice = self._elementwise("mul", self._literal(2.0), gate)
        return self._elementwise("sub", twice, self._literal(1.0))

    def _reduce_max(self, ins: Instruction) -> int:
        value, axes = ins.inputs[0], tuple(int(k) for k in ins.params["axes"])
        key = ("greatest", value, axes)
        if key not in self.gates:
            slot, self.next = self.next, self.next + 1
            self.shapes[slot] = self.shapes[value]
            self.gates[key] = Gate(slot, self.shapes[value], value, axes=axes)
        choice = self.gates[key].slot
        chosen = self._elementwise("mul", choice, value)
        found = self._emit("reduce_sum", (chosen,), ins.out_shapes[0], axes=axes)
        self.maxima[found] = choice
        return found

    def _reduce_min(self, ins: Instruction) -> int:
        negative = self._emit("neg", (ins.inputs[0],), self.shapes[ins.inputs[0]])
        greatest = self._reduce_max(replace(ins, inputs=(negative,)))
        return self._emit("neg", (greatest,), ins.out_shapes[0])

    def _is_finite(self, ins: Instruction) -> int:
        return self._literal(1.0)

    def _and(self, ins: Instruction) -> int:
        return self._elementwise("mul", *map(self._truth, ins.inputs))

    def _or(self, ins: Instruction) -> int:
        a, b = map(self._truth, ins.inputs)
        return self._elementwise(
            "sub", self._elementwise("add", a, b), self._elementwise("mul", a, b)
        )

    def _xor(self, ins: Instruction) -> int:
        a, b = map(self._truth, ins.inputs)
        both = self._elementwise("mul", self._literal(2.0), self._elementwise("mul", a, b))
        return self._elementwise("sub", self._elementwise("add", a, b), both)

    def _not(self, ins: Instruction) -> int:
        return self._not_of(self._truth(ins.inputs[0]))

    def _truth(self, slot: int) -> int:
        """A truth value as 0 or 1."""
        if slot in self.literals and self.literals[slot].dtype == bool:
            return self._literal(self.literals[slot].astype(np.float64))
        return slot
