"""From `flow …` and `decay …` to a flow: one entry of `FLOWS` per kind."""

from __future__ import annotations

from collections.abc import Callable

from geoflow.dynamics import Adam, Decay, Dynamics, Gradient, Momentum, RMSProp, SignDescent
from geoflow.expr.tree import Expr
from geoflow.semantics.model import Model


def _ordered(model: Model) -> Dynamics:
    decay = _decay(model)
    if model.damping is None:
        return Gradient(decay)
    return Momentum(model.damping, model.accelerated, decay)


def _decay(model: Model) -> Decay | None:
    if not model.decay:
        return None
    rates = {name: d.rate for d in model.decay for name in d.parameters}
    return Decay(rates, model.decay[0].coupled)


def _option(model: Model, name: str) -> Expr:
    value = model.flow_options[name]
    assert not isinstance(value, int)
    return value


def _sign(model: Model) -> Dynamics:
    power = model.flow_options["power"]
    assert isinstance(power, int)
    return SignDescent(power)


FLOWS: dict[str, Callable[[Model], Dynamics]] = {
    "order": _ordered,
    "adam": lambda model: Adam(_option(model, "b1"), _option(model, "b2")),
    "rmsprop": lambda model: RMSProp(_option(model, "b2")),
    "sign": _sign,
}
