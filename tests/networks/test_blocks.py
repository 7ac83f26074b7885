"""Laws of some parameters alone: the others are data."""

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.dynamics import SignDescent
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text


def test_dropping_coordinates_would_be_wrong():
    """φ = x + c·y: at fixed c there is a law of (x, y), but c moves."""
    flow = gf.Flow(lambda p: p["x"] + p["c"] * p["y"], {"x": 0.0, "y": 0.0, "c": 0.0})
    assert gf.analyze(flow.block("x", "y")).count.upper == 0


def test_a_block_keeps_its_own_laws():
    params = {"U": np.zeros((3, 2)), "V": np.zeros((2, 2)), "W": np.zeros((2, 3))}
    flow = gf.Flow(lambda p: p["U"] @ p["V"] @ p["W"], params)
    block = gf.analyze(flow.block("U", "V"))
    assert (block.count.lower, block.count.upper) == (3, 3)
    assert [str(law) for law in block.laws] == ["U.T @ U - V @ V.T"]
    scaled = gf.analyze(flow.block("U", "W"))
    assert (scaled.count.lower, scaled.count.upper) == (1, 1)
    assert [str(law) for law in scaled.laws] == ["sum(U**2) - sum(W**2)"]


def test_prefixes_name_subtrees():
    params = {"first": {"W": np.zeros((2, 3)), "b": np.zeros(2)}, "last": np.zeros((1, 2))}

    def phi(p):
        return jnp.stack(
            [p["last"] @ (p["first"]["W"] @ np.eye(3)[k] + p["first"]["b"]) for k in range(3)]
        )

    flow = gf.Flow(phi, params)
    assert [b.name for b in flow.block("first").parameters] == ["first.W", "first.b"]


def test_mistakes():
    flow = gf.Flow(lambda p: p["U"] @ p["V"], {"U": np.zeros((1, 2)), "V": np.zeros((2, 1))})
    with pytest.raises(ValueError, match="no parameter named 'Z'"):
        flow.block("Z")
    with pytest.raises(ValueError, match="all parameters"):
        flow.block("U", "V")


TEXT = """
param V[2, 3], U[3, 2], R[2, 3]
input x[3]
network g = R @ (x + U @ relu(V @ x))
expect laws of U, V = 2
"""


def test_the_residual_block_has_the_laws_it_has_without_the_skip():
    """arXiv 2506.06194: the skip connection does not change the laws of a block."""
    (model,) = check_text(TEXT, "r.geo", CheckOptions(verify=False)).models
    assert model.claims[0].verdict == "proved"
    assert "sum(V**2, axis=1) - sum(U**2, axis=0)" in model.claims[0].detail


@pytest.mark.parametrize("wrong", ["= 3", "= 1"])
def test_a_wrong_count_of_a_block_is_refuted(wrong):
    (model,) = check_text(TEXT.replace("= 2", wrong), "r.geo", CheckOptions(verify=False)).models
    assert model.claims[0].verdict == "refuted"


CIRCLE = """
param x, y, z, c
map phi = x*(1 - c**2)/(1 + c**2) + 2*y*c/(1 + c**2) + z
flow rmsprop(b2 = 1/10)
law pythagoras = exp(t/10)*(w(x)**2 + w(y)**2 - w(z)**2)
expect laws of x, y, z = 1
expect laws of x, y = 0
"""


def test_what_is_outside_of_a_block_is_the_same_in_all_factors_of_a_square():
    """RMSProp squares one gradient, at one c: ∂x² + ∂y² = ∂z²."""
    (model,) = check_text(CIRCLE, "c.geo", CheckOptions(verify=False)).models
    assert [c.verdict for c in model.claims] == ["proved"] * 3
    wrong = CIRCLE.replace("z = 1", "z = 0").replace("w(z)**2)", "2*w(z)**2)")
    (model,) = check_text(wrong, "c.geo", CheckOptions(verify=False)).models
    assert [c.verdict for c in model.claims] == ["refuted", "refuted", "proved"]


def test_powers_of_one_gradient_are_polarized_at_one_point_outside_of_the_block():
    """Cubes of quadratic polynomials in c are of degree 6: 8 of them are dependent, products at three c are not."""

    def phi(p):
        c = p["c"]
        return sum(p["x"][k] * ((k + 1) + k * k * c + (k**3 + 2) * c * c) for k in range(9))

    params = {"x": np.zeros(9), "c": np.zeros(())}
    cubes = gf.Flow(phi, params, dynamics=SignDescent(3)).block("x")
    assert gf.count_laws(cubes).upper == 9 - 7


@pytest.mark.parametrize("metric", ["riemannian(diag([1 + u**2]))", "fisher(blocks)"])
def test_a_metric_that_reads_what_the_block_leaves_out_is_refused(metric: str):
    text = f"param x, y, u\nmap phi = x*y*u\nmetric {metric} on x\nexpect laws of x = 0\n"
    _only_the_block_is_open(text + "expect laws = 2\n", "metric")


def test_a_block_of_signs_that_are_no_polynomial_is_left_open():
    text = "param x, y\nmap phi = x*y\nflow sign(2)\nexpect laws of x = 0\nexpect laws = 1\n"
    _only_the_block_is_open(text, "parameters as data")


def _only_the_block_is_open(text: str, reason: str):
    """What cannot be counted says why, and the other claims are judged."""
    report = check_text(text, "m.geo", CheckOptions(verify=False))
    assert [d.code for d in report.diagnostics] == ["GEO0702"] and report.exit_code == 1
    (model,) = report.models
    block, whole = model.claims
    assert (block.verdict, whole.verdict) == ("undecided", "proved")
    assert reason in block.detail


def test_a_metric_that_reads_the_block_alone_is_measured():
    text = (
        "param x, y, u\nmap phi = x*y*u\nmetric riemannian(diag([1 + x**2])) on x\n"
        "expect laws of x, u = 1\n"
    )
    (model,) = check_text(text, "m.geo", CheckOptions(verify=False)).models
    assert model.claims[0].verdict == "proved"


@pytest.mark.parametrize("head", ["map phi =", "input z\nnetwork g = z*"])
def test_few_data_do_not_hold_what_is_outside_of_the_block(head: str):
    """What a block leaves out moves, whatever the data are."""
    text = f"param x, y, c\n{head} (x + c*y)\nloss data(1)\nexpect laws of x, y = "
    for count, verdict in ((0, "proved"), (1, "refuted")):
        (model,) = check_text(f"{text}{count}\n", "few.geo", CheckOptions(verify=False)).models
        assert model.claims[0].verdict == verdict
