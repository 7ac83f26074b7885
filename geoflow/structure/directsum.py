"""Flows whose parameters fall apart: φ = (φ₁(θ₁), φ₂(θ₂), …), each part with a cotangent that is free of the others.

Then G_a = G¹_{a₁} + G²_{a₂} + …, and each term is itself a field of the family (the other cotangents 0, as G is linear
in them), also where all parts read one datum. Fields of two parts commute, so that the Lie algebra is a direct sum, and
ranks and laws add. With a drift this fails: all parts would share the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.extend.core as jex
import numpy as np

from geoflow.dynamics import Gradient
from geoflow.exact.equations import transposes
from geoflow.exact.program import Program, trace
from geoflow.flow import Flow
from geoflow.lossclass import AnyLoss, CrossEntropy
from geoflow.metric import Euclidean, Scaled
from geoflow.parametrization import Arrays, MetricOn, Parametrization, shaped

_RESHAPED = {"reshape", "transpose", "squeeze", "neg", "broadcast_in_dim"}
_JOINED = {"concatenate", "stack"}


@dataclass(frozen=True)
class Summand:
    """One part as a flow of its own. `names`: its parameters in the order in which φ reads them; `like`: the position
    of the first summand with the same program."""

    flow: Flow
    names: tuple[str, ...]
    like: int


def summands(flow: Flow) -> tuple[Summand, ...]:
    """The parts of a flow that is a direct sum; none where it is not, or where it is not known to be."""
    p = flow.parametrization
    if not _is_free(flow) or len(p.parameters) < 2:
        return ()
    whole = _Whole.of(flow)
    if not transposes(whole.closed.jaxpr):
        return ()
    groups = whole.groups(apart=isinstance(p.loss, AnyLoss))
    if len(groups) < 2 or {n for names, _ in groups for n in names} != {
        b.name for b in p.parameters
    }:
        return ()
    found: list[Summand] = []
    keys: list[Any] = []
    for names, pieces in groups:
        part = whole.part(pieces)
        own = Flow.of_parts(_restricted(p, names, part), flow.dynamics)
        key = _key(own, part, names)
        keys.append(key)
        found.append(Summand(own, names, keys.index(key)))
    return tuple(found)


def _is_free(flow: Flow) -> bool:
    """Whether cotangents of different outputs are free of one another, and nothing else couples parameters."""
    p = flow.parametrization
    loss = isinstance(p.loss, AnyLoss | CrossEntropy)
    metrics = all(isinstance(m.metric, Euclidean | Scaled) or m.metric.mirror for m in p.metrics)
    apart = not any(m.metric.couples for m in p.metrics)
    plain = isinstance(flow.dynamics, Gradient) and not flow.has_drift
    return loss and metrics and apart and plain and p.gates == "lifted"


def _restricted(p: Parametrization, names: Sequence[str], part: _Part) -> Parametrization:
    blocks = tuple(b for b in p.parameters if b.name in names)
    metrics = [
        MetricOn(m.metric, own)
        for m in p.metrics
        if (own := tuple(n for n in m.parameters if n in names))
    ]
    data = tuple(d for d in p.data if d.name in part.inputs)
    return replace(p, parameters=blocks, phi=part, outputs=(), metrics=tuple(metrics), data=data)


@dataclass(frozen=True)
class _Part:
    """φ's equations that some of its outputs need, as a function."""

    closed: Any = field(repr=False)
    leaves: tuple[tuple[str, str], ...]  # by argument: constant or input, and its name
    inputs: tuple[str, ...]  # what is read, in the order in which it is first read

    def __call__(self, constants: Arrays, values: Arrays) -> tuple[jax.Array, ...]:
        given = [constants[n] if kind == "constant" else values.get(n) for kind, n in self.leaves]
        return tuple(jex.jaxpr_as_fun(self.closed)(*given))


@dataclass(frozen=True)
class _Whole:
    """φ as equations."""

    closed: Any = field(repr=False)
    leaves: tuple[tuple[str, str], ...]
    parameters: tuple[str, ...]

    @staticmethod
    def of(flow: Flow) -> _Whole:
        p = flow.parametrization
        shapes = {b.name: b.shape for b in (*p.parameters, *p.data)}
        examples = (shaped(dict.fromkeys(flow.constants, ())), shaped(shapes))
        with jax.enable_x64(True):
            closed = jax.make_jaxpr(lambda c, v: p.phi(c, v))(*examples)
        named = (
            {n: ("constant", n) for n in flow.constants},
            {n: ("input", n) for n in shapes},
        )
        leaves = tuple(
            jax.tree.leaves(
                named,
                is_leaf=lambda x: isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], str),
            )
        )
        return _Whole(closed, leaves, tuple(b.name for b in p.parameters))

    def groups(self, apart: bool) -> list[tuple[tuple[str, ...], list[Any]]]:
        """Parameters that meet in some output, and these outputs; `apart`: outputs that are joined of pieces count by
        piece."""
        jaxpr = self.closed.jaxpr
        makers = {id(v): eqn for eqn in jaxpr.eqns for v in eqn.outvars}
        pieces: dict[int, Any] = {}
        for out in jaxpr.outvars:
            for v in _pieces(out, makers) if apart else [out]:
                if not isinstance(v, jex.Literal):
                    pieces[id(v)] = v
        groups: list[tuple[set[str], list[Any]]] = []
        for v in pieces.values():
            names = set(self.read([v])) & set(self.parameters)
            if not names:
                continue
            meeting = [g for g in groups if g[0] & names]
            groups = [g for g in groups if not g[0] & names]
            outs = [o for g in meeting for o in g[1]]
            groups.append((names.union(*(g[0] for g in meeting)), [*outs, v]))
        order = {n: k for k, n in enumerate(self.parameters)}
        groups.sort(key=lambda g: min(order[n] for n in g[0]))
        return [(tuple(n for n in self.read(outs) if n in names), outs) for names, outs in groups]

    def needed(self, outs: Sequence[Any]) -> list[Any]:
        """The equations that outputs need."""
        wanted, kept = {id(v) for v in outs}, []
        for eqn in reversed(self.closed.jaxpr.eqns):
            if wanted & {id(v) for v in eqn.outvars}:
                kept.append(eqn)
                wanted |= {id(v) for v in eqn.invars}
        return kept[::-1]

    def read(self, outs: Sequence[Any]) -> list[str]:
        """The inputs that outputs depend on, in the order of reading."""
        names = {
            id(v): n
            for v, (kind, n) in zip(self.closed.jaxpr.invars, self.leaves, strict=True)
            if kind == "input"
        }
        met = [v for eqn in self.needed(outs) for v in eqn.invars] + list(outs)
        return list(dict.fromkeys(names[id(v)] for v in met if id(v) in names))

    def part(self, outs: Sequence[Any]) -> _Part:
        own = self.closed.jaxpr.replace(outvars=list(outs), eqns=self.needed(outs))
        return _Part(jex.ClosedJaxpr(own, self.closed.consts), self.leaves, tuple(self.read(outs)))


def _pieces(out: Any, makers: Mapping[int, Any]) -> list[Any]:
    """The values that an output is joined of, where a cotangent of the output is one of each of them."""
    eqn = makers.get(id(out))
    if eqn is None:
        return [out]
    name = eqn.primitive.name
    if name in _JOINED:
        return [p for v in eqn.invars for p in _pieces(v, makers)]
    if name in _RESHAPED and eqn.invars[0].aval.size == out.aval.size:
        return _pieces(eqn.invars[0], makers)
    return [out]


def _key(flow: Flow, part: _Part, names: Sequence[str]) -> Any:
    """Equal for summands that are the same flow up to the names of parameters: the traced program with the shapes,
    constants, metrics and data that it reads."""
    p = flow.parametrization
    blocks = {b.name: b for b in p.parameters}
    data = [next(d for d in p.data if d.name == n) for n in part.inputs if n not in blocks]

    def positional(constants: Any, theta: Any, inputs: Any) -> Any:
        values = dict(zip(names, theta, strict=True))
        return part(constants, values | dict(zip((d.name for d in data), inputs, strict=True)))

    program = trace(
        positional,
        shaped(dict.fromkeys(flow.constants, ())),
        tuple(_array(blocks[n].shape) for n in names),
        tuple(_array(d.shape) for d in data),
    )
    own = [(blocks[n].shape, blocks[n].positive, flow.metric_of(n)) for n in names]
    return (_written(program), tuple(own), tuple((d.name, d.shape, d.kind) for d in data))


def _array(shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, np.float64)


def _written(program: Program) -> Any:
    instructions = tuple(
        (
            i.primitive,
            i.inputs,
            i.outputs,
            tuple((k, _plain(v)) for k, v in sorted(i.params.items())),
            i.out_shapes,
        )
        for i in program.instructions
    )
    literals = tuple(
        (slot, v.shape, v.dtype.str, v.tobytes())
        for slot, v in sorted(program.literals.items())
        if slot in program.used
    )
    return instructions, program.input_shapes, literals, program.outputs, program.output_shapes


def _plain(value: Any) -> Any:
    return (value.shape, value.tobytes()) if isinstance(value, np.ndarray) else repr(value)
