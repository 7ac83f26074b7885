"""Lower a `Model` to a `Flow`: the maps become one JAX function of exact constants, parameters and data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import jax

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.dynamics import Custom, Dynamics
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.tree import Constant, Expr, walk
from geoflow.flow import Flow
from geoflow.lossclass import AnyLoss, CrossEntropy, FewData, LossClass
from geoflow.lower.dynamics import FLOWS
from geoflow.lower.metric import METRICS
from geoflow.metric import Euclidean, Fisher, Metric, NoMetric, Points
from geoflow.parametrization import Arrays, Block, Datum, MetricOn
from geoflow.semantics.model import MetricBlock, Model


def lower(model: Model, seed: int = 0) -> Flow:
    """The flow of a checked model. `seed` draws the subspace of `loss data(k)` and the points of a Fisher
    metric.

    Raises:
        DiagnosticError: a metric is none where it stands.
    """
    dynamics = _dynamics(model)
    constants = _constants(model, [*model.maps, *dynamics.expressions()])
    metrics = _metrics(model, seed)
    positive = {p for m in metrics if m.metric.positive for p in m.parameters}
    blocks = tuple(
        Block(p.name, p.shape, positive=p.sign == "positive" or p.name in positive)
        for p in model.parameters
    )

    def phi(c: Arrays, values: Arrays) -> tuple[jax.Array, ...]:
        return evaluate(model.maps, Environment(constants=c, parameters=values))

    try:
        return Flow.of_model(
            parameters=blocks,
            phi=phi,
            metrics=metrics,
            dynamics=dynamics,
            constants=constants,
            description=_description(model),
            loss=_loss(model, metrics, seed),
            data=tuple(
                Datum(x.name, x.shape, "real" if x.classes is None else "onehot")
                for x in model.inputs
            ),
            gates=model.gates,
        )
    except NoMetric as error:
        block = next(b for b in model.metrics if b.parameters == error.own)
        raise DiagnosticError(
            Diagnostic("GEO0401", error.message, block.span, "no metric", notes=error.notes)
        ) from None


def _constants(model: Model, expressions: list[Expr]) -> Mapping[str, Fraction | None]:
    used = {n.name for n in walk(*expressions) if isinstance(n, Constant)}
    named = {c.name: c.value for c in model.constants if c.name in used}
    return {**named, **rationals(expressions)}


def _dynamics(model: Model) -> Dynamics:
    if model.fields:
        fields = {f.parameter: f.expression for f in model.fields}
        return Custom(fields, tuple(model.controls))
    return FLOWS[model.flow_kind](model)


def _description(model: Model) -> str:
    if not model.maps:
        return ", ".join(f"{f.parameter}'" for f in model.fields)
    left = f"g({', '.join(x.name for x in model.inputs)})" if model.network else "φ"
    return f"{left} = {model.map_text}"


def _loss(model: Model, metrics: tuple[MetricOn, ...], seed: int) -> LossClass:
    """The loss class."""
    if model.loss == "data" and model.loss_points is not None:
        return FewData(model.loss_points, seed)
    return CrossEntropy() if model.loss == "cross_entropy" else AnyLoss()


def _metrics(model: Model, seed: int) -> tuple[MetricOn, ...]:
    left = [p.name for p in model.parameters]
    assigned = []
    for block in model.metrics:
        assigned.append(MetricOn(_metric(model, block, seed), block.parameters))
        left = [n for n in left if n not in block.parameters]
    if left:
        assigned.append(MetricOn(Euclidean(), tuple(left)))
    return tuple(assigned)


def _metric(model: Model, block: MetricBlock, seed: int) -> Metric:
    metric = METRICS[block.kind](block, {c.name: c.value for c in model.constants})
    if isinstance(metric, Fisher) and isinstance(metric.data, Points):
        return replace(metric, data=replace(metric.data, seed=seed))
    return metric
