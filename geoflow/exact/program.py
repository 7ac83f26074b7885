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
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal

_CALLS = {
    "jit",
    "pjit",
    "closed_call",
    "core_call",
    "custom_jvp_call",
    "custom_vjp_call",
    "remat",
    "remat2",
    "checkpoint",
}
ERF_SLOPE = 2 / math.sqrt(math.pi)
_IDENTITIES = {"copy", "copy_p", "stop_gradient"}


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
    leaves, in_tree = jax.tree.flatten(examples)
    store: list[Any] = []

    def flat(*values: Any) -> list[Any]:
        out, tree = jax.tree.flatten(function(*jax.tree.unflatten(in_tree, values)))
        store.append(tree)
        return out

    with jax.enable_x64(True):
        wide = [jax.ShapeDtypeStruct(leaf.shape, np.float64) for leaf in leaves]
        closed = jax.make_jaxpr(flat)(*wide)
    builder = _Builder(len(leaves))
    outputs = builder.inline(closed, list(range(len(leaves))))
    return Program(
        instructions=live(builder.instructions, outputs),
        input_shapes=tuple(tuple(leaf.shape) for leaf in leaves),
        literals=builder.literals,
        outputs=tuple(outputs),
        output_shapes=tuple(tuple(v.aval.shape) for v in closed.jaxpr.outvars),
        in_tree=in_tree,
        out_tree=store[-1],
        erf=builder.erf,
    )


class _Builder:
    """Inlines nested calls and shares equal instructions."""

    def __init__(self, inputs: int):
        self.next = inputs
        self.instructions: list[Instruction] = []
        self.literals: dict[int, np.ndarray] = {}
        self.erf = False
        self._known: dict[Any, tuple[int, ...]] = {}

    def literal(self, value: Any) -> int:
        array = np.asarray(value)
        key = ("literal", array.shape, array.dtype.kind, array.tobytes())
        if key not in self._known:
            self.literals[self.next] = array
            self._known[key] = (self.next,)
            self.next += 1
        return self._known[key][0]

    def inline(self, closed: ClosedJaxpr, arguments: Sequence[int], where: str = "") -> list[int]:
        """The slots of the outputs. `where` is the place of the call, for equations that know none."""
        jaxpr = closed.jaxpr
        env: dict[Any, int] = dict(zip(jaxpr.invars, arguments, strict=True))
        env.update(
            (v, self.literal(c)) for v, c in zip(jaxpr.constvars, closed.consts, strict=True)
        )

        def read(atom: Any) -> int:
            return self.literal(atom.val) if isinstance(atom, Literal) else env[atom]

        for eqn in jaxpr.eqns:
            name = eqn.primitive.name
            inputs = [read(v) for v in eqn.invars]
            self.erf = self.erf or name in ("erf", "erfc")
            if name in _CALLS:
                outputs = self.inline(_callee(eqn), inputs, _where(eqn) or where)
            elif name == "cond" and inputs[0] in self.literals:
                branch = eqn.params["branches"][int(self.literals[inputs[0]])]
                outputs = self.inline(branch, inputs[1:], _where(eqn) or where)
            elif self._is_index_computation(eqn, inputs):
                outputs = self._fold(eqn, inputs)
            else:
                outputs = self._emit(eqn, inputs, where)
            env.update(zip(eqn.outvars, outputs, strict=True))
        return [read(v) for v in jaxpr.outvars]

    def _is_index_computation(self, eqn: Any, inputs: list[int]) -> bool:
        """Integers and truth values made from literals alone; floats are never folded, since that could round."""
        integral = all(np.dtype(v.aval.dtype).kind in "iub" for v in eqn.outvars)
        return integral and all(i in self.literals for i in inputs)

    def _fold(self, eqn: Any, inputs: list[int]) -> list[int]:
        if eqn.primitive.name == "platform_index":
            return [self.literal(np.int64(eqn.params["platforms"].index(None)))]
        given = [
            np.asarray(self.literals[i], dtype=v.aval.dtype)
            for i, v in zip(inputs, eqn.invars, strict=True)
        ]
        with jax.enable_x64(True):
            values = eqn.primitive.bind(*given, **eqn.params)
        return [
            self.literal(np.asarray(v))
            for v in (values if eqn.primitive.multiple_results else [values])
        ]

    def _emit(self, eqn: Any, inputs: list[int], called: str) -> tuple[int, ...]:
        name = eqn.primitive.name
        if name in _IDENTITIES or (name == "convert_element_type" and _keeps_value(eqn)):
            return (inputs[0],)
        key = (name, tuple(inputs), repr(sorted(eqn.params.items(), key=lambda item: item[0])))
        if key not in self._known:
            outputs = tuple(range(self.next, self.next + len(eqn.outvars)))
            self.next += len(outputs)
            shapes = tuple(tuple(v.aval.shape) for v in eqn.outvars)
            where = _where(eqn) or called
            self.instructions.append(
                Instruction(name, tuple(inputs), outputs, eqn.params, shapes, where)
            )
            self._known[key] = outputs
        return self._known[key]


def _keeps_value(eqn: Any) -> bool:
    """A conversion to float32 or float64. One to integers, truth values or narrower floats rounds: no exact arithmetic
    has it."""
    dtype = eqn.outvars[0].aval.dtype
    return bool(jnp.issubdtype(dtype, jnp.floating)) and np.dtype(dtype).itemsize >= 4


def _callee(eqn: Any) -> ClosedJaxpr:
    callee = next(eqn.params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in eqn.params)
    return callee if isinstance(callee, ClosedJaxpr) else ClosedJaxpr(callee, ())


def _where(eqn: Any) -> str:
    traceback = getattr(eqn.source_info, "traceback", None)
    for frame in getattr(traceback, "frames", []) or []:
        if not any(part in frame.file_name for part in ("/jax/", "/jaxlib/", "/geoflow/")):
            return f"{frame.file_name}:{frame.line_num}"
    return ""


def live(instructions: Sequence[Instruction], outputs: Sequence[int]) -> tuple[Instruction, ...]:
    """The instructions that the slots `outputs` need."""
    needed, kept = set(outputs), []
    for instruction in reversed(instructions):
        if needed.intersection(instruction.outputs):
            needed.update(instruction.inputs)
            kept.append(instruction)
    return tuple(reversed(kept))
