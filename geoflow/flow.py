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

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.dynamics import Custom, Decay, Dynamics, Gradient, Momentum
from geoflow.exact.program import trace
from geoflow.expr.evaluate import rationals
from geoflow.expr.tree import Expr, Number, Shape, Time, walk
from geoflow.lossclass import AnyLoss, LossClass
from geoflow.metric import Euclidean, Metric
from geoflow.parametrization import (
    TIME,
    Arrays,
    Block,
    Cotangent,
    MetricOn,
    Output,
    Parametrization,
)


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
        if dynamics is not None and (metric, order, damping, decay) != (None, 1, None, None):
            raise ValueError(
                "dynamics says the whole flow: leave metric, order, damping and decay out"
            )
        if dynamics is None:
            rates = decay_rates(decay, names, coupled, order)
            dynamics = _ordered(order, damping_expression(damping, order), accelerated, rates)
        verify_names(names, dynamics.order)
        metrics = assign_metrics(metric, names)
        signs = set(positive) | {n for m in metrics if m.metric.positive for n in m.parameters}
        if unknown := signs - set(names):
            raise ValueError(
                f"no parameter named {sorted(unknown)[0]!r}; there are {', '.join(names)}"
            )
        blocks = tuple(
            Block(n, tuple(leaf.shape), positive=n in signs)
            for n, leaf in zip(names, leaves, strict=True)
        )

        def output(constants: Arrays, theta: Arrays) -> tuple[jax.Array, ...]:
            return tuple(
                jnp.asarray(x) for x in jax.tree.leaves(phi(rebuild([theta[n] for n in names])))
            )

        self._set(blocks, output, metrics, dynamics, loss, {}, "φ")
        if not self.parametrization.outputs:
            raise ValueError("φ returns no array; is a `return` missing?")

    def _set(
        self,
        parameters: tuple[Block, ...],
        phi: Output,
        metrics: tuple[MetricOn, ...],
        dynamics: Dynamics,
        loss: LossClass,
        constants: Mapping[str, Fraction | None],
        description: str,
    ) -> None:
        if not parameters:
            raise ValueError("a flow needs at least one parameter")
        known: dict[str, Fraction | None] = dict(constants)
        for m in metrics:
            for name, value in m.metric.constants().items():
                if known.setdefault(name, value) != value:
                    raise ValueError(
                        f"the constant {name!r} has two values: {known[name]} and {value}"
                    )
        known |= rationals(dynamics.expressions())
        theta = {b.name: jax.ShapeDtypeStruct(b.shape, np.float64) for b in parameters}
        with jax.enable_x64(True):
            outputs = jax.eval_shape(
                phi, {n: jax.ShapeDtypeStruct((), np.float64) for n in known}, theta
            )
        if any(jnp.issubdtype(o.dtype, jnp.complexfloating) for o in outputs):
            raise ValueError("φ is complex; real numbers are needed")
        shapes = tuple(tuple(o.shape) for o in outputs)
        if isinstance(loss, AnyLoss) and len(metrics) == 1:
            loss = metrics[0].metric.restricted(loss)
        parametrization = Parametrization(
            parameters, phi, shapes, metrics, known, loss, description
        )
        object.__setattr__(self, "parametrization", parametrization)
        object.__setattr__(self, "dynamics", dynamics)
        object.__setattr__(self, "constants", known)

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
    ) -> Flow:
        """A flow whose φ reads exact constants: `phi(constants, parameters)`."""
        flow = object.__new__(cls)
        flow._set(parameters, phi, metrics, dynamics, loss, constants, description)
        return flow

    def with_constants(self, extra: Mapping[str, Fraction | None]) -> Flow:
        """The same flow, knowing the values of more constants (those that only a law names)."""
        p = self.parametrization
        known = {**self.constants, **extra}
        return Flow.of_model(
            p.parameters, p.phi, p.metrics, self.dynamics, known, p.description, p.loss
        )

    def without_decay(self) -> Flow:
        """The same flow without weight decay."""
        p = self.parametrization
        dynamics = self.dynamics.without_decay()
        return Flow.of_model(
            p.parameters, p.phi, p.metrics, dynamics, p.constants, p.description, p.loss
        )

    def unseen_parameters(self) -> tuple[str, ...]:
        """Parameters that φ does not depend on: each of their entries is trivially conserved.

        Raises:
            ValueError: φ depends on none.
        """
        names = [b.name for b in self.parameters]
        if isinstance(self.dynamics, Custom):
            return ()
        examples = (
            {n: jax.ShapeDtypeStruct((), np.float64) for n in self.constants},
            {b.name: jax.ShapeDtypeStruct(b.shape, np.float64) for b in self.parameters},
        )
        phi = self.parametrization.phi
        program = trace(lambda c, theta: phi(c, theta), *examples)
        used = {slot for i in program.instructions for slot in i.inputs} | set(program.outputs)
        first = len(self.constants)
        unseen = [n for k, n in enumerate(sorted(names)) if first + k not in used]
        if len(unseen) == len(names):
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
    def cotangents(self) -> tuple[Shape, ...]:
        """Shapes of the free controls b."""
        return self.dynamics.control_shapes(self.parametrization)

    @property
    def cotangent_size(self) -> int:
        """Number of free controls."""
        return sum(int(np.prod(s, dtype=np.int64)) for s in self.cotangents)

    @property
    def has_drift(self) -> bool:
        """Whether F₀ is not zero."""
        return self.dynamics.has_drift

    def output(self, constants: Arrays, point: Arrays) -> tuple[jax.Array, ...]:
        """φ at a point of the state."""
        return self.parametrization.phi(constants, self.parametrization.theta(point))

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
    def symbolic_constants(self) -> tuple[str, ...]:
        """Names of the constants without a value."""
        return tuple(n for n, v in self.constants.items() if v is None)

    def metric_of(self, parameter: str) -> Metric:
        """The metric of a parameter."""
        return self.parametrization.metric_of(parameter)

    def summary(self) -> str:
        """One line: the parametrization, sizes, metric, order."""
        p, count = self.parametrization, self.parameter_count
        sizes = " × ".join("R" + "×".join(map(str, s)).translate(_SUPERSCRIPT) for s in p.outputs)
        if len({m.metric.text for m in p.metrics}) == 1:
            metric = p.metrics[0].metric.text
        else:
            metric = ", ".join(f"{m.metric.text} on {', '.join(m.parameters)}" for m in p.metrics)
        seen = f" → {sizes}, {metric}" if sizes else ""
        return (
            f"{p.description} : {count} parameter{'s' * (count != 1)}{seen}, {self.dynamics.text}"
        )


_SUPERSCRIPT = str.maketrans("0123456789×", "⁰¹²³⁴⁵⁶⁷⁸⁹ˣ")


def _ordered(order: int, damping: Expr | None, accelerated: bool, decay: Decay | None) -> Dynamics:
    if order == 1:
        if accelerated:
            raise ValueError("accelerated belongs to order 2: give order=2, or leave it out")
        return Gradient(decay)
    assert damping is not None
    return Momentum(damping, accelerated, decay)


def decay_rates(decay: Any, names: Sequence[str], coupled: bool | None, order: int) -> Decay | None:
    """Weight decay given in Python.

    Raises:
        ValueError: a key names no parameter, or order 2 without saying whether the decay is coupled.
    """
    if decay is None:
        if coupled is not None:
            raise ValueError("coupled belongs to decay: give decay=…, or leave coupled out")
        return None
    if coupled is None and order == 2:
        raise ValueError(
            "with order 2 say whether the decay is coupled: coupled=True or coupled=False"
        )
    given = decay if isinstance(decay, Mapping) else {n: decay for n in names}
    rates: dict[str, Expr] = {}
    for key, value in given.items():
        own = [n for n in names if n == key or n.startswith((f"{key}.", f"{key}["))]
        if not own:
            raise ValueError(
                f"decay names {key!r}, which is no parameter; there are {', '.join(names)}"
            )
        rate = Number(Fraction(value))
        rates |= {n: rate for n in own}
    return Decay(rates, bool(coupled))


def name_leaves(params: Any) -> tuple[list[str], list[Any], Callable[[Sequence[Any]], Any]]:
    """Names of a pytree's leaves by path, the leaves, and the function that rebuilds the tree.

    Raises:
        ValueError: no leaves, or leaves without a shape.
    """
    paths, tree = jax.tree_util.tree_flatten_with_path(params)
    if not paths:
        raise ValueError("params holds no arrays")
    names, leaves = [], []
    for path, leaf in paths:
        leaf = leaf if hasattr(leaf, "shape") else np.asarray(leaf)
        if np.dtype(leaf.dtype).kind not in "fiu":
            raise ValueError(
                f"parameter {jax.tree_util.keystr(path)} has dtype {leaf.dtype}; real numbers are needed"
            )
        names.append(_path_name(path))
        leaves.append(leaf)
    return names, leaves, lambda values: jax.tree.unflatten(tree, list(values))


def verify_names(names: Sequence[str], order: int) -> None:
    """Names must tell the coordinates of the state apart.

    Raises:
        ValueError: two leaves have one name, or a name is that of the time or of a velocity.
    """
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two parameters are named {name!r}; rename one of them")
        if order == 2 and (name == TIME or name.endswith("'")):
            what = "the time" if name == TIME else "a velocity"
            raise ValueError(
                f"a parameter of a flow of order 2 cannot be named {name!r}: that is {what}"
            )


def _path_name(path: Sequence[Any]) -> str:
    parts = [str(getattr(k, "key", getattr(k, "name", getattr(k, "idx", k)))) for k in path]
    name = ".".join(parts) or "theta"
    return f"theta[{name}]" if name[0].isdigit() else name


def assign_metrics(
    metric: Metric | Mapping[str, Metric] | None, names: Sequence[str]
) -> tuple[MetricOn, ...]:
    """Give every parameter its metric; Euclidean where none is said.

    Raises:
        ValueError: a key that names no parameter, or what is no metric.
    """
    for each in metric.values() if isinstance(metric, Mapping) else [metric]:
        if each is not None and not hasattr(each, "steepest"):
            raise ValueError(
                f'metric must be one of geoflow\'s, such as Mirror("entropy"), got {each!r}'
            )
    if metric is None or not isinstance(metric, Mapping):
        return (MetricOn(metric if metric is not None else Euclidean(), tuple(names)),)
    left, assigned = list(names), []
    for key, value in metric.items():
        own = tuple(
            n for n in left if n == key or n.startswith(f"{key}.") or n.startswith(f"{key}[")
        )
        if not own:
            raise ValueError(
                f"metric names {key!r}, which is no parameter; there are {', '.join(names)}"
            )
        assigned.append(MetricOn(value, own))
        left = [n for n in left if n not in own]
    if left:
        assigned.append(MetricOn(Euclidean(), tuple(left)))
    return tuple(assigned)


def damping_expression(damping: Any, order: int) -> Expr | None:
    """A damping given in Python as an expression in t.

    Raises:
        ValueError: order and damping contradict each other, or the function has no closed form here.
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order!r}")
    if order == 1:
        if damping is not None:
            raise ValueError("damping belongs to order 2: give order=2, or leave damping out")
        return None
    if damping is None:
        return Number(Fraction(0))
    if isinstance(damping, int | float | Fraction):
        return Number(Fraction(damping))
    if not callable(damping):
        raise ValueError(
            f"damping must be a number or a function of t, got {type(damping).__name__}"
        )
    import sympy as sp

    from geoflow.exact.program import UnsupportedPrimitive
    from geoflow.expr.convert import NotConvertible, from_sympy
    from geoflow.metric.potential import to_sympy

    t = sp.Symbol("t", positive=True)
    try:
        return from_sympy(to_sympy(_of_time(damping), t), {t: Time()})
    except (NotConvertible, UnsupportedPrimitive) as error:
        raise ValueError(f"damping must be a rational function of t, got {error}") from error


def _of_time(damping: Callable[[Any], Any]) -> Callable[[Arrays, jax.Array], jax.Array]:
    return lambda _, t: jnp.asarray(damping(t))


def depends_on_time(expr: Expr) -> bool:
    """Whether t occurs."""
    return any(isinstance(node, Time) for node in walk(expr))
