"""What dies between two flows: which laws of each live in the other, for one parametrization or two models.

A law of one flow is judged as a claim on the other. A law without velocities may die because time now has a factor
that it lacks: what is found on the other side is listed beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from geoflow.analysis import Analysis, Counted, conclude, count, search
from geoflow.deadline import Deadline
from geoflow.dynamics import Decay, Dynamics, Gradient, Momentum
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.tree import Constant, Number, Parameter, Time, Velocity, walk
from geoflow.flow import Flow
from geoflow.laws.differential import differentiate
from geoflow.laws.identity import decide
from geoflow.laws.law import Law
from geoflow.laws.tokens import UnsupportedExponential
from geoflow.memory import MOST_MEMORY
from geoflow.metric import Euclidean, Fisher, Metric, NoMetric
from geoflow.parametrization import TIME, MetricOn
from geoflow.results import ComparedFlow, ComparedLaw, Comparison, Verdict

NATURAL: Mapping[str, Metric] = {
    "natural gradient, full": Fisher("full"),
    "natural gradient, blocks": Fisher("blocks"),
}


@dataclass(frozen=True)
class _Side:
    name: str
    counted: Counted
    analysis: Analysis


def compare_flows(
    flows: Mapping[str, Flow],
    seed: int = 0,
    deadline: Deadline = Deadline(),
    memory: int = MOST_MEMORY,
) -> Comparison:
    """The laws of all flows, and which of the flows keep each."""
    sides = []
    for name, flow in flows.items():
        counted = count(flow, seed, deadline, memory)
        sides.append(_Side(name, counted, conclude(counted, search(counted, deadline=deadline))))
    laws: dict[tuple[str, str], Law] = {}
    for side in sides:
        for law in side.analysis.laws:
            laws.setdefault((str(law), _values(law)), law)
    rows = [
        ComparedLaw(text, tuple(_verdict(side, law, deadline) for side in sides))
        for (text, _), law in laws.items()
    ]
    columns = [ComparedFlow(s.name, s.analysis.flow.summary(), s.analysis.count) for s in sides]
    return Comparison(tuple(columns), tuple(rows))


def _values(law: Law) -> str:
    """The constants that the law names, with their values."""
    used = {n.name for n in walk(law.expression) if isinstance(n, Constant)}
    return ", ".join(f"{n} = {law.flow.constants.get(n)}" for n in sorted(used))


def _verdict(side: _Side, law: Law, deadline: Deadline) -> Verdict | None:
    """Whether the side's flow keeps the law; None where it cannot be said in the side's state."""
    names = {b.name: b.shape for b in side.counted.flow.state}
    same = True
    for node in walk(law.expression):
        if isinstance(node, Parameter):
            if node.name not in names or len(names[node.name]) != len(node.shape):
                return None  # no parameter of the side, or a matrix there and a vector here
            same &= names[node.name] == node.shape
        if isinstance(node, Velocity) and f"{node.name}'" not in names:
            return None
        if isinstance(node, Time) and TIME not in names:
            return None
    used = {n.name for n in walk(law.expression) if isinstance(n, Constant)}
    mine = side.counted.flow.constants
    if any(n in mine and mine[n] != law.flow.constants.get(n) for n in used):
        return None  # one name, two values: the law is another function there
    named = {n: v for n, v in law.flow.constants.items() if n not in side.counted.flow.constants}
    try:
        differential = differentiate(side.counted.flow, [law.expression], named)
        return decide(
            side.counted.generator, differential, side.counted.places, side.counted.seed, deadline
        )
    except (UnsupportedExponential, UnsupportedPrimitive, UnluckyPoint):
        return None
    except (TypeError, ValueError, IndexError):
        if same:
            raise
        return None  # a formula for other sizes


def standard_flows(flow: Flow) -> dict[str, Flow]:
    """The standard set on one parametrization: gradient flow, momentum, decay, and natural gradient where there is
    an exact metric."""
    one, tau = Number(Fraction(1)), Number(Fraction(1, 2))
    names = [b.name for b in flow.parameters]
    everywhere = Decay(dict.fromkeys(names, one))
    flows = {
        "gradient flow": _variant(flow, Gradient(), Euclidean()),
        "momentum": _variant(flow, Momentum(tau), Euclidean()),
        "gradient flow, decay": _variant(flow, Gradient(everywhere), Euclidean()),
    }
    if len(names) > 1:
        partial = Decay({n: one for n in names[:-1]})
        flows[f"decay on all but {names[-1]}"] = _variant(flow, Gradient(partial), Euclidean())
    for name, metric in NATURAL.items():
        with suppress(NoMetric):  # of a network whose Fisher matrix is not known exactly
            flows[name] = _variant(flow, Gradient(), metric)
    return flows


def _variant(flow: Flow, dynamics: Dynamics, metric: Metric) -> Flow:
    p = flow.parametrization
    metrics = (MetricOn(metric, tuple(b.name for b in p.parameters)),)
    return Flow.of_parts(replace(p, metrics=metrics), dynamics)


def kept(row: ComparedLaw) -> Sequence[bool]:
    """By flow, whether the law is kept."""
    return [v in ("proved", "probable") for v in row.verdicts]
