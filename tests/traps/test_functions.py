"""JAX functions that a careless evaluation would read wrongly."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.diagnostics import DiagnosticError

SCALAR = jax.ShapeDtypeStruct((), np.float32)


@pytest.mark.parametrize("dtype", [jnp.int32, jnp.int8, bool, jnp.uint8, complex])
def test_rounding_to_integers_is_no_identity(dtype):
    """u + v·trunc(y) and y: the cast is locally constant, so one law; read as y there would be none."""
    params = {"u": SCALAR, "v": SCALAR, "y": SCALAR}
    flow = gf.Flow(lambda p: [p["u"] + p["v"] * p["y"].astype(dtype).real, p["y"]], params)
    with pytest.raises(DiagnosticError, match="convert_element_type"):
        gf.count_laws(flow)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_narrow_floats_round_and_are_refused(dtype):
    flow = gf.Flow(lambda p: p["x"].astype(dtype) * p["y"], {"x": SCALAR, "y": SCALAR})
    with pytest.raises(DiagnosticError, match="convert_element_type"):
        gf.find_laws(flow)


@pytest.mark.parametrize("axis", [0, 1])
def test_products_over_an_axis(axis):
    """Their gradient reshapes a transpose."""
    flow = gf.Flow(lambda U: jnp.prod(U, axis=axis), jnp.zeros((2, 3)))
    analysis = gf.analyze(flow)
    assert (analysis.count.upper, analysis.count.status) == ((3, 4)[axis], "proved")


def test_fortran_order():
    params = {"U": jnp.zeros((2, 3)), "V": jnp.zeros((2, 3))}
    flow = gf.Flow(lambda p: p["U"].ravel(order="F") * p["V"].ravel(), params)
    analysis = gf.analyze(flow)
    assert (analysis.count.upper, analysis.count.status) == (6, "proved")


def test_an_empty_determinant_is_one():
    flow = gf.Flow(
        lambda p: p["y"] * gf.det(jnp.zeros((0, 0))) + p["w"] ** 2, {"y": SCALAR, "w": SCALAR}
    )
    assert "y" not in [str(law) for law in gf.find_laws(flow)]
    assert gf.analyze(flow).count.upper == 1


def test_out_of_bounds_entries_are_filled_not_wrapped():
    where = jnp.array([1, 5])
    flow = gf.Flow(lambda x: x.at[where].get(mode="fill", fill_value=0) ** 2, jnp.zeros(3))
    assert [str(law) for law in gf.find_laws(flow)] == ["theta[0]", "theta[2]"]
    clipped = gf.Flow(lambda x: x.at[where].get(mode="clip") ** 2, jnp.zeros(3))
    assert [str(law) for law in gf.find_laws(clipped)] == ["theta[0]"]
    undefined = gf.Flow(lambda x: jnp.take(x, where) ** 2, jnp.zeros(3))
    with pytest.raises(DiagnosticError, match="out of bounds"):
        gf.count_laws(undefined)


def test_wide_unsigned_integers_keep_their_sign():
    wide = jnp.asarray(np.array(2**31, np.uint32))
    flow = gf.Flow(lambda p: p["x"] + p["y"] * wide, {"x": SCALAR, "y": SCALAR})
    (law,) = gf.find_laws(flow)
    assert str(law) == f"{2**31}*x - y"
    assert law.status == "proved"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_refused(value: float):
    flow = gf.Flow(lambda x: jnp.where(np.array([True, False]), x, value) ** 2, SCALAR)
    with pytest.raises(DiagnosticError, match="not finite"):
        gf.count_laws(flow)


@pytest.mark.parametrize(
    "phi",
    [
        jax.nn.relu,
        jnp.abs,
        jnp.max,
        lambda x: jnp.where(x > 0, x, 2 * x),
        lambda x: x * jnp.sign(x),
    ],
    ids=["relu", "abs", "max", "where", "sign"],
)
def test_branches_on_values_are_refused(phi):
    with pytest.raises(DiagnosticError):
        gf.count_laws(gf.Flow(phi, jax.ShapeDtypeStruct((2,), np.float32)))


@pytest.mark.parametrize("phi", [jnp.sign, jnp.round, jnp.floor, lambda x: x.astype(int)])
def test_what_is_locally_constant_does_not_move(phi):
    result = gf.analyze(gf.Flow(phi, jax.ShapeDtypeStruct((2,), np.float32)))
    assert (result.count.lower, result.count.upper) == (2, 2)


def test_branches_on_constants_are_taken():
    mask = np.tril(np.ones((2, 2), bool))
    params = {"U": jnp.zeros((2, 2)), "V": jnp.zeros((2, 2))}
    flow = gf.Flow(lambda p: jnp.where(mask, p["U"] * p["V"], 0.0), params)
    assert gf.analyze(flow).count.lower == 5  # two free entries, three differences of squares


def test_a_stopped_gradient_stops():
    flow = gf.Flow(lambda p: p["x"] * jax.lax.stop_gradient(p["y"]), {"x": SCALAR, "y": SCALAR})
    assert [str(law) for law in gf.find_laws(flow)] == ["y"]


def test_custom_derivatives_are_the_ones_that_train():
    flipped = jax.custom_vjp(lambda x: x)
    flipped.defvjp(lambda x: (x, None), lambda _, g: (-g,))
    flow = gf.Flow(lambda p: flipped(p["x"]) * p["y"], {"x": SCALAR, "y": SCALAR})
    assert [str(law) for law in gf.find_laws(flow)] == ["x**2 + y**2"]


@pytest.mark.parametrize("size", [4, 40])
def test_a_cotangent_that_is_ignored_moves_all_summands_together(size: int):
    """x' = y' = 1 whatever the loss: x and y are no direct sum, which would keep x − x[0] and y − y[0] alone."""
    pushed = jax.custom_vjp(lambda x: x)
    pushed.defvjp(lambda x: (x, None), lambda _, g: (jnp.ones_like(g),))
    params = {"x": jnp.zeros(size), "y": jnp.zeros(size)}
    count = gf.analyze(gf.Flow(lambda p: [pushed(p["x"]), pushed(p["y"])], params)).count
    assert count.lower == count.upper == 2 * size - 1


def test_a_scalar_map_with_a_cotangent_that_is_not_passed_on_has_more_than_one_field():
    """x' = a², y' = a."""
    squared = jax.custom_vjp(lambda x: x)
    squared.defvjp(lambda x: (x, None), lambda _, g: (g * g,))
    flow = gf.Flow(lambda p: squared(p["x"]) + p["y"], {"x": SCALAR, "y": SCALAR})
    assert not flow.parametrization.transposes
    found = gf.analyze(flow)
    assert found.count.upper == 0
    assert found.facts_status["commuting"] != "proved"


def test_a_potential_of_the_sum_is_that_of_an_entry():
    def phi(x):
        return x[0] * x[1] + x[2]

    summed = gf.Flow(phi, jnp.zeros(3), metric=gf.Mirror(lambda u: jnp.sum(u**4)))
    entrywise = gf.Flow(phi, jnp.zeros(3), metric=gf.Mirror(lambda u: u**4))
    laws = [str(law) for law in gf.find_laws(entrywise)]
    assert laws == [str(law) for law in gf.find_laws(summed)]
    assert laws == ["theta[0]**4 - theta[1]**4"]


@pytest.mark.parametrize(
    ("params", "order"),
    [
        ({"a": {"b": SCALAR}, "a.b": SCALAR}, 1),
        ({"a": [SCALAR], "a.0": SCALAR}, 1),
        ({"t": SCALAR, "x": SCALAR}, 2),
        ({"x": SCALAR, "x'": SCALAR}, 2),
    ],
)
def test_names_tell_the_coordinates_apart(params, order):
    with pytest.raises(ValueError, match="named"):
        gf.Flow(lambda p: sum(jax.tree.leaves(p)), params, order=order)


def test_pivoted_determinants_of_jax_are_refused_and_ours_are_exact():
    example = jax.ShapeDtypeStruct((4, 4), np.float32)
    with pytest.raises(DiagnosticError, match="lu"):
        gf.count_laws(gf.Flow(jnp.linalg.det, example))
    assert gf.count_laws(gf.Flow(gf.det, example)).upper == 15


def test_a_float_damping_is_the_dyadic_number():
    flow = gf.Flow(lambda x: x @ x, jnp.zeros(2), order=2, damping=0.1)
    (law,) = gf.find_laws(flow)
    assert str(Fraction(0.1)) in str(law)
