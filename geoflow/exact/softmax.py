"""Undo what a numerically stable softmax does, so that exact arithmetic meets only exp, sums and quotients.

*Shift*: exp(z − s)/Σ exp(z − s) does not depend on s = max z. Every value that s enters is followed: it is f + c·s, or
f·exp(k·s); where all of them meet again in values without s, s is replaced by 0. Nothing is assumed: where the rules
below do not show it, the maximum stays (and becomes a gate).

*Masks*: a score of −∞, or of a number below −10⁹ in its place, has the weight exactly 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from geoflow.exact.program import Instruction, Program, live

_MASKED = -1e9
_READING = f"with scores of {_MASKED:g} or less weighing exactly 0"
_MOVES = {"broadcast_in_dim", "reshape", "squeeze"}


@dataclass(frozen=True)
class _Part:
    """A value f + weight·s ("sum"), or f·exp(weight·s) ("product"). `full`: it varies over the axes of the maximum."""

    kind: Literal["sum", "product"]
    weight: int
    full: bool


def unstabilized(program: Program) -> Program:
    """The program without the maxima that cancel, and with masked scores weighing nothing."""
    if not any(i.primitive == "exp" for i in program.instructions):
        return program
    program = _plain_sums_of_exponentials(_without_infinite_bounds(program))
    for instruction in program.instructions:
        if instruction.primitive == "reduce_max" and _cancels(program, instruction):
            program = _zeroed(program, instruction)
    return _unmasked(program)


def _without_infinite_bounds(program: Program) -> Program:
    """max(x, −∞) is x: JAX starts maxima there. What it selects where a value is finite is selected."""
    alias: dict[int, int] = {}
    kept: list[Instruction] = []
    finite: set[int] = set()
    for ins in program.instructions:
        ins = replace(ins, inputs=tuple(alias.get(s, s) for s in ins.inputs))
        if ins.primitive == "max":
            x, y = ins.inputs
            if x in program.literals:
                x, y = y, x
            bound = program.literals.get(y)
            if bound is not None and np.all(bound == -np.inf):
                alias[ins.outputs[0]] = x
                continue
        if ins.primitive == "is_finite":
            finite.add(ins.outputs[0])
        if ins.primitive == "select_n" and ins.inputs[0] in finite:
            alias[ins.outputs[0]] = ins.inputs[2]
            continue
        kept.append(ins)
    outputs = tuple(alias.get(s, s) for s in program.outputs)
    return replace(program, instructions=live(kept, outputs), outputs=outputs)


def _plain_sums_of_exponentials(program: Program) -> Program:
    """max(x, y) + log1p(exp(−|x − y|)) is log(exp x + exp y): `jnp.logaddexp`, hence softplus and its kin."""
    made = {o: i for i in program.instructions for o in i.outputs}
    literals = dict(program.literals)
    slots = {s for i in program.instructions for s in (*i.inputs, *i.outputs)}
    fresh = max({*slots, *literals, len(program.input_shapes), *program.outputs}) + 1
    out: list[Instruction] = []
    for ins in program.instructions:
        pair = _logaddexp(ins, made)
        if pair is None:
            out.append(ins)
            continue
        shape, terms = ins.out_shapes[0], []
        for slot in pair:
            term, fresh = fresh, fresh + 1
            terms.append(term)
            if slot in literals and np.all(literals[slot] == 0):
                literals[term] = np.ones(literals[slot].shape)
                continue
            own = made[slot].out_shapes[0] if slot in made else shape
            if slot < len(program.input_shapes):
                own = program.input_shapes[slot]
            out.append(Instruction("exp", (slot,), (term,), {}, (own,), ins.where))
        out.append(Instruction("add", tuple(terms), (fresh,), {}, (shape,), ins.where))
        out.append(Instruction("log", (fresh,), ins.outputs, {}, (shape,), ins.where))
        fresh += 1
    return replace(program, instructions=live(out, program.outputs), literals=literals)


def _logaddexp(ins: Instruction, made: Mapping[int, Instruction]) -> tuple[int, ...] | None:
    """x and y, where the instruction is the sum above."""
    if ins.primitive != "add" or any(s not in made for s in ins.inputs):
        return None
    greatest, rest = (made[s] for s in ins.inputs)
    for name in ("log1p", "exp", "neg", "abs", "sub"):
        if rest.primitive != name:
            return None
        if name != "sub":
            if rest.inputs[0] not in made:
                return None
            rest = made[rest.inputs[0]]
    return rest.inputs if greatest.primitive == "max" and greatest.inputs == rest.inputs else None


def _zeroed(program: Program, maximum: Instruction) -> Program:
    """The program with 0 for the maximum."""
    slot = maximum.outputs[0]
    kept = [i for i in program.instructions if i is not maximum]
    literals = {**program.literals, slot: np.zeros(maximum.out_shapes[0])}
    return replace(program, instructions=live(kept, program.outputs), literals=literals)


def _cancels(program: Program, maximum: Instruction) -> bool:
    """Whether no output depends on the maximum."""
    parts: dict[int, _Part] = {maximum.outputs[0]: _Part("sum", 1, False)}
    shapes = dict(enumerate(program.input_shapes)) | {
        k: v.shape for k, v in program.literals.items()
    }
    for i in program.instructions:
        shapes.update(zip(i.outputs, i.out_shapes, strict=True))
    shape = shapes[maximum.inputs[0]]
    axes = tuple(int(a) for a in maximum.params["axes"])
    for instruction in program.instructions:
        if not any(s in parts for s in instruction.inputs):
            continue
        part = _followed(instruction, parts, shape, axes, program, shapes)
        if part is None:
            return False
        if part.weight:
            parts[instruction.outputs[0]] = part
    return not any(s in parts for s in program.outputs)


def _followed(
    ins: Instruction,
    parts: Mapping[int, _Part],
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    program: Program,
    shapes: Mapping[int, tuple[int, ...]],
) -> _Part | None:
    """What the shift does to a result; None where it is not known."""
    given = [parts.get(s) for s in ins.inputs]
    known = [p for p in given if p is not None]
    full = ins.out_shapes[0] == shape
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
    reduced = tuple(n for k, n in enumerate(shape) if k not in axes)
    if ins.out_shapes[0] not in (shape, kept, reduced):
        return None
    match ins.primitive:
        case name if name in _MOVES:
            return replace(known[0], full=full) if _aligned(ins, shape, axes) else None
        case "add" | "add_any" | "sub":
            if all(p.kind == "sum" for p in known):
                sign = -1 if ins.primitive == "sub" else 1
                weights = [p.weight if p else 0 for p in given]
                return _Part("sum", weights[0] + sign * weights[1], full)
            same = len(known) == 2 and known[0] == known[1]
            return replace(known[0], full=full) if same else None
        case "neg":
            p = known[0]
            return replace(p, weight=-p.weight) if p.kind == "sum" else p
        case "exp":
            p = known[0]
            return _Part("product", p.weight, full) if p.kind == "sum" else None
        case "log":
            p = known[0]
            return _Part("sum", p.weight, full) if p.kind == "product" else None
        case "mul" | "div" if all(p.kind == "product" for p in known):
            sign = -1 if ins.primitive == "div" else 1
            weights = [p.weight if p else 0 for p in given]
            return _Part("product", weights[0] + sign * weights[1], full)
        case "integer_pow" if known[0].kind == "product":
            return replace(known[0], weight=known[0].weight * int(ins.params["y"]))
        case "reduce_sum" if tuple(int(a) for a in ins.params["axes"]) == axes:
            if shapes[ins.inputs[0]] == kept:  # one term
                return replace(known[0], full=False)
            summed = known[0].kind == "product" and known[0].full
            return replace(known[0], full=False) if summed else None
        case "abs" | "sign" | "ge" | "gt" | "le" | "lt" if known[0].kind == "product":
            if len(ins.inputs) == 2 and not any(_is_zero(s, program) for s in ins.inputs):
                return None
            return replace(known[0], weight=known[0].weight if ins.primitive == "abs" else 0)
        case "select_n" if given[0] is None:
            cases = list(zip(given, ins.inputs, strict=True))[1:]
            others = [p for p, s in cases if not _is_zero(s, program)]
            same = all(p == known[0] for p in others) and known[0].kind == "product"
            return known[0] if same else None
        case _:
            return None


def _is_zero(slot: int, program: Program) -> bool:
    literal = program.literals.get(slot)
    return literal is not None and not np.any(literal)


def _aligned(ins: Instruction, shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether the values stay beside the rows that they belong to."""
    if ins.primitive != "broadcast_in_dim":
        return ins.params.get("dimensions") is None or ins.primitive == "squeeze"
    where = tuple(int(k) for k in ins.params["broadcast_dimensions"])
    others = tuple(k for k in range(len(shape)) if k not in axes)
    return where in (others, tuple(range(len(shape))))


def _unmasked(program: Program) -> Program:
    """exp of masked scores: the mask times exp of the others."""
    made: dict[int, Instruction] = {}
    literals = dict(program.literals)
    slots = {s for i in program.instructions for s in (*i.inputs, *i.outputs)}
    fresh = max({*slots, *literals, len(program.input_shapes), *program.outputs}) + 1
    out: list[Instruction] = []
    finite = False
    for ins in program.instructions:
        found = _mask(ins.inputs[0], made, literals) if ins.primitive == "exp" else None
        if found is None:
            out.append(ins)
            made.update(dict.fromkeys(ins.outputs, ins))
            continue
        finite = finite or found.finite
        shape = ins.out_shapes[0]
        keep, add, weight, value = range(fresh, fresh + 4)
        fresh += 4
        literals[keep] = np.broadcast_to(found.keep, shape).astype(np.float64)
        literals[add] = np.broadcast_to(found.bias, shape).astype(np.float64)
        out.append(Instruction("add", (found.scores, add), (value,), {}, (shape,), ins.where))
        for name, factor in found.factors:
            out.append(Instruction(name, (value, factor), (fresh,), {}, (shape,), ins.where))
            value, fresh = fresh, fresh + 1
        out += [
            Instruction("exp", (value,), (weight,), dict(ins.params), (shape,), ins.where),
            Instruction("mul", (weight, keep), ins.outputs, {}, (shape,), ins.where),
        ]
    return replace(
        program,
        instructions=live(out, program.outputs),
        literals=literals,
        readings=(*program.readings, *((_READING,) if finite else ())),
    )


@dataclass(frozen=True)
class _Mask:
    """Scores of which some are masked: `keep` the others, add `bias`, then multiply (or divide) by the factors.
    `finite`: a large number masks, not −∞."""

    keep: np.ndarray
    scores: int
    bias: np.ndarray
    finite: bool
    factors: tuple[tuple[str, int], ...] = ()


def _mask(
    slot: int, made: Mapping[int, Instruction], literals: Mapping[int, np.ndarray]
) -> _Mask | None:
    """The mask of scores, where they have one. Rows without any score that counts keep their large numbers."""
    ins = made.get(slot)
    if ins is None:
        return None
    match ins.primitive:
        case "select_n" if ins.inputs[0] in literals and len(ins.inputs) == 3:
            which = np.broadcast_to(literals[ins.inputs[0]].astype(int), ins.out_shapes[0])
            for k, (case, other) in enumerate((ins.inputs[1:], ins.inputs[:0:-1])):
                value = _number(case, made, literals)
                if value is not None and value <= _MASKED:
                    return _unless_empty(
                        _Mask(which != k, other, np.zeros(()), bool(np.isfinite(value)))
                    )
        case "add":
            for x, y in (ins.inputs, ins.inputs[::-1]):
                if y in literals and np.any(literals[y] <= _MASKED):
                    bias = np.broadcast_to(literals[y], ins.out_shapes[0])
                    keep = bias > _MASKED
                    finite = bool(np.any(np.isfinite(bias[~keep])))
                    return _unless_empty(_Mask(keep, x, np.where(keep, bias, 0.0), finite))
        case "sub" if ins.inputs[1] in literals:
            masks = literals[ins.inputs[1]]
            if not np.any(masks):
                return _mask(ins.inputs[0], made, literals)
            if np.any(masks >= -_MASKED):
                bias = np.broadcast_to(-masks, ins.out_shapes[0])
                keep = bias > _MASKED
                finite = bool(np.any(np.isfinite(bias[~keep])))
                return _unless_empty(_Mask(keep, ins.inputs[0], np.where(keep, bias, 0.0), finite))
        case "sub" if _number(ins.inputs[1], made, literals) == 0:
            return _mask(ins.inputs[0], made, literals)
        case "mul" | "div" if _is_moderate(ins.inputs[1], made, literals):
            found = _mask(ins.inputs[0], made, literals)
            factor = (ins.primitive, ins.inputs[1])
            return found and replace(found, factors=(*found.factors, factor))
        case "mul" if _is_moderate(ins.inputs[0], made, literals):
            found = _mask(ins.inputs[1], made, literals)
            return found and replace(found, factors=(*found.factors, ("mul", ins.inputs[0])))
    return None


def _unless_empty(mask: _Mask) -> _Mask | None:
    """Nothing where a row is masked whole by a large number: there the numbers cancel, and all weigh the same."""
    return None if mask.finite and not np.all(mask.keep.any(axis=-1)) else mask


def _is_moderate(
    slot: int, made: Mapping[int, Instruction], literals: Mapping[int, np.ndarray]
) -> bool:
    """Whether a factor is a constant that leaves a mask one: positive, within a factor of 1000."""
    if slot in literals:
        return bool(np.all((literals[slot] > 1e-3) & (literals[slot] < 1e3)))
    ins = made.get(slot)
    return (
        ins is not None
        and ins.primitive in ("sqrt", "rsqrt", *_MOVES)
        and _is_moderate(ins.inputs[0], made, literals)
    )


def _number(
    slot: int, made: Mapping[int, Instruction], literals: Mapping[int, np.ndarray]
) -> float | None:
    while slot not in literals:
        ins = made.get(slot)
        if ins is None or ins.primitive not in _MOVES:
            return None
        slot = ins.inputs[0]
    values = np.unique(literals[slot])
    return float(values[0]) if len(values) == 1 else None
