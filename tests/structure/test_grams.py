"""Laws of changes of basis by words in matrices, for all sizes; wrong ones are never shown."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.expr.build import add, matmul, multiply, number, outer, subtract, transpose
from geoflow.expr.tree import Expr, Parameter
from geoflow.structure.symmetries import Symmetries

from .checking import array, holds, network, shown


def gram(name: str, shape: tuple[int, int], axis: int) -> Expr:
    leaf = Parameter(name, shape)
    return matmul(transpose(leaf), leaf) if axis else matmul(leaf, transpose(leaf))


def test_neighbouring_layers_of_a_deep_linear_network():
    shapes = {"A": np.zeros((2, 4)), "B": np.zeros((4, 3)), "C": np.zeros((3, 3))}
    flow = gf.Flow(lambda p: p["A"] @ p["B"] @ p["C"], shapes)
    found = shown(flow)
    assert {"A.T @ A - B @ B.T", "B.T @ B - C @ C.T"} <= set(found)
    for wrong in (
        subtract(gram("B", (4, 3), 1), gram("C", (3, 3), 1)),  # the other side of C
        add(gram("B", (4, 3), 1), gram("C", (3, 3), 0)),
        gram("C", (3, 3), 0),
        subtract(multiply(number(2), gram("B", (4, 3), 1)), gram("C", (3, 3), 0)),
    ):
        assert not Symmetries.of(flow).show(wrong)
        assert not holds(flow, wrong)


@pytest.mark.slow
def test_a_size_that_no_entry_could_be_expanded_at():
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": array(40_000, 900), "V": array(30_000, 900)})
    symmetries = Symmetries.of(flow)
    (law, *_) = symmetries.laws()
    assert symmetries.show(law)
    wrong = subtract(gram("U", (40_000, 900), 1), multiply(number(3), gram("V", (30_000, 900), 1)))
    assert not symmetries.show(wrong)


def test_a_bias_belongs_to_the_basis():
    flow = network(
        lambda p, x: p["V"] @ (p["U"] @ x + p["b"]),
        {"U": array(4, 3), "V": array(2, 4), "b": array(4)},
        3,
    )
    assert "U @ U.T + outer(b, b) - V.T @ V" in shown(flow)
    b = Parameter("b", (4,))
    without = subtract(gram("U", (4, 3), 0), gram("V", (2, 4), 1))
    assert not Symmetries.of(flow).show(without)
    assert Symmetries.of(flow).show(add(without, outer(b, b)))


def attention(p: Any, x: Any) -> Any:
    scores = (x @ p["Q"]) @ (x @ p["K"]).T / jnp.sqrt(3.0)
    kept = jnp.where(jnp.tril(jnp.ones((5, 5))) > 0, scores, -jnp.inf)
    return (jax.nn.softmax(kept) @ (x @ p["V"])) @ p["O"]


def test_softmax_attention_with_a_mask():
    shapes = {"Q": array(4, 3), "K": array(4, 3), "V": array(4, 2), "O": array(2, 4)}
    flow = network(attention, shapes, 5, 4)
    found = shown(flow)
    assert "O @ O.T - V.T @ V" in found
    assert "K.T @ K - Q.T @ Q" in found
    for wrong in (gram("K", (4, 3), 1), subtract(gram("Q", (4, 3), 0), gram("K", (4, 3), 0))):
        assert not Symmetries.of(flow).show(wrong)


def test_the_stream_of_a_linear_residual_network():
    def apply(p: Any, x: Any) -> Any:
        h = p["E"] @ x
        return p["O"] @ (h + p["V"] @ (p["W"] @ h))

    shapes = {"E": array(4, 3), "V": array(4, 6), "W": array(6, 4), "O": array(2, 4)}
    flow = network(apply, shapes, 3)
    assert "E @ E.T + V @ V.T - O.T @ O - W.T @ W" in shown(flow)
    assert not Symmetries.of(flow).show(subtract(gram("E", (4, 3), 0), gram("O", (2, 4), 1)))


@pytest.mark.parametrize("activation", [jax.nn.relu, jax.nn.gelu])
def test_the_stream_of_a_deep_residual_network(activation: Any):
    blocks = range(6)

    def apply(p: Any, x: Any) -> Any:
        h = p["E"] @ x
        for k in blocks:
            h = h + p[f"V{k}"] @ activation(p[f"W{k}"] @ h + p[f"b{k}"])
        return p["O"] @ h

    shapes = {"E": array(4, 3), "O": array(2, 4)}
    for k in blocks:
        shapes |= {f"V{k}": array(4, 4), f"W{k}": array(4, 4), f"b{k}": array(4)}
    flow = network(apply, shapes, 3)
    law = subtract(gram("E", (4, 3), 0), gram("O", (2, 4), 1))
    for k in blocks:
        law = add(law, subtract(gram(f"V{k}", (4, 4), 0), gram(f"W{k}", (4, 4), 1)))
    symmetries = Symmetries.of(flow)
    assert sum(found.shape == (4, 4) for found in symmetries.laws()) == 1
    assert symmetries.show(law)
    hidden = subtract(gram("V0", (4, 4), 1), gram("W0", (4, 4), 0))  # behind the activation
    for wrong in (hidden, add(law, hidden), add(law, gram("E", (4, 3), 0))):
        assert not symmetries.show(wrong)


def test_a_gate_leaves_no_change_of_basis():
    flow = network(
        lambda p, x: p["V"] @ jax.nn.relu(p["W"] @ x), {"V": array(2, 4), "W": array(4, 3)}, 3
    )
    wrong = subtract(gram("V", (2, 4), 1), gram("W", (4, 3), 0))
    assert not Symmetries.of(flow).show(wrong)
    assert not holds(flow, wrong)


def test_heads_in_one_array():
    """Each head may be changed by itself, and all by the same matrix: that sum is shown."""

    def apply(p: Any, x: Any) -> Any:
        q, k = ((x @ p[n]).reshape(5, 2, 3) for n in "QK")
        return jnp.einsum("thd,shd->hts", q, k)

    flow = network(apply, {"Q": array(4, 6), "K": array(4, 6)}, 5, 4)
    law = flow_law("Q", "K")
    assert holds(flow, law)
    assert Symmetries.of(flow).show(law)
    whole = subtract(gram("Q", (4, 6), 1), gram("K", (4, 6), 1))  # mixes the heads
    assert not holds(flow, whole)
    assert not Symmetries.of(flow).show(whole)


def flow_law(a: str, b: str) -> Expr:
    from geoflow.structure.grams import Line

    return subtract(*(Line(n, (4, 6), (4, 2, 3), 2).gram for n in (a, b)))


@pytest.mark.parametrize("same", [True, False])
def test_tied_weights(same: bool):
    flow = gf.Flow(
        lambda p: p["U"] @ p["A"] @ (p["U"] if same else p["W"]).T,
        {"U": np.zeros((4, 2)), "A": np.zeros((2, 2))} | ({} if same else {"W": np.zeros((4, 2))}),
    )
    found = shown(flow)
    assert ("A @ A.T + A.T @ A - U.T @ U" in found) == same
    assert ("A @ A.T - U.T @ U" in found) == (not same)
