"""A parametrization φ with its parameters, metrics and loss class: what every training flow is made from.

The gradient of a loss f∘φ is Jᵀ∇f: it depends on data and loss only through the cotangent a = −∇f(φ(θ)).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.equations import transposes
from geoflow.expr.tree import Parameter, Shape, Time, Velocity
from geoflow.lossclass import AnyLoss, FewData, LossClass
from geoflow.metric.base import Metric, MetricContext

Arrays = Mapping[str, jax.Array]
Cotangent = tuple[jax.Array, ...]
Output = Callable[[Arrays, Arrays], tuple[jax.Array, ...]]

Inversion = Literal["steepest", "exact", "spanning"]

TIME = "t"
_LISTED = 3  # equal outputs that are listed one by one
_SUPERSCRIPT = str.maketrans("0123456789×", "⁰¹²³⁴⁵⁶⁷⁸⁹ˣ")
Gates = Literal["lifted", "real"]


@dataclass(frozen=True)
class Block:
    """One array of state coordinates. A velocity is named like its parameter with a `'`; `moment` blocks belong to
    adaptive flows."""

    name: str
    shape: Shape
    kind: Literal["parameter", "velocity", "moment", "time"] = "parameter"
    positive: bool = False

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def leaf(self) -> Parameter | Velocity | Time:
        """The block as an expression."""
        match self.kind:
            case "velocity":
                return Velocity(self.name.removesuffix("'"), self.shape)
            case "time":
                return Time()
            case _:
                return Parameter(self.name, self.shape)


@dataclass(frozen=True)
class Datum:
    """An input of a network: `real` numbers, or `onehot` rows over the last axis (token ids). `held`: a parameter
    outside of a block, the same for all data at one time."""

    name: str
    shape: Shape
    kind: Literal["real", "onehot"] = "real"
    held: bool = False


@dataclass(frozen=True)
class Control:
    """One array of what a controlled field depends on beside the state: a `cotangent`, an input of the network (`real`
    or `onehot`), or what its piecewise functions choose (a `gate`, 0 or 1; a `choice`, a single 1 over `axes`)."""

    shape: Shape
    kind: Literal["cotangent", "real", "onehot", "gate", "choice"] = "cotangent"
    axes: tuple[int, ...] = ()


@dataclass(frozen=True)
class MetricOn:
    """A metric and the parameters it measures."""

    metric: Metric
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Parametrization:
    """φ(θ), seen by every loss of a class, under metrics that cover all parameters.

    A network g(θ, x) has `data`: its inputs, which `phi` reads by name beside the parameters. Input and cotangent of
    one datum are then the controls, and its gates (`gates`: lifted, free; or real, those of θ and x)."""

    parameters: tuple[Block, ...]
    phi: Output = field(repr=False)
    outputs: tuple[Shape, ...]
    metrics: tuple[MetricOn, ...]
    constants: Mapping[str, Fraction | None]
    loss: LossClass = field(default_factory=AnyLoss)
    description: str = "φ"
    stated_loss: LossClass | None = (
        None  # before a metric with a singular output Fisher restricted it
    )
    data: tuple[Datum, ...] = ()
    gates: Gates = "lifted"
    fixed: int = 0  # inputs that a network was put on (`on_few`)

    @property
    def size(self) -> int:
        """D, the number of parameters."""
        return sum(b.size for b in self.parameters)

    @property
    def text(self) -> str:
        """One line: φ, sizes, metric."""
        sizes = " × ".join(
            _space(shape, sum(1 for _ in same)) for shape, same in groupby(self.outputs)
        )
        if len({m.metric.text for m in self.metrics}) == 1:
            metric = self.metrics[0].metric.text
        else:
            metric = ", ".join(
                f"{m.metric.text} on {', '.join(m.parameters)}" for m in self.metrics
            )
        seen = f" → {sizes}, {metric}" if sizes else ""
        return f"{self.description} : {self.size:,} parameter{'s' * (self.size != 1)}{seen}"

    def theta(self, point: Arrays) -> dict[str, jax.Array]:
        """The parameters of a point of the state."""
        return {b.name: point[b.name] for b in self.parameters}

    @property
    def controls(self) -> tuple[Control, ...]:
        """What the gradient of one loss, at one datum, depends on beside θ."""
        inputs = (Control(d.shape, d.kind) for d in self.data)
        return (*inputs, *(Control(s) for s in self.loss.free(self.outputs)))

    def repeated_controls(self, count: int) -> tuple[Control, ...]:
        """Controls of `count` gradients at one time."""
        moving = [c for c, held in zip(self.controls, self._held, strict=True) if not held]
        return (*self.controls, *moving * (count - 1))

    def gradients_apart(self, controls: Cotangent, count: int) -> list[Cotangent]:
        """The controls of each of `count` gradients, from `repeated_controls`: held data are those of the first."""
        first, rest = controls[: len(self._held)], iter(controls[len(self._held) :])
        again = [
            tuple(x if held else next(rest) for x, held in zip(first, self._held, strict=True))
            for _ in range(count - 1)
        ]
        return [first, *again]

    @property
    def _held(self) -> tuple[bool, ...]:
        """By control, whether it is the same for all data at one time."""
        free = self.loss.free(self.outputs)
        return (*(d.held for d in self.data), *(False for _ in free))

    def covector(
        self, constants: Arrays, theta: Arrays, controls: Cotangent
    ) -> dict[str, jax.Array]:
        """∇_θ⟨a, φ(θ)⟩, or ∇_θ⟨a, g(θ, x)⟩, for the free controls: inputs first, then those of the loss class."""
        count = len(self.data)
        inputs = {d.name: x for d, x in zip(self.data, controls[:count], strict=True)}
        cotangent = self.loss.cotangent(self.outputs, controls[count:])
        return self.gradient(constants, theta, cotangent, inputs)

    def gradient(
        self, constants: Arrays, theta: Arrays, cotangent: Cotangent, data: Arrays | None = None
    ) -> dict[str, jax.Array]:
        """∇_θ⟨a, φ(θ)⟩ by parameter."""

        def pairing(theta: Arrays) -> jax.Array:
            outputs = self.phi(constants, {**theta, **(data or {})})
            pairs = zip(cotangent, outputs, strict=True)
            return sum((jnp.sum(a * y) for a, y in pairs), jnp.zeros(()))

        return jax.grad(pairing)(dict(theta))

    @cached_property
    def transposes(self) -> bool:
        """Whether ∇_θ⟨a, φ⟩ is linear in a: a function of Python may say otherwise."""
        if not self.outputs:
            return True
        constants = shaped(dict.fromkeys(self.constants, ()))
        shapes = {b.name: b.shape for b in (*self.parameters, *self.data)}
        with jax.enable_x64(True):
            traced = jax.make_jaxpr(self.phi)(constants, shaped(shapes))
        return transposes(traced.jaxpr)

    def block(self, names: Sequence[str]) -> Parametrization:
        """φ as a function of some parameters, the others being data.

        Raises:
            ValueError: no parameter is left out, or a metric measures some of the block and some of the rest together.
        """
        own = tuple(b for b in self.parameters if b.name in names)
        rest = tuple(b for b in self.parameters if b.name not in names)
        if not rest:
            raise ValueError("these are all parameters: a block leaves some out")
        metrics = []
        for m in self.metrics:
            inside = tuple(n for n in m.parameters if n in names)
            split = m.metric.couples and inside != m.parameters
            if inside and (split or m.metric.reads_beside(inside, [b.name for b in rest])):
                raise ValueError(
                    f"the metric {m.metric.text} couples {', '.join(inside)} with other parameters, "
                    "which the block leaves out"
                )
            if inside:
                metrics.append(MetricOn(m.metric, inside))
        data = (*self.data, *(Datum(b.name, b.shape, held=True) for b in rest))
        return replace(self, parameters=own, metrics=tuple(metrics), data=data)

    def on_data(self, inputs: Arrays) -> Parametrization:
        """The map θ ↦ (g(θ, x_1), …, g(θ, x_k)) of the network at given inputs [k, *shape] by name: each output gets
        a first axis. The map itself where there are no data."""
        if not self.data:
            return self
        count = len(next(iter(inputs.values())))

        def phi(constants: Arrays, theta: Arrays) -> tuple[jax.Array, ...]:
            return jax.vmap(lambda x: self.phi(constants, {**theta, **x}))(dict(inputs))

        outputs = tuple((count, *s) for s in self.outputs)
        return replace(self, phi=phi, outputs=outputs, data=())

    def on_few(self) -> Parametrization:
        """The map of θ that a network is to the losses on a few fixed inputs; itself for other losses and for maps, and
        for a block of a map, whose only data are parameters."""
        loss = self.stated_loss or self.loss
        if all(d.held for d in self.data) or not isinstance(loss, FewData):
            return self
        values = loss.inputs([(d.shape, d.kind == "onehot") for d in self.data])
        inputs = {d.name: jnp.asarray(v) for d, v in zip(self.data, values, strict=True)}
        return replace(self.on_data(inputs), loss=loss.on_inputs, stated_loss=None, fixed=loss.k)

    def direction(
        self,
        constants: Arrays,
        theta: Arrays,
        covector: Arrays,
        at: Arrays | None = None,
        how: Inversion = "steepest",
    ) -> dict[str, jax.Array]:
        """M⁻¹ · covector, with mirror metrics taken at `at` instead of θ if given: `steepest` in floating point,
        `exact` in exact arithmetic, `spanning` a field that spans the same space over the functions (see `Metric`)."""
        result: dict[str, jax.Array] = {}
        for m in self.metrics:
            place = at if at is not None and m.metric.mirror else theta
            own = {n: place[n] for n in m.parameters}
            alone = len(self.metrics) == 1
            context = MetricContext(
                constants, own, theta, self.phi, self.loss, alone, bool(self.data)
            )
            apply = {
                "steepest": m.metric.steepest,
                "exact": m.metric.exact,
                "spanning": m.metric.spanning,
            }[how]
            result |= apply(context, {n: covector[n] for n in m.parameters})
        return result

    def metric_of(self, parameter: str) -> Metric:
        """The metric of a parameter."""
        return next(m.metric for m in self.metrics if parameter in m.parameters)


def shaped(shapes: Mapping[str, Shape] | Any) -> Any:
    """Shapes for tracing."""
    return {n: jax.ShapeDtypeStruct(s, np.float64) for n, s in shapes.items()}


def _space(shape: Shape, copies: int) -> str:
    """R with its dimensions, one by one or, where there are many copies, as a power."""
    space = "R" + "×".join(map(str, shape)).translate(_SUPERSCRIPT)
    if copies <= _LISTED:
        return " × ".join([space] * copies)
    return f"({space})" + str(copies).translate(_SUPERSCRIPT)
