"""Piecewise functions as polynomials in their gates: max(a, b) = b + m·(a − b) with m = 1 where a > b, else 0.

`lift` replaces every comparison by a gate (`exact.gates`). A relu and its derivative, which compare the same values,
share one; so do comparisons that say the same of them (−z > 0 is 0 > z, max(z, 0) > 0 is z > 0).

*Ties.* "not a > b" is "b > a" where a = b only on a null set, which is so if the two differ at one point and are made
without gates. Otherwise (two relus are equal where both are off) each has a gate of its own, and a = b where neither is
1. Gates that exclude one another are free all the same: more laws may be lost so, none is invented.

What a numerically stable softmax compares is removed before (`exact.softmax`), and comparisons of constants are folded
(`exact.folding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from geoflow.exact.comparing import Comparing, Extreme
from geoflow.exact.folding import folded
from geoflow.exact.gates import Gate
from geoflow.exact.program import Instruction, Program, UnsupportedPrimitive, live
from geoflow.exact.rewriting import SAME
from geoflow.exact.softmax import unstabilized

_COMPARISONS = {"gt", "ge", "lt", "le"}
PIECEWISE = _COMPARISONS | {
    "eq", "ne", "max", "min", "abs", "sign", "clamp", "reduce_max", "reduce_min", "is_finite",
    "and", "or", "not", "xor",
}  # fmt: skip
_APART = "with values that `==` or `!=` compares taken as different"
_AVERAGES = {"mul", "reduce_sum", *SAME}  # what JAX does with the places of a greatest value


def lift(program: Program) -> Program:
    """The program with its comparisons replaced by gates, after folding its constants and undoing what only keeps a
    softmax stable.

    Raises:
        UnsupportedPrimitive: a comparison in a place where it is no gate.
    """
    program = unstabilized(folded(program))
    names = {i.primitive for i in program.instructions}
    if not names & (PIECEWISE | {"select_n"}):
        return program
    return _Lifting(program).lifted()


class _Lifting(Comparing):
    def __init__(self, program: Program):
        super().__init__(program)
        self.maxima: dict[int, Gate] = {}  # the slot of a greatest value → the choice that makes it
        self.told_apart = False  # whether an equality was taken as false

    def lifted(self) -> Program:
        for instruction in self.program.instructions:
            inputs = tuple(self.alias.get(s, s) for s in instruction.inputs)
            self._rewrite(replace(instruction, inputs=inputs))
        outputs = [self.alias.get(s, s) for s in self.program.outputs]
        instructions = live(self.out, outputs)
        used = {s for i in instructions for s in i.inputs} | set(outputs)
        gates = tuple(g for g in self.gates.values() if g.slot in used)
        if gates:  # what real gates compare must be computed too, and the gates that it reads
            instructions, gates = self._compared(outputs, gates)
        return replace(
            self.program,
            instructions=instructions,
            literals=self.literals,
            outputs=tuple(outputs),
            gates=gates,
            readings=(*self.program.readings, *((_APART,) if self.told_apart else ())),
        )

    def _compared(
        self, outputs: Sequence[int], gates: tuple[Gate, ...]
    ) -> tuple[tuple[Instruction, ...], tuple[Gate, ...]]:
        while True:
            compared = [s for g in gates for s in (g.left, g.right) if s is not None]
            instructions = live(self.out, [*outputs, *compared])
            used = {s for i in instructions for s in i.inputs} | {*outputs, *compared}
            more = tuple(g for g in self.gates.values() if g.slot in used)
            if len(more) == len(gates):
                return instructions, gates
            gates = more

    def _rewrite(self, ins: Instruction) -> None:
        self.where = ins.where
        name = ins.primitive
        chosen = self._share_of_tie(ins) if name == "div" else None
        if chosen is not None:
            self._become(ins, chosen)
        elif name in PIECEWISE:
            self._become(ins, getattr(self, f"_{name}", self._compare)(ins))
        elif name == "select_n" and ins.inputs[0] not in self.literals:
            if ins.inputs[0] < len(self.program.input_shapes):
                raise UnsupportedPrimitive("select by an input that is no comparison", ins.where)
            which, first, second, *more = ins.inputs
            self._become(ins, self._choose(which, first, second, *more))
        elif name == "reduce_sum" and self._sums_choice(ins):
            self._become(ins, self.literal(np.ones(ins.out_shapes[0])))
        else:
            self.keep(ins)

    def _become(self, ins: Instruction, slot: int) -> None:
        truth = slot in self.truths
        if self.shapes[slot] != ins.out_shapes[0]:
            slot = self.spread(slot, ins.out_shapes[0])
        if truth:
            self.truths.add(slot)
        self.alias[ins.outputs[0]] = slot

    def _choose(self, which: int, first: int, second: int, *more: int) -> int:
        """first where which is 0, second where it is 1."""
        if more:
            raise UnsupportedPrimitive("select between more than two", self.where)
        certain = self.constant(which)
        if certain is not None:
            return second if certain else first
        if self.constant(first) == 0:
            if self.constant(second) == 1:
                return which
            return self.elementwise("mul", which, second)
        if self.constant(second) == 0:
            return self.elementwise("mul", self.not_of(which), first)
        change = self.elementwise("sub", second, first)
        return self.elementwise("add", first, self.elementwise("mul", which, change))

    def _compare(self, ins: Instruction) -> int:
        a, b = ins.inputs
        if {a, b} & self.truths:
            raise UnsupportedPrimitive(f"{ins.primitive} of truth values", ins.where)
        strict = ins.primitive in ("gt", "lt")
        return (
            self.exceeds(a, b, strict)
            if ins.primitive in ("gt", "ge")
            else self.exceeds(b, a, strict)
        )

    def _eq(self, ins: Instruction) -> int:
        a, b = ins.inputs
        return self._equal(a, b, ins.outputs[0])

    def _equal(self, a: int, b: int, result: int) -> int:
        """1 where two values are equal: almost nowhere, or as gates say."""
        if a == b or self.root(a) == self.root(b):
            return self.truth_of(True)
        if a in self.truths or b in self.truths:
            return self.not_of(self._differs(self._truth(a), self._truth(b)))
        x, y = self.constant(a), self.constant(b)
        if x is not None and y is not None:
            return self.truth_of(x == y)
        if any(n is not None and np.isinf(n) for n in (x, y)):
            return self.truth_of(False)
        for value, other in ((a, b), (b, a)):
            choice = self.maxima.get(self.root(other))
            if choice is not None and choice.left == value:
                self._only_averaged(value, result)
                return choice.slot
            extreme = self.extremes.get(other)
            if extreme is not None and (found := self._is_extreme(value, extreme)) is not None:
                return found
        if self.differ(a, b):
            self.told_apart = True
            return self.truth_of(False)
        either = self.elementwise("add", self.gate(a, b), self.gate(b, a))
        return self.not_of(either)

    def _is_extreme(self, value: int, extreme: Extreme) -> int | None:
        for x, y in ((extreme.first, extreme.second), (extreme.second, extreme.first)):
            if self._equals(x, value):
                above, below = (x, y) if extreme.kind == "max" else (y, x)
                return self.exceeds(above, below, strict=False)
        return None

    def _equals(self, a: int, b: int) -> bool:
        number = self.constant(a)
        return a == b or (number is not None and number == self.constant(b))

    def _only_averaged(self, value: int, result: int) -> None:
        """Where values that may tie (relus that are off) are greatest, a single choice is right for JAX's derivative,
        which averages over ties, and for nothing else."""
        readers = [i for i in self.program.instructions if result in i.inputs]
        if value in self.piecewise and any(i.primitive not in _AVERAGES for i in readers):
            raise UnsupportedPrimitive(
                "a comparison with the greatest of values that may tie", self.where
            )

    def _ne(self, ins: Instruction) -> int:
        return self.not_of(self._eq(ins))

    def _share_of_tie(self, ins: Instruction) -> int | None:
        """The factor in JAX's derivative of max and min, [x is chosen] / (1 + [y is chosen]), as one gate: where x and
        y are equal on an open set, so are their derivatives."""
        above, below = (self.raw.get(s) for s in self._written(ins))
        x, y = (self._chosen_by(i, n) for i, n in ((above, (0.0, 1.0)), (below, (1.0, 2.0))))
        if x is None or y is None or x[1] != y[1] or x[1] not in self.extremes:
            return None
        extreme = self.extremes[x[1]]
        for first, second, chosen in (
            (extreme.first, extreme.second, True),
            (extreme.second, extreme.first, False),
        ):
            if self._equals(first, x[0]) and self._equals(second, y[0]):
                which = self._first_of(extreme)
                return which if chosen else self.not_of(which)
        return None

    def _written(self, ins: Instruction) -> tuple[int, ...]:
        """The inputs as the program has them, before anything was replaced."""
        return self.raw[ins.outputs[0]].inputs

    def _chosen_by(
        self, ins: Instruction | None, values: tuple[float, float]
    ) -> tuple[int, int] | None:
        """(x, z) where the instruction selects `values` by x == z, z an extreme."""
        if ins is None or ins.primitive != "select_n" or len(ins.inputs) != 3:
            return None
        condition = self.raw.get(ins.inputs[0])
        found = tuple(self.constant(self.alias.get(s, s)) for s in ins.inputs[1:])
        if condition is None or condition.primitive != "eq" or found != values:
            return None
        a, b = (self.alias.get(s, s) for s in condition.inputs)
        return (a, b) if b in self.extremes else (b, a)

    def _first_of(self, extreme: Extreme) -> int:
        """1 where the first of two is the extreme one."""
        a, b = extreme.first, extreme.second
        return self.exceeds(a, b) if extreme.kind == "max" else self.exceeds(b, a)

    def _extreme(self, kind: Literal["max", "min"], a: int, b: int) -> int:
        extreme = Extreme(kind, a, b)
        found = self._choose(self._first_of(extreme), b, a)
        if found not in (a, b):
            self.extremes[found] = extreme
        return found

    def _max(self, ins: Instruction) -> int:
        return self._extreme("max", *ins.inputs)

    def _min(self, ins: Instruction) -> int:
        return self._extreme("min", *ins.inputs)

    def _clamp(self, ins: Instruction) -> int:
        low, x, high = ins.inputs
        return self._extreme("min", self._extreme("max", x, low), high)

    def _abs(self, ins: Instruction) -> int:
        return self.elementwise("mul", self._sign_of(ins.inputs[0]), ins.inputs[0])

    def _sign_of(self, slot: int) -> int:
        """1 or −1; at 0, where |x| is 0 anyway, 1: the derivative that JAX takes then asks for the same gate."""
        positive = self.exceeds(slot, self.literal(0.0), strict=False)
        twice = self.elementwise("mul", self.literal(2.0), positive)
        return self.elementwise("sub", twice, self.literal(1.0))

    def _sign(self, ins: Instruction) -> int:
        zero = self.literal(0.0)
        above, below = self.exceeds(ins.inputs[0], zero), self.exceeds(zero, ins.inputs[0])
        return self.elementwise("sub", above, below)

    def _reduce_max(self, ins: Instruction) -> int:
        value, axes = ins.inputs[0], tuple(int(k) for k in ins.params["axes"])
        key = ("greatest", value, axes)
        if key not in self.gates:
            slot, self.next = self.next, self.next + 1
            self.shapes[slot] = self.shapes[value]
            self.gates[key] = Gate(slot, self.shapes[value], value, axes=axes)
        choice = self.gates[key]
        chosen = self.elementwise("mul", choice.slot, value)
        found = self.emit("reduce_sum", (chosen,), ins.out_shapes[0], axes=axes)
        self.maxima[found] = choice
        return found

    def _sums_choice(self, ins: Instruction) -> bool:
        axes = tuple(int(k) for k in ins.params["axes"])
        return any(
            g.axes == axes and g.slot == ins.inputs[0] for g in self.gates.values() if g.axes
        )

    def _reduce_min(self, ins: Instruction) -> int:
        negative = self.emit("neg", (ins.inputs[0],), self.shapes[ins.inputs[0]])
        greatest = self._reduce_max(replace(ins, inputs=(negative,)))
        found = self.emit("neg", (greatest,), ins.out_shapes[0])
        self.maxima[found] = replace(self.maxima[greatest], left=ins.inputs[0])
        return found

    def _is_finite(self, ins: Instruction) -> int:
        return self.truth_of(True)

    def _and(self, ins: Instruction) -> int:
        return self._true(self.elementwise("mul", *map(self._truth, ins.inputs)))

    def _or(self, ins: Instruction) -> int:
        a, b = map(self._truth, ins.inputs)
        both = self.elementwise("mul", a, b)
        return self._true(self.elementwise("sub", self.elementwise("add", a, b), both))

    def _xor(self, ins: Instruction) -> int:
        return self._differs(*map(self._truth, ins.inputs))

    def _differs(self, a: int, b: int) -> int:
        both = self.elementwise("mul", self.literal(2.0), self.elementwise("mul", a, b))
        return self._true(self.elementwise("sub", self.elementwise("add", a, b), both))

    def _not(self, ins: Instruction) -> int:
        return self.not_of(self._truth(ins.inputs[0]))

    def _true(self, slot: int) -> int:
        self.truths.add(slot)
        return slot

    def _truth(self, slot: int) -> int:
        """A truth value as 0 or 1."""
        if slot in self.literals and self.literals[slot].dtype == bool:
            return self.truth_of_array(self.literals[slot].astype(np.float64))
        return slot
