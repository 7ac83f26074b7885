"""Cuts of a program: values replaced by inputs of their own.

What vanishes for free values at the cuts vanishes for the true ones. A cut forgets how a value came about, so a program
in which an identity survives is far smaller to expand. Values are sorted by what they depend on: *known* ones on
literals and known inputs alone, *read* ones on an input that the question is about, *free* ones on others only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from geoflow.exact.dual import TRANSCENDENTAL
from geoflow.exact.program import Instruction, Program, live


class Kind(IntEnum):
    """What a value depends on."""

    KNOWN = 0
    FREE = 1
    READ = 2


class Depth(IntEnum):
    """What is cut: nothing; the last free values; also elementwise products and functions of read values."""

    NONE = 0
    FREE = 1
    ELEMENTWISE = 2


@dataclass(frozen=True)
class Cut:
    """A program that needs the values of the slots `fresh` (with their shapes), and of gates, beside its inputs."""

    program: Program
    fresh: tuple[tuple[int, tuple[int, ...]], ...]


# entries of the result are entries of the arguments or known numbers
_MOVES = (
    "transpose", "reshape", "broadcast_in_dim", "squeeze", "slice", "rev", "dynamic_slice",
    "pad", "concatenate", "stack", "unstack", "split", "gather", "select_n", "neg",
)  # fmt: skip
_FUNCTIONS = (
    "square", "integer_pow", "pow", "sqrt", "rsqrt", "cumprod", "reduce_prod", "exp2", *TRANSCENDENTAL,
)  # fmt: skip


def cut(program: Program, kinds: Sequence[Kind], outputs: Sequence[int], depth: Depth) -> Cut:
    """The program of some `outputs` (positions) alone, cut. `kinds`: one for every input."""
    wanted = [program.outputs[k] for k in outputs]
    kind: dict[int, Kind] = dict.fromkeys(program.literals, Kind.KNOWN)
    kind.update(enumerate(kinds))
    kind.update((gate.slot, Kind.FREE) for gate in program.gates)
    maker: dict[int, Instruction] = {}
    for instruction in program.instructions:
        of = max((kind[slot] for slot in instruction.inputs), default=Kind.KNOWN)
        kind.update(dict.fromkeys(instruction.outputs, of))
        maker.update(dict.fromkeys(instruction.outputs, instruction))
    fresh: dict[int, tuple[int, ...]] = {}
    stack, seen = list(wanted), set[int]()
    while stack:
        slot = stack.pop()
        if slot in seen or slot not in maker:
            continue
        seen.add(slot)
        instruction = maker[slot]
        if _is_cut(instruction, kind, depth):
            fresh[slot] = instruction.out_shapes[instruction.outputs.index(slot)]
        else:
            stack += instruction.inputs
    kept = [i for i in program.instructions if not fresh.keys() & set(i.outputs)]
    small = replace(
        program,
        instructions=live(kept, wanted),
        gates=(),
        outputs=tuple(wanted),
        output_shapes=tuple(program.output_shapes[k] for k in outputs),
    )
    return Cut(small, tuple(sorted(fresh.items())))


def _is_cut(instruction: Instruction, kind: dict[int, Kind], depth: Depth) -> bool:
    kinds = [kind[slot] for slot in instruction.inputs]
    of = max(kinds, default=Kind.KNOWN)
    if of is Kind.FREE:
        scales = instruction.primitive == "mul" and Kind.KNOWN in kinds
        return depth >= Depth.FREE and instruction.primitive not in _MOVES and not scales
    if of is Kind.READ and depth is Depth.ELEMENTWISE:
        if instruction.primitive in ("mul", "div"):
            return kinds[-1] is Kind.READ and (
                kinds[0] is Kind.READ or instruction.primitive == "div"
            )
        return instruction.primitive in _FUNCTIONS
    return False
