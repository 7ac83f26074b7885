"""`Program`: a traced JAX function as a flat list of instructions, with calls inlined and what is not needed removed.

Removing dead instructions matters beyond speed: the derivative of `log(u)` along a vector field is rational, and the
unused value of the logarithm must not stand in the way of evaluating it exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import jax
import numpy as np

ERF_SLOPE = 2 / math.sqrt(math.pi)


class UnsupportedPrimitive(Exception):
    """A JAX primitive that no exact arithmetic here can evaluate."""

    def __init__(self, name: str, where: str = ""):
        super().__init__(name, where)
        self.name, self.where = name, where


@dataclass(frozen=True)
class Instruction:
    """`outputs = primitive(*inputs)`; slots are integers."""

    primitive: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    params: Mapping[str, Any]
    out_shapes: tuple[tuple[int, ...], ...]
    where: str = ""


@dataclass(frozen=True)
class Program:
    """Slots 0 … len(inputs) − 1 hold the flattened arguments. `literals` are the float constants met, by slot."""

    instructions: tuple[Instruction, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    literals: Mapping[int, np.ndarray]
    outputs: tuple[int, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    in_tree: Any
    out_tree: Any
    gates: tuple[Any, ...] = ()  # of `exact.gates.Gate`: slots that further arguments fill
    erf: bool = False  # erf was met: `ERF_SLOPE` is its derivative's 2/√π, which JAX rounds
    readings: tuple[str, ...] = ()  # what verdicts take for granted of constants

    def is_erf_slope(self, values: np.ndarray) -> bool:
        """Whether a constant stands for 2/√π, or −2/√π."""
        return self.erf and bool(np.all(np.abs(values) == ERF_SLOPE))

    def assumed(self) -> tuple[str, ...]:
        """What is taken for granted of the constants: `readings`, and of the float next to 2/√π."""
        slope = any(map(self.is_erf_slope, self.used_literals()))
        return (*self.readings, *((f"with {ERF_SLOPE!r} read as 2/√π",) if slope else ()))

    @property
    def used(self) -> frozenset[int]:
        """Slots that something reads, or that are outputs."""
        return frozenset(s for i in self.instructions for s in i.inputs) | frozenset(self.outputs)

    def rounded_literals(self) -> tuple[float, ...]:
        """Float constants that are not the decimal numbers they are written as: 0.1, but not 0.5."""
        values = {
            float(x) for v in self.used_literals() if not self.is_erf_slope(v) for x in v.flat
        }
        finite = (x for x in values if math.isfinite(x))
        return tuple(sorted(x for x in finite if Fraction(repr(x)) != Fraction(x)))

    def used_literals(self) -> list[np.ndarray]:
        """The constants that some instruction reads, or that are returned."""
        return [self.literals[slot] for slot in self.used & set(self.literals)]


def trace(function: Callable[..., Any], *examples: Any) -> Program:
    """Trace `function` in float64 on examples (pytrees of `jax.ShapeDtypeStruct`). JAX's configuration is not
    touched outside this call."""
    from geoflow.exact.inlining import Inlining
    from geoflow.exact.stability import settled

    leaves, in_tree = jax.tree.flatten(examples)
    store: list[Any] = []

    def flat(*values: Any) -> list[Any]:
        out, tree = jax.tree.flatten(function(*jax.tree.unflatten(in_tree, values)))
        store.append(tree)
        return out

    with jax.enable_x64(True):
        wide = [jax.ShapeDtypeStruct(leaf.shape, np.float64) for leaf in leaves]
        closed = jax.make_jaxpr(flat)(*wide)
        builder = Inlining(len(leaves))
        outputs = builder.inline(closed, list(range(len(leaves))))
    program = Program(
        instructions=live(builder.instructions, outputs),
        input_shapes=tuple(tuple(leaf.shape) for leaf in leaves),
        literals=builder.literals,
        outputs=tuple(outputs),
        output_shapes=tuple(tuple(v.aval.shape) for v in closed.jaxpr.outvars),
        in_tree=in_tree,
        out_tree=store[-1],
        erf=builder.erf,
    )
    return settled(program)


def live(instructions: Sequence[Instruction], outputs: Sequence[int]) -> tuple[Instruction, ...]:
    """The instructions that the slots `outputs` need."""
    needed, kept = set(outputs), []
    for instruction in reversed(instructions):
        if needed.intersection(instruction.outputs):
            needed.update(instruction.inputs)
            kept.append(instruction)
    return tuple(reversed(kept))
