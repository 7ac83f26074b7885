"""`Flow`, the waist of geoflow: the training dynamics as a control-affine system z' = F₀(z) + G_a(z).

| flow | state z | F₀ | G_a |
|---|---|---|---|
| order 1 | θ | none | M(θ)⁻¹ ∇_θ⟨a, φ(θ)⟩ |
| order 2 | (t, θ, v) | ∂_t + v ∂_θ − τ(t) v ∂_v | M(θ)⁻¹ ∇_θ⟨a, φ(θ)⟩ ∂_v |

The cotangent a is free: minus the gradient, at φ(θ), of whatever loss the data makes. Everything is a JAX function of
(constants, point, cotangent), so that any arithmetic can evaluate it (`geoflow.exact`). Constants are arguments
because they are exact: a float literal 1/3 would be another number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.program import trace
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr, Number, Parameter, Shape, Time, Velocity, walk
from geoflow.metric import Euclidean, Metric

Arrays = Mapping[str, jax.Array]
Point = Mapping[str, jax.Array]
Cotangent = tuple[jax.Array, ...]
Output = Callable[[Arrays, Arrays], tuple[jax.Array, ...]]

TIME = "t"
_SUPERSCRIPT = str.maketrans("0123456789×", "⁰¹²³⁴⁵⁶⁷⁸⁹ˣ")


@dataclass(frozen=True)
class Block:
    """One array of state coordinates. A velocity is named like its parameter with a `'`."""

    name: str
    shape: Shape
    kind: Literal["parameter", "velocity", "time"] = "parameter"
    positive: bool = False

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def leaf(self) -> Parameter | Velocity | Time:
        """The block as an expression."""
        match self.kind:
            case "parameter":
                return Parameter(self.name, self.shape)
            case "velocity":
                return Velocity(self.name.removesuffix("'"), self.shape)
            case "time":
                return Time()


@dataclass(frozen=True)
class MetricOn:
    """A metric and the parameters it measures."""

    metric: Metric
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """A flow of order 1 (gradient) or 2 (momentum) for every loss seen through φ. Make one with `Flow(phi, params)`
    or from a checked model (`geoflow.load`)."""

    parameters: tuple[Block, ...]
    phi: Output = field(repr=False)
    cotangents: tuple[Shape, ...]
    metrics: tuple[MetricOn, ...]
    order: Literal[1, 2] = 1
    damping: Expr | None = None
    constants: Mapping[str, Fraction | None] = field(default_factory=dict)
    description: str = "φ"

    def __init__(
        self,
        phi: Callable[[Any], Any],
        params: Any,
        *,
        metric: Metric | Mapping[str, Metric] | None = None,
        order: Literal[1, 2] = 1,
        damping: Any = None,
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
        - `positive`: names of parameters that stay positive; implied by metrics that need it.

        Raises `ValueError` when the arguments contradict each other.
        """
        names, leaves, rebuild = name_leaves(params)
        verify_names(names, order)
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

        self._set(blocks, output, metrics, order, damping_expression(damping, order), {}, "φ")

    def _set(
        self,
        parameters: tuple[Block, ...],
        phi: Output,
        metrics: tuple[MetricOn, ...],
        order: int,
        damping: Expr | None,
        constants: Mapping[str, Fraction | None],
        description: str,
    ) -> None:
        if not parameters:
            raise ValueError("a flow needs at least one parameter")
        if order == 2 and damping is None:
            damping = Number(Fraction(0))
        known: dict[str, Fraction | None] = dict(constants)
        for m in metrics:
            for name, value in m.metric.constants().items():
                if known.setdefault(name, value) != value:
                    raise ValueError(
                        f"the constant {name!r} has two values: {known[name]} and {value}"
                    )
        if damping is not None:
            known |= rationals([damping])
        example_theta = {b.name: jax.ShapeDtypeStruct(b.shape, np.float64) for b in parameters}
        example_constants = {name: jax.ShapeDtypeStruct((), np.float64) for name in known}
        with jax.enable_x64(True):
            outputs = jax.eval_shape(phi, example_constants, example_theta)
        if not outputs:
            raise ValueError("φ returns no array; is a `return` missing?")
        if any(jnp.issubdtype(o.dtype, jnp.complexfloating) for o in outputs):
            raise ValueError("φ is complex; real numbers are needed")
        values = {
            "parameters": parameters,
            "phi": phi,
            "cotangents": tuple(tuple(o.shape) for o in outputs),
            "metrics": metrics,
            "order": order,
            "damping": damping,
            "constants": known,
            "description": description,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of_model(
        cls,
        parameters: tuple[Block, ...],
        phi: Output,
        metrics: tuple[MetricOn, ...],
        order: int,
        damping: Expr | None,
        constants: Mapping[str, Fraction | None],
        description: str,
    ) -> Flow:
        """A flow whose φ reads exact constants: `phi(constants, parameters)`."""
        flow = object.__new__(cls)
        flow._set(parameters, phi, metrics, order, damping, constants, description)
        return flow

    def with_constants(self, extra: Mapping[str, Fraction | None]) -> Flow:
        """The same flow, knowing the values of more constants (those that only a law names)."""
        return Flow.of_model(
            self.parameters,
            self.phi,
            self.metrics,
            self.order,
            self.damping,
            {**self.constants, **extra},
            self.description,
        )

    def unseen_parameters(self) -> tuple[str, ...]:
        """Parameters that φ does not depend on: each of their entries is trivially conserved.

        Raises:
            ValueError: φ depends on none.
        """
        names = [b.name for b in self.parameters]
        examples = (
            {n: jax.ShapeDtypeStruct((), np.float64) for n in self.constants},
            {b.name: jax.ShapeDtypeStruct(b.shape, np.float64) for b in self.parameters},
        )
        program = trace(lambda c, theta: self.phi(c, theta), *examples)
        used = {slot for i in program.instructions for slot in i.inputs} | set(program.outputs)
        first = len(self.constants)
        unseen = [n for k, n in enumerate(sorted(names)) if first + k not in used]
        if len(unseen) == len(names):
            raise ValueError("φ does not depend on any parameter")
        return tuple(n for n in names if n in unseen)

    @property
    def state(self) -> tuple[Block, ...]:
        """The coordinates z in order: θ, or t, θ, v."""
        if self.order == 1:
            return self.parameters
        velocities = (Block(f"{b.name}'", b.shape, "velocity") for b in self.parameters)
        return (Block(TIME, (), "time"), *self.parameters, *velocities)

    @property
    def dimension(self) -> int:
        """N = dim z."""
        return sum(b.size for b in self.state)

    @property
    def parameter_count(self) -> int:
        """D."""
        return sum(b.size for b in self.parameters)

    @property
    def cotangent_size(self) -> int:
        """Number of entries of φ."""
        return sum(int(np.prod(s, dtype=np.int64)) for s in self.cotangents)

    @property
    def has_drift(self) -> bool:
        """Whether F₀ is not zero."""
        return self.order == 2

    def output(self, constants: Arrays, point: Point) -> tuple[jax.Array, ...]:
        """φ at a point of the state."""
        return self.phi(constants, {b.name: point[b.name] for b in self.parameters})

    def force(self, constants: Arrays, point: Point, cotangent: Cotangent) -> dict[str, jax.Array]:
        """M(θ)⁻¹ ∇_θ⟨a, φ(θ)⟩ by parameter."""
        theta = {b.name: point[b.name] for b in self.parameters}

        def pairing(theta: Arrays) -> jax.Array:
            return sum(
                (
                    jnp.sum(a * y)
                    for a, y in zip(cotangent, self.phi(constants, theta), strict=True)
                ),
                jnp.zeros(()),
            )

        covector = jax.grad(pairing)(theta)
        result: dict[str, jax.Array] = {}
        for m in self.metrics:
            own = {n: theta[n] for n in m.parameters}
            result |= m.metric.apply_inverse(constants, own, {n: covector[n] for n in m.parameters})
        return result

    def controls(
        self, constants: Arrays, point: Point, cotangent: Cotangent
    ) -> dict[str, jax.Array]:
        """G_a(z): linear in the cotangent a."""
        force = self.force(constants, point, cotangent)
        if self.order == 1:
            return force
        tangent: dict[str, jax.Array] = {b.name: jnp.zeros(b.shape) for b in self.state}
        return tangent | {f"{name}'": value for name, value in force.items()}

    def drift(self, constants: Arrays, point: Point) -> dict[str, jax.Array]:
        """F₀(z); zero for order 1."""
        if self.order == 1:
            return {b.name: jnp.zeros(b.shape) for b in self.state}
        tau = self.damping_at(constants, point[TIME])
        tangent: dict[str, jax.Array] = {TIME: jnp.ones(())}
        for b in self.parameters:
            tangent[b.name] = point[f"{b.name}'"]
            tangent[f"{b.name}'"] = -tau * point[f"{b.name}'"]
        return tangent

    def damping_at(self, constants: Arrays, t: jax.Array) -> jax.Array:
        """τ(t)."""
        assert self.damping is not None
        return evaluate((self.damping,), Environment(constants=constants, time=t))[0]

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
        return next(m.metric for m in self.metrics if parameter in m.parameters)

    def summary(self) -> str:
        """One line: the parametrization, sizes, metric, order."""
        sizes = " × ".join(
            "R" + "×".join(map(str, s)).translate(_SUPERSCRIPT) for s in self.cotangents
        )
        if len({m.metric.text for m in self.metrics}) == 1:
            metric = self.metrics[0].metric.text
        else:
            metric = ", ".join(
                f"{m.metric.text} on {', '.join(m.parameters)}" for m in self.metrics
            )
        flow = f"order {self.order}"
        if self.order == 2 and self.damping is not None:
            flow += f", damping {print_expr(self.damping)}"
        count = self.parameter_count
        return f"{self.description} : {count} parameter{'s' * (count != 1)} → {sizes}, {metric}, {flow}"


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
        if each is not None and not hasattr(each, "apply_inverse"):
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
