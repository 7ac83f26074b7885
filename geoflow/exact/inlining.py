"""A jaxpr as flat instructions: calls inlined, loops of known length unrolled, windows written out, literals folded."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal

from geoflow.exact.literals import exactly
from geoflow.exact.program import ERF_SLOPE, Instruction, UnsupportedPrimitive
from geoflow.exact.windows import EXPANSIONS, rearranged

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
_IDENTITIES = {
    "copy", "copy_p", "stop_gradient", "optimization_barrier", "sharding_constraint", "device_put", "pvary",
}  # fmt: skip
_REARRANGED = {"scatter": 1, "dynamic_update_slice": 2}  # the position of the first index
_MOST_STEPS = 1000
_OWN = ("/jax/", "/jaxlib/", str(Path(__file__).parents[1]))
_LIBRARIES = ("/site-packages/", "<frozen", sysconfig.get_paths()["stdlib"])


class Inlining:
    """The instructions so far, shared where they are equal, and the literals met."""

    def __init__(self, inputs: int):
        self.next = inputs
        self.instructions: list[Instruction] = []
        self.literals: dict[int, np.ndarray] = {}
        self.erf = False  # whether erf was met
        self._known: dict[Any, tuple[int, ...]] = {}

    def literal(self, value: Any) -> int:
        if hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jax.dtypes.extended):
            value = jax.random.key_data(value)
        array = np.asarray(value)
        key = ("literal", array.shape, array.dtype.kind, array.tobytes())
        if key not in self._known:
            self.literals[self.next] = array
            self._known[key] = (self.next,)
            self.next += 1
        return self._known[key][0]

    def inline(
        self, closed: ClosedJaxpr, arguments: Sequence[int], where: str = "", named: bool = False
    ) -> list[int]:
        """The slots of the outputs. `where` is the place of the call, for equations that know none; for all of them
        where `named`."""
        jaxpr = closed.jaxpr
        env: dict[Any, int] = dict(zip(jaxpr.invars, arguments, strict=True))
        env.update(
            (v, self.literal(c)) for v, c in zip(jaxpr.constvars, closed.consts, strict=True)
        )

        def read(atom: Any) -> int:
            return self.literal(atom.val) if isinstance(atom, Literal) else env[atom]

        for eqn in jaxpr.eqns:
            inputs = [read(v) for v in eqn.invars]
            self.erf = self.erf or eqn.primitive.name in ("erf", "erfc")
            place = where if named else _where(eqn) or where
            outputs = self._outputs(eqn, inputs, place, named)
            env.update(zip(eqn.outvars, outputs, strict=True))
        return [read(v) for v in jaxpr.outvars]

    def _outputs(self, eqn: Any, inputs: list[int], where: str, named: bool) -> Sequence[int]:
        name = eqn.primitive.name
        if name in _CALLS:
            return self.inline(_callee(eqn), inputs, where, named)
        if name == "cond":
            return self._branched(eqn, inputs, where, named)
        if name == "scan":
            return self._unrolled(eqn.params, inputs, where, named)
        if name == "while":
            return self._repeated(eqn.params, inputs, where, named)
        if self._is_index_computation(eqn, inputs):
            return self._fold(eqn, inputs)
        if name in EXPANSIONS:
            return self._expanded(
                partial(EXPANSIONS[name], **eqn.params), eqn.invars, inputs, where
            )
        if name in _REARRANGED and all(s in self.literals for s in self._indices(name, inputs)):
            indices = {s: self.literals[s] for s in self._indices(name, inputs)}
            return self._expanded(
                partial(rearranged, eqn, [indices.get(s) for s in inputs]),
                eqn.invars,
                inputs,
                where,
            )
        if name == "select_n" and (known := self._case(inputs)) is not None:
            return [known]
        if name == "reduce_sum" and _is_reshape(eqn):
            shape = tuple(eqn.outvars[0].aval.shape)
            return self._new(
                "reshape", tuple(inputs), (shape,), {"dimensions": None, "new_sizes": shape}, where
            )
        given = [self.literals[s] for s in inputs if s in self.literals]
        slope = self.erf and any(np.all(np.abs(x) == ERF_SLOPE) for x in given)
        if inputs and len(given) == len(inputs) and len(eqn.outvars) == 1 and not slope:
            value = exactly(name, given)
            if value is not None:
                return [self.literal(value)]
        return self._emit(eqn, inputs, where)

    def _case(self, inputs: list[int]) -> int | None:
        """The case that a known `select_n` takes everywhere."""
        which = np.unique(self.literals.get(inputs[0], np.arange(2)))
        return inputs[1 + int(which[0])] if len(which) == 1 else None

    @staticmethod
    def _indices(name: str, inputs: list[int]) -> list[int]:
        return [inputs[1]] if name == "scatter" else inputs[_REARRANGED[name] :]

    def _expanded(
        self, meaning: Callable[..., Any], atoms: Sequence[Any], inputs: list[int], where: str
    ) -> list[int]:
        """The instructions of a JAX function in the place of an equation."""
        shapes = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in atoms]
        return self.inline(jax.make_jaxpr(meaning)(*shapes), inputs, where, named=True)

    def _applied(
        self, function: Callable[..., Any], inputs: Sequence[int], *avals: Any
    ) -> list[int]:
        shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in avals]
        return self.inline(jax.make_jaxpr(function)(*shapes), inputs, named=True)

    def _branched(self, eqn: Any, inputs: list[int], where: str, named: bool) -> Sequence[int]:
        """`cond`: one branch where the index is known, else a choice between the values of both."""
        branches = eqn.params["branches"]
        if inputs[0] in self.literals:
            index = min(max(int(self.literals[inputs[0]]), 0), len(branches) - 1)
            return self.inline(branches[index], inputs[1:], where, named)
        if len(branches) > 2:
            raise UnsupportedPrimitive("switch", where)
        values = [self.inline(b, inputs[1:], where, named) for b in branches]
        outputs = []
        for variable, *cases in zip(eqn.outvars, *values, strict=True):
            shape = tuple(variable.aval.shape)
            outputs.append(
                self._new("select_n", (inputs[0], *cases), (shape,), {}, where)[0]
                if cases[0] != cases[1]
                else cases[0]
            )
        return outputs

    def _unrolled(
        self, p: Mapping[str, Any], inputs: list[int], where: str, named: bool
    ) -> Sequence[int]:
        """`scan`, step by step."""
        fixed, count = p["num_consts"], p["num_carry"]
        body: ClosedJaxpr = p["jaxpr"]
        constants, carry, columns = (
            inputs[:fixed],
            inputs[fixed : fixed + count],
            inputs[fixed + count :],
        )
        if p["length"] > _MOST_STEPS:
            raise UnsupportedPrimitive(f"scan of more than {_MOST_STEPS} steps", where)
        avals = [v.aval for v in body.jaxpr.invars[fixed + count :]]
        made: list[list[int]] = []
        steps = range(p["length"])
        for k in reversed(steps) if p["reverse"] else steps:
            items = [
                self._item(slot, k, p["length"], a) for slot, a in zip(columns, avals, strict=True)
            ]
            values = self.inline(body, [*constants, *carry, *items], where, named)
            carry = values[:count]
            made.append(values[count:])
        if p["reverse"]:
            made.reverse()
        avals = [v.aval for v in body.jaxpr.outvars[count:]]
        stacked = [
            self._applied(lambda *xs: jnp.stack(xs), column, *[a] * p["length"])[0]
            if column
            else self.literal(np.zeros((0, *a.shape)))
            for column, a in zip(
                zip(*made, strict=True) if made else [()] * len(avals), avals, strict=True
            )
        ]
        return [*carry, *stacked]

    def _item(self, slot: int, k: int, length: int, aval: Any) -> int:
        if slot in self.literals:
            return self.literal(self.literals[slot][k])
        whole = jax.ShapeDtypeStruct((length, *aval.shape), aval.dtype)
        return self._applied(
            lambda x: jax.lax.index_in_dim(x, k, axis=0, keepdims=False), [slot], whole
        )[0]

    def _repeated(
        self, p: Mapping[str, Any], inputs: list[int], where: str, named: bool
    ) -> Sequence[int]:
        """`while`, as long as its condition is known without the parameters and the input."""
        first, second = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
        carry: Sequence[int] = inputs[second:]
        for _ in range(_MOST_STEPS):
            (going,) = self.inline(p["cond_jaxpr"], [*inputs[:first], *carry], where, named)
            if going not in self.literals:
                raise UnsupportedPrimitive("while", where)
            if not np.all(self.literals[going]):
                return carry
            carry = self.inline(p["body_jaxpr"], [*inputs[first:second], *carry], where, named)
        raise UnsupportedPrimitive(f"while of more than {_MOST_STEPS} steps", where)

    def _is_index_computation(self, eqn: Any, inputs: list[int]) -> bool:
        """Integers and truth values made from literals alone; floats are folded only where that does not round."""
        integral = all(_kind(v) in "iub" for v in eqn.outvars)
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

    def _emit(self, eqn: Any, inputs: list[int], where: str) -> tuple[int, ...]:
        name = eqn.primitive.name
        if name in _IDENTITIES or (name == "convert_element_type" and _keeps_value(eqn)):
            return tuple(inputs)
        shapes = tuple(tuple(v.aval.shape) for v in eqn.outvars)
        return self._new(name, tuple(inputs), shapes, eqn.params, where)

    def _new(
        self,
        name: str,
        inputs: tuple[int, ...],
        shapes: tuple[tuple[int, ...], ...],
        params: Mapping[str, Any],
        where: str,
    ) -> tuple[int, ...]:
        key = (name, inputs, repr(sorted(params.items(), key=lambda item: item[0])))
        if key not in self._known:
            outputs = tuple(range(self.next, self.next + len(shapes)))
            self.next += len(outputs)
            self.instructions.append(Instruction(name, inputs, outputs, params, shapes, where))
            self._known[key] = outputs
        return self._known[key]


def _is_reshape(eqn: Any) -> bool:
    """A sum over axes of length 1."""
    shape = eqn.invars[0].aval.shape
    return all(shape[int(k)] == 1 for k in eqn.params["axes"])


def _kind(variable: Any) -> str:
    """The kind of its numbers; "k" for random keys."""
    dtype = variable.aval.dtype
    return "k" if jnp.issubdtype(dtype, jax.dtypes.extended) else np.dtype(dtype).kind


def _keeps_value(eqn: Any) -> bool:
    """A conversion to float32 or float64, or of a truth value. One to integers, truth values or narrower floats rounds:
    no exact arithmetic has it."""
    if _kind(eqn.outvars[0]) != "b" and _kind(eqn.invars[0]) == "b":
        return True
    dtype = eqn.outvars[0].aval.dtype
    return bool(jnp.issubdtype(dtype, jnp.floating)) and np.dtype(dtype).itemsize >= 4


def _callee(eqn: Any) -> ClosedJaxpr:
    callee = next(eqn.params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in eqn.params)
    return callee if isinstance(callee, ClosedJaxpr) else ClosedJaxpr(callee, ())


def _where(eqn: Any) -> str:
    """The line of the user's code; where there is none, of the library that they call."""
    found = ""
    for frame in getattr(getattr(eqn.source_info, "traceback", None), "frames", []) or []:
        name = frame.file_name
        if any(part in name for part in _OWN):
            continue
        if not any(part in name for part in _LIBRARIES):
            return f"{name}:{frame.line_num}"
        found = found or f"{name}:{frame.line_num}"
    return found
