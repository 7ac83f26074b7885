"""Dampings that depend on t, accelerated mirrors, path-liftings: order 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf

from .checking import (
    BALANCE,
    MOMENT,
    Case,
    convex,
    convex_parameters,
    factors,
    hold,
    product,
    verdict,
)

ENTROPY = gf.Mirror("entropy")


def damped(n: int, r: int, m: int, tau: Any) -> Callable[[], gf.Flow]:
    return lambda: gf.Flow(product, factors(n, r, m), order=2, damping=tau)


def accelerated(n: int, r: int, m: int, tau: Any, metric: gf.Mirror = ENTROPY):
    return lambda: gf.Flow(
        product, factors(n, r, m), metric=metric, order=2, damping=tau, accelerated=True
    )


def accelerated_convex(n: int, r: int, m: int, tau: Any):
    return lambda: gf.Flow(
        convex,
        convex_parameters(n, r, m),
        metric={"U": ENTROPY},
        order=2,
        damping=tau,
        accelerated=True,
    )


def paths(p: Any) -> list[Any]:
    """The path-lifting of a two-layer ReLU network, with biases if there are any."""
    outputs = [jnp.einsum("ij,jk->ijk", p["W1"], p["W2"])]
    return outputs + ([p["b"][:, None] * p["W2"]] if "b" in p else [])


def network(biased: bool, tau: Any) -> Callable[[], gf.Flow]:
    params = {"W1": np.zeros((2, 3)), "W2": np.zeros((3, 2))}
    return lambda: gf.Flow(
        paths, params | ({"b": np.zeros(3)} if biased else {}), order=2, damping=tau
    )


NO_BALANCE = (BALANCE, "sum(U, axis=0) - sum(V, axis=0)")
DAMPINGS = {
    "nesterov": Case(
        damped(2, 3, 2, lambda t: 3 / t),
        3,
        (f"t**3*{MOMENT}",),
        (f"t**2*{MOMENT}", f"exp(3*t)*{MOMENT}", MOMENT, BALANCE, "t**3*(U.T @ U' - U'.T @ U)"),
        (f"t**3*{MOMENT}[0, 2]",),
    ),
    "1/(1 + t)": Case(
        damped(2, 2, 2, lambda t: 1 / (1 + t)),
        1,
        (f"(t + 1)*{MOMENT}",),
        (f"t*{MOMENT}", f"(t + 2)*{MOMENT}", f"exp(t)*{MOMENT}"),
        (f"(2*t + 2)*{MOMENT}",),
    ),
    "t": Case(
        damped(2, 2, 2, lambda t: t),
        1,
        (f"exp(1/2*t**2)*{MOMENT}",),
        (f"exp(t**2)*{MOMENT}", f"exp(t)*{MOMENT}", f"t**2*{MOMENT}"),
    ),
    "1 + 2/t": Case(
        damped(2, 2, 2, lambda t: 1 + 2 / t),
        1,
        (f"t**2*exp(t)*{MOMENT}",),
        (f"t*exp(t)*{MOMENT}", f"t**2*{MOMENT}", f"exp(t)*{MOMENT}"),
    ),
    "2t/(1 + t²)": Case(
        damped(2, 2, 2, lambda t: 2 * t / (1 + t * t)),
        1,
        (f"(t**2 + 1)*{MOMENT}",),
        (f"t**2*{MOMENT}", f"(t**2 - 1)*{MOMENT}"),
    ),
    "one neuron": Case(damped(2, 1, 2, lambda t: 3 / t), 0, wrong=(BALANCE, "t**3*sum(U*U')")),
}
ACCELERATED = {
    **{
        f"entropy {n},{r},{m} τ = {tau}": Case(accelerated(n, r, m, tau), 0, wrong=NO_BALANCE)
        for tau in (0, 1)
        for n, r, m in [(1, 1, 1), (2, 1, 2), (1, 3, 1)]
    },
    "entropy nesterov": Case(accelerated(2, 2, 1, lambda t: 3 / t), 0, wrong=NO_BALANCE),
    "cube": Case(accelerated(1, 2, 1, 1, gf.Mirror("power", 3)), 0, wrong=NO_BALANCE),
    **{
        f"convex τ = {tau}": Case(
            accelerated_convex(1, 2, 2, tau),
            0,
            wrong=("2*sum(U, axis=0) - sum(V**2, axis=1) - b**2",),
        )
        for tau in (0, 1)
    },
}
NEURON = "sum(W1**2, axis=0) - sum(W2**2, axis=1)"
NETWORKS = {
    "heavy ball": Case(network(False, 1), 0, wrong=(NEURON, f"exp(t)*({NEURON})")),
    "heavy ball, biases": Case(network(True, 1), 0, wrong=(f"{NEURON} + b**2",)),
    "nesterov, biases": Case(network(True, lambda t: 3 / t), 0, wrong=(f"{NEURON} + b**2",)),
}


@pytest.mark.parametrize("name", DAMPINGS)
def test_damping(name: str) -> None:
    hold(DAMPINGS[name])


@pytest.mark.parametrize("name", ACCELERATED)
def test_accelerated_mirrors_keep_nothing(name: str) -> None:
    hold(ACCELERATED[name])


def test_the_accelerated_log_barrier_keeps_one() -> None:
    """ψ' = −1/u: with w = θ + θ', Σ θ/w over U minus that over V decays like exp(−t), as w' is the force alone."""
    flow = accelerated(2, 1, 2, 1, gf.Mirror("log_barrier"))()
    assert gf.count_laws(flow).upper == 1
    ratios = "(sum(U/(U + U')) - sum(V/(V + V')))"
    assert verdict(flow, f"exp(t)*{ratios}") == "proved"
    assert verdict(flow, ratios) == "refuted"
    assert verdict(flow, f"exp(2*t)*{ratios}") == "refuted"


def test_the_plain_metric_has_two_laws_where_the_accelerated_has_none() -> None:
    plain = gf.Flow(product, factors(2, 1, 2), metric=ENTROPY, order=2, damping=1)
    count = gf.analyze(plain).count
    assert (count.lower, count.upper, count.status) == (2, 2, "proved")


@pytest.mark.parametrize("name", NETWORKS)
def test_path_liftings_keep_nothing(name: str) -> None:
    hold(NETWORKS[name])
