"""Comparisons as gates: those that say the same of the same values share one.

−z > 0 is 0 > z, u − v > 0 is u > v, max(z, 0) > 0 is z > 0. "Not a > b" is "b > a" where the two are equal on a null
set only (`Comparing.differ`); otherwise each has a gate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from geoflow.exact.gates import Gate
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.program import Program, UnsupportedPrimitive, live
from geoflow.exact.rewriting import Rewriting


@dataclass(frozen=True)
class Extreme:
    """The greater or the smaller of two values."""

    kind: Literal["max", "min"]
    first: int
    second: int


class Comparing(Rewriting):
    """Truth values are slots that hold 0 or 1."""

    def __init__(self, program: Program):
        super().__init__(program)
        self.extremes: dict[int, Extreme] = {}
        self.truths: set[int] = set()
        self.differing: dict[tuple[int, int], bool] = {}

    def exceeds(self, left: int, right: int, strict: bool = True) -> int:
        """1 where left > right, or where left ≥ right."""
        if left == right:
            return self.truth_of(not strict)
        a, b = self.constant(left), self.constant(right)
        if a is not None and b is not None:
            return self.truth_of(a > b or (a == b and not strict))
        if a is not None and np.isinf(a):
            return self.truth_of(a > 0)
        if b is not None and np.isinf(b):
            return self.truth_of(b < 0)
        if b is not None and b <= 0 and left in self.positive:
            return self.truth_of(True)
        if a is not None and a <= 0 and right in self.positive:
            return self.truth_of(False)
        simpler = self._of_extreme(left, right, a, b, strict)
        if simpler is not None:
            return simpler
        left, right = self._plain(left, right)
        if strict:
            return self.gate(left, right)
        if self.differ(left, right):
            return self.gate(left, right)
        return self.not_of(self.gate(right, left))

    def truth_of(self, value: bool) -> int:
        slot = self.literal(float(value))
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
            c = self.constant(other)
            if c is None:
                continue
            below = side == left  # whether the question is: extreme > known
            beats = c > known or (c == known and not strict)
            if not below:
                beats = known > c or (c == known and not strict)
            settled = beats if below == (extreme.kind == "max") else not beats
            if settled:
                return self.truth_of(beats)
            return self.exceeds(x, right, strict) if below else self.exceeds(left, x, strict)
        return None

    def _plain(self, left: int, right: int) -> tuple[int, int]:
        """The same comparison without signs and differences: −z > 0 is 0 > z, u − v > 0 is u > v."""
        while True:
            a, b = self.constant(left), self.constant(right)
            ours, theirs = self.made.get(left), self.made.get(right)
            if ours is not None and ours.primitive == "neg" and b is not None:
                left, right = self._like(right, -b), ours.inputs[0]
            elif theirs is not None and theirs.primitive == "neg" and a is not None:
                left, right = theirs.inputs[0], self._like(left, -a)
            elif (
                ours is not None
                and theirs is not None
                and {ours.primitive, theirs.primitive} == {"neg"}
            ):
                left, right = theirs.inputs[0], ours.inputs[0]
            elif ours is not None and ours.primitive == "sub" and b == 0:
                left, right = ours.inputs
            elif theirs is not None and theirs.primitive == "sub" and a == 0:
                right, left = theirs.inputs
            else:
                return left, right

    def _like(self, slot: int, value: float) -> int:
        return slot if value == 0 else self.literal(np.full(self.shapes[slot], value))

    def gate(self, left: int, right: int) -> int:
        """1 where left > right."""
        a, b = self.constant(left), self.constant(right)
        if a is not None and b is not None:
            return self.truth_of(a > b)
        key: Any = (left if a is None else ("number", a), right if b is None else ("number", b))
        if key[::-1] in self.gates and self.differ(left, right):
            return self.not_of(self.gates[key[::-1]].slot)
        if key not in self.gates:
            shape = np.broadcast_shapes(self.shapes[left], self.shapes[right])
            slot, self.next = self.next, self.next + 1
            self.shapes[slot] = shape
            self.truths.add(slot)
            self.gates[key] = Gate(slot, shape, left, None if b == 0 else right)
        return self.gates[key].slot

    def differ(self, left: int, right: int) -> bool:
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

    def not_of(self, slot: int) -> int:
        if slot in self.literals:
            return self.truth_of_array(1.0 - self.literals[slot])
        made = self.elementwise("sub", self.literal(1.0), slot)
        self.truths.add(made)
        return made

    def truth_of_array(self, value: np.ndarray) -> int:
        slot = self.literal(value)
        self.truths.add(slot)
        return slot
