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
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from geoflow.exact.folding import folded
from geoflow.exact.gates import Gate
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.program import Instruction, Program, UnsupportedPrimitive, live
from geoflow.exact.softmax import unstabilized

_COMPARISONS = {"gt", "ge", "lt", "le"}
PIECEWISE = _COMPARISONS | {
    "eq", "ne", "max", "min", "abs", "sign", "clamp", "reduce_max", "reduce_min", "is_finite",
    "and", "or", "not", "xor",
}  # fmt: skip
_SAME = {"broadcast_in_dim", "reshape", "squeeze", "expand_dims"}
_POSITIVE = _SAME | {
    "add", "add_any", "mul", "div", "reduce_sum", "cumsum", "sqrt", "rsqrt", "slice", "transpose", "concatenate",
    "integer_pow", "dot_general", "log1p", "reduce_prod",
}  # fmt: skip
_AVERAGES = {"mul", "reduce_sum", *_SAME}  # what JAX does with the places of a greatest value


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


@dataclass(frozen=True)
class _Extreme:
    """The greater or the smaller of two values."""

    kind: Literal["max", "min"]
    first: int
    second: int


class _Lifting:
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
        self.extremes: dict[int, _Extreme] = {}
        self.maxima: dict[int, Gate] = {}  # the slot of a greatest value → the choice that makes it
        self.truths: set[int] = set()
        self.piecewise: set[int] = set()  # slots whose values depend on gates
        self.positive: set[int] = set()
        self.differing: dict[tuple[int, int], bool] = {}
        self.where = ""

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
            self._become(ins, self._choose(*ins.inputs))
        elif name == "reduce_sum" and self._sums_choice(ins):
            self._become(ins, self._literal(np.ones(ins.out_shapes[0])))
        else:
            self._keep(ins)

    def _keep(self, ins: Instruction) -> None:
        self.out.append(ins)
        gates = {g.slot for g in self.gates.values()}
        piecewise = any(s in self.piecewise or s in gates for s in ins.inputs)
        positive = self._is_positive(ins)
        for slot, shape in zip(ins.outputs, ins.out_shapes, strict=True):
            self.shapes[slot] = shape
            self.made[slot] = ins
            if piecewise:
                self.piecewise.add(slot)
            if positive:
                self.positive.add(slot)

    def _is_positive(self, ins: Instruction) -> bool:
        if ins.primitive in ("exp", "logistic"):
            return True
        return ins.primitive in _POSITIVE and all(map(self._exceeds_zero, ins.inputs))

    def _exceeds_zero(self, slot: int) -> bool:
        literal = self.literals.get(slot)
        return slot in self.positive or (literal is not None and bool(np.all(literal > 0)))

    def _become(self, ins: Instruction, slot: int) -> None:
        truth = slot in self.truths
        if self.shapes[slot] != ins.out_shapes[0]:
            slot = self._spread(slot, ins.out_shapes[0])
        if truth:
            self.truths.add(slot)
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
        if slot in self.literals:
            return self._literal(np.broadcast_to(self.literals[slot], shape))
        offset = len(shape) - len(self.shapes[slot])
        dims = tuple(range(offset, len(shape)))
        return self._emit(
            "broadcast_in_dim", (slot,), shape, shape=shape, broadcast_dimensions=dims
        )

    def _elementwise(self, name: str, a: int, b: int) -> int:
        return self._emit(name, (a, b), np.broadcast_shapes(self.shapes[a], self.shapes[b]))

    def _constant(self, slot: int) -> float | None:
        """The number that fills the slot, where it is one."""
        slot = self._root(slot)
        if slot not in self.literals:
            return None
        values = np.unique(self.literals[slot])
        return float(values[0]) if len(values) == 1 else None

    def _root(self, slot: int) -> int:
        while (made := self.made.get(slot)) is not None and made.primitive in _SAME:
            slot = made.inputs[0]
        return slot

    # comparisons: truth values are slots that hold 0 or 1

    def _exceeds(self, left: int, right: int, strict: bool = True) -> int:
        """1 where left > right, or where left ≥ right."""
        if left == right:
            return self._truth_of(not strict)
        a, b = self._constant(left), self._constant(right)
        if a is not None and b is not None:
            return self._truth_of(a > b or (a == b and not strict))
        if a is not None and np.isinf(a):
            return self._truth_of(a > 0)
        if b is not None and np.isinf(b):
            return self._truth_of(b < 0)
        if b is not None and b <= 0 and left in self.positive:
            return self._truth_of(True)
        if a is not None and a <= 0 and right in self.positive:
            return self._truth_of(False)
        simpler = self._of_extreme(left, right, a, b, strict)
        if simpler is not None:
            return simpler
        left, right = self._plain(left, right)
        if strict:
            return self._gate(left, right)
        if self._differ(left, right):
            return self._gate(left, right)
        return self._not_of(self._gate(right, left))

    def _truth_of(self, value: bool) -> int:
        slot = self._literal(float(value))
        self.truths.add(slot)
        return slot

    def _of_extreme(
        self, left: int, right: int, a: float | None, b: float | None, strict: bool
    ) -> int | None:
        """max(x, c) or min(x, c) against a constant, where c is one too."""
        known = b if b is not None else a
        side = left if b is not None else right
        extreme = self.extremes.get(side)
        if known is None or extreme is None:
            return None
        for x, other in ((extreme.first, extreme.second), (extreme.second, extreme.first)):
            c = self._constant(other)
            if c is None:
                continue
            below = side == left  # whether the question is: extreme > known
            beats = c > known or (c == known and not strict)
            if not below:
                beats = known > c or (c == known and not strict)
            settled = beats if below == (extreme.kind == "max") else not beats
            if settled:
                return self._truth_of(beats)
            return self._exceeds(x, right, strict) if below else self._exceeds(left, x, strict)
        return None

    def _plain(self, left: int, right: int) -> tuple[int, int]:
        """The same comparison without signs and differences: −z > 0 is 0 > z, u − v > 0 is u > v."""
        while True:
            a, b = self._constant(left), self._constant(right)
            ours, theirs = self.made.get(left), self.made.get(right)
            if ours is not None and ours.primitive == "neg" and b is not None:
                left, right = self._like(right, -b), ours.inputs[0]
            elif theirs is not None and theirs.primitive == "neg" and a is not None:
                left, right = theirs.inputs[0], self._like(left, -a)
            elif ours is not None and theirs is not None and {ours.primitive, theirs.primitive} == {"neg"}:
                left, right = theirs.inputs[0], ours.inputs[0]
            elif ours is not None and ours.primitive == "sub" and b == 0:
                left, right = ours.inputs
            elif theirs is not None and theirs.primitive == "sub" and a == 0:
                right, left = theirs.inputs
            else:
                return left, right

    def _like(self, slot: int, value: float) -> int:
        return slot if value == 0 else self._literal(np.full(self.shapes[slot], value))

    def _gate(self, left: int, right: int) -> int:
        """1 where left > right."""
        a, b = self._constant(left), self._constant(right)
        if a is not None and b is not None:
            return self._truth_of(a > b)
        key: Any = (left if a is None else ("number", a), right if b is None else ("number", b))
        if key[::-1] in self.gates and self._differ(left, right):
            return self._not_of(self.gates[key[::-1]].slot)
        if key not in self.gates:
            shape = np.broadcast_shapes(self.shapes[left], self.shapes[right])
            slot, self.next = self.next, self.next + 1
            self.shapes[slot] = shape
            self.truths.add(slot)
            self.gates[key] = Gate(slot, shape, left, None if b == 0 else right)
        return self.gates[key].slot

    def _differ(self, left: int, right: int) -> bool:
        """Whether two values are certainly equal on a null set only: rational functions without gates, different
        everywhere at one point of a prime field."""
        gates = {g.slot for g in self.gates.values()}
        if {left, right} & (self.piecewise | gates):
            return False
        if (left, right) not in self.differing:
            self.differing[left, right] = self._differ_at_point(left, right)
        return self.differing[left, right]

    def _differ_at_point(self, left: int, right: int) -> bool:
        pair = replace(
            self.program,
            instructions=live(self.out, (left, right)),
            literals=self.literals,
            outputs=(left, right),
        )
        rng = np.random.default_rng(0x64696666)
        for _ in range(2):  # a second point for what vanishes at the first by chance
            field = PrimeField(draw_prime(rng))
            point = [rng.integers(0, field.p, (1, 1, *s)) for s in self.program.input_shapes]
            try:
                a, b = run(pair, field, point)
            except (UnsupportedPrimitive, UnluckyPoint):
                continue
            if np.all(a != b):
                return True
        return False

    def _not_of(self, slot: int) -> int:
        if slot in self.literals:
            return self._truth_of_array(1.0 - self.literals[slot])
        made = self._elementwise("sub", self._literal(1.0), slot)
        self.truths.add(made)
        return made

    def _truth_of_array(self, value: np.ndarray) -> int:
        slot = self._literal(value)
        self.truths.add(slot)
        return slot

    def _choose(self, which: int, first: int, second: int, *more: int) -> int:
        """first where which is 0, second where it is 1."""
        if more:
            raise UnsupportedPrimitive("select between more than two", self.where)
        certain = self._constant(which)
        if certain is not None:
            return second if certain else first
        if self._constant(first) == 0:
            if self._constant(second) == 1:
                return which
            return self._elementwise("mul", which, second)
        if self._constant(second) == 0:
            return self._elementwise("mul", self._not_of(which), first)
        change = self._elementwise("sub", second, first)
        return self._elementwise("add", first, self._elementwise("mul", which, change))

    def _compare(self, ins: Instruction) -> int:
        a, b = ins.inputs
        if {a, b} & self.truths:
            raise UnsupportedPrimitive(f"{ins.primitive} of truth values", ins.where)
        strict = ins.primitive in ("gt", "lt")
        return self._exceeds(a, b, strict) if ins.primitive in ("gt", "ge") else self._exceeds(b, a, strict)

    def _eq(self, ins: Instruction) -> int:
        return self._equal(*ins.inputs, ins.outputs[0])

    def _equal(self, a: int, b: int, result: int) -> int:
        """1 where two values are equal: almost nowhere, or as gates say."""
        if a == b or self._root(a) == self._root(b):
            return self._truth_of(True)
        if a in self.truths or b in self.truths:
            return self._not_of(self._differs(self._truth(a), self._truth(b)))
        x, y = self._constant(a), self._constant(b)
        if x is not None and y is not None:
            return self._truth_of(x == y)
        if any(n is not None and np.isinf(n) for n in (x, y)):
            return self._truth_of(False)
        for value, other in ((a, b), (b, a)):
            choice = self.maxima.get(self._root(other))
            if choice is not None and choice.left == value:
                self._only_averaged(value, result)
                return choice.slot
            extreme = self.extremes.get(other)
            if extreme is not None and (found := self._is_extreme(value, extreme)) is not None:
                return found
        if self._differ(a, b):
            return self._truth_of(False)
        either = self._elementwise("add", self._gate(a, b), self._gate(b, a))
        return self._not_of(either)

    def _is_extreme(self, value: int, extreme: _Extreme) -> int | None:
        for x, y in ((extreme.first, extreme.second), (extreme.second, extreme.first)):
            if self._equals(x, value):
                return self._exceeds(*((x, y) if extreme.kind == "max" else (y, x)), strict=False)
        return None

    def _equals(self, a: int, b: int) -> bool:
        number = self._constant(a)
        return a == b or (number is not None and number == self._constant(b))

    def _only_averaged(self, value: int, result: int) -> None:
        """Where values that may tie (relus that are off) are greatest, a single choice is right for JAX's derivative,
        which averages over ties, and for nothing else."""
        readers = [i for i in self.program.instructions if result in i.inputs]
        if value in self.piecewise and any(i.primitive not in _AVERAGES for i in readers):
            raise UnsupportedPrimitive("a comparison with the greatest of values that may tie", self.where)

    def _ne(self, ins: Instruction) -> int:
        return self._not_of(self._eq(ins))

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
                return which if chosen else self._not_of(which)
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
        found = tuple(self._constant(self.alias.get(s, s)) for s in ins.inputs[1:])
        if condition is None or condition.primitive != "eq" or found != values:
            return None
        a, b = (self.alias.get(s, s) for s in condition.inputs)
        return (a, b) if b in self.extremes else (b, a)

    def _first_of(self, extreme: _Extreme) -> int:
        """1 where the first of two is the extreme one."""
        a, b = extreme.first, extreme.second
        return self._exceeds(a, b) if extreme.kind == "max" else self._exceeds(b, a)

    def _extreme(self, kind: Literal["max", "min"], a: int, b: int) -> int:
        extreme = _Extreme(kind, a, b)
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
        return self._elementwise("mul", self._sign_of(ins.inputs[0]), ins.inputs[0])

    def _sign_of(self, slot: int) -> int:
        """1 or −1; at 0, where |x| is 0 anyway, −1."""
        positive = self._exceeds(slot, self._literal(0.0))
        twice = self._elementwise("mul", self._literal(2.0), positive)
        return self._elementwise("sub", twice, self._literal(1.0))

    def _sign(self, ins: Instruction) -> int:
        zero = self._literal(0.0)
        above, below = self._exceeds(ins.inputs[0], zero), self._exceeds(zero, ins.inputs[0])
        return self._elementwise("sub", above, below)

    def _reduce_max(self, ins: Instruction) -> int:
        value, axes = ins.inputs[0], tuple(int(k) for k in ins.params["axes"])
        key = ("greatest", value, axes)
        if key not in self.gates:
            slot, self.next = self.next, self.next + 1
            self.shapes[slot] = self.shapes[value]
            self.gates[key] = Gate(slot, self.shapes[value], value, axes=axes)
        choice = self.gates[key]
        chosen = self._elementwise("mul", choice.slot, value)
        found = self._emit("reduce_sum", (chosen,), ins.out_shapes[0], axes=axes)
        self.maxima[found] = choice
        return found

    def _sums_choice(self, ins: Instruction) -> bool:
        axes = tuple(int(k) for k in ins.params["axes"])
        return any(g.axes == axes and g.slot == ins.inputs[0] for g in self.gates.values() if g.axes)

    def _reduce_min(self, ins: Instruction) -> int:
        negative = self._emit("neg", (ins.inputs[0],), self.shapes[ins.inputs[0]])
        greatest = self._reduce_max(replace(ins, inputs=(negative,)))
        found = self._emit("neg", (greatest,), ins.out_shapes[0])
        self.maxima[found] = replace(self.maxima[greatest], left=ins.inputs[0])
        return found

    def _is_finite(self, ins: Instruction) -> int:
        return self._truth_of(True)

    def _and(self, ins: Instruction) -> int:
        return self._true(self._elementwise("mul", *map(self._truth, ins.inputs)))

    def _or(self, ins: Instruction) -> int:
        a, b = map(self._truth, ins.inputs)
        both = self._elementwise("mul", a, b)
        return self._true(self._elementwise("sub", self._elementwise("add", a, b), both))

    def _xor(self, ins: Instruction) -> int:
        return self._differs(*map(self._truth, ins.inputs))

    def _differs(self, a: int, b: int) -> int:
        both = self._elementwise("mul", self._literal(2.0), self._elementwise("mul", a, b))
        return self._true(self._elementwise("sub", self._elementwise("add", a, b), both))

    def _not(self, ins: Instruction) -> int:
        return self._not_of(self._truth(ins.inputs[0]))

    def _true(self, slot: int) -> int:
        self.truths.add(slot)
        return slot

    def _truth(self, slot: int) -> int:
        """A truth value as 0 or 1."""
        if slot in self.literals and self.literals[slot].dtype == bool:
            return self._truth_of_array(self.literals[slot].astype(np.float64))
        return slot
