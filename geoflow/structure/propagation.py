"""Degrees through a program: products add them, sums require them to be equal, data and constants have none.

What is required makes a system of linear equations in the parameters' degrees. Each of its solutions is a scaling of
the parameters that multiplies every value by a power of the scale, and leaves the outputs as they are: a proof, since
every step is a rule and nothing is evaluated at a point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from geoflow.exact.interpreter import Evaluator
from geoflow.exact.program import Instruction, Program, UnsupportedPrimitive
from geoflow.structure.forms import MOST_ENTRIES, ZERO, Forms, TooEntangled
from geoflow.structure.grades import (
    Grade,
    Part,
    common,
    contracted,
    moved,
    power,
    product,
    vanish,
    written_out,
    zero,
)


def propagate(program: Program, forms: Forms, inputs: Mapping[int, Grade]) -> None:
    """Collect in `forms` what makes every output's degree 0. `inputs`: the degrees of parameters, by slot; whatever
    else the program reads has degree 0.

    Raises:
        UnsupportedPrimitive: a primitive without a rule.
        TooEntangled: degrees without a short description.
    """
    state = _Propagation(program, forms, dict(inputs))
    for instruction in program.instructions:
        rule = _RULES.get(instruction.primitive)
        if rule is None:
            raise UnsupportedPrimitive(instruction.primitive, instruction.where)
        found = rule(state, instruction)
        outputs = [found] if isinstance(found, Grade) else found
        state.values.update(zip(instruction.outputs, outputs, strict=True))
    for slot, shape in zip(program.outputs, program.output_shapes, strict=True):
        vanish(forms, state.value(slot, shape))


class _Propagation:
    def __init__(self, program: Program, forms: Forms, values: dict[int, Grade]):
        self.program, self.forms, self.values = program, forms, values
        self.shapes: dict[int, tuple[int, ...]] = dict(enumerate(program.input_shapes))
        self.shapes |= {g.slot: tuple(g.shape) for g in program.gates}
        for ins in program.instructions:
            self.shapes |= dict(zip(ins.outputs, ins.out_shapes, strict=True))

    def value(self, slot: int, shape: tuple[int, ...] | None = None) -> Grade:
        """The degrees of a slot; a scalar, and axes of length 1, spread over `shape`."""
        found = self.values.get(slot)
        if found is None:
            if slot in self.program.literals:
                found = _of_literal(np.asarray(self.program.literals[slot]))
            else:
                found = Grade(self.shapes[slot])
            self.values[slot] = found
        if shape is None or found.shape == shape:
            return found
        if found.shape and len(found.shape) != len(shape):
            raise TooEntangled
        same = {k: k for k, n in enumerate(found.shape) if n == shape[k]}
        return moved(found, shape, same)

    def shape(self, ins: Instruction) -> tuple[int, ...]:
        return tuple(ins.out_shapes[0])


def _of_literal(values: np.ndarray) -> Grade:
    if values.dtype.kind not in "fiub" or not np.all(np.isfinite(values)):
        return Grade(values.shape)
    if values.size and not np.any(values):
        return zero(values.shape)
    if np.all(values):
        return Grade(values.shape)
    axes = tuple(range(values.ndim))
    return Grade.of(values.shape, [Part(axes, np.where(values == 0, ZERO, 0))])


Rule = Callable[[_Propagation, Instruction], "Grade | list[Grade]"]


def _sum(s: _Propagation, ins: Instruction) -> Grade:
    a, b = (s.value(x, s.shape(ins)) for x in ins.inputs)
    return common(s.forms, a, b)


def _product(sign: int) -> Rule:
    def rule(s: _Propagation, ins: Instruction) -> Grade:
        a, b = (s.value(x, s.shape(ins)) for x in ins.inputs)
        return product(s.forms, a, b, sign)

    return rule


def _same(s: _Propagation, ins: Instruction) -> Grade:
    return s.value(ins.inputs[0])


def _power(exponent: Callable[[_Propagation, Instruction], Fraction]) -> Rule:
    return lambda s, ins: power(s.forms, s.value(ins.inputs[0]), exponent(s, ins))


def _exponent(s: _Propagation, ins: Instruction) -> Fraction:
    found = s.program.literals.get(ins.inputs[1])
    if found is None or np.size(found) != 1:
        raise UnsupportedPrimitive("pow with a computed exponent", ins.where)
    return Fraction(float(np.ravel(found)[0]))


def _transcendental(s: _Propagation, ins: Instruction) -> Grade:
    """Of no degree itself, and of what has none."""
    vanish(s.forms, s.value(ins.inputs[0]))
    return Grade(s.shape(ins))


def _reduce_sum(s: _Propagation, ins: Instruction) -> Grade:
    return contracted(s.forms, s.value(ins.inputs[0]), [int(k) for k in ins.params["axes"]])


def _cumsum(s: _Propagation, ins: Instruction) -> Grade:
    a, axis = s.value(ins.inputs[0]), int(ins.params["axis"])
    rest = [k for k in range(len(a.shape)) if k != axis]
    return moved(contracted(s.forms, a, [axis]), a.shape, dict(enumerate(rest)))


def _dot_general(s: _Propagation, ins: Instruction) -> Grade:
    a, b = (s.value(x) for x in ins.inputs)
    (sum_a, sum_b), (batch_a, batch_b) = (
        tuple(tuple(map(int, axes)) for axes in pair) for pair in ins.params["dimension_numbers"]
    )
    free_a = [k for k in range(len(a.shape)) if k not in sum_a and k not in batch_a]
    free_b = [k for k in range(len(b.shape)) if k not in sum_b and k not in batch_b]
    of_a, of_b = (*batch_a, *free_a, *sum_a), (*batch_b, *free_b, *sum_b)
    shared, middle = len(batch_a), len(free_a)
    shape = (*(a.shape[k] for k in (*batch_a, *free_a)), *(b.shape[k] for k in (*free_b, *sum_b)))
    left, last = shared + middle, shared + middle + len(free_b)
    place_a = [*range(left), *range(last, last + len(sum_a))]
    place_b = [*range(shared), *range(left, last + len(sum_b))]
    x = moved(a, shape, dict(zip(of_a, place_a, strict=True)))
    y = moved(b, shape, dict(zip(of_b, place_b, strict=True)))
    return contracted(s.forms, product(s.forms, x, y), range(last, len(shape)))


def _transpose(s: _Propagation, ins: Instruction) -> Grade:
    order = [int(k) for k in ins.params["permutation"]]
    return moved(s.value(ins.inputs[0]), s.shape(ins), {k: n for n, k in enumerate(order)})


def _broadcast(s: _Propagation, ins: Instruction) -> Grade:
    a = s.value(ins.inputs[0])
    where = [int(k) for k in ins.params["broadcast_dimensions"]]
    target = {k: n for k, n in enumerate(where) if a.shape[k] == s.shape(ins)[n]}
    return moved(a, s.shape(ins), target)


def _squeeze(s: _Propagation, ins: Instruction) -> Grade:
    a = s.value(ins.inputs[0])
    gone = {int(k) % len(a.shape) for k in ins.params["dimensions"]}
    kept = [k for k in range(len(a.shape)) if k not in gone]
    return moved(a, s.shape(ins), {k: n for n, k in enumerate(kept)})


def _each_axis(pick: Callable[[np.ndarray, int, int, Instruction], np.ndarray]) -> Rule:
    """A primitive that picks entries along each axis by itself."""

    def rule(s: _Propagation, ins: Instruction) -> Grade:
        a, parts = s.value(ins.inputs[0]), []
        for part in a.parts:
            ids = part.ids
            for k, axis in enumerate(part.axes):
                ids = pick(ids, k, axis, ins)
            parts.append(Part(part.axes, ids))
        return Grade.of(s.shape(ins), parts)

    return rule


def _sliced(ids: np.ndarray, k: int, axis: int, ins: Instruction) -> np.ndarray:
    p = ins.params
    step = p["strides"][axis] if p["strides"] else 1
    where = slice(int(p["start_indices"][axis]), int(p["limit_indices"][axis]), int(step))
    return ids[(slice(None),) * k + (where,)]


def _reversed(ids: np.ndarray, k: int, axis: int, ins: Instruction) -> np.ndarray:
    return np.flip(ids, k) if axis in ins.params["dimensions"] else ids


def _reshape(s: _Propagation, ins: Instruction) -> Grade:
    a, shape = s.value(ins.inputs[0]), s.shape(ins)
    order = ins.params["dimensions"]
    if order is not None:
        lengths = tuple(a.shape[int(k)] for k in order)
        a = moved(a, lengths, {int(k): n for n, k in enumerate(order)})
    parts = [p for p in a.parts if not p.axes]
    groups = _groups(a.shape, shape)
    waiting = [p for p in a.parts if p.axes]
    while waiting:
        axes, chosen = set(waiting[0].axes), []
        while True:  # groups and parts that hang together
            met = [g for g in groups if axes & set(g[0])]
            grown = axes.union(*(g[0] for g in met))
            chosen = [p for p in waiting if grown & set(p.axes)]
            grown = grown.union(*(p.axes for p in chosen))
            if grown == axes:
                break
            axes = grown
        waiting = [p for p in waiting if not any(p is q for q in chosen)]
        ids = written_out(s.forms, a.shape, chosen, sorted(axes))
        made = sorted(k for g in groups if set(g[0]) <= axes and g[0] for k in g[1])
        parts.append(Part(tuple(made), ids.reshape([shape[k] for k in made])))
    return Grade.of(shape, parts)


def _groups(
    before: tuple[int, ...], after: tuple[int, ...]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Runs of axes of equal size before and after."""
    groups, i, j = [], 0, 0
    while i < len(before) or j < len(after):
        left, right = [], []
        m = n = 1
        while True:
            if i < len(before) and (m <= n or j >= len(after)):
                m *= before[i]
                left.append(i)
                i += 1
            elif j < len(after):
                n *= after[j]
                right.append(j)
                j += 1
            if m == n and ((left and right) or (i >= len(before) and j >= len(after))):
                break
        groups.append((tuple(left), tuple(right)))
    return groups


class _Marks:
    """The arithmetic of degrees in which entries are moved: constants have the degree 0, or are 0."""

    def literal(self, values: np.ndarray) -> np.ndarray:
        return np.where(np.asarray(values) == 0, ZERO, 0)

    def zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, ZERO)


def _rearranged(s: _Propagation, ins: Instruction) -> list[Grade]:
    """Primitives that move entries without touching them."""
    arrays = {}
    for slot in ins.inputs:
        a = s.value(slot)
        arrays[slot] = written_out(s.forms, a.shape, a.parts, range(len(a.shape)))[None, None]
    evaluator = Evaluator(s.program, _Marks(), arrays)  # type: ignore[arg-type]
    grades = []
    for shape, ids in zip(ins.out_shapes, evaluator.outputs(ins), strict=True):
        if ids.size > MOST_ENTRIES:
            raise TooEntangled
        axes = tuple(range(len(shape)))
        grades.append(Grade.of(tuple(shape), [Part(axes, np.asarray(ids[0, 0]))]))
    return grades


def _gather(s: _Propagation, ins: Instruction) -> Grade | list[Grade]:
    """The axes that a gather takes whole pass; the others are gathered."""
    a, numbers = s.value(ins.inputs[0]), ins.params["dimension_numbers"]
    hidden = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
    windowed = [k for k in range(len(a.shape)) if k not in hidden]
    target = dict(zip(windowed, numbers.offset_dims, strict=True))
    whole = [
        k
        for k in windowed
        if ins.params["slice_sizes"][k] == a.shape[k] and k not in numbers.start_index_map
    ]
    passing = [p for p in a.parts if p.axes and set(p.axes) <= set(whole)]
    free = [
        k for k in whole if not any(k in p.axes for p in a.parts) or a.touching([k])[0] in passing
    ]
    shape = s.shape(ins)
    small = tuple(1 if k in free else n for k, n in enumerate(a.shape))
    out = tuple(1 if k in {target[f] for f in free} else n for k, n in enumerate(shape))
    sizes = tuple(1 if k in free else n for k, n in enumerate(ins.params["slice_sizes"]))
    ids = written_out(s.forms, small, a.without(passing), range(len(small)))
    less = Instruction(
        "gather", ins.inputs, ins.outputs, {**ins.params, "slice_sizes": sizes}, (out,), ins.where
    )
    evaluator = Evaluator(s.program, _Marks(), {ins.inputs[0]: ids[None, None]})  # type: ignore[arg-type]
    found = evaluator.outputs(less)[0][0, 0]
    kept = tuple(k for k in range(len(out)) if k not in {target[f] for f in free})
    gathered = Part(kept, found.reshape([out[k] for k in kept]))
    over = moved(Grade(a.shape, tuple(passing)), shape, {k: target[k] for k in free})
    return Grade.of(shape, [gathered, *over.parts])


def _constant(s: _Propagation, ins: Instruction) -> Grade:
    return Grade(s.shape(ins))


_RULES: dict[str, Rule] = {
    "add": _sum,
    "add_any": _sum,
    "sub": _sum,
    "mul": _product(1),
    "div": _product(-1),
    "neg": _same,
    "square": _power(lambda s, i: Fraction(2)),
    "integer_pow": _power(lambda s, i: Fraction(int(i.params["y"]))),
    "pow": _power(_exponent),
    "sqrt": _power(lambda s, i: Fraction(1, 2)),
    "rsqrt": _power(lambda s, i: Fraction(-1, 2)),
    "reduce_sum": _reduce_sum,
    "cumsum": _cumsum,
    "dot_general": _dot_general,
    "transpose": _transpose,
    "broadcast_in_dim": _broadcast,
    "squeeze": _squeeze,
    "slice": _each_axis(_sliced),
    "rev": _each_axis(_reversed),
    "reshape": _reshape,
    "gather": _gather,
    "iota": _constant,
    **dict.fromkeys(
        ("dynamic_slice", "pad", "concatenate", "stack", "unstack", "split", "select_n"),
        _rearranged,
    ),
    **dict.fromkeys(
        (
            "exp",
            "log",
            "log1p",
            "expm1",
            "erf",
            "erfc",
            "logistic",
            "sin",
            "cos",
            "atan",
            "tanh",
        ),
        _transcendental,
    ),
}


__all__: list[Any] = ["propagate"]
