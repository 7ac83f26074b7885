"""Fisher metrics of networks, over Gaussian data and over points."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.dynamics import Gradient
from geoflow.expr.tree import Number
from geoflow.lossclass import FewData
from geoflow.metric import Fisher, GaussianData, NoMetric, Points
from geoflow.metric.base import Setting
from geoflow.metric.expectation import is_piecewise, second_difference
from geoflow.metric.genericrank import vanishes_identically
from geoflow.options import CheckOptions
from geoflow.parametrization import Block, Datum, MetricOn
from geoflow.pipeline import check_text

from .checking import BALANCE, verdict

SHAPES = {"U": (2, 2), "V": (2, 2)}
INPUT = (Datum("x", (2,)),)
DETS = "log(det(U.T @ U)) - log(det(V.T @ V))"
Activation = Callable[[jax.Array], jax.Array]


def network(metric: Fisher, activation: Activation = lambda h: h) -> gf.Flow:
    """g(x) = U σ(Vᵀx)."""

    def g(c: Any, values: Any) -> tuple[jax.Array, ...]:
        return (values["U"] @ activation(values["V"].T @ values["x"]),)

    blocks = tuple(Block(n, s) for n, s in SHAPES.items())
    on = (MetricOn(metric, tuple(SHAPES)),)
    return gf.Flow.of_model(blocks, g, on, Gradient(), {}, "g", data=INPUT)


def second_moment(points: Points) -> np.ndarray:
    """The mean of x xᵀ over the points."""
    with jax.enable_x64(True):
        (drawn,) = points.seen(lambda c, values: (values["x"],), INPUT)({}, {})
    return np.mean([np.outer(x, x) for x in drawn], axis=0)


def test_full_fisher_of_a_network_has_the_euclidean_laws() -> None:
    for activation, laws in ((lambda h: h, 3), (jax.nn.relu, 2)):
        flow = network(Fisher("full"), activation)
        count = gf.count_laws(flow)
        assert count.upper == laws
    assert verdict(network(Fisher("full")), BALANCE) == "proved"
    assert verdict(network(Fisher("full")), DETS) == "refuted"


def test_blocks_over_gaussian_data_are_those_of_the_product() -> None:
    """E xxᵀ = I: M_U = I ⊗ VᵀV, as for the map U Vᵀ (K-FAC without damping)."""
    flow = network(Fisher("blocks"))
    assert gf.count_laws(flow).upper == 1
    assert [verdict(flow, text) for text in (DETS, BALANCE)] == ["proved", "refuted"]


@pytest.mark.parametrize("kind", ["blocks", "diagonal"])
def test_the_gaussian_mean_is_that_of_many_points(kind: Any) -> None:
    rng = np.random.default_rng(2)
    drawn = rng.normal(size=(20000, 2))
    drawn = drawn @ np.linalg.inv(np.linalg.cholesky(drawn.T @ drawn / len(drawn))).T
    with jax.enable_x64(True):
        theta = {n: jnp.asarray(rng.normal(size=s)) for n, s in SHAPES.items()}
        covector = {n: jnp.asarray(rng.normal(size=s)) for n, s in SHAPES.items()}
        metric = Fisher(kind, damping=Number(Fraction(2)))
        p = network(metric).parametrization
        found = p.direction({}, theta, covector, how="exact")

        def block(name: str) -> np.ndarray:
            def at(x: jax.Array) -> jax.Array:
                g = jax.jacobian(lambda w: p.phi({}, {**theta, name: w, "x": x})[0])(theta[name])
                return g.reshape(2, -1)

            jacobians = jax.vmap(at)(jnp.asarray(drawn))
            return np.asarray(jnp.einsum("kij,kil->jl", jacobians, jacobians) / len(drawn))

        for name in SHAPES:
            m = block(name)
            if kind == "diagonal":
                m = np.diag(np.diag(m))
            expected = np.linalg.solve(m + 2 * np.eye(4), np.ravel(covector[name]))
            assert np.allclose(np.ravel(found[name]), expected, rtol=1e-9)


def test_blocks_over_points_measure_their_second_moment() -> None:
    points = Points(4, seed=3)
    c = second_moment(points)
    text = f"[[{c[0, 0]}, {c[0, 1]}], [{c[1, 0]}, {c[1, 1]}]]"
    assert abs(np.linalg.det(c)) > 0.1 and not np.allclose(c, c[0, 0] * np.eye(2))
    flow = network(Fisher("blocks", data=points))
    assert gf.count_laws(flow).upper == 1
    moved = f"log(det(U.T @ U)) - log(det(V.T @ {text} @ V))"
    # V is square: the determinant of the moment is a constant
    assert [verdict(flow, t) for t in (moved, DETS, BALANCE)] == ["proved", "proved", "refuted"]
    damped = network(Fisher("blocks", damping=Number(Fraction(3)), data=points))
    assert verdict(damped, DETS) == "refuted"


def test_one_point_is_not_full_support() -> None:
    """M⁺ projects the gradient at any datum to the span of the gradients at the point."""
    flow = network(Fisher("full", data=Points(1, seed=3)))
    euclidean, projected = network(Fisher("full")), flow
    assert gf.count_laws(euclidean).upper == 3
    assert gf.count_laws(projected).upper > 3
    assert verdict(projected, BALANCE) == "proved"


def test_the_mean_over_points_is_the_mean() -> None:
    """With damping the number of points matters."""
    points, rng = Points(3, seed=1), np.random.default_rng(0)
    flow = network(Fisher("blocks", damping=Number(Fraction(2)), data=points))
    with jax.enable_x64(True):
        theta = {n: jnp.asarray(rng.normal(size=s)) for n, s in SHAPES.items()}
        covector = {n: jnp.asarray(rng.normal(size=s)) for n, s in SHAPES.items()}
        found = flow.parametrization.direction({}, theta, covector, how="exact")
        rounded = flow.parametrization.direction({}, theta, covector)
    v = np.asarray(theta["V"])
    m = np.kron(np.eye(2), v.T @ second_moment(points) @ v)
    expected = np.linalg.solve(m + 2 * np.eye(4), np.ravel(covector["U"])).reshape(2, 2)
    assert np.allclose(found["U"], expected) and np.allclose(rounded["U"], expected)


def test_what_has_no_exact_mean_is_refused() -> None:
    with pytest.raises(NoMetric, match="points"):
        network(Fisher("blocks"), jnp.tanh)
    with pytest.raises(NoMetric, match="Gaussian output"):
        network(Fisher("blocks", output="poisson"))
    with pytest.raises(NoMetric, match="affine"):
        network(Fisher("blocks"), jnp.sin)
    with pytest.raises(NoMetric, match="piecewise"):  # points would not help
        network(Fisher("blocks"), jax.nn.relu)
    with pytest.raises(NoMetric, match="piecewise"):
        network(Fisher("blocks", data=Points(5)), jax.nn.relu)
    assert network(Fisher("full"), jnp.tanh).dimension == 8


def test_affine_and_piecewise_are_told_apart() -> None:
    def bent(c: Any, values: Any) -> tuple[jax.Array, ...]:
        return (values["U"] @ values["x"] * values["x"][0],)

    def straight(c: Any, values: Any) -> tuple[jax.Array, ...]:
        return (values["U"] @ values["x"] + values["U"][0] ** 2,)

    for g, affine in ((bent, False), (straight, True)):
        curvature, shapes = second_difference(g, INPUT)
        assert vanishes_identically(curvature, {}, {"U": (2, 2), **shapes}) is affine
    ramp = GaussianData().seen(lambda c, v: (jax.nn.relu(v["U"] @ v["x"]),), INPUT)
    assert is_piecewise(ramp, {}, {"U": (2, 2)})
    assert not is_piecewise(GaussianData().seen(straight, INPUT), {}, {"U": (2, 2)})


def test_a_network_on_given_data_keeps_its_metric() -> None:
    flow = network(Fisher("blocks", data=Points(4, seed=3)))
    with jax.enable_x64(True):
        given = flow.on_data({"x": jnp.asarray([[1.0, 0.0], [5.0, 1.0]])})
        (before,), (after,) = flow.parametrization.metrics, given.parametrization.metrics
        assert isinstance(before.metric, Fisher) and isinstance(after.metric, Fisher)
        assert before.metric.found is after.metric.found


def test_the_metric_of_a_map_knows_no_data() -> None:
    flow = gf.Flow(lambda p: p["x"], {"x": np.zeros(2)}, metric=Fisher("blocks"))
    (on,) = flow.parametrization.metrics
    assert isinstance(on.metric, Fisher) and on.metric.found is not None
    assert isinstance(on.metric.found.setting, Setting) and not on.metric.found.setting.inputs


def test_the_metric_of_a_network_on_few_data_is_that_of_its_own_data() -> None:
    """g = v W x at one x: W' is along v xᵀ for the Euclidean metric; over Gaussian data it is c = vW whose c' is along
    x."""
    text = (
        "param W[2, 2], v[2]\ninput x[2]\nnetwork g = v @ (W @ x)\nloss data(1)\n{}"
        "law column = {}*W[0, 0] + {}*W[0, 1]\n"
    )
    (x,) = FewData(1).inputs([((2,), False)])
    across = (int(x[0, 1]), -int(x[0, 0]))
    kept = "law seen = ({})*(v @ W)[0] + ({})*(v @ W)[1]\n".format(*across)
    for metric, verdicts in (
        ("", ["proved", "refuted"]),
        ("metric fisher(full)\n", ["refuted", "proved"]),
        ("metric fisher(full, data = points(3))\n", ["refuted", "refuted"]),
    ):
        body = text.format(metric, f"({across[0]})", f"({across[1]})") + kept
        (model,) = check_text(body, "few.geo", CheckOptions(verify=False)).models
        assert [c.verdict for c in model.claims] == verdicts


def test_a_metric_without_an_exact_mean_is_refused_on_few_data() -> None:
    text = (
        "param W[2, 2], v[2]\ninput x[2]\nnetwork g = v @ {}(W @ x)\nloss data(1)\n"
        "metric fisher(full{})\n"
    )
    report = check_text(text.format("tanh", ""), "few.geo", CheckOptions(verify=False))
    assert [d.code for d in report.diagnostics] == ["GEO0401"]
    report = check_text(text.format("", ", output = categorical"), "few.geo")
    assert report.diagnostics


def test_a_network_put_on_given_data_is_not_taken_for_the_network() -> None:
    flow = network(Fisher("full"), jnp.tanh)
    given = flow.on_data({"x": jnp.array([[1.0, 2.0]])})
    with pytest.raises(NoMetric, match="not taken exactly"):
        gf.count_laws(given)
