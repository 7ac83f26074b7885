"""The program of φ itself, with its gates as inputs, where its derivative is what JAX differentiates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import numpy as np

from geoflow.dynamics import Gradient
from geoflow.exact.equations import equations, transposes
from geoflow.exact.lifting import lift
from geoflow.exact.program import Program, UnsupportedPrimitive, trace
from geoflow.flow import Flow
from geoflow.parametrization import shaped

_SPREADING = {"broadcast_in_dim", "reshape", "squeeze"}
_JAX = "/jax/_src/"


@dataclass(frozen=True)
class Forward:
    """The program of φ, and the slots of its parameters."""

    program: Program
    slots: Mapping[str, int]


def forward(flow: Flow) -> Forward | None:
    """The program of φ, for gradient flows without drift; None where its symmetries need not be those of the flow: a
    rule of differentiation that is not JAX's own, or a value that is held while others are differentiated.

    Raises:
        UnsupportedPrimitive: a comparison in a place where it is no gate.
    """
    p = flow.parametrization
    if not isinstance(flow.dynamics, Gradient) or flow.has_drift or not p.outputs:
        return None

    def output(constants: Any, theta: Any, data: Any) -> Any:
        return p.phi(constants, {**theta, **data})

    examples = (
        shaped(dict.fromkeys(flow.constants, ())),
        shaped({b.name: b.shape for b in p.parameters}),
        shaped({d.name: d.shape for d in p.data}),
    )
    with jax.enable_x64(True):
        jaxpr = jax.make_jaxpr(output)(*examples).jaxpr
    held = moving = False
    if not transposes(jaxpr):
        return None
    for body, eqn in equations(jaxpr):
        name = eqn.primitive.name
        if name == "custom_jvp_call" and not _is_own(eqn):
            return None
        if name == "stop_gradient":
            if not _is_maximum(body, eqn.invars[0]):
                return None
            held = True
        if name == "reduce_max":
            moving = moving or not _is_only_held(body, eqn.outvars[0])
    if held and moving:  # one that moves may be taken for one that is held
        return None
    program = lift(trace(output, *examples))
    if held and any(g.axes for g in program.gates):  # a maximum that does not cancel
        return None
    if program.gates and not (p.data or p.fixed):
        raise UnsupportedPrimitive("a branch on the parameters")
    leaves = jax.tree.unflatten(program.in_tree, range(len(program.input_shapes)))
    return Forward(program, leaves[1])


def _is_own(eqn: Any) -> bool:
    """Whether the function with a derivative of its own is one of JAX's."""
    found = getattr(eqn.params["call_jaxpr"].jaxpr, "debug_info", None)
    return _JAX in str(getattr(found, "func_src_info", "")).replace("\\", "/")


def _is_maximum(jaxpr: Any, atom: Any) -> bool:
    """Whether a value is a greatest of several: what a stable softmax takes away."""
    makers = {id(v): eqn for eqn in jaxpr.eqns for v in eqn.outvars}
    while True:
        eqn = makers.get(id(atom))
        if eqn is None:
            return False
        name = eqn.primitive.name
        if name == "reduce_max":
            shape = eqn.invars[0].aval.shape
            return prod(shape[int(k)] for k in eqn.params["axes"]) > 1
        if _is_bounded(eqn):
            atom = eqn.invars[1]
        elif name in _SPREADING:
            atom = eqn.invars[0]
        else:
            return False


def _is_only_held(jaxpr: Any, atom: Any) -> bool:
    """Whether a value is read by nothing but `stop_gradient`, after being spread."""
    if any(v is atom for v in jaxpr.outvars):
        return False
    readers = [eqn for eqn in jaxpr.eqns if any(v is atom for v in eqn.invars)]
    return all(
        eqn.primitive.name == "stop_gradient"
        or (
            (eqn.primitive.name in _SPREADING or _is_bounded(eqn))
            and _is_only_held(jaxpr, eqn.outvars[0])
        )
        for eqn in readers
    )


def _is_bounded(eqn: Any) -> bool:
    return eqn.primitive.name == "max" and _is_bound(eqn.invars[0])


def _is_bound(atom: Any) -> bool:
    return hasattr(atom, "val") and bool(np.all(np.asarray(atom.val) == -np.inf))
