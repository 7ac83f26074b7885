"""diffrax keeps the laws of every kind of flow, while a control function drifts."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import geoflow as gf
from geoflow.dynamics import SignDescent
from geoflow.expr.tree import Number
from geoflow.laws.law import Law
from geoflow.lossclass import CrossEntropy
from geoflow.metric import Fisher, Riemannian
from geoflow.results import VerifySettings

from .checking import BALANCE, MOMENT, blocks, expression, factors, product, scalars, written_out

SETTINGS = VerifySettings(losses=("squared",), data=8, trials=1)


def flow(**options: Any) -> Callable[[], gf.Flow]:
    return lambda: gf.Flow(product, factors(2, 2, 2), **options)


def classifier() -> gf.Flow:
    params = {"W2": np.zeros((3, 2)), "W1": np.zeros((2, 2))}
    return gf.Flow(lambda p: (p["W2"] @ p["W1"]).T, params, loss=CrossEntropy())


def curved() -> gf.Flow:
    matrix = expression({"x": (3,)}, "diag(1/(1 + x**2))")
    params = {"x": np.zeros(3)}
    return gf.Flow(
        lambda p: p["x"][0] * p["x"][1] * p["x"][2], params, metric=Riemannian(matrix, {})
    )


def cubes() -> gf.Flow:
    params = scalars("x", "y", "z")
    return gf.Flow(lambda p: 2 * p["x"] * p["y"] * p["z"], params, dynamics=SignDescent(3))


def body() -> gf.Flow:
    field = "[L[1]*a[2] - L[2]*a[1], L[2]*a[0] - L[0]*a[2], L[0]*a[1] - L[1]*a[0]]"
    return written_out({"L": (3,)}, {"L": field}, {"a": (3,)})


THREE = Number(Fraction(3))
# name: (flow, a law, what is no law)
FLOWS: dict[str, tuple[Callable[[], gf.Flow], str, str]] = {
    "nesterov": (flow(order=2, damping=lambda t: 3 / t), f"t**3*{MOMENT}", f"t**2*{MOMENT}"),
    "blocks, damped": (
        flow(metric=Fisher("blocks", damping=THREE)),
        "log(det(U.T @ U + 3*eye(2))) - log(det(V.T @ V + 3*eye(2)))",
        BALANCE,
    ),
}
MORE: dict[str, tuple[Callable[[], gf.Flow], str, str]] = {
    "decay": (flow(decay=Fraction(1, 2)), f"exp(t)*({BALANCE})", BALANCE),
    "cross-entropy": (classifier, "sum(W2, axis=0)", "sum(W2, axis=1)"),
    "damping t": (flow(order=2, damping=lambda t: t), f"exp(t**2/2)*{MOMENT}", MOMENT),
    "full Fisher": (flow(metric=Fisher("full")), BALANCE, "U.T @ U + V.T @ V"),
    "diagonal Fisher": (
        flow(metric=Fisher("diagonal")),
        "log(sum(U**2, axis=0)) - log(sum(V**2, axis=0))",
        BALANCE,
    ),
    "written out": (curved, "log(1 + x[0]**2) - log(1 + x[1:]**2)", "x[0]**2 - x[1]**2"),
    "coupled decay": (
        flow(order=2, damping=1, decay={"U": 1, "V": 2}, coupled=True),
        f"exp(t)*{MOMENT}",
        MOMENT,
    ),
    "decoupled decay": (
        flow(order=2, damping=1, decay=Fraction(1, 2), coupled=False),
        f"exp(3/2*t)*{MOMENT}",
        f"exp(t)*{MOMENT}",
    ),
    "log-barrier, decay": (
        lambda: gf.Flow(product, factors(3, 2, 2), metric=gf.Mirror("log_barrier"), decay=1),
        "sum(log(U), axis=0) - sum(log(V), axis=0) + t*ones([2])",
        "sum(log(U), axis=0) - sum(log(V), axis=0)",
    ),
    "sign(3)": (cubes, "x**4 - y**4", "x**2 - y**2"),
    "rigid body": (body, "sum(L**2)", "L[0]**2 - L[1]**2"),
}
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in MORE]


@pytest.mark.parametrize("name", [*FLOWS, *SLOW])
def test_laws_stay_and_controls_drift(name: str) -> None:
    make, law, no_law = {**FLOWS, **MORE}[name]
    moving = make()
    kept = Law(expression(blocks(moving), law), moving, "proved", 0, 0)
    drifting = Law(expression(blocks(moving), no_law), moving, "probable", 0, 0)
    found = gf.verify(moving, [kept, drifting], settings=SETTINGS)
    drifts = dict(found.drifts)
    assert found.usable and not found.failed
    assert drifts[str(kept)] < 1e-6
    assert min(found.moved, found.control_drift, drifts[str(drifting)]) > 1e-4
