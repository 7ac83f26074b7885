"""Laws of some parameters alone: the others are data."""

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
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
