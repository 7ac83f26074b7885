"""Laws keep, other functions drift, and a run that says nothing is never held against a law."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.dynamics.sign import SignDescent
from geoflow.expr.tree import Constant
from geoflow.flow import Flow
from geoflow.metric import Mirror, Scaled
from geoflow.results import VerifySettings
from geoflow.verification import Experiment, VerifiedLaw, symbolic_values, verify
from geoflow.verification.trajectory import draw_runs, in_open_set

from .flows import (
    BALANCE,
    FACTORS,
    HEAVY_BALL,
    LINEAR,
    MASS,
    NMF,
    WRONG,
    angular_law,
    product,
)

SETTINGS = VerifySettings(data=16, trials=2)
ONE_RUN = replace(SETTINGS, losses=("squared",), trials=1)
VECTOR = {"x": jnp.zeros(3)}


@pytest.fixture(scope="module")
def linear() -> Experiment:
    return Experiment(LINEAR, [BALANCE, WRONG], SETTINGS, seed=0)


def test_balance_keeps_and_its_wrong_sign_drifts(linear: Experiment) -> None:
    found = linear.verification()
    drifts = dict(found.drifts)
    assert found.usable and not found.failed
    assert drifts[BALANCE.text] == found.max_drift < 1e-8
    assert drifts[WRONG.text] > 1e-2
    assert found.moved > 1e-2 and found.control_drift > 1e-2
    assert found.trials == 2 and found.losses == ("squared", "logistic")


def test_a_drift_shrinks_with_the_solver_tolerance(linear: Experiment) -> None:
    """Proportional to it, give or take what a whole number of steps does."""
    states = {rtol: linear._integrate(linear.runs, rtol) for rtol in (1e-4, 1e-7, 1e-10)}
    drifts = [_largest_change(solved.observed[0][0]) for solved in states.values()]
    assert drifts[0] > 30 * drifts[1] > 900 * drifts[2]
    wrong = [_largest_change(solved.observed[1][0]) for solved in states.values()]
    assert np.ptp(wrong) < 1e-3 * wrong[-1]


def _largest_change(values: np.ndarray) -> float:
    return float(np.max(np.abs(values - values[:, :1])))


def test_a_loosely_integrated_law_is_not_called_broken(linear: Experiment) -> None:
    """A drift beyond the tolerance that a stricter pass does not repeat is the integration's."""
    strict = copy(linear)
    strict.settings = replace(SETTINGS, tolerance=1e-13)
    found = strict.verification(tolerance=1e-9)
    assert found.max_drift > strict.settings.tolerance
    assert found.usable and not found.failed
    assert any("integration error" in note for note in found.notes)


def test_a_proved_law_that_drifts_fails(linear: Experiment) -> None:
    mistaken = copy(linear)
    mistaken.laws = (BALANCE, replace(WRONG, proved=True))
    found = mistaken.verification()
    assert found.failed and found.usable
    assert found.max_drift > 1e-2


def test_the_seed_decides_everything(linear: Experiment) -> None:
    again = Experiment(LINEAR, [BALANCE, WRONG], SETTINGS, seed=0).runs
    other = Experiment(LINEAR, [BALANCE, WRONG], SETTINGS, seed=1).runs
    for name in ("start", "features", "labels"):
        assert np.array_equal(getattr(again, name), getattr(linear.runs, name))
        assert not np.array_equal(getattr(other, name), getattr(linear.runs, name))


def test_momentum_needs_the_growing_factor() -> None:
    grown, plain = angular_law(0.5, "with exp(t/2)"), angular_law(0.0, "without", proved=False)
    found = verify(HEAVY_BALL, [grown, plain], SETTINGS, seed=0)
    drifts = dict(found.drifts)
    assert found.start_time == 0.0 and not found.failed
    assert drifts[grown.text] < 1e-8
    assert drifts[plain.text] > 1e-2


def test_entropy_keeps_masses() -> None:
    found = verify(NMF, [MASS], SETTINGS, seed=0)
    assert found.usable and not found.failed
    assert found.max_drift < 1e-8 < found.control_drift


def test_a_damping_singular_at_zero_starts_later() -> None:
    def law(p):
        return p["t"] ** 3 * (p["x"][0] * p["x'"][1] - p["x"][1] * p["x'"][0])

    def scale(p):
        return p["t"] ** 3 * (jnp.abs(p["x"][0] * p["x'"][1]) + jnp.abs(p["x"][1] * p["x'"][0]))

    flow = Flow(
        lambda p: jnp.sum(p["x"] ** 2), {"x": jnp.zeros(2)}, order=2, damping=lambda t: 3 / t
    )
    found = verify(flow, [VerifiedLaw("angular", law, scale, True)], ONE_RUN, seed=0)
    assert found.start_time == 1.0
    assert any("t = 1" in note for note in found.notes)
    assert found.usable and not found.failed and found.max_drift < 1e-8


def test_an_exploding_flow_says_so() -> None:
    """Negative damping and a quartic φ: no run reaches the end, and no law is to blame."""
    flow = Flow(lambda p: -jnp.sum(p["x"] ** 4), VECTOR, order=2, damping=Fraction(-20))
    found = verify(flow, [], SETTINGS, seed=0)
    assert not found.failed
    assert any("explodes" in note and "4 of 4" in note for note in found.notes)
    assert any("integrated to t = 0.2 instead" in note for note in found.notes)


@pytest.mark.parametrize(
    "phi",
    [
        pytest.param(lambda p: 1 / (p["x"] - p["x"]), id="division by zero"),
        pytest.param(
            lambda p: jnp.sqrt(-(p["x"] ** 2)), id="root of a negative", marks=pytest.mark.slow
        ),
    ],
)
def test_a_singular_flow_is_no_failed_law(phi) -> None:
    law = VerifiedLaw("x", lambda p: p["x"], lambda p: jnp.abs(p["x"]), True)
    with jax.debug_nans(True):
        found = verify(Flow(phi, VECTOR), [law], ONE_RUN, seed=0)
    assert not found.usable and not found.failed
    assert found.drifts == () and found.trials == 0
    assert any("singular" in note for note in found.notes)


@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_loss_without_gradient_tests_nothing(order) -> None:
    flow = Flow(lambda p: 0 * p["x"], VECTOR, order=order)
    law = VerifiedLaw("x", lambda p: p["x"], lambda p: jnp.abs(p["x"]), True)
    found = verify(flow, [law], ONE_RUN, seed=0)
    assert not found.usable and not found.failed
    words = "state does not move" if order == 1 else "gradient of the loss is zero"
    assert any(words in note for note in found.notes)


def test_a_metric_singular_at_zero_is_integrated_as_far_as_it_goes() -> None:
    def fourth(u, v, sign):
        return jnp.sum(u**4, axis=0) + sign * jnp.sum(v**4, axis=0)

    law = VerifiedLaw(
        "sum(U**4, axis=0) - sum(V**4, axis=0)",
        lambda p: fourth(p["U"], p["V"], -1.0),
        lambda p: fourth(p["U"], p["V"], 1.0),
        True,
    )
    flow = Flow(product, FACTORS, metric=Mirror("power", 4))
    found = verify(flow, [law], SETTINGS, seed=0)
    assert found.usable and not found.failed
    assert found.max_drift < 1e-8 < found.control_drift
    assert any("instead" in note or "dropped" in note for note in found.notes)


def test_positive_parameters_are_watched() -> None:
    """A Euclidean flow may leave the orthant where log is defined: what comes later is not used."""
    flow = Flow(lambda p: p["x"], VECTOR, positive=["x"])
    law = VerifiedLaw("log", lambda p: jnp.log(p["x"]), lambda p: jnp.abs(jnp.log(p["x"])), False)
    found = verify(flow, [law], replace(SETTINGS, time=10.0), seed=0)
    assert found.usable
    assert any("until x > 0 fails" in note for note in found.notes)
    assert all(np.isfinite(drift) for _, drift in found.drifts)


@pytest.mark.parametrize(
    ("phi", "power", "name", "sign"),
    [
        (lambda p: p["x"][0] * p["x"][1], 2, "x0**3 - x1**3", -1),
        (lambda p: (p["x"][0] - p["x"][1]) ** 2 + p["x"][0], 0, "x0 + x1", 1),
    ],
)
def test_the_signs_of_derivatives_are_watched(phi, power: int, name: str, sign: int) -> None:
    """Where a derivative of φ changes its sign, flow and laws of sign descent are others. The first run begins where
    signs are those of the verdict."""
    flow = Flow(phi, {"x": jnp.zeros(2)}, dynamics=SignDescent(power))
    degree = power + 1

    def law(kept: int) -> VerifiedLaw:
        return VerifiedLaw(
            name,
            lambda p: p["x"][0] ** degree + kept * p["x"][1] ** degree,
            lambda p: jnp.abs(p["x"][0]) ** degree + jnp.abs(p["x"][1]) ** degree,
            True,
        )

    found = verify(flow, [law(sign)], SETTINGS, seed=1)
    assert found.usable and not found.failed and found.max_drift < 1e-6
    assert any("has another sign" in note for note in found.notes)
    runs = draw_runs(flow, SETTINGS, 0, {})
    assert in_open_set(flow, {}, runs.start).all()
    assert verify(flow, [law(-sign)], SETTINGS, seed=1).failed


def test_what_is_zero_has_no_sign_in_floats() -> None:
    """The derivative in z vanishes identically, but not after rounding."""
    phi = "x[0]*x[1] + (z + 1/3)**3 - z**3 - z**2 - z/3"
    flow = gf.loads(f"param x[2], z\nmap phi = {phi}\nflow sign(0)").flow()
    with jax.enable_x64(True):
        constants = {n: jnp.asarray(v) for n, v in flow.constant_values().items()}
        for z in np.linspace(-2, 2, 20):
            point = {"x": jnp.array([0.5, 2.0]), "z": jnp.asarray(z)}
            velocity = flow.velocity(constants, point, (jnp.asarray(-1.5),))
            assert velocity["z"] == 0 and velocity["x"].tolist() == [-1, -1]


def test_a_law_without_value_is_told() -> None:
    law = VerifiedLaw(
        "log(-x**2)", lambda p: jnp.log(-(p["x"] ** 2)), lambda p: jnp.abs(p["x"]), True
    )
    found = verify(Flow(lambda p: jnp.prod(p["x"]), VECTOR), [law], ONE_RUN, seed=0)
    assert found.usable and not found.failed and found.drifts == ()
    assert any("no finite value" in note for note in found.notes)


def test_a_host_in_float32_notices_nothing() -> None:
    traced = []

    def host(x):
        traced.append(1)
        return jnp.sin(x) * 2

    with jax.enable_x64(False), jax.debug_nans(True), jax.numpy_dtype_promotion("strict"):
        compiled = jax.jit(host)
        before = compiled(jnp.ones(3))
        found = verify(LINEAR, [BALANCE], ONE_RUN, seed=0)
        assert found.max_drift < 1e-8, "float32 cannot be so precise"
        with pytest.raises(FloatingPointError):
            jnp.log(-jnp.ones(3))
        assert jnp.ones(()).dtype == jnp.float32
        assert compiled(jnp.ones(3)).dtype == before.dtype == jnp.float32
        assert len(traced) == 1, "the host's compiled functions stay"


def test_one_compilation_serves_every_pass() -> None:
    traced = []

    def phi(p):
        traced.append(1)
        return jnp.prod(p["x"])

    law = VerifiedLaw("x[0]", lambda p: p["x"][0], lambda p: jnp.abs(p["x"][0]), False)
    experiment = Experiment(Flow(phi, VECTOR), [law], ONE_RUN, seed=0)
    experiment.verification()
    once = len(traced)
    experiment.verification(tolerance=1e-6)
    experiment.curves()
    assert len(traced) == once


def test_symbolic_constants_are_not_one() -> None:
    """θ' = −η ∇f on U alone keeps UᵀU/η − VᵀV, and not UᵀU − VᵀV, once η is not 1."""
    flow = Flow(product, FACTORS, metric={"U": Scaled(Constant("eta"), {"eta": None})})
    values = symbolic_values(flow, seed=0)
    eta = values["eta"]
    assert 0.5 < eta < 1.5 and eta != 1.0
    weighted = VerifiedLaw(
        "U.T @ U / eta - V.T @ V",
        lambda p: p["U"].T @ p["U"] / eta - p["V"].T @ p["V"],
        BALANCE.scale,
        True,
    )
    found = verify(flow, [weighted, replace(BALANCE, proved=False)], ONE_RUN, 0, values)
    drifts = dict(found.drifts)
    assert drifts[weighted.text] < 1e-8 and not found.failed
    assert drifts[BALANCE.text] > 1e-3


def test_data_size_and_losses_are_those_asked_for() -> None:
    runs = draw_runs(LINEAR, replace(SETTINGS, data=7, trials=3), 0, {})
    assert runs.features.shape == (6, 7, 6) and runs.labels.shape == (6, 7)
    assert set(np.unique(runs.labels[runs.which == 1])) <= {-1.0, 1.0}
    with pytest.raises(ValueError, match="unknown loss 'hinge'; known: squared, logistic"):
        verify(LINEAR, [], replace(SETTINGS, losses=("hinge",)), seed=0)
