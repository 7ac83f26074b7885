"""From `metric kind(…)` to a metric: one entry of `METRICS` per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import jax

from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Constant, Expr, walk
from geoflow.metric import (
    Euclidean,
    Fisher,
    GaussianData,
    Metric,
    Mirror,
    Points,
    Riemannian,
    Scaled,
)
from geoflow.metric.fisher import KINDS
from geoflow.metric.information import OUTPUTS
from geoflow.parametrization import Arrays
from geoflow.semantics.model import MetricBlock, Potential

Values = Mapping[str, Fraction | None]


def _scaled(block: MetricBlock, values: Values) -> Metric:
    rate = block.options["rate"]
    assert isinstance(rate, Expr)
    return Scaled(rate, values)


def _mirror(block: MetricBlock, values: Values) -> Metric:
    potential = block.options["potential"]
    if not isinstance(potential, Potential):
        p = block.options.get("p")
        assert isinstance(potential, str) and (p is None or isinstance(p, Fraction))
        return Mirror(potential, p)
    variable, body = potential.variable, potential.body

    known = {n.name: values[n.name] for n in walk(body) if isinstance(n, Constant)}
    known |= rationals([body])

    def psi(constants: Arrays, u: jax.Array) -> jax.Array:
        return evaluate((body,), Environment(constants, {variable.name: u}))[0]

    label = f"{variable.name} -> {print_expr(body)}"
    return Mirror(psi if known else lambda u: psi({}, u), label=label, known=known)


def _fisher(block: MetricBlock, values: Values) -> Metric:
    kind, damping, output = (block.options.get(k) for k in ("kind", "damping", "output"))
    assert kind in KINDS and output in OUTPUTS
    assert damping is None or isinstance(damping, Expr)
    points = block.options.get("points")
    data = Points(points) if isinstance(points, int) else GaussianData()
    return Fisher(kind, damping, output, values, data)


def _riemannian(block: MetricBlock, values: Values) -> Metric:
    matrix = block.options["matrix"]
    assert isinstance(matrix, Expr)
    return Riemannian(matrix, values)


METRICS: dict[str, Callable[[MetricBlock, Values], Metric]] = {
    "euclidean": lambda block, values: Euclidean(),
    "scaled": _scaled,
    "mirror": _mirror,
    "fisher": _fisher,
    "riemannian": _riemannian,
}
