"""Lower a `Model` to a `Flow`: the maps become one JAX function of exact constants and parameters."""

from __future__ import annotations

from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.tree import Constant, walk
from geoflow.dynamics import Gradient, Momentum
from geoflow.flow import Flow
from geoflow.parametrization import Arrays, Block, MetricOn
from geoflow.lower.metric import METRICS
from geoflow.metric import Euclidean
from geoflow.semantics.model import MetricBlock, Model


def lower(model: Model) -> Flow:
    """The flow of a checked model."""
    values = {c.name: c.value for c in model.constants}
    used = {n.name for n in walk(*model.maps) if isinstance(n, Constant)}
    if model.damping is not None:
        used |= {n.name for n in walk(model.damping) if isinstance(n, Constant)}
    constants = {name: values[name] for name in values if name in used} | rationals(model.maps)
    metrics = _metrics(model)
    positive = {p for m in metrics if m.metric.positive for p in m.parameters}
    blocks = tuple(
        Block(p.name, p.shape, positive=p.sign == "positive" or p.name in positive)
        for p in model.parameters
    )

    def phi(c: Arrays, theta: Arrays):
        return evaluate(model.maps, Environment(constants=c, parameters=theta))

    return Flow.of_model(
        parameters=blocks,
        phi=phi,
        metrics=metrics,
        dynamics=Gradient() if model.damping is None else Momentum(model.damping),
        constants=constants,
        description=f"φ = {model.map_text}",
    )


def _metrics(model: Model) -> tuple[MetricOn, ...]:
    left = [p.name for p in model.parameters]
    assigned = []
    for block in model.metrics:
        assigned.append(MetricOn(_metric(block, model), block.parameters))
        left = [n for n in left if n not in block.parameters]
    if left:
        assigned.append(MetricOn(Euclidean(), tuple(left)))
    return tuple(assigned)


def _metric(block: MetricBlock, model: Model):
    return METRICS[block.kind](block, {c.name: c.value for c in model.constants})
