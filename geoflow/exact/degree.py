"""Upper bounds of the degrees of a program's outputs as rational functions, for error bounds (Schwartz 1980).

Every division contributes its denominators to one common denominator; a value is a numerator degree over that product.
A square root counts like a variable of half its radicand's degree, and doubles the degree of the norm in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, prod

import numpy as np

from geoflow.exact.program import Instruction, Program

_LINEAR = {"add", "add_any", "sub", "concatenate", "stack", "pad", "select_n", "scatter-add"}
_PRODUCT = {"mul", "dot_general"}
_FIRST = {  # each entry of the result is one of the first operand, or a sum of some
    "neg", "sqrt", "reduce_sum", "cumsum", "transpose", "reshape", "broadcast_in_dim", "squeeze", "slice", "rev",
    "dynamic_slice", "unstack", "split", "gather",
}  # fmt: skip


@dataclass(frozen=True)
class Degree:
    """numerator degree, and powers of the denominators (by instruction)."""

    numerator: int
    denominators: Mapping[int, int]


@dataclass(frozen=True)
class FieldDegree:
    """A vector field whose entries are P/q with deg P ≤ `numerator`, deg q ≤ `denominator`; `roots` square roots."""

    numerator: int
    denominator: int
    roots: int

    def of_word(self, letters: int) -> int:
        """Degree of the numerators of a bracket of so many fields, over a common denominator: the bracket of P/q and
        Q/q^m has numerators of degree deg P + deg Q + deg q − 1 over q^(m+2)."""
        growth = max(self.numerator + self.denominator - 1, 0)
        return (self.numerator + (letters - 1) * growth) * self._conjugates

    def of_denominators(self) -> int:
        """Degree of a polynomial that vanishes wherever a denominator does."""
        return self.denominator * self._conjugates

    @property
    def _conjugates(self) -> int:
        """Of how many signs of the roots the norm is the product; more than 2^40 leave no bound anyway."""
        return 2 ** min(self.roots, 40)


def field_degree(program: Program, inputs: Sequence[int]) -> FieldDegree:
    """Degrees of a program whose inputs have the given degrees (1 for coordinates, 0 for constants); gates are
    variables too."""
    costs: dict[int, int] = {}
    values: dict[int, Degree] = {k: Degree(d, {}) for k, d in enumerate(inputs)}
    values |= {gate.slot: Degree(1, {}) for gate in program.gates}
    sizes = {k: prod(s) for k, s in enumerate(program.input_shapes)}
    sizes |= {gate.slot: prod(gate.shape) for gate in program.gates}
    roots = 0
    for instruction in program.instructions:
        operands = [values.get(slot, Degree(0, {})) for slot in instruction.inputs]
        size = sizes.get(instruction.inputs[0], 1) if instruction.inputs else 1
        if instruction.primitive in ("sqrt", "rsqrt", "pow"):
            roots += size
        if instruction.primitive == "pow":
            literal = program.literals.get(instruction.inputs[1], np.ones(()))
            exponent = float(literal) if literal.size == 1 else 1.0  # others have no exact rule
            result = _root_power(operands[0], exponent, size, instruction.outputs[0], costs)
        else:
            result = _degree(instruction, operands, size, costs)
        for slot, shape in zip(instruction.outputs, instruction.out_shapes, strict=True):
            values[slot] = result
            sizes[slot] = prod(shape)
    total = _join([values.get(slot, Degree(0, {})) for slot in program.outputs], costs)
    return FieldDegree(total.numerator, _cost(total.denominators, costs), roots)


def _cost(denominators: Mapping[int, int], costs: Mapping[int, int]) -> int:
    return sum(power * costs[k] for k, power in denominators.items())


def _join(operands: Sequence[Degree], costs: Mapping[int, int]) -> Degree:
    keys = {k for d in operands for k in d.denominators}
    common = {k: max(d.denominators.get(k, 0) for d in operands) for k in keys}
    whole = _cost(common, costs)
    return Degree(
        max((d.numerator + whole - _cost(d.denominators, costs) for d in operands), default=0),
        common,
    )


def _product(operands: Sequence[Degree]) -> Degree:
    keys = {k for d in operands for k in d.denominators}
    return Degree(
        sum(d.numerator for d in operands),
        {k: sum(d.denominators.get(k, 0) for d in operands) for k in keys},
    )


def _power(d: Degree, exponent: int) -> Degree:
    return Degree(d.numerator * exponent, {k: p * exponent for k, p in d.denominators.items()})


def _reciprocal(d: Degree, size: int, identity: int, costs: dict[int, int]) -> Degree:
    """1/x for each of `size` entries x = n/d: the product of all n becomes one more denominator."""
    costs[identity] = size * d.numerator
    return Degree(_cost(d.denominators, costs) + (size - 1) * d.numerator, {identity: 1})


def _root_power(
    base: Degree, exponent: float, size: int, identity: int, costs: dict[int, int]
) -> Degree:
    """x ** exponent for a half-integer exponent; its root is of no greater degree than x."""
    if exponent < 0:
        base = _reciprocal(base, size, identity, costs)
    return _power(base, ceil(abs(exponent)))


def _degree(
    instruction: Instruction, operands: list[Degree], size: int, costs: dict[int, int]
) -> Degree:
    name, identity = instruction.primitive, instruction.outputs[0]
    match name:
        case _ if name in _LINEAR:
            return _join(operands, costs)
        case _ if name in _PRODUCT:
            return _product(operands)
        case "square":
            return _power(operands[0], 2)
        case "div":
            size = prod(instruction.out_shapes[0])
            return _product([operands[0], _reciprocal(operands[1], size, identity, costs)])
        case "integer_pow":
            exponent = int(instruction.params["y"])
            base = operands[0] if exponent >= 0 else _reciprocal(operands[0], size, identity, costs)
            return _power(base, abs(exponent))
        case "rsqrt":
            return _reciprocal(operands[0], size, identity, costs)
        case "reduce_prod" | "cumprod":
            return _power(operands[0], size)
        case "geoflow_det" | "geoflow_adjugate":
            return _power(operands[0], int(np.sqrt(size)))
        case "geoflow_inv":
            n = instruction.out_shapes[0][-1]
            determinant, count = _power(operands[0], n), max(size // max(n * n, 1), 1)
            return _product(
                [_power(operands[0], n - 1), _reciprocal(determinant, count, identity, costs)]
            )
        case _ if name in _FIRST:
            return operands[0]
        case _:  # no rational function: there is no bound, and nobody asks for one
            return _join(operands, costs)
