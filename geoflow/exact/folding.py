"""Compute once what a program makes from constants alone: masks, and comparisons of them. Nothing here rounds: a float
that would is left to exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from geoflow.exact.floats import Floats
from geoflow.exact.interpreter import run
from geoflow.exact.literals import exactly
from geoflow.exact.program import Instruction, Program, UnsupportedPrimitive, live

_MOVES = {
    "broadcast_in_dim", "reshape", "squeeze", "expand_dims", "transpose", "slice", "rev", "concatenate", "select_n",
    "pad", "gather", "dynamic_slice",
}  # fmt: skip
_EXACT: dict[str, Callable[..., Any]] = {
    "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal,
    "max": np.maximum, "min": np.minimum, "neg": np.negative, "abs": np.abs, "sign": np.sign,
    "is_finite": np.isfinite, "stop_gradient": lambda x: x,
}  # fmt: skip
_TRUTH = {"and": np.logical_and, "or": np.logical_or, "not": np.logical_not, "xor": np.logical_xor}
_LARGEST = 2**14  # entries of a folded constant


def folded(program: Program) -> Program:
    """The program with constants for what depends on no input."""
    literals = dict(program.literals)
    kept: list[Instruction] = []
    alias: dict[int, int] = {}
    for ins in program.instructions:
        ins = replace(ins, inputs=tuple(alias.get(s, s) for s in ins.inputs))
        chosen = _settled(ins, literals)
        if chosen is not None:
            alias[ins.outputs[0]] = chosen
            continue
        known = [literals[s] for s in ins.inputs if s in literals]
        exact = not any(map(program.is_erf_slope, known)) or ins.primitive in _MOVES
        value = _value(ins, known) if exact else None
        if value is None:
            kept.append(ins)
        else:
            literals[ins.outputs[0]] = value
    outputs = tuple(alias.get(s, s) for s in program.outputs)
    return replace(program, instructions=live(kept, outputs), literals=literals, outputs=outputs)


def _settled(ins: Instruction, literals: Mapping[int, np.ndarray]) -> int | None:
    """The case that a selection takes everywhere."""
    if ins.primitive != "select_n" or ins.inputs[0] not in literals:
        return None
    which = np.unique(literals[ins.inputs[0]].astype(int))
    return ins.inputs[1 + int(which[0])] if len(which) == 1 else None


def _value(ins: Instruction, given: Sequence[np.ndarray]) -> np.ndarray | None:
    """The output, where all inputs are known and it is computed without rounding."""
    size = int(np.prod(ins.out_shapes[0], dtype=np.int64))
    if len(given) < len(ins.inputs) or len(ins.outputs) != 1 or size > _LARGEST:
        return None
    name = ins.primitive
    if name == "iota":
        axis, shape = ins.params["dimension"], ins.out_shapes[0]
        ramp = np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))])
        return np.broadcast_to(ramp, shape)
    if not given:
        return None
    if name in _MOVES:
        return _moved(ins, given)
    if name in _EXACT:
        return np.broadcast_to(_EXACT[name](*given), ins.out_shapes[0])
    if name in _TRUTH and all(x.dtype == bool for x in given):
        return np.broadcast_to(_TRUTH[name](*given), ins.out_shapes[0])
    found = exactly(name, given, _LARGEST)
    return None if found is None else np.broadcast_to(found, ins.out_shapes[0])


def _moved(ins: Instruction, given: Sequence[np.ndarray]) -> np.ndarray | None:
    static = 0 if ins.primitive == "select_n" else None
    first = 1 if ins.primitive in ("gather", "dynamic_slice") else len(given)
    fixed = {k: v for k, v in enumerate(given) if k == static or k >= first}
    moving = [k for k in range(len(given)) if k not in fixed]
    order = [*moving, *fixed]
    slots = {k: position for position, k in enumerate(order)}
    alone = Program(
        (replace(ins, inputs=tuple(slots[k] for k in range(len(given))), outputs=(len(order),)),),
        tuple(given[k].shape for k in moving),
        {slots[k]: v for k, v in fixed.items()},
        (len(order),),
        (ins.out_shapes[0],),
        None,
        None,
    )
    truth = all(given[k].dtype == bool for k in moving)
    try:
        values = [np.asarray(given[k], dtype=np.float64)[None, None] for k in moving]
        result = run(alone, Floats(), values)[0][0, 0]
    except UnsupportedPrimitive:
        return None
    return result.astype(bool) if truth else result
