"""The Gauss–Legendre solver: its order, what it keeps, and what `verify` makes of it.

Model: U V.T, U 4 × 2, V 3 × 2, squared loss to one target; all drawn from seed 0.
"""

from __future__ import annotations

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf

SEED = 0


def _drawn() -> tuple[Any, Any]:
    """Start and target."""
    rng = np.random.default_rng(SEED)
    u, v, target = (jnp.asarray(rng.standard_normal(s)) for s in ((4, 2), (3, 2), (4, 3)))
    return (u, v), target


def _velocity(_: Any, theta: Any, target: Any) -> Any:
    residual = theta[0] @ theta[1].T - target
    return -residual @ theta[1], -residual.T @ theta[0]


def _solve(solver: Any, step: float, steps: int, at_the_end: bool = False) -> Any:
    start, target = _drawn()
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(_velocity),
        solver,
        jnp.asarray(0.0),
        jnp.asarray(step * steps),
        jnp.asarray(step),
        start,
        args=target,
        saveat=diffrax.SaveAt(t1=True, steps=not at_the_end),
        max_steps=510,
    )
    assert solution.ys is not None
    return jax.tree.map(lambda y: y[:steps], solution.ys)


def _drift(ys: Any, law: Any) -> float:
    start, _ = _drawn()
    return float(jnp.max(jnp.abs(jax.vmap(law)(ys) - law(start))))


def _balance(theta: Any) -> jax.Array:
    return theta[0].T @ theta[0] - theta[1].T @ theta[1]


@pytest.mark.parametrize("order", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_order(order: int) -> None:
    with jax.enable_x64(True):
        exact = _solve(diffrax.Dopri8(), 1 / 500, 500, True)[0]
        errors = [
            float(jnp.max(jnp.abs(_solve(gf.GaussLegendre(order), 1 / n, n, True)[0] - exact)))
            for n in (20, 40, 80)
        ]
    slopes = -np.diff(np.log2(errors))
    assert np.all(np.abs(slopes - order) < 0.1)


@pytest.mark.parametrize("order", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_quadratic_law_to_round_off(order: int) -> None:
    with jax.enable_x64(True):
        assert _drift(_solve(gf.GaussLegendre(order), 0.1, 500), _balance) < 1e-12
        assert _drift(_solve(diffrax.Midpoint(), 0.1, 500), _balance) > 1e-5


def test_what_is_no_law_changes() -> None:
    """Of equal size at both steps, since the flow changes it."""
    with jax.enable_x64(True):
        coarse, fine = (
            _drift(
                _solve(gf.GaussLegendre(2), step, steps),
                lambda p: p[0].T @ p[0] + p[1].T @ p[1],
            )
            for step, steps in ((0.1, 50), (0.05, 100))
        )
    assert coarse > 1e-2 and coarse == pytest.approx(fine, rel=0.05)


def test_law_that_is_not_quadratic_changes_with_the_square_of_the_step() -> None:
    """For u' = −u², v' = −v² that is 1/u − 1/v; a function of quadratic laws is kept all the same."""

    def quartic(p: Any) -> jax.Array:
        return jnp.sum(_balance(p) ** 2)

    with jax.enable_x64(True):
        assert _drift(_solve(gf.GaussLegendre(2), 0.1, 50), quartic) < 1e-11
        drifts = []
        for n in (10, 20, 40):
            ys = diffrax.diffeqsolve(
                diffrax.ODETerm(lambda t, y, _: -(y**2)),
                gf.GaussLegendre(2),
                0.0,
                1.0,
                1 / n,
                jnp.array([1.0, 2.0]),
                saveat=diffrax.SaveAt(t1=True),
            ).ys
            assert ys is not None
            drifts.append(abs(float(1 / ys[-1, 0] - 1 / ys[-1, 1] - 0.5)))
    assert np.all(np.abs(-np.diff(np.log2(drifts)) - 2) < 0.1)


def test_pytrees_and_single_precision() -> None:
    def velocity(_: Any, y: Any, __: Any) -> Any:
        return {"p": -y["q"], "q": y["p"]}

    start = {"p": jnp.ones(3, jnp.float32), "q": jnp.zeros(3, jnp.float32)}
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(velocity), gf.GaussLegendre(4), 0.0, 2.0, 0.25, start
    )
    assert solution.ys is not None
    energy = solution.ys["p"] ** 2 + solution.ys["q"] ** 2
    assert energy.dtype == jnp.float32 and np.allclose(energy, 1, atol=1e-5)


def test_another_order_is_refused() -> None:
    with pytest.raises(ValueError, match="order 2 or 4"):
        gf.GaussLegendre(3)


def test_verify_decides_quadratic_laws() -> None:
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": np.zeros((3, 2)), "V": np.zeros((2, 2))})
    (law,) = gf.find_laws(flow)
    (found,) = gf.verify(flow, [law], settings=gf.VerifySettings(trials=1)).collocation
    assert found.kept and max(found.drift, found.halved) < 1e-13 and found.step > 0.01


def test_laws_of_other_kinds_are_left_alone() -> None:
    values = {"x": np.zeros(()), "y": np.zeros(())}
    flow = gf.Flow(lambda p: p["x"] + p["y"], values, order=2, damping=1)
    laws = gf.find_laws(flow)
    assert any(law.kind == "time-dependent" for law in laws)
    found = gf.verify(flow, laws, settings=gf.VerifySettings(trials=1)).collocation
    timeless = {str(law) for law in laws if law.kind != "time-dependent"}
    assert {c.law for c in found} == timeless
