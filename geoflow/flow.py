"""`Flow`, the waist of geoflow: the training dynamics as a control-affine system z' = F₀(z) + G_b(z).

| flow | state z | F₀ | G_b |
|---|---|---|---|
| order 1 | θ | none | M(θ)⁻¹ ∇_θ⟨a, φ(θ)⟩ |
| order 1 with decay | (t, θ) | ∂_t − cθ | the same |
| order 2 | (t, θ, v) | ∂_t + v ∂_θ − τ(t) v ∂_v | M(θ)⁻¹ ∇_θ⟨a, φ(θ)⟩ ∂_v |
| adaptive | (t, θ, …) | see `dynamics.adaptive` | |

The cotangent a is free within the class of losses: minus the gradient, at φ(θ), of whatever loss the data makes.
Everything is a JAX function of (constants, point, controls), so that any arithmetic can evaluate it (`geoflow.exact`).
Constants are arguments because they are exact: a float literal 1/3 would be another number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.arguments import FlowArguments, chosen_names, name_leaves, read_arguments
from geoflow.dynamics import Custom, Dynamics, Momentum
from geoflow.exact.program import trace
from geoflow.expr.evaluate import rationals
from geoflow.expr.tree import Expr, Shape
from geoflow.lossclass import AnyLoss, LossClass
from geoflow.metric import Metric, Setting
from geoflow.network import called, network
from geoflow.parametrization import (
    Arrays,
    Block,
    Control,
    Cotangent,
    Datum,
    Gates,
    MetricOn,
    Output,
    Parametrization,
)

_MODEL: Any = object()  # x is left out: the model is called


@dataclass(frozen=True)
class Flow:
    """A training flow for every loss of a class seen through φ. Make one with `Flow(phi, params)` or from a checked
    model (`geoflow.load`)."""

    parametrization: Parametrization
    dynamics: Dynamics
    constants: Mapping[str, Fraction | None] = field(default_factory=dict)

    def __init__(
        self,
        phi: Callable[[Any], Any],
        params: Any,
        *,
        metric: Metric | Mapping[str, Metric] | None = None,
        order: Literal[1, 2] = 1,
        damping: Any = None,
        accelerated: bool = False,
        decay: Any = None,
        coupled: bool | None = None,
        loss: LossClass = AnyLoss(),
        dynamics: Dynamics | None = None,
        positive: Iterable[str] = (),
    ):
        """The flow of θ' = −M(θ)⁻¹ ∇(f∘φ)(θ), or θ'' + τ(t) θ' = −M(θ)⁻¹ ∇(f∘φ)(θ), for every smooth f.

        **Arguments**

        - `phi`: params → array or pytree of arrays, traceable by JAX.
        - `params`: a pytree of arrays or `jax.ShapeDtypeStruct`; only shapes matter. Leaves are named by their path
          (`U`, `layers.0.weight`).
        - `metric`: one for all parameters, or a mapping from names (or prefixes of names) to metrics. Euclidean by
          default.
        - `order`: 1 (gradient flow) or 2 (momentum).
        - `damping`: for order 2, τ: a number, or a JAX function of t such as `lambda t: 3 / t`. A Python float is read
          as the dyadic number it is; use `fractions.Fraction` for 1/10.
        - `accelerated`: for order 2, mirror metrics are taken at τθ + θ'.
        - `decay`: weight decay, one number or a mapping from names (or prefixes) to numbers; `coupled` says whether it
          is part of the loss (order 1: decoupled by default; order 2 must say which).
        - `loss`: the class of losses, such as `CrossEntropy()`.
        - `dynamics`: another flow, such as `RMSProp`; then order, damping and decay are left out.
        - `positive`: names of parameters that stay positive; implied by metrics that need it.

        Raises `ValueError` when the arguments contradict each other.
        """
        names, leaves, rebuild = name_leaves(params)
        said = read_arguments(
            names,
            metric=metric,
            order=order,
            damping=damping,
            accelerated=accelerated,
            decay=decay,
            coupled=coupled,
            loss=loss,
            dynamics=dynamics,
            positive=positive,
        )
        blocks = tuple(
            Block(n, tuple(leaf.shape), positive=n in said.positive)
            for n, leaf in zip(names, leaves, strict=True)
        )

        def output(constants: Arrays, theta: Arrays) -> tuple[jax.Array, ...]:
            return tuple(
                jnp.asarray(x) for x in jax.tree.leaves(phi(rebuild([theta[n] for n in names])))
            )

        self._set(Parametrization(blocks, output, (), said.metrics, {}, loss), said.dynamics)
        if not self.parametrization.outputs:
            raise ValueError("φ returns no array; is a `return` missing?")

    def _set(self, p: Parametrization, dynamics: Dynamics) -> None:
        """Fill in what follows from the parts: constants, outputs, and the cotangents that a metric leaves."""
        if not p.parameters:
            raise ValueError("a flow needs at least one parameter")
        known: dict[str, Fraction | None] = dict(p.constants)
        for m in p.metrics:
            for name, value in m.metric.constants().items():
                if known.setdefault(name, value) != value:
                    raise ValueError(
                        f"the constant {name!r} has two values: {known[name]} and {value}"
                    )
        known |= rationals(dynamics.expressions())
        few = p.on_few()
        if few is not p:  # metrics are of the network's own data, not of the few that the loss sees
            network = replace(p, constants=known, loss=few.loss)
            p = replace(few, metrics=_settled(network, dynamics, inverted=True))
        with jax.enable_x64(True):
            outputs = jax.eval_shape(p.phi, *_examples(p, known))
        if any(jnp.issubdtype(o.dtype, jnp.complexfloating) for o in outputs):
            raise ValueError("φ is complex; real numbers are needed")
        shapes = tuple(tuple(o.shape) for o in outputs)
        stated = loss = p.stated_loss or p.loss
        if isinstance(loss, AnyLoss) and len(p.metrics) == 1 and not p.fixed:
            loss = p.metrics[0].metric.restricted(loss)
        parametrization = replace(p, outputs=shapes, constants=known, loss=loss, stated_loss=stated)
        parametrization = replace(parametrization, metrics=_settled(parametrization, dynamics))
        object.__setattr__(self, "parametrization", parametrization)
        object.__setattr__(self, "dynamics", dynamics)
        object.__setattr__(self, "constants", known)

    @classmethod
    def of_parts(cls, parametrization: Parametrization, dynamics: Dynamics) -> Flow:
        """A flow from its parts; the shapes of the outputs are found by tracing φ."""
        flow = object.__new__(cls)
        flow._set(parametrization, dynamics)
        return flow

    @classmethod
    def of_model(
        cls,
        parameters: tuple[Block, ...],
        phi: Output,
        metrics: tuple[MetricOn, ...],
        dynamics: Dynamics,
        constants: Mapping[str, Fraction | None],
        description: str,
        loss: LossClass = AnyLoss(),
        data: tuple[Datum, ...] = (),
        gates: Gates = "lifted",
    ) -> Flow:
        """A flow whose φ reads exact constants: `phi(constants, values)`, values of the parameters and of the inputs
        `data` of a network, by name."""
        parametrization = Parametrization(
            parameters, phi, (), metrics, constants, loss, description, data=data, gates=gates
        )
        return cls.of_parts(parametrization, dynamics)

    @classmethod
    def of_network(
        cls,
        apply: Callable[..., Any],
        params: Any,
        x: Any = _MODEL,
        *,
        gates: Gates = "lifted",
        **arguments: Unpack[FlowArguments],
    ) -> Flow:
        """The flow of a network x ↦ apply(params, x) trained on any data by any loss of a class.

        **Arguments**

        - `apply`: (params, x) → array or pytree of arrays, in JAX. `of_network(model, x)` is short for
          `of_network(lambda m, x: m(x), model, x)` where the model is a pytree that can be called (Equinox, Flax nnx).
        - `params`: a pytree, an Equinox module, Flax variables or a Flax nnx module. Its arrays of floating-point
          numbers are the parameters, named by their path (`layers.0.weight`); of Flax variables those in `params`, of
          an nnx module its `Param`s. Everything else stays as it is.
        - `x`: one example input: an array, a `jax.ShapeDtypeStruct`, or a pytree of them; only shapes and dtypes
          matter. Integers are token ids and may look up rows of an array. A network that takes a batch is one of inputs
          [B, n].
        - `gates`: what piecewise functions choose: `lifted` (free) or `real` (what θ and x make of them, near a point).
        - the keywords of `Flow`.

        Raises `ValueError` with the place and a cure when the network is none that can be analyzed.
        """
        if x is _MODEL:
            apply, params, x = called(apply), apply, params
        found = network(apply, params, x)
        said = read_arguments([b.name for b in found.blocks], **arguments)
        blocks = tuple(replace(b, positive=b.name in said.positive) for b in found.blocks)
        loss = arguments.get("loss", AnyLoss())
        return cls.of_model(
            blocks,
            found.output,
            said.metrics,
            said.dynamics,
            {},
            "network",
            loss,
            found.data,
            gates,
        )

    def with_constants(self, extra: Mapping[str, Fraction | None]) -> Flow:
        """The same flow, knowing the values of more constants (those that only a law names)."""
        known = {**self.constants, **extra}
        return Flow.of_parts(replace(self.parametrization, constants=known), self.dynamics)

    def without_decay(self) -> Flow:
        """The same flow without weight decay."""
        return Flow.of_parts(self.parametrization, self.dynamics.without_decay())

    def block(self, *names: str) -> Flow:
        """The flow whose laws are those of this one that read some parameters alone (names, or prefixes of names): the
        others are data, drawn anew for every field. Dropping their coordinates instead would be wrong: x + c·y keeps
        nothing of (x, y) alone.

        Raises:
            ValueError: a name that is no parameter, all parameters, or a metric that couples block and rest.
        """
        p = self.parametrization
        if isinstance(self.dynamics, Custom):
            raise ValueError("a system written out has no laws of a block; write the block out")
        return Flow.of_parts(
            p.block(chosen_names(names, [b.name for b in p.parameters])), self.dynamics
        )

    def with_gates(self, gates: Gates) -> Flow:
        """The same flow, its gates read as lifted or real."""
        return Flow.of_parts(replace(self.parametrization, gates=gates), self.dynamics)

    def on_data(self, inputs: Arrays) -> Flow:
        """The flow of a network on given inputs [k, *shape] by name, a map of the parameters alone."""
        return Flow.of_parts(self.parametrization.on_data(inputs), self.dynamics)

    def unseen_parameters(self) -> tuple[str, ...]:
        """Parameters that φ does not depend on: each of their entries is trivially conserved.

        Raises:
            ValueError: φ depends on none.
        """
        names = [b.name for b in self.parameters]
        if isinstance(self.dynamics, Custom):
            return ()
        phi = self.parametrization.phi
        examples = _examples(self.parametrization, self.constants)
        program = trace(lambda c, values: phi(c, values), *examples)
        used = {slot for i in program.instructions for slot in i.inputs} | set(program.outputs)
        first = len(self.constants)
        unseen = [n for k, n in enumerate(sorted(examples[1])) if first + k not in used]
        if set(names) <= set(unseen):
            raise ValueError("φ does not depend on any parameter")
        return tuple(n for n in names if n in unseen)

    @property
    def parameters(self) -> tuple[Block, ...]:
        """The trained parameters θ."""
        return self.parametrization.parameters

    @property
    def state(self) -> tuple[Block, ...]:
        """The coordinates z in order."""
        return self.dynamics.state(self.parametrization)

    @property
    def order(self) -> int:
        """1 or 2."""
        return self.dynamics.order

    @property
    def damping(self) -> Expr | None:
        """τ, for order 2."""
        return self.dynamics.damping if isinstance(self.dynamics, Momentum) else None

    @property
    def dimension(self) -> int:
        """N = dim z."""
        return sum(b.size for b in self.state)

    @property
    def parameter_count(self) -> int:
        """D."""
        return self.parametrization.size

    @property
    def control_blocks(self) -> tuple[Control, ...]:
        """The free controls b: for a network, inputs and cotangents."""
        return self.dynamics.control_blocks(self.parametrization)

    @property
    def cotangents(self) -> tuple[Shape, ...]:
        """Shapes of the free controls b."""
        return tuple(c.shape for c in self.control_blocks)

    @property
    def cotangent_size(self) -> int:
        """Number of free controls."""
        return sum(int(np.prod(s, dtype=np.int64)) for s in self.cotangents)

    @property
    def has_drift(self) -> bool:
        """Whether F₀ is not zero."""
        return self.dynamics.has_drift

    def output(
        self, constants: Arrays, point: Arrays, data: Arrays | None = None
    ) -> tuple[jax.Array, ...]:
        """φ at a point of the state; a network at one datum."""
        theta = self.parametrization.theta(point)
        return self.parametrization.phi(constants, {**theta, **(data or {})})

    def controls(
        self, constants: Arrays, point: Arrays, controls: Cotangent
    ) -> dict[str, jax.Array]:
        """G_b(z)."""
        return self.dynamics.controls(self.parametrization, constants, point, controls)

    def drift(self, constants: Arrays, point: Arrays) -> dict[str, jax.Array]:
        """F₀(z); zero where there is none."""
        return self.dynamics.drift(self.parametrization, constants, point)

    def velocity(
        self, constants: Arrays, point: Arrays, cotangent: Cotangent
    ) -> dict[str, jax.Array]:
        """z' for a cotangent a = −∇f(φ(θ)), in floating point."""
        return self.dynamics.velocity(self.parametrization, constants, point, cotangent)

    def constant_values(self, symbolic: Mapping[str, float] | None = None) -> dict[str, float]:
        """The constants as floats; symbolic ones from `symbolic`, else 1."""
        symbolic = symbolic or {}
        return {
            n: float(v) if v is not None else symbolic.get(n, 1.0)
            for n, v in self.constants.items()
        }

    @property
    def doubts(self) -> tuple[str, ...]:
        """What the fields take for granted and is only probable: then nothing about the flow is proved."""
        return tuple(doubt for m in self.parametrization.metrics for doubt in m.metric.doubts)

    @property
    def provisos(self) -> tuple[str, ...]:
        """Where the metrics are metrics, if not everywhere."""
        return tuple(text for m in self.parametrization.metrics for text in m.metric.provisos)

    @property
    def symbolic_constants(self) -> tuple[str, ...]:
        """Names of the constants without a value."""
        return tuple(n for n, v in self.constants.items() if v is None)

    def metric_of(self, parameter: str) -> Metric:
        """The metric of a parameter."""
        return self.parametrization.metric_of(parameter)

    def summary(self) -> str:
        """One line: the parametrization, sizes, metric, order."""
        return f"{self.parametrization.text}, {self.dynamics.text}"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from geoflow.notebook import flow_html

        return flow_html(self)


def _settled(
    p: Parametrization, dynamics: Dynamics, inverted: bool = False
) -> tuple[MetricOn, ...]:
    """The metrics, knowing what they must know of the flow. `inverted`: M⁻¹ is needed for other fields than M⁻¹Jᵀa."""
    shapes = {b.name: b.shape for b in p.parameters}
    positive = frozenset(b.name for b in p.parameters if b.positive)
    inverted = inverted or (dynamics.decay is not None and dynamics.decay.coupled)

    def setting(m: MetricOn) -> Setting:
        alone = len(p.metrics) == 1
        return Setting(
            m.parameters, shapes, positive, p.phi, p.constants, p.loss, alone, inverted, p.data
        )

    return tuple(MetricOn(m.metric.settled(setting(m)), m.parameters) for m in p.metrics)


def _examples(
    p: Parametrization, constants: Mapping[str, Fraction | None]
) -> tuple[dict[str, jax.ShapeDtypeStruct], dict[str, jax.ShapeDtypeStruct]]:
    """Shapes of what φ reads, for tracing: constants; parameters and inputs."""
    shapes = {b.name: b.shape for b in (*p.parameters, *p.data)}
    return (
        {n: jax.ShapeDtypeStruct((), np.float64) for n in constants},
        {n: jax.ShapeDtypeStruct(s, np.float64) for n, s in shapes.items()},
    )
