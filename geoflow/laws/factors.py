"""Time factors of laws: functions f(t) with f' = λ f, as dictionary entries and never as coordinates (two exponentials
as coordinates would count one law too many)."""

from __future__ import annotations

from dataclasses import dataclass

from geoflow.expr.build import function, multiply
from geoflow.expr.tree import Expr, Number, Time, depends_on_time
from geoflow.flow import Flow


@dataclass(frozen=True)
class TimeFactor:
    """f(t) and its logarithmic derivative λ(t); None for f = 1."""

    factor: Expr | None
    rate: Expr | None


def time_factors(flow: Flow) -> list[TimeFactor]:
    """The factors a law of this flow can have: exp(∫λ) for the flow's rates λ, and 1."""
    found = [
        TimeFactor(integrating_factor(rate), rate)
        for rate in flow.dynamics.rates(flow.parametrization)
    ]
    return [*(f for f in found if f.factor is not None), TimeFactor(None, None)]


def integrating_factor(rate: Expr) -> Expr | None:
    """exp(∫ rate dt), where the language can write it: exp(τt) for a constant τ, t**k for k/t, …"""
    if not depends_on_time(rate):
        return function("exp", Time() if _is_one(rate) else multiply(rate, Time()))
    import sympy as sp

    from geoflow.expr.convert import NotConvertible, from_sympy, scalar_to_sympy

    t = sp.Symbol("t", positive=True)
    symbols: dict[sp.Symbol, Expr] = {t: Time()}
    try:
        tau = scalar_to_sympy(rate, t, symbols)
        return from_sympy(sp.powsimp(sp.expand_log(sp.exp(sp.integrate(tau, t)))), symbols)
    except NotConvertible:
        return None


def _is_one(rate: Expr) -> bool:
    return isinstance(rate, Number) and rate.value == 1
