"""Undo what is written for floating point alone: comparisons whose outcome is known, and maxima that cancel.

- max(0, s) and |s| are s where s is a sum of squares, an exponential or a variance. E[x²] − E[x]² is a variance.
- max(a, b) + log1p(exp(−|a − b|)) is b + log1p(exp(a − b)), for either order of a and b: log(eᵃ + eᵇ).
- A value equals itself, and what is computed is finite.
- The derivative of max(0, s) is that of s: the share 1/2 that JAX gives to a tie is 1.

Each holds identically, so nothing is assumed. What a stable softmax does is undone in `exact.softmax`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from geoflow.exact.program import Instruction, Program, live

_ALIKE = {
    "broadcast_in_dim",
    "reshape",
    "squeeze",
    "transpose",
    "slice",
    "reduce_sum",
    "rev",
    "gather",
}
_TOGETHER = {"add", "add_any", "mul", "div", "max"}
_SETTLED = {"max", "abs", "eq", "ne", "is_finite", "log1p"}
_POSITIVE = {"exp", "square", "abs", "sqrt", "rsqrt", "logistic"}


def settled(program: Program) -> Program:
    """The program without the comparisons whose outcome is known."""
    if not any(i.primitive in _SETTLED for i in program.instructions):
        return program
    made: dict[int, Instruction] = {}
    literals = dict(program.literals)
    slots = {s for i in program.instructions for s in (*i.inputs, *i.outputs)}
    fresh = max({*slots, *literals, len(program.input_shapes), *program.outputs}) + 1
    alias: dict[int, int] = {}
    kept: list[Instruction] = []
    shares: set[int] = set()
    for old in program.instructions:
        ins = replace(old, inputs=tuple(alias.get(s, s) for s in old.inputs))
        known = _Known(made, literals, program.input_shapes)
        if (same := known.equal_to(ins)) is not None:
            alias[ins.outputs[0]] = same
            if ins.primitive == "max":
                shares |= _ties_of(program, old, same)
            continue
        outcome = False if old.outputs[0] in shares else known.outcome(ins)
        if outcome is not None:
            literals[ins.outputs[0]] = np.full(ins.out_shapes[0], outcome)
            continue
        parts = known.summands(ins)
        if parts is not None:
            difference, b = parts
            shape = ins.out_shapes[0]
            power, log = fresh, fresh + 1
            fresh += 2
            new = [
                Instruction(
                    "exp", (difference,), (power,), {"accuracy": None}, (shape,), ins.where
                ),
                Instruction("log1p", (power,), (log,), {"accuracy": None}, (shape,), ins.where),
                Instruction("add", (b, log), ins.outputs, {}, (shape,), ins.where),
            ]
        else:
            new = [ins]
        for each in new:
            kept.append(each)
            made.update(dict.fromkeys(each.outputs, each))
    outputs = tuple(alias.get(s, s) for s in program.outputs)
    return replace(program, instructions=live(kept, outputs), outputs=outputs, literals=literals)


def _ties_of(program: Program, greatest: Instruction, value: int) -> set[int]:
    """The comparisons by which JAX's derivative of max(low, value) in `value` halves it where the two are equal:
    low == max(low, value), read by choices between 1 and 2 alone."""
    found: set[int] = set()
    made = {s: i for i in program.instructions for s in i.outputs}
    known = _Known(made, program.literals, program.input_shapes)
    for ins in program.instructions:
        if ins.primitive != "eq" or greatest.outputs[0] not in ins.inputs or value in ins.inputs:
            continue
        readers = [i for i in program.instructions if ins.outputs[0] in i.inputs]
        if readers and all(
            i.primitive == "select_n" and [known.number(s) for s in i.inputs[1:]] == [1.0, 2.0]
            for i in readers
        ):
            found.add(ins.outputs[0])
    return found


class _Known:
    """What the instructions so far tell of a slot."""

    def __init__(
        self,
        made: Mapping[int, Instruction],
        literals: Mapping[int, np.ndarray],
        input_shapes: Sequence[tuple[int, ...]],
    ):
        self.made, self.literals, self.input_shapes = made, literals, input_shapes

    def equal_to(self, ins: Instruction) -> int | None:
        """The slot that an instruction only copies."""
        match ins.primitive:
            case "abs" if self.nonnegative(ins.inputs[0]):
                return ins.inputs[0]
            case "select_n" if ins.inputs[0] in self.literals:
                which = np.unique(self.literals[ins.inputs[0]])
                return ins.inputs[1 + int(which[0])] if len(which) == 1 else None
            case "max":
                for low, value in (ins.inputs, ins.inputs[::-1]):
                    bound = self.number(low)
                    if (
                        bound is not None
                        and bound <= 0
                        and self.shape(value) == ins.out_shapes[0]
                        and self.nonnegative(value)
                    ):
                        return value
        return None

    def outcome(self, ins: Instruction) -> bool | None:
        """What a comparison says everywhere: a value equals itself, and what is computed is finite."""
        match ins.primitive:
            case "is_finite" if ins.inputs[0] not in self.literals:
                return True
            case "eq" | "ne":
                if ins.inputs[0] == ins.inputs[1]:
                    return ins.primitive == "eq"
                for value, other in (ins.inputs, ins.inputs[::-1]):
                    bound = self.number(other)
                    if bound is not None and np.isinf(bound) and self.number(value) is None:
                        return ins.primitive == "ne"
        return None

    def shape(self, slot: int) -> tuple[int, ...] | None:
        if slot in self.literals:
            return self.literals[slot].shape
        if slot < len(self.input_shapes):
            return self.input_shapes[slot]
        ins = self.made.get(slot)
        return ins.out_shapes[ins.outputs.index(slot)] if ins else None

    def number(self, slot: int) -> float | None:
        """The number that fills a slot, where it is one."""
        while slot not in self.literals:
            ins = self.made.get(slot)
            if ins is None or ins.primitive not in ("broadcast_in_dim", "reshape", "squeeze"):
                return None
            slot = ins.inputs[0]
        values = np.unique(self.literals[slot])
        return float(values[0]) if len(values) == 1 else None

    def nonnegative(self, slot: int) -> bool:
        """Whether no value of the slot is below 0."""
        if slot in self.literals:
            return bool(np.all(self.literals[slot] >= 0))
        ins = self.made.get(slot)
        if ins is None:
            return False
        name = ins.primitive
        if name in _POSITIVE or (name == "mul" and ins.inputs[0] == ins.inputs[1]):
            return True
        if name == "integer_pow" and int(ins.params["y"]) % 2 == 0:
            return True
        if name in _ALIKE:
            return self.nonnegative(ins.inputs[0])
        if name in _TOGETHER:
            return all(map(self.nonnegative, ins.inputs))
        return name == "sub" and self._is_variance(ins)

    def _is_variance(self, ins: Instruction) -> bool:
        """Whether the difference is E[x²] − E[x]², or Σx² − (Σx)²/n divided by what is positive."""
        of_squares, of_mean = self._mean(ins.inputs[0]), self._squared(ins.inputs[1])
        mean = None if of_mean is None else self._mean(of_mean)
        if of_squares is None or mean is None or of_squares[1:] != mean[1:]:
            return False
        return self._squared(of_squares[0]) == mean[0]

    def _squared(self, slot: int) -> int | None:
        """x, where the slot holds x²."""
        ins = self.made.get(slot)
        if ins is None:
            return None
        if ins.primitive == "square" or (
            ins.primitive == "integer_pow" and int(ins.params["y"]) == 2
        ):
            return ins.inputs[0]
        return ins.inputs[0] if ins.primitive == "mul" and len(set(ins.inputs)) == 1 else None

    def _mean(self, slot: int) -> tuple[int, tuple[int, ...]] | None:
        """(x, axes), where the slot holds the mean of x over these axes."""
        ins = self.made.get(slot)
        if ins is None or ins.primitive != "div":
            return None
        total, count = self.made.get(ins.inputs[0]), self.number(ins.inputs[1])
        while total is not None and total.primitive in ("broadcast_in_dim", "reshape"):
            total = self.made.get(total.inputs[0])
        if total is None or total.primitive != "reduce_sum":
            return None
        shape = self.shape(total.inputs[0])
        axes = tuple(int(k) for k in total.params["axes"])
        if shape is None or count != np.prod([shape[k] for k in axes]):
            return None
        return total.inputs[0], axes

    def summands(self, ins: Instruction) -> tuple[int, int] | None:
        """(the slot of a − b, that of b), where the instruction makes max(a, b) + log1p(exp(−|a − b|))."""
        if ins.primitive != "add":
            return None
        for top, rest in (ins.inputs, ins.inputs[::-1]):
            greatest = self.made.get(top)
            if greatest is None or greatest.primitive != "max":
                continue
            slot: int | None = rest
            for name in ("log1p", "exp", "neg", "abs"):
                step = None if slot is None else self.made.get(slot)
                slot = step.inputs[0] if step is not None and step.primitive == name else None
            difference = None if slot is None else self.made.get(slot)
            if slot is None or difference is None or difference.primitive != "sub":
                continue
            if set(difference.inputs) == set(greatest.inputs):
                return slot, difference.inputs[1]
        return None
