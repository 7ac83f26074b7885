"""Adam and RMSProp keep nothing on the six models of the method's tables; sign descent keeps differences of powers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import geoflow as gf
from geoflow.dynamics import Adam, Dynamics, RMSProp, SignDescent
from geoflow.expr.tree import Number

from .checking import BALANCE, Case, factors, hold, product, scalars, verdict

PAIR = {"u": np.zeros(2), "v": np.zeros(2)}
MODELS: dict[str, tuple[Callable[[Any], Any], dict[str, Any], str]] = {
    "uv": (lambda p: p["u"] * p["v"], scalars("u", "v"), "u**2 - v**2"),
    "xyz": (lambda p: p["x"] * p["y"] * p["z"], scalars("x", "y", "z"), "x**2 - y**2"),
    "⟨u, v⟩": (lambda p: p["u"] @ p["v"], PAIR, "sum(u**2) - sum(v**2)"),
    "u⊙v": (lambda p: p["u"] * p["v"], PAIR, "u**2 - v**2"),
    "UVᵀ 1,1,2": (product, factors(1, 1, 2), BALANCE),
    "UVᵀ 2,1,2": (product, factors(2, 1, 2), BALANCE),
}


def rational(n: int, d: int) -> Number:
    return Number(Fraction(n, d))


ADAPTIVE: dict[str, Dynamics] = {
    "RMSProp": RMSProp(rational(1, 10)),
    "RMSProp slow": RMSProp(rational(1, 1000)),
    "Adam": Adam(rational(1, 10), rational(1, 20)),
}


@pytest.mark.parametrize("dynamics", ADAPTIVE)
@pytest.mark.parametrize("model", MODELS)
def test_adaptive_flows_keep_nothing(model: str, dynamics: str) -> None:
    phi, params, law = MODELS[model]
    flow = gf.Flow(phi, params, dynamics=ADAPTIVE[dynamics])
    moments = 1 if dynamics.startswith("RMS") else 2
    assert flow.dimension == 1 + (1 + moments) * flow.parameter_count
    hold(Case(lambda: flow, 0, wrong=(law, f"exp(t)*({law})")))


@pytest.mark.parametrize("model", MODELS)
def test_the_same_models_have_laws_under_gradient_flow(model: str) -> None:
    phi, params, law = MODELS[model]
    assert verdict(gf.Flow(phi, params), law) == "proved"


@pytest.mark.parametrize("power", range(4))
def test_sign_descent_on_a_product(power: int) -> None:
    """|θᵢ|^(s+1) − |θⱼ|^(s+1), where all are positive."""
    k = power + 1
    own, other = (f"**{d}" if d > 1 else "" for d in (k, k + 1))
    phi, params, _ = MODELS["xyz"]
    hold(
        Case(
            lambda: gf.Flow(phi, params, dynamics=SignDescent(power)),
            2,
            (f"x{own} - z{own}", f"y{own} - z{own}"),
            (f"x{other} - y{other}", f"x{own} + y{own}", f"x{own} - 2*z{own}"),
            (f"x{own} - y{own}",),
        )
    )


def test_sign_1_is_gradient_flow() -> None:
    for dynamics in (None, SignDescent(1)):
        flow = gf.Flow(product, factors(2, 2, 2), dynamics=dynamics)
        hold(Case(lambda flow=flow: flow, 3, (BALANCE,), ("U.T @ U + V.T @ V",)))


def test_cubes_of_a_matrix_of_gradients_keep_nothing() -> None:
    flow = gf.Flow(product, factors(2, 1, 2), dynamics=SignDescent(3))
    hold(Case(lambda: flow, 0, wrong=(BALANCE, "sum(U**4) - sum(V**4)")))


def test_signs_that_do_not_cancel_need_a_scalar() -> None:
    for power in (0, 2):
        with pytest.raises(ValueError, match="one scalar output"):
            gf.analyze(gf.Flow(product, factors(2, 1, 2), dynamics=SignDescent(power)))


@pytest.mark.parametrize("options", [{"metric": gf.Mirror("entropy")}, {"decay": 1}, {"order": 2}])
def test_dynamics_says_the_whole_flow(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="dynamics says the whole flow"):
        gf.Flow(product, factors(1, 1, 1), dynamics=SignDescent(1), **options)
