"""How far a law drifts in one step of an optimizer, exactly.

Let q be the law, quadratic, and B its polar form: q(θ) = B(θ, θ). That q is a law says B(θ, g) = 0 for every gradient
g of every loss, so of every mini-batch too. Then, with a = 1 − ηλ_d (names as in `settings`):

    B(θ, m) ← μ B(θ, m) + λ_c q(θ)                          as m gathers the gradient
    q(θ) ← a² q(θ) − 2aη B(θ, u) + η² q(u)                   as θ moves
    B(θ, m) ← a B(θ, m) − η B(u, m)

Only q(u), q(m) and q(u + m) are evaluated, at gradients: for SGD q ← a² q + η² q(g). A law of degree 1 is 0 at every
gradient: h(m) ← μ h(m) + λ_c h(θ), h(θ) ← a h(θ) − η h(u). Nothing here reads the parameters after the first step, so a
drift that is not the predicted one means that the settings, or the model, are others than was said.

Where rates or decays differ among the parameters that a law joins, it is no law of the run; its value after a step
is then that at the parameters where the settings put them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from geoflow.expr.degrees import degrees
from geoflow.expr.tree import Parameter, walk
from geoflow.laws.law import Law
from geoflow.metric import Euclidean
from geoflow.training.settings import Settings

How = Literal["quadratic", "linear", "mixed", "settings", "none"]
Value = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Plan:
    """How a law's drift is predicted, and why not from the law itself, if so."""

    names: tuple[str, ...]
    how: How
    reason: str = ""

    @property
    def predicted(self) -> bool:
        """Whether there is a prediction."""
        return self.how != "none"


def plan(law: Law, settings: Settings) -> Plan:
    """How to predict a law's drift under the settings."""
    names = tuple(sorted({n.name for n in walk(law.expression) if isinstance(n, Parameter)}))
    if settings.optimizer != "sgd":
        return Plan(names, "none", "the optimizer is not SGD")
    rates = [settings.rates[n] for n in names]
    if any(r is not rates[0] and r != rates[0] for r in rates):
        return Plan(names, "settings", f"learning rates differ among {', '.join(names)}")
    decays = {settings.decays[n] for n in names}
    if len(decays) > 1:
        return Plan(names, "settings", f"weight decays differ among {', '.join(names)}")
    if any(not isinstance(law.flow.metric_of(n), Euclidean) for n in names):
        return Plan(names, "settings", "the law is one of another metric")
    found = degrees(law.expression)
    if found == {2}:
        return Plan(names, "quadratic")
    if found == {1}:
        return Plan(names, "linear")
    plain = not settings.remembers and decays == {0.0}
    if found is not None and found <= {0, 1, 2} and plain:
        return Plan(names, "mixed")
    return Plan(names, "settings", "the law is no homogeneous polynomial of degree 1 or 2")


@dataclass(frozen=True)
class Step:
    """One step: parameters and gradient before it, m after the gradient, u, and its number."""

    theta: Mapping[str, Any]
    gradient: Mapping[str, Any]
    m: Mapping[str, Any]
    u: Mapping[str, Any]
    number: Any


def advance(
    how: Plan, value: Value, settings: Settings, step: Step, h: Any, memory: Any
) -> tuple[Any, Any]:
    """The value after the step of laws with one plan, and B(θ, m) (of laws of degree 1: h(m)); both before it are
    given, as one vector each. Without momentum nothing is remembered, and `memory` is not read."""
    first = how.names[0]
    rate = settings.rate(first, step.number)
    coupled, momentum = settings.coupled(first), settings.momentum
    kept = 1 - rate * shrinking if (shrinking := settings.shrinking(first)) else 1.0
    match how.how:
        case "quadratic":
            at_m = value(step.m)
            along_m = combination((momentum, memory), (coupled, h))
            if not settings.nesterov:
                after = combination((kept**2, h), (-2 * kept * rate, along_m), (rate**2, at_m))
                if not settings.remembers:
                    return after, memory
                return after, combination((kept, along_m), (-rate, at_m))
            at_u = value(step.u)
            both = value({n: step.u[n] + step.m[n] for n in how.names})
            along_u = combination((coupled, h), (momentum, along_m))
            after = combination((kept**2, h), (-2 * kept * rate, along_u), (rate**2, at_u))
            return after, combination((kept, along_m), (-rate / 2, both - at_u - at_m))
        case "linear":
            gathered = combination((momentum, memory), (coupled, h))
            along = gathered
            if settings.nesterov:
                along = combination((coupled, h), (momentum, gathered))
            after = combination((kept, h), (-rate, along))
            return after, gathered if settings.remembers else memory
        case "mixed":
            plus = {n: step.u[n] for n in how.names}
            minus = {n: -x for n, x in plus.items()}
            zero = {n: 0 * x for n, x in plus.items()}
            return h + rate**2 * ((value(plus) + value(minus)) / 2 - value(zero)), memory
        case "settings":
            after = value(settings.moved(step.theta, step.u, step.number))
            return h + after - value(step.theta), memory
        case "none":
            return h, memory


def combination(*terms: tuple[Any, Any]) -> Any:
    """Σ cx over the terms (c, x), without those where c or x is the number 0; 0.0 if there are none."""
    total: Any = 0.0
    for c, x in terms:
        if _is(c, 0) or _is(x, 0):
            continue
        term = x if _is(c, 1) else c * x
        total = term if _is(total, 0) else total + term
    return total


def _is(x: Any, number: int) -> bool:
    return isinstance(x, int | float) and x == number
