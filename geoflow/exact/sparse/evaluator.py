"""Evaluate a `Program` for a batch of generators whose values are mostly zero.

The numbers are those of `exact.dual`, R[e₁ … e_k]/(eᵢ²), here as one value for each product of the eᵢ that occurs.
What does not depend on the generator is computed by the dense rules, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from geoflow.exact.interpreter import Evaluator
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import Instruction
from geoflow.exact.sparse.contraction import Contraction, axes_of
from geoflow.exact.sparse.layout import IDENTITIES, MOVES, Layout
from geoflow.exact.sparse.relation import Relation
from geoflow.exact.sparse.values import (
    Fixed,
    Moved,
    Product,
    Scaled,
    Space,
    Sparse,
    Sum,
    TooDense,
    Value,
    settled,
)

Number = dict[int, Value]  # by mask: the coefficient of the product of the nilpotents in it
_MOST_DENSE = 2**22  # entries of a batch that is made dense for a primitive without a sparse rule


class SparseEvaluator:
    """One run of a program; `field` and `space` must be of one prime."""

    def __init__(self, layout: Layout, field: PrimeField, space: Space):
        self.layout, self.field, self.space = layout, field, space
        self.values: dict[int, Number] = {}

    def run(
        self, inputs: Sequence[Number], gates: Sequence[Number], outputs: Sequence[int]
    ) -> list[Number]:
        """The values of the slots `outputs`.

        Raises:
            TooDense: too many entries for so many generators.
            UnsupportedPrimitive: a primitive without a rule.
        """
        program = self.layout.program
        self.values = dict(enumerate(inputs))
        self.values |= {g.slot: v for g, v in zip(program.gates, gates, strict=True)}
        last = {s: k for k, i in enumerate(program.instructions) for s in i.inputs}
        kept = set(outputs)
        for k, ins in enumerate(program.instructions):
            for slot, value in zip(ins.outputs, self._outputs(ins), strict=True):
                self.values[slot] = {m: settled(self.space, v) for m, v in value.items()}
            for slot in set(ins.inputs) - kept:
                if last[slot] == k:
                    self.values.pop(slot, None)
        return [self.value(s) for s in outputs]

    def value(self, slot: int) -> Number:
        """The number in a slot."""
        if slot not in self.values:
            dense = Evaluator(self.layout.program, self.field, {}).value(slot)
            self.values[slot] = {0: Fixed(self.space, dense.reshape(-1))}
        return self.values[slot]

    def sized(self, ins: Instruction, slot: int) -> Number:
        """An input of an elementwise primitive, as large as the output."""
        value, relation = self.value(slot), self.layout.spread(slot, ins.out_shapes[0])
        if relation is None:
            return value
        return self.moved(value, lambda v: self._spread(v, relation))

    def _spread(self, value: Value, relation: Relation) -> Value:
        if isinstance(value, Fixed):
            return Fixed(self.space, value.array[relation.table])
        return Moved(self.space, value, relation)

    def moved(self, number: Number, move: Callable[[Value], Value]) -> Number:
        """A linear map, coefficient by coefficient."""
        return {m: move(v) for m, v in number.items()}

    def added(self, *numbers: Number) -> Number:
        """A sum."""
        out: Number = {}
        for number in numbers:
            for mask, value in number.items():
                out[mask] = self._sum(out[mask], value) if mask in out else value
        return out

    def bilinear(self, a: Number, b: Number, product: Callable[[Value, Value], Value]) -> Number:
        """The products of coefficients with no nilpotent in common."""
        pairs = (
            {s | t: settled(self.space, product(x, y))}
            for s, x in a.items()
            for t, y in b.items()
            if s & t == 0
        )
        return self.added(*pairs)

    def product(self, a: Value, b: Value) -> Value:
        """Entry by entry."""
        for x, y in ((a, b), (b, a)):
            if isinstance(x, Fixed) and x.size and not np.any(x.array != x.array[0]):
                return self.scaled(int(x.array[0]), y)
        if isinstance(a, Fixed) and isinstance(b, Fixed):
            return Fixed(self.space, a.array * b.array % self.space.p)
        first, second = (a, b) if _first(a, b) else (b, a)
        found = Product(self.space, first, second)
        return found.entries() if isinstance(first, Sparse) else found

    def scaled(self, factor: int, value: Value) -> Value:
        """A number times a value."""
        factor %= self.space.p
        if factor == 1:
            return value
        if factor == 0:
            return Sparse(value.size, *(np.zeros(0, dtype=np.int64) for _ in range(3)))
        if isinstance(value, Fixed):
            return Fixed(self.space, value.array * factor % self.space.p)
        found = Scaled(self.space, factor, value)
        return found.entries() if isinstance(value, Sparse) else found

    def _sum(self, a: Value, b: Value) -> Value:
        for x, y in ((a, b), (b, a)):
            if isinstance(x, Sparse) and not len(x.values):
                return y
        if isinstance(a, Fixed) and isinstance(b, Fixed):
            return Fixed(self.space, (a.array + b.array) % self.space.p)
        found = Sum(self.space, a, b)
        return found.entries() if isinstance(a, Sparse) and isinstance(b, Sparse) else found

    def _outputs(self, ins: Instruction) -> list[Number]:
        if all(self._is_fixed(s) for s in ins.inputs):
            return self.fixed(ins)
        name = ins.primitive
        rule = _RULES.get(name)
        if rule is not None:
            return [rule(self, ins)]
        if name in MOVES:
            return [
                self.added(
                    *(
                        self.moved(self.value(slot), partial(self._moved, relation=relation))
                        for slot, relation in pieces
                    )
                )
                for pieces in self.layout.moves(ins)
            ]
        return self.densified(ins)

    def _moved(self, value: Value, relation: Relation) -> Value:
        found = Moved(self.space, value, relation)
        if isinstance(value, Sparse) and found.weight <= value.weight:
            return found.entries()
        return found

    def _is_fixed(self, slot: int) -> bool:
        if slot not in self.values:
            return True
        return all(m == 0 and isinstance(v, Fixed) for m, v in self.values[slot].items())

    def fixed(self, ins: Instruction) -> list[Number]:
        """What comes of the parts that are the same for all generators, by the dense rules."""
        given = {
            s: self.dense(self.values[s], s) for s in dict.fromkeys(ins.inputs) if s in self.values
        }
        evaluator = Evaluator(self.layout.program, self.field, given)
        return [self._constant(v) for v in evaluator.outputs(ins)]

    def _constant(self, dense: np.ndarray) -> Number:
        return {0: Fixed(self.space, np.ascontiguousarray(dense).reshape(-1))}

    def dense(self, number: Number, slot: int) -> np.ndarray:
        """The part without nilpotents as the dense rules want it, where it is the same for all generators."""
        value = number.get(0)
        flat = (
            value.array
            if isinstance(value, Fixed)
            else np.zeros(self.layout.size(slot), dtype=np.int64)
        )
        return flat.reshape(1, 1, *self.layout.shapes[slot])

    def densified(self, ins: Instruction) -> list[Number]:
        """A primitive without a rule of its own, by the dense rules on the whole batch."""
        highest = max(m for s in ins.inputs if s in self.values for m in self.values[s])
        lead = (1 << highest.bit_length(), self.space.count)
        sizes = [self.layout.size(s) for s in (*ins.inputs, *ins.outputs)]
        if lead[0] * lead[1] * max(sizes) > _MOST_DENSE:
            raise TooDense
        given = {}
        for slot in dict.fromkeys(ins.inputs):
            if slot not in self.values:
                continue
            array = np.zeros((*lead, self.layout.size(slot)), dtype=np.int64)
            for mask, value in self.values[slot].items():
                e = value.entries()
                array[mask, e.batch, e.index] = e.values
            given[slot] = array.reshape(*lead, *self.layout.shapes[slot])
        evaluator = Evaluator(self.layout.program, self.field, given)
        return [self._entered(v) for v in evaluator.outputs(ins)]

    def _entered(self, dense: np.ndarray) -> Number:
        out: Number = {}
        for mask, array in enumerate(dense.reshape(*dense.shape[:2], -1)):
            array = np.broadcast_to(array, (self.space.count, array.shape[1]))
            batch, index = np.nonzero(array)
            out[mask] = Sparse(array.shape[1], batch, index, array[batch, index])
        return out


def _first(a: Value, b: Value) -> bool:
    """Whether a's entries are to be visited, and b asked."""
    if isinstance(b, Fixed) or isinstance(a, Fixed):
        return isinstance(b, Fixed)
    return a.weight <= b.weight


Rule = Callable[[SparseEvaluator, Instruction], Number]


def _add(ev: SparseEvaluator, ins: Instruction) -> Number:
    return ev.added(*(ev.sized(ins, s) for s in ins.inputs))


def _negated(ev: SparseEvaluator, number: Number) -> Number:
    return ev.moved(number, lambda v: ev.scaled(-1, v))


def _subtract(ev: SparseEvaluator, ins: Instruction) -> Number:
    a, b = (ev.sized(ins, s) for s in ins.inputs)
    return ev.added(a, _negated(ev, b))


def _multiply(ev: SparseEvaluator, ins: Instruction) -> Number:
    a, b = (ev.sized(ins, s) for s in ins.inputs)
    return ev.bilinear(a, b, ev.product)


def _divide(ev: SparseEvaluator, ins: Instruction) -> Number:
    """By what is the same for all generators; anything else is made dense."""
    a, b = (ev.sized(ins, s) for s in ins.inputs)
    if set(b) != {0} or not isinstance(b[0], Fixed):
        return ev.densified(ins)[0]
    inverse = Fixed(ev.space, ev.field.invert(b[0].array))
    return ev.bilinear(a, {0: inverse}, ev.product)


def _power(ev: SparseEvaluator, ins: Instruction) -> Number:
    exponent = 2 if ins.primitive == "square" else int(ins.params["y"])
    if exponent < 1:
        return ev.densified(ins)[0]
    base = ev.value(ins.inputs[0])
    out = base
    for _ in range(exponent - 1):
        out = ev.bilinear(out, base, ev.product)
    return out


def _contract(ev: SparseEvaluator, ins: Instruction) -> Number:
    left, right = ins.inputs
    shapes = ev.layout.shapes
    axes = axes_of(ins.params["dimension_numbers"], shapes[left], shapes[right])

    def product(a: Value, b: Value) -> Value:
        return Contraction(ev.space, a, b, axes)

    pairs = ev.value(left), ev.value(right)
    if all(isinstance(n.get(0), Fixed) for n in pairs):
        return _both_fixed(ev, ins, product)
    return ev.bilinear(*pairs, product)


def _both_fixed(
    ev: SparseEvaluator, ins: Instruction, product: Callable[[Value, Value], Value]
) -> Number:
    """The product of the parts that are the same for all generators by the dense rules, the rest as usual."""
    a, b = (ev.value(s) for s in ins.inputs)
    (out,) = ev.fixed(ins)
    for s, x in a.items():
        for t, y in b.items():
            if s & t == 0 and s | t:
                out = ev.added(out, {s | t: settled(ev.space, product(x, y))})
    return out


def _summed(ev: SparseEvaluator, ins: Instruction) -> Number:
    relation = ev.layout.sums(ins)
    return ev.moved(ev.value(ins.inputs[0]), lambda v: Moved(ev.space, v, relation))


def _scattered(ev: SparseEvaluator, ins: Instruction) -> Number:
    relation = ev.layout.sums(ins)
    updates = ev.moved(ev.value(ins.inputs[2]), lambda v: Moved(ev.space, v, relation))
    return ev.added(ev.value(ins.inputs[0]), updates)


def _same(ev: SparseEvaluator, ins: Instruction) -> Number:
    if ins.params.get("dimensions") is not None and ins.primitive == "reshape":
        ((pieces,),) = (ev.layout.moves(ins),)
        ((slot, relation),) = pieces
        return ev.moved(ev.value(slot), lambda v: Moved(ev.space, v, relation))
    return ev.value(ins.inputs[0])


_RULES: Mapping[str, Rule] = {
    "add": _add,
    "add_any": _add,
    "sub": _subtract,
    "neg": lambda ev, ins: _negated(ev, ev.value(ins.inputs[0])),
    "mul": _multiply,
    "div": _divide,
    "square": _power,
    "integer_pow": _power,
    "dot_general": _contract,
    "reduce_sum": _summed,
    "scatter-add": _scattered,
    **dict.fromkeys(IDENTITIES, _same),
}
