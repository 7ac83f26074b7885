"""Weight decay: uniform or not, in the loss or beside it, at both orders."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import geoflow as gf
from geoflow.lossclass import CrossEntropy
from geoflow.metric import Fisher

from .checking import BALANCE, MOMENT, Case, factors, hold, product, scalars

MASS = "(sum(U, axis=0) - sum(V, axis=0))"


def decayed(n: int, r: int, m: int, **options: Any) -> Callable[[], gf.Flow]:
    return lambda: gf.Flow(product, factors(n, r, m), **options)


def biased(p: Any) -> list[Any]:
    """x ↦ V (U x + b)."""
    return [p["U"] @ p["V"].T, p["b"] @ p["V"].T]


def neuron(p: Any) -> list[Any]:
    """The path-lifting of one ReLU neuron with its bias."""
    return [p["w"] * p["v"], p["b"] * p["v"]]


def with_bias(**options: Any) -> Callable[[], gf.Flow]:
    return lambda: gf.Flow(biased, {**factors(2, 2, 2), "b": np.zeros(2)}, **options)


def one_neuron(**options: Any) -> Callable[[], gf.Flow]:
    return lambda: gf.Flow(neuron, {"w": np.zeros(2), **scalars("v", "b")}, **options)


def three(**options: Any) -> Callable[[], gf.Flow]:
    return lambda: gf.Flow(lambda p: p["x"] * p["y"] * p["z"], scalars("x", "y", "z"), **options)


def classes(p: Any) -> Any:
    """Logits by datum."""
    return (p["W2"] @ p["W1"]).T


ORDER_1 = {
    **{
        f"uniform 2,{r},2": Case(
            decayed(2, r, 2, decay=1),
            k,
            (f"exp(2*t)*({BALANCE})",),
            (BALANCE, f"exp(t)*({BALANCE})", f"exp(3*t)*({BALANCE})", f"exp(-2*t)*({BALANCE})"),
        )
        for r, k in [(1, 1), (2, 3), (5, 14)]
    },
    "a third": Case(
        three(decay=Fraction(1, 3)),
        2,
        ("exp(2/3*t)*(x**2 - z**2)", "exp(2/3*t)*(y**2 - z**2)"),
        ("x**2 - y**2", "exp(t/3)*(x**2 - y**2)", "exp(2/3*t)*(x**2 + y**2)"),
    ),
    "on two of three": Case(
        three(decay={"x": 1, "y": 1}),
        1,
        ("exp(2*t)*(x**2 - y**2)",),
        ("x**2 - y**2", "exp(2*t)*(x**2 - z**2)"),
    ),
    "on one layer": Case(
        decayed(2, 2, 2, decay={"U": 1}), 0, wrong=(BALANCE, f"exp(2*t)*({BALANCE})")
    ),
    "a rate a layer": Case(
        decayed(2, 2, 2, decay={"U": 1, "V": 2}),
        0,
        wrong=("exp(2*t)*U.T @ U - exp(4*t)*V.T @ V", f"exp(3*t)*({BALANCE})"),
    ),
    "not on the biases": Case(
        with_bias(decay={"U": 1, "V": 1}),
        0,
        wrong=("exp(2*t)*(U.T @ U + outer(b, b) - V.T @ V)",),
    ),
    "on the biases too": Case(
        with_bias(decay=1),
        3,
        ("exp(2*t)*(U.T @ U - V.T @ V + outer(b, b))",),
        (f"exp(2*t)*({BALANCE})",),
    ),
    "a neuron, not its bias": Case(
        one_neuron(decay={"w": 1, "v": 1}),
        0,
        wrong=("exp(2*t)*(sum(w**2) + b**2 - v**2)",),
    ),
    "coupled": Case(
        decayed(2, 2, 2, decay=1, coupled=True), 3, (f"exp(2*t)*({BALANCE})",), (BALANCE,)
    ),
    "entropy, decoupled": Case(
        decayed(2, 2, 2, metric=gf.Mirror("entropy"), decay=1),
        2,
        (f"exp(t)*{MASS}",),
        (f"exp(2*t)*{MASS}", MASS),
    ),
    "entropy, coupled": Case(
        decayed(2, 2, 2, metric=gf.Mirror("entropy"), decay=1, coupled=True),
        0,
        wrong=(f"exp(t)*{MASS}", MASS),
    ),
    "log-barrier": Case(
        decayed(3, 2, 2, metric=gf.Mirror("log_barrier"), decay=1),
        2,
        ("sum(log(U), axis=0) - sum(log(V), axis=0) + t*ones([2])",),
        (
            "sum(log(U), axis=0) - sum(log(V), axis=0)",
            "sum(log(U), axis=0) - sum(log(V), axis=0) - t*ones([2])",
        ),
    ),
    "full Fisher": Case(
        decayed(2, 2, 2, metric=Fisher("full"), decay=1), 3, (f"exp(2*t)*({BALANCE})",), (BALANCE,)
    ),
    "cross-entropy": Case(
        lambda: gf.Flow(
            classes,
            {"W2": np.zeros((3, 2)), "W1": np.zeros((2, 2))},
            loss=CrossEntropy(),
            decay=1,
        ),
        5,
        ("exp(2*t)*(W1 @ W1.T - W2.T @ W2)", "exp(t)*sum(W2, axis=0)"),
        ("exp(t)*(W1 @ W1.T - W2.T @ W2)", "sum(W2, axis=0)", "exp(t)*sum(W2, axis=1)"),
    ),
}
ORDER_2 = {
    "coupled, a rate a layer": Case(
        decayed(2, 2, 2, order=2, damping=1, decay={"U": 1, "V": 2}, coupled=True),
        1,
        (f"exp(t)*{MOMENT}",),
        (f"exp(2*t)*{MOMENT}", MOMENT),
    ),
    "decoupled, a rate a layer": Case(
        decayed(2, 2, 2, order=2, damping=1, decay={"U": 1, "V": 2}, coupled=False),
        0,
        wrong=(f"exp(t)*{MOMENT}", f"exp(2*t)*{MOMENT}"),
    ),
    "decoupled, one half": Case(
        decayed(2, 2, 2, order=2, damping=1, decay=Fraction(1, 2), coupled=False),
        1,
        (f"exp(3/2*t)*{MOMENT}",),
        (f"exp(t)*{MOMENT}", f"exp(t/2)*{MOMENT}"),
    ),
    "decoupled, no damping": Case(
        decayed(2, 2, 2, order=2, decay=1, coupled=False),
        1,
        (f"exp(t)*{MOMENT}",),
        (MOMENT, f"exp(2*t)*{MOMENT}"),
    ),
    "coupled, nesterov": Case(
        decayed(2, 2, 2, order=2, damping=lambda t: 3 / t, decay=1, coupled=True),
        1,
        (f"t**3*{MOMENT}",),
        (f"t**3*exp(t)*{MOMENT}", f"t**2*{MOMENT}"),
    ),
    "decoupled, nesterov": Case(
        decayed(2, 2, 2, order=2, damping=lambda t: 3 / t, decay=1, coupled=False),
        1,
        (f"t**3*exp(t)*{MOMENT}",),
        (f"t**3*{MOMENT}", f"exp(t)*{MOMENT}"),
    ),
}


@pytest.mark.parametrize("name", ORDER_1)
def test_order_1(name: str) -> None:
    hold(ORDER_1[name])


@pytest.mark.parametrize("name", ORDER_2)
def test_order_2(name: str) -> None:
    hold(ORDER_2[name])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"order": 2, "decay": 1}, "coupled"),
        ({"coupled": True}, "decay"),
        ({"decay": {"W": 1}}, "no parameter"),
        ({"accelerated": True}, "order 2"),
    ],
)
def test_contradictions(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        gf.Flow(product, factors(1, 1, 1), **options)
