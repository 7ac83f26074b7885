"""Laws as JAX functions, SymPy expressions and LaTeX; counts by the rank alone; files."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import geoflow as gf
from geoflow.diagnostics import DiagnosticError

PARAMS = {"U": jnp.zeros((2, 2)), "V": jnp.zeros((1, 2))}


def phi(p):
    return p["U"] @ p["V"].T


@pytest.fixture(scope="module")
def balance() -> gf.Law:
    (law,) = gf.find_laws(gf.Flow(phi, PARAMS))
    return law


@pytest.fixture
def point():
    rng = np.random.default_rng(0)
    return {n: jnp.asarray(rng.normal(size=x.shape), jnp.float32) for n, x in PARAMS.items()}


def test_a_law_is_a_pure_function(balance: gf.Law, point):
    law = balance.jax()
    expected = point["U"].T @ point["U"] - point["V"].T @ point["V"]
    np.testing.assert_allclose(law(point), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.jit(law)(point), expected, rtol=1e-6)
    gradient = jax.grad(lambda p: law(p)[0, 1])(point)
    assert set(gradient) == {"U", "V"}
    np.testing.assert_allclose(gradient["U"][:, 0], point["U"][:, 1], rtol=1e-6)
    batch = jax.tree.map(lambda x: jnp.stack([x, 2 * x]), point)
    np.testing.assert_allclose(jax.vmap(law)(batch)[1], 4 * expected, rtol=1e-5)
    assert law(point).dtype == jnp.float32


def test_a_gradient_step_hardly_moves_it(balance: gf.Law, point):
    """h(θ − η∇L) = h(θ) + η² h(∇L), exactly, for a quadratic law."""
    law, eta = balance.jax(), 0.01
    gradient = jax.grad(lambda p: jnp.sum((phi(p) - 1) ** 2))(point)
    moved = jax.tree.map(lambda x, g: x - eta * g, point, gradient)
    np.testing.assert_allclose(law(moved) - law(point), eta**2 * law(gradient), atol=1e-6)


def test_sympy_agrees_with_jax(balance: gf.Law, point):
    symbolic = balance.sympy()
    assert symbolic.shape == (2, 2)
    values = {
        sp.Symbol(f"{n}[{i}, {j}]", real=True): float(x[i, j])
        for n, x in point.items()
        for i, j in np.ndindex(x.shape)
    }
    numbers = np.array(symbolic.subs(values).tolist(), dtype=float)
    np.testing.assert_allclose(numbers, balance.jax()(point), rtol=1e-5)
    assert symbolic[0, 0].free_symbols <= set(values)


def test_latex_and_text(balance: gf.Law):
    assert str(balance) == "U.T @ U - V.T @ V"
    assert balance.latex() == r"U^{\top} U - V^{\top} V" or "top" in balance.latex()
    assert balance._repr_latex_().startswith("$")
    assert (balance.independent, balance.added, balance.entries) == (3, 3, 4)
    assert balance.kind == "polynomial"
    assert balance.status == "proved"


def test_a_momentum_law_needs_the_velocity(point):
    flow = gf.Flow(phi, PARAMS, order=2, damping=Fraction(1, 2))
    (law,) = gf.find_laws(flow)
    assert law.kind == "time-dependent"
    function = law.jax()
    with pytest.raises(TypeError, match="velocity"):
        function(point)
    velocity = jax.tree.map(lambda x: 0.5 * x + 1, point)
    at_zero, later = function(point, velocity, 0.0), function(point, velocity, 2.0)
    np.testing.assert_allclose(later, np.exp(1.0) * np.asarray(at_zero), rtol=1e-5, atol=1e-6)
    value = jax.grad(lambda v: function(point, v, 1.0)[0, 1])(velocity)
    assert jax.tree.structure(value) == jax.tree.structure(point)


def test_symbolic_constants_of_a_law_are_keywords():
    text = "const c symbolic\nparam x, y\nmap phi = x + c*y"
    (law,) = gf.find_laws(gf.loads(text).flow())
    assert str(law) == "c*x - y"
    assert float(law.jax(c=3.0)({"x": 2.0, "y": 1.0})) == 5.0


def test_the_rank_alone_is_probable_with_an_error_bound():
    count = gf.count_laws(gf.Flow(phi, PARAMS))
    assert (count.lower, count.upper, count.status) == (0, 3, "probable")
    assert count.error_bound is not None
    assert 0 < count.error_bound < 1e-9
    assert gf.count_laws(gf.Flow(phi, PARAMS), seed=5).upper == 3


def test_analysis_holds_the_certificate():
    result = gf.analyze(gf.Flow(phi, PARAMS), seed=3)
    assert result.seed == result.certificate.seed == 3
    assert result.certificate.dimension - result.certificate.rank == result.count.upper == 3
    assert result.facts["kernel"] == 4
    assert "every data set and every loss" in result.assumes


def test_files_are_loaded_and_checked(tmp_path):
    path = tmp_path / "model.geo"
    path.write_text(
        "dim n = 2\nparam x[n], y[n]\nmap phi = x*y\nexpect laws = n\n", encoding="utf-8"
    )
    assert gf.count_laws(gf.load(path).flow()).upper == 2
    assert gf.count_laws(gf.load(path, overrides={"n": "3"}).flow()).upper == 3
    report = gf.check(path, verify=False)
    assert report.exit_code == 0
    assert report.models[0].claims[0].verdict == "proved"


def test_wrong_texts_raise_their_diagnostics():
    with pytest.raises(DiagnosticError) as raised:
        gf.loads("param x\nmap phi = x +")
    assert raised.value.diagnostics[0].code.startswith("GEO01")
    with pytest.raises(ValueError, match="2 models"):
        gf.loads("model a\nparam x\nmap phi = x\nmodel b\nparam x\nmap phi = x")
    with pytest.raises(AttributeError, match="nothing"):
        gf.nothing  # noqa: B018
    assert {"Flow", "analyze", "verify"} <= set(dir(gf))


def test_laws_are_verified_by_integration():
    flow = gf.Flow(lambda p: p["x"] * p["y"], {"x": 1.0, "y": 1.0})
    outcome = gf.verify(flow, gf.find_laws(flow))
    assert outcome.usable
    assert not outcome.failed
    assert outcome.max_drift < 1e-6 < outcome.moved
