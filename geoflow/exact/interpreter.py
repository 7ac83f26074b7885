"""Evaluate a `Program` in any exact arithmetic.

Values are numpy arrays with two leading axes, [nilpotent, batch, *shape] (see `exact.dual`); either may have length 1.
A primitive is one entry of `RULES`. What moves data without touching it is the same for every arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from geoflow.exact import dual
from geoflow.exact.dual import Arithmetic, Array
from geoflow.exact.gates import Gate
from geoflow.exact.moves import (
    broadcast,
    concatenated,
    dynamically_sliced,
    gathered,
    padded,
    reshaped,
    same_lead,
    scattered,
    sliced,
    split,
    stacked,
    unstacked,
)
from geoflow.exact.program import Instruction, Program, UnsupportedPrimitive


class UnluckyPoint(Exception):
    """A denominator vanishes at the point (or a root does not exist there): draw another."""


# the value of a gate, [1, batch, *shape], from those of what it compares
Decide = Callable[[Gate, Array, Array | None], Array]


def run(
    program: Program,
    ring: Arithmetic,
    inputs: Sequence[Array],
    gates: Sequence[Array] | Decide = (),
    given: Mapping[int, Array] | None = None,
) -> list[Array]:
    """Values of the outputs, each [nilpotent, batch, *shape]. `gates` are the values of the program's gates, in order,
    or what decides them as they are met; `given` are values of further slots.

    Raises:
        UnsupportedPrimitive: a primitive without a rule.
        UnluckyPoint: a denominator is not invertible at this point.
    """
    values: dict[int, Array] = {**dict(enumerate(inputs)), **(given or {})}
    evaluator = Evaluator(program, ring, values)
    waiting = {g.slot: g for g in program.gates} if callable(gates) else {}
    if not callable(gates):
        values.update({g.slot: v for g, v in zip(program.gates, gates, strict=True)})
    for instruction in program.instructions:
        for slot in instruction.inputs if waiting else ():
            if callable(gates) and slot in waiting:
                gate = waiting.pop(slot)
                right = None if gate.right is None else evaluator.value(gate.right)
                values[slot] = gates(gate, evaluator.value(gate.left), right)
        values.update(zip(instruction.outputs, evaluator.outputs(instruction), strict=True))
    return [evaluator.value(slot) for slot in program.outputs]


class Evaluator:
    """Values by slot, and what rules ask for."""

    def __init__(self, program: Program, ring: Arithmetic, values: dict[int, Array]):
        self.program, self.ring, self.values = program, ring, values

    def outputs(self, instruction: Instruction) -> list[Array]:
        """Values of the outputs of an instruction.

        Raises:
            UnsupportedPrimitive: it has no rule.
        """
        rule = RULES.get(instruction.primitive)
        if rule is None:
            raise UnsupportedPrimitive(instruction.primitive, instruction.where)
        found = rule(self, instruction)
        return found if isinstance(found, list) else [found]

    def value(self, slot: int) -> Array:
        if slot not in self.values:
            literal = self.program.literals[slot][None, None]
            if literal.dtype.kind == "f" and not np.all(np.isfinite(literal)):
                raise UnsupportedPrimitive("a constant that is not finite")
            if self.program.is_erf_slope(literal):
                # JAX rounds the 2/√π of the derivative of erf; here it is exact
                signs = self.ring.literal(np.sign(literal))
                self.values[slot] = self.ring.mul(signs, dual.erf_slope(self.ring, literal.shape))
            else:
                self.values[slot] = self.ring.literal(literal)
        return self.values[slot]

    def static(self, instruction: Instruction, position: int) -> Array:
        """An input that must be a literal (an index)."""
        slot = instruction.inputs[position]
        if slot not in self.program.literals:
            raise UnsupportedPrimitive(
                f"{instruction.primitive} with a computed index", instruction.where
            )
        return self.program.literals[slot]

    def values_of(self, instruction: Instruction) -> list[Array]:
        return [self.value(slot) for slot in instruction.inputs]

    def aligned(self, instruction: Instruction) -> list[Array]:
        """Inputs of an elementwise primitive: scalars get as many axes as the others."""
        values = self.values_of(instruction)
        rank = max(v.ndim for v in values)
        return [
            v if v.ndim == rank else v.reshape(v.shape + (1,) * (rank - v.ndim)) for v in values
        ]


Rule = Callable[[Evaluator, Instruction], Array | list[Array]]


def _elementwise(function: Callable[..., Array], ev: Evaluator, ins: Instruction) -> Array:
    return function(ev.ring, *ev.aligned(ins))


def _smooth(name: str, ev: Evaluator, ins: Instruction) -> Array:
    return dual.smooth(ev.ring, name, ev.values_of(ins)[0])


def _moved(
    function: Callable[[Array, Instruction], Array], ev: Evaluator, ins: Instruction
) -> Array:
    return function(ev.values_of(ins)[0], ins)


def _divide(ring: Arithmetic, a: Array, b: Array) -> Array:
    return dual.mul(ring, a, dual.reciprocal(ring, b))


def _power(ev: Evaluator, ins: Instruction) -> Array:
    return dual.power(ev.ring, ev.values_of(ins)[0], int(ins.params["y"]))


def _general_power(ev: Evaluator, ins: Instruction) -> Array:
    exponent = ev.static(ins, 1)
    if exponent.size != 1 or float(exponent.ravel()[0]) * 2 != round(
        float(exponent.ravel()[0]) * 2
    ):
        raise UnsupportedPrimitive(
            "pow with an exponent that is not a whole or half number", ins.where
        )
    twice = round(float(exponent.ravel()[0]) * 2)
    base = ev.values_of(ins)[0]
    if twice % 2:
        return dual.power(ev.ring, dual.smooth(ev.ring, "sqrt", base), twice)
    return dual.power(ev.ring, base, twice // 2)


def _reduce_sum(ev: Evaluator, ins: Instruction) -> Array:
    return ev.ring.sum(ev.values_of(ins)[0], tuple(2 + int(a) for a in ins.params["axes"]))


def _reduce_prod(ev: Evaluator, ins: Instruction) -> Array:
    value = ev.values_of(ins)[0]
    for axis in sorted((2 + int(a) for a in ins.params["axes"]), reverse=True):
        parts = [np.take(value, k, axis=axis) for k in range(value.shape[axis])]
        value = parts[0]
        for part in parts[1:]:
            value = dual.mul(ev.ring, value, part)
    return value


def _cumulative(
    combine: Callable[[Arithmetic, Array, Array], Array], ev: Evaluator, ins: Instruction
) -> Array:
    value, axis = ev.values_of(ins)[0], 2 + ins.params["axis"]
    parts = [np.take(value, k, axis=axis) for k in range(value.shape[axis])]
    if ins.params["reverse"]:
        parts.reverse()
    for k in range(1, len(parts)):
        parts[k] = combine(ev.ring, parts[k - 1], parts[k])
    if ins.params["reverse"]:
        parts.reverse()
    return np.stack(parts, axis=axis)


def _dot_general(ev: Evaluator, ins: Instruction) -> Array:
    a, b = ev.values_of(ins)
    (contract_a, contract_b), (batch_a, batch_b) = (
        tuple(tuple(2 + int(i) for i in axes) for axes in pair)
        for pair in ins.params["dimension_numbers"]
    )
    free_a = [i for i in range(2, a.ndim) if i not in contract_a and i not in batch_a]
    free_b = [i for i in range(2, b.ndim) if i not in contract_b and i not in batch_b]
    left = a.transpose(0, 1, *batch_a, *free_a, *contract_a)
    right = b.transpose(0, 1, *batch_b, *contract_b, *free_b)
    shared = [a.shape[i] for i in batch_a]
    rows, columns = [a.shape[i] for i in free_a], [b.shape[i] for i in free_b]
    inner = math.prod(a.shape[i] for i in contract_a)
    left = left.reshape(*a.shape[:2], *shared, math.prod(rows), inner)
    right = right.reshape(*b.shape[:2], *shared, inner, math.prod(columns))
    out = dual.matmul(ev.ring, left, right)
    return out.reshape(*out.shape[:2], *shared, *rows, *columns)


def _select(ev: Evaluator, ins: Instruction) -> Array:
    which = ev.static(ins, 0)
    cases = same_lead(ev, [ev.value(slot) for slot in ins.inputs[1:]])
    out = np.array(np.broadcast_to(cases[0], (*cases[0].shape[:2], *ins.out_shapes[0])))
    for k, case in enumerate(cases[1:], start=1):
        out = np.where(np.broadcast_to(which == k, ins.out_shapes[0]), case, out)
    return out


def _iota(ev: Evaluator, ins: Instruction) -> Array:
    shape, axis = ins.params["shape"], ins.params["dimension"]
    ramp = np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return ev.ring.literal(np.broadcast_to(ramp, shape)[None, None])


def _determinant(ev: Evaluator, ins: Instruction) -> Array:
    return dual.determinant_and_adjugate(ev.ring, ev.values_of(ins)[0])[0]


def _adjugate(ev: Evaluator, ins: Instruction) -> Array:
    return dual.determinant_and_adjugate(ev.ring, ev.values_of(ins)[0])[1]


def _inverse(ev: Evaluator, ins: Instruction) -> Array:
    return dual.inverse(ev.ring, ev.values_of(ins)[0])


RULES: dict[str, Rule] = {
    "add": partial(_elementwise, dual.add),
    "add_any": partial(_elementwise, dual.add),
    "sub": partial(_elementwise, lambda r, a, b: dual.add(r, a, b, negate=True)),
    "mul": partial(_elementwise, dual.mul),
    "neg": partial(_elementwise, lambda r, a: r.neg(a)),
    "div": partial(_elementwise, _divide),
    "square": partial(_elementwise, lambda r, a: dual.mul(r, a, a)),
    "integer_pow": _power,
    "pow": _general_power,
    "sqrt": partial(_smooth, "sqrt"),
    "rsqrt": lambda ev, ins: dual.reciprocal(
        ev.ring, dual.smooth(ev.ring, "sqrt", ev.values_of(ins)[0])
    ),
    "exp": partial(_smooth, "exp"),
    "log": partial(_smooth, "log"),
    "log1p": partial(_smooth, "log1p"),
    "expm1": lambda ev, ins: dual.add(
        ev.ring,
        dual.smooth(ev.ring, "exp", x := ev.values_of(ins)[0]),
        ev.ring.constant(Fraction(1), (1,) * x.ndim),
        negate=True,
    ),
    "erfc": lambda ev, ins: dual.add(
        ev.ring,
        ev.ring.constant(Fraction(1), (1,) * (x := ev.values_of(ins)[0]).ndim),
        dual.smooth(ev.ring, "erf", x),
        negate=True,
    ),
    "logistic": partial(_smooth, "logistic"),
    "erf": partial(_smooth, "erf"),
    "sin": partial(_smooth, "sin"),
    "cos": partial(_smooth, "cos"),
    "atan": partial(_smooth, "atan"),
    "tanh": partial(_smooth, "tanh"),
    "dot_general": _dot_general,
    "reduce_sum": _reduce_sum,
    "reduce_prod": _reduce_prod,
    "cumsum": partial(_cumulative, dual.add),
    "cumprod": partial(_cumulative, dual.mul),
    "geoflow_det": _determinant,
    "geoflow_adjugate": _adjugate,
    "geoflow_inv": _inverse,
    "transpose": partial(
        _moved, lambda v, i: v.transpose(0, 1, *(2 + int(k) for k in i.params["permutation"]))
    ),
    "reshape": partial(_moved, reshaped),
    "broadcast_in_dim": partial(_moved, broadcast),
    "squeeze": partial(
        _moved, lambda v, i: v.squeeze(tuple(2 + int(k) for k in i.params["dimensions"]))
    ),
    "slice": partial(_moved, sliced),
    "rev": partial(
        _moved, lambda v, i: np.flip(v, tuple(2 + int(k) for k in i.params["dimensions"]))
    ),
    "dynamic_slice": dynamically_sliced,
    "pad": padded,
    "concatenate": concatenated,
    "stack": stacked,
    "unstack": unstacked,
    "split": split,
    "gather": gathered,
    "scatter-add": scattered,
    "select_n": _select,
    "iota": _iota,
}
