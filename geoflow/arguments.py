"""The arguments of `Flow(phi, params, …)` in Python, made into what a flow is made of; mistakes are `ValueError`s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypedDict

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.dynamics import Decay, Dynamics, Gradient, Momentum
from geoflow.expr.tree import Expr, Number, Time
from geoflow.lossclass import LossClass
from geoflow.metric import Euclidean, Metric
from geoflow.parametrization import TIME, Arrays, MetricOn
from geoflow.trainable import named


class FlowArguments(TypedDict, total=False):
    """The keywords of `Flow`."""

    metric: Metric | Mapping[str, Metric] | None
    order: Literal[1, 2]
    damping: Any
    accelerated: bool
    decay: Any
    coupled: bool | None
    loss: LossClass
    dynamics: Dynamics | None
    positive: Iterable[str]


@dataclass(frozen=True)
class Said:
    """What the keywords of `Flow` say: the dynamics, the metrics, and which parameters are positive."""

    dynamics: Dynamics
    metrics: tuple[MetricOn, ...]
    positive: frozenset[str]


def read_arguments(
    names: Sequence[str],
    *,
    metric: Metric | Mapping[str, Metric] | None = None,
    order: Literal[1, 2] = 1,
    damping: Any = None,
    accelerated: bool = False,
    decay: Any = None,
    coupled: bool | None = None,
    loss: LossClass | None = None,
    dynamics: Dynamics | None = None,
    positive: Iterable[str] = (),
) -> Said:
    """What the keywords of `Flow` say of the parameters `names`.

    Raises:
        ValueError: they contradict each other, or name no parameter.
    """
    if dynamics is not None and (metric, order, damping, decay) != (None, 1, None, None):
        raise ValueError("dynamics says the whole flow: leave metric, order, damping and decay out")
    if dynamics is None:
        rates = decay_rates(decay, names, coupled, order)
        dynamics = ordered_dynamics(order, damping_expression(damping, order), accelerated, rates)
    verify_names(names, dynamics.order)
    metrics = assign_metrics(metric, names)
    signs = set(positive) | {n for m in metrics if m.metric.positive for n in m.parameters}
    if unknown := signs - set(names):
        raise ValueError(f"no parameter named {sorted(unknown)[0]!r}; there are {', '.join(names)}")
    return Said(dynamics, metrics, frozenset(signs))


def ordered_dynamics(
    order: int, damping: Expr | None, accelerated: bool, decay: Decay | None
) -> Dynamics:
    """Gradient flow or momentum.

    Raises:
        ValueError: accelerated without order 2.
    """
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
        names.append(named(path))
        leaves.append(leaf)
    return names, leaves, lambda values: jax.tree.unflatten(tree, list(values))


def chosen_names(wanted: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The names that are among the wanted, or below one (`layers` means `layers.0.weight`).

    Raises:
        ValueError: a wanted name that is none.
    """
    chosen: list[str] = []
    for key in wanted:
        own = [n for n in names if n == key or n.startswith((f"{key}.", f"{key}["))]
        if not own:
            raise ValueError(f"no parameter named {key!r}; there are {', '.join(names)}")
        chosen += own
    return tuple(n for n in names if n in chosen)


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
