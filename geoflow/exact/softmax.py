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
    program = _without_infinite_bounds(program)
    for instruction in program.instructions:
        if instruction.primitive == "reduce_max" and _cancels(program, instruction):
            program = _zeroed(program, instruction)
    return _unmasked(program)


def _without_infinite_bounds(program: Program) -> Program:
    """max(x, −∞) is x: JAX starts maxima there."""
    alias: dict[int, int] = {}
    kept: list[Instruction] = []
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
        kept.append(ins)
    outputs = tuple(alias.get(s, s) for s in program.outputs)
    return replace(program, instructions=live(kept, outputs), outputs=outputs)


def _zeroed(program: Program, maximum: Instruction) -> Program:
    """The program with 0 for the maximum."""
    slot = maximum.outputs[0]
    kept = [i for i in program.instructions if i is not maximum]
    literals = {**program.literals, slot: np.zeros(maximum.out_shapes[0])}
    return replace(program, instructions=live(kept, program.outputs), literals=literals)


def _cancels(program: Program, maximum: Instruction) -> bool:
    """Whether no output depends on the maximum."""
    parts: dict[int, _Part] = {maximum.outputs[0]: _Part("sum", 1, False)}
    shape = next(
        (
            s
            for i in program.instructions
            for o, s in zip(i.outputs, i.out_shapes, strict=True)
            if o == maximum.inputs[0]
        ),
        program.input_shapes[maximum.inputs[0]]
        if maximum.inputs[0] < len(program.input_shapes)
        else (),
    )
    axes = tuple(int(a) for a in maximum.params["axes"])
    for instruction in program.instructions:
        if not any(s in parts for s in instruction.inputs):
            continue
        part = _followed(instruction, parts, shape, axes)
        if part is None:
            return False
        if part.weight:
            parts[instruction.outputs[0]] = part
    return not any(s in parts for s in program.outputs)


def _followed(
    ins: Instruction, parts: Mapping[int, _Part], shape: tuple[int, ...], axes: tuple[int, ...]
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
        case "reduce_sum" if known[0].kind == "product" and known[0].full:
            over = tuple(int(a) for a in ins.params["axes"])
            return replace(known[0], full=False) if over == axes else None
        case _:
            return None


def _aligned(ins: Instruction, shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether the values stay beside the rows that they belong to."""
    if ins.primitive != "broadcast_in_dim":
        return True
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
    for ins in program.instructions:
        found = _mask(ins.inputs[0], made, literals) if ins.primitive == "exp" else None
        if found is None:
            out.append(ins)
            made.update(dict.fromkeys(ins.outputs, ins))
            continue
        mask, base, bias = found
        shape = ins.out_shapes[0]
        keep, add, shifted, weight = range(fresh, fresh + 4)
        fresh += 4
        literals[keep] = np.broadcast_to(mask, shape).astype(np.float64)
        literals[add] = np.broadcast_to(bias, shape).astype(np.float64)
        out += [
            Instruction("add", (base, add), (shifted,), {}, (shape,), ins.where),
            Instruction("exp", (shifted,), (weight,), dict(ins.params), (shape,), ins.where),
            Instruction("mul", (weight, keep), ins.outputs, {}, (shape,), ins.where),
        ]
    return replace(program, instructions=live(out, program.outputs), literals=literals)


def _mask(
    slot: int, made: Mapping[int, Instruction], literals: Mapping[int, np.ndarray]
) -> tuple[np.ndarray, int, np.ndarray] | None:
    """(1 where the score counts, the slot of the scores, what is added to them), where scores are masked."""
    ins = made.get(slot)
    if ins is None:
        return None
    match ins.primitive:
        case "select_n" if ins.inputs[0] in literals and len(ins.inputs) == 3:
            which = np.broadcast_to(literals[ins.inputs[0]].astype(int), ins.out_shapes[0])
            for k, (case, other) in enumerate((ins.inputs[1:], ins.inputs[:0:-1])):
                value = _number(case, made, literals)
                if value is not None and value <= _MASKED:
                    return which != k, other, np.zeros(())
        case "add":
            for x, y in (ins.inputs, ins.inputs[::-1]):
                if y in literals and np.any(literals[y] <= _MASKED):
                    keep = literals[y] > _MASKED
                    return keep, x, np.where(keep, literals[y], 0.0)
        case "sub":
            if _number(ins.inputs[1], made, literals) == 0:
                return _mask(ins.inputs[0], made, literals)
    return None


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
