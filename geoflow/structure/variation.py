"""The derivative of φ along a field that is linear in some parameters, as words in matrices: U → U + ε U S.

Values are sums of monomials in the program's inputs; where they are long, or functions of others, they are symbols of
their own. That forgets what they are, so a derivative that vanishes for free symbols vanishes for the true ones, for
all sizes, data and gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from geoflow.exact.program import Instruction, Program
from geoflow.structure.diagrams import SYMMETRIC, Axis, Draft, Monomial, NotShown, atom
from geoflow.structure.words import (
    ONE,
    Coefficients,
    Conditions,
    Words,
    each,
    mapped,
    multiplied,
    plus,
    single,
    times,
)

_MOST_EXPANDED = 24  # terms of a value; one with more is a symbol


def variation(
    program: Program, tangents: Mapping[int, Callable[[Symbols], Words]]
) -> list[Coefficients]:
    """Conditions under which the outputs do not move when the inputs move along `tangents`, by slot.

    They are sufficient. What gates and functions are applied to must not move; asked there, this keeps words short in
    deep networks.

    Raises:
        NotShown: the words become too long.
    """
    state = _Variation(program)
    for slot, tangent in tangents.items():
        state.tangents[slot] = tangent(state.symbols)
    for instruction in program.instructions:
        state.step(instruction)
    for slot in program.outputs:
        state.asked.ask(state.tangent(slot))
    return state.asked.forms


class Symbols:
    """Numbers of symbols by what they stand for."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def of(self, meaning: Any) -> int:
        """The number of a symbol; never that of the symmetric matrix."""
        return self._numbers.setdefault(meaning, len(self._numbers) + SYMMETRIC + 1)


class _Variation:
    def __init__(self, program: Program):
        self.program = program
        self.asked = Conditions()
        self.gates = {g.slot for g in program.gates}
        self.symbols = Symbols()
        self.values: dict[int, Words] = {}
        self.tangents: dict[int, Words] = {}
        self.shapes: dict[int, tuple[int, ...]] = dict(enumerate(program.input_shapes))
        self.shapes |= {g.slot: tuple(g.shape) for g in program.gates}

    def shape(self, slot: int) -> tuple[int, ...]:
        if slot in self.program.literals:
            return tuple(np.shape(self.program.literals[slot]))
        return self.shapes[slot]

    def value(self, slot: int) -> Words:
        number = self.number(slot)
        if number is not None:
            draft = Draft()
            blank = draft.finished([draft.edge(n) for n in self.shape(slot)])[1]
            return single(blank, value=number) if number else {}
        if slot in self.values and self.tangent(slot):
            return self.values[slot]
        return single(atom(self.symbols.of(("slot", slot)), self.shape(slot)))

    def tangent(self, slot: int) -> Words:
        """How a value moves, given what is asked so far."""
        found = {m: self.asked.reduced(own) for m, own in self.tangents.get(slot, {}).items()}
        return {m: own for m, own in found.items() if own}

    def number(self, slot: int) -> Fraction | None:
        """A constant that is the same everywhere."""
        found = self.program.literals.get(slot)
        if found is None or not np.size(found) or found.dtype.kind not in "fiu":
            return None
        first = np.ravel(found)[0]
        if self.program.is_erf_slope(found) or not np.isfinite(first) or np.any(found != first):
            return None
        return Fraction(first.item())

    def step(self, ins: Instruction) -> None:
        self.shapes.update(zip(ins.outputs, map(tuple, ins.out_shapes), strict=True))
        if not any(map(self.tangent, ins.inputs)):
            return
        rule = _RULES.get(ins.primitive)
        known = rule is not None or ins.primitive in _LINEAR
        if not known or not self.gates.isdisjoint(ins.inputs):
            for slot in ins.inputs:
                self.asked.ask(self.tangent(slot))
            return
        (slot,) = ins.outputs
        if rule is None:
            moving = (k for k, s in enumerate(ins.inputs) if self.tangent(s))
            self.tangents[slot] = plus(*(self._moved(ins, k) for k in moving))
            return
        value, tangent = rule(self, ins)
        self.tangents[slot] = tangent
        if value is not None and len(value) <= _MOST_EXPANDED:
            self.values[slot] = value

    def _moved(self, ins: Instruction, position: int) -> Words:
        shape = self.shape(ins.outputs[0])
        others = tuple(s for k, s in enumerate(ins.inputs) if k != position)
        rule = (ins.primitive, position, others, repr(sorted(ins.params.items())), shape)

        def image(m: Monomial) -> Monomial:
            return atom(self.symbols.of((rule, m)), shape)

        return each(self.tangent(ins.inputs[position]), image)


Pair = tuple[Words | None, Words]
Rule = Callable[[_Variation, Instruction], Pair]


def _entrywise(draft: Draft, a: list[Axis], b: list[Axis]) -> list[Axis]:
    if len(a) != len(b):  # a scalar
        if a and b:
            raise NotShown
        return a or b
    pairs = list(zip(a, b, strict=True))
    return draft.identify([p for p in pairs if all(p)], [x or y for x, y in pairs])


def _sum(sign: int) -> Rule:
    def rule(s: _Variation, ins: Instruction) -> Pair:
        a, b = ins.inputs
        spread = [_spread(s, x, ins) for x in (a, b)]
        value = plus(spread[0](s.value(a)), times(spread[1](s.value(b)), Fraction(sign)))
        moved = times(spread[1](s.tangent(b)), Fraction(sign))
        return value, plus(spread[0](s.tangent(a)), moved)

    return rule


def _spread(s: _Variation, slot: int, ins: Instruction) -> Callable[[Words], Words]:
    """A scalar in the place of an array."""
    shape = tuple(ins.out_shapes[0])
    if s.shape(slot) == shape:
        return lambda words: words
    own = s.shape(slot) or (1,) * len(shape)
    if len(own) != len(shape):
        raise NotShown

    def spread(draft: Draft, axes: list[Axis]) -> list[Axis]:
        axes = axes or [()] * len(shape)
        return [a if k == n else draft.edge(n) for a, k, n in zip(axes, own, shape, strict=True)]

    return lambda words: mapped(words, spread)


def _bilinear(
    join: Callable[[Instruction], Callable[[Draft, list[Axis], list[Axis]], list[Axis]]],
) -> Rule:
    def rule(s: _Variation, ins: Instruction) -> Pair:
        a, b = ins.inputs
        how = join(ins)
        x, y = s.value(a), s.value(b)
        moved = multiplied(s.tangent(a), y, how), multiplied(x, s.tangent(b), how)
        value = multiplied(x, y, how) if len(x) * len(y) <= _MOST_EXPANDED else None
        return value, plus(*moved)

    return rule


def _dot(ins: Instruction) -> Callable[[Draft, list[Axis], list[Axis]], list[Axis]]:
    (sum_a, sum_b), (batch_a, batch_b) = (
        tuple(tuple(map(int, axes)) for axes in pair) for pair in ins.params["dimension_numbers"]
    )

    def join(draft: Draft, a: list[Axis], b: list[Axis]) -> list[Axis]:
        pairs = [(a[i], b[j]) for i, j in zip((*batch_a, *sum_a), (*batch_b, *sum_b), strict=True)]
        kept = [a[k] for k in batch_a]
        kept += [a[k] for k in range(len(a)) if k not in sum_a and k not in batch_a]
        kept += [b[k] for k in range(len(b)) if k not in sum_b and k not in batch_b]
        return draft.identify(pairs, kept)

    return join


def _each_axis(
    change: Callable[[_Variation, Instruction, Draft, list[Axis]], list[Axis]],
) -> Rule:
    def rule(s: _Variation, ins: Instruction) -> Pair:
        slot = ins.inputs[0]

        def act(draft: Draft, axes: list[Axis]) -> list[Axis]:
            return change(s, ins, draft, axes)

        return mapped(s.value(slot), act), mapped(s.tangent(slot), act)

    return rule


def _transposed(s: _Variation, ins: Instruction, draft: Draft, axes: list[Axis]) -> list[Axis]:
    return [axes[int(k)] for k in ins.params["permutation"]]


def _broadcast(s: _Variation, ins: Instruction, draft: Draft, axes: list[Axis]) -> list[Axis]:
    before, shape = s.shape(ins.inputs[0]), ins.out_shapes[0]
    where = {int(k): n for n, k in enumerate(ins.params["broadcast_dimensions"])}
    return [
        axes[where[k]] if k in where and before[where[k]] == n else draft.edge(n)
        for k, n in enumerate(shape)
    ]


def _summed(s: _Variation, ins: Instruction, draft: Draft, axes: list[Axis]) -> list[Axis]:
    gone = {int(k) for k in ins.params["axes"]}
    return [a for k, a in enumerate(axes) if k not in gone]


def _squeezed(s: _Variation, ins: Instruction, draft: Draft, axes: list[Axis]) -> list[Axis]:
    gone = {int(k) % len(axes) for k in ins.params["dimensions"]}
    return [a for k, a in enumerate(axes) if k not in gone]


def _reshaped(s: _Variation, ins: Instruction, draft: Draft, axes: list[Axis]) -> list[Axis]:
    if ins.params["dimensions"] is not None:
        axes = [axes[int(k)] for k in ins.params["dimensions"]]
    return draft.cut(axes, ins.out_shapes[0])


def _negative(s: _Variation, ins: Instruction) -> Pair:
    slot = ins.inputs[0]
    return times(s.value(slot), Fraction(-1)), times(s.tangent(slot), Fraction(-1))


def _quotient(s: _Variation, ins: Instruction) -> Pair:
    """a/b with 1/b a symbol: its derivative is −(a/b)·b'/b."""
    a, b = ins.inputs
    number = s.number(b)
    if number:
        own = _spread(s, a, ins)
        return times(own(s.value(a)), 1 / number), times(own(s.tangent(a)), 1 / number)
    inverse = single(atom(s.symbols.of(("inverse", b)), s.shape(b)))
    value = multiplied(s.value(a), inverse, _entrywise)
    found = [multiplied(s.tangent(a), inverse, _entrywise)]
    if s.tangent(b):
        moved = multiplied(inverse, s.tangent(b), _entrywise)
        found.append(times(multiplied(value, moved, _entrywise), Fraction(-1)))
    return value if len(value) <= _MOST_EXPANDED else None, plus(*found)


def _square(s: _Variation, ins: Instruction) -> Pair:
    slot = ins.inputs[0]
    x, moved = s.value(slot), s.tangent(slot)
    value = multiplied(x, x, _entrywise) if len(x) ** 2 <= _MOST_EXPANDED else None
    return value, times(multiplied(x, moved, _entrywise), Fraction(2))


_RULES: dict[str, Rule] = {
    "add": _sum(1),
    "add_any": _sum(1),
    "sub": _sum(-1),
    "mul": _bilinear(lambda ins: _entrywise),
    "dot_general": _bilinear(_dot),
    "div": _quotient,
    "square": _square,
    "neg": _negative,
    "reduce_sum": _each_axis(_summed),
    "transpose": _each_axis(_transposed),
    "broadcast_in_dim": _each_axis(_broadcast),
    "squeeze": _each_axis(_squeezed),
    "reshape": _each_axis(_reshaped),
}
_LINEAR = {
    "slice", "rev", "dynamic_slice", "pad", "concatenate", "gather", "select_n", "cumsum",
}  # fmt: skip

__all__ = ["ONE", "Symbols", "variation"]
