"""Gates: what a piecewise function chooses, as one more input of a program (`exact.lifting` makes them).

A gate is locally constant, so it has no derivative. In the *lifted* reading gates are free; in the *real* one they are
what the values at the point say (`Gate.left`, `Gate.right`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from geoflow.exact.program import Program

_LINEAR = {
    "add", "add_any", "sub", "neg", "reduce_sum", "cumsum", "transpose", "reshape", "broadcast_in_dim", "squeeze",
    "slice", "rev", "dynamic_slice", "pad", "concatenate", "stack", "unstack", "split", "gather", "scatter-add",
    "select_n",
}  # fmt: skip


@dataclass(frozen=True)
class Gate:
    """An input slot that holds 1 where the value of `left` exceeds that of `right` (0 if None), else 0; a `choice`
    holds a single 1 over `axes`, where `left` is greatest."""

    slot: int
    shape: tuple[int, ...]
    left: int
    right: int | None = None
    axes: tuple[int, ...] = ()


def multi_affine(program: Program) -> bool:
    """Whether no gate is multiplied with itself, so that gates may take any value: a multi-affine function of them is
    at every point in the span of its values at 0 and 1. Gates of one array count as one."""
    gates = {g.slot for g in program.gates}
    if any(g.axes for g in program.gates):
        return False
    degrees: dict[int, Counter[int]] = {g: Counter({g: 1}) for g in gates}
    none: Counter[int] = Counter()
    for ins in program.instructions:
        given = [degrees.get(s, none) for s in ins.inputs]
        if not any(given):
            continue
        match ins.primitive:
            case "mul" | "dot_general":
                found = given[0] + given[1]
            case "div" if not given[1]:
                found = given[0]
            case name if name in _LINEAR:
                found = given[0]
                for other in given[1:]:
                    found = found | other
            case _:
                return False
        if any(d > 1 for d in found.values()):
            return False
        degrees.update(dict.fromkeys(ins.outputs, found))
    return True
