"""Laws of scalings, for networks of many kinds; wrong ones are never shown."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.expr.build import add, linear_combination, power, subtract, total
from geoflow.expr.tree import Apply, Expr, Parameter
from geoflow.structure.symmetries import Symmetries

from .checking import array, holds, network, shown

relu = jax.nn.relu


def squares(name: str, shape: tuple[int, ...], axis: int | tuple[int, ...] | None) -> Expr:
    return total(power(Parameter(name, shape), 2), axis)


def mlp(
    bias: bool = True, activation: Any = relu, widths: tuple[int, ...] = (3, 4, 5, 2)
) -> gf.Flow:
    params: dict[str, Any] = {}
    for k, (a, b) in enumerate(itertools.pairwise(widths), start=1):
        params[f"W{k}"] = array(b, a)
        if bias:
            params[f"b{k}"] = array(b)

    def apply(p: Any, x: Any) -> Any:
        for k in range(1, len(widths)):
            x = p[f"W{k}"] @ x + (p[f"b{k}"] if bias else 0.0)
            x = activation(x) if k < len(widths) - 1 else x
        return x

    return network(apply, params, widths[0])


def test_every_hidden_neuron_of_a_relu_network_has_one():
    assert shown(mlp()) == [
        "sum(W2**2, axis=1) + b2**2 - sum(W3**2, axis=0)",
        "sum(W1**2, axis=1) + b1**2 - sum(W2**2, axis=0)",
    ]


def test_degrees_by_axis_and_by_entry_say_the_same():
    by_axis = shown(mlp(widths=(40, 50, 30, 3)))
    assert by_axis == shown(mlp(widths=(3, 5, 4, 2)))


@pytest.mark.parametrize(
    "law",
    [
        subtract(squares("W1", (4, 3), 1), squares("W2", (5, 4), 0)),  # a bias is left out
        squares("W1", (4, 3), 1),
        squares("W1", (4, 3), 0),  # an axis too early
        add(squares("W2", (5, 4), 0), squares("W1", (4, 3), 1)),  # a wrong sign
        linear_combination([(2, squares("W1", (4, 3), None)), (-1, squares("W2", (5, 4), None))]),  # type: ignore[list-item]
    ],
)
def test_a_wrong_law_is_not_shown(law: Expr):
    flow = mlp()
    assert not Symmetries.of(flow).show(law)
    assert not holds(flow, law)


@pytest.mark.parametrize("activation", [jnp.tanh, jax.nn.gelu, jax.nn.softplus])
def test_smooth_activations_have_none(activation: Any):
    assert shown(mlp(activation=activation)) == []


def test_homogeneous_activations_of_degree_two():
    flow = network(
        lambda p, x: p["V"] @ relu(p["W"] @ x) ** 2, {"V": array(2, 4), "W": array(4, 3)}, 3
    )
    assert "2*sum(V**2, axis=0) - sum(W**2, axis=1)" in shown(flow)


def conv(p: Any, x: Any) -> Any:
    h = jax.lax.conv_general_dilated(x[None], p["K1"], (1, 1), "SAME")[0] + p["b"][:, None, None]
    h = jax.lax.conv_general_dilated(relu(h)[None], p["K2"], (2, 2), "SAME")[0]
    h = jax.lax.reduce_window(relu(h), -jnp.inf, jax.lax.max, (1, 2, 2), (1, 2, 2), "VALID")
    return p["W"] @ h.reshape(-1)


def test_channels_of_a_padded_convolution_and_of_what_it_is_flattened_into():
    params = {"K1": array(3, 2, 3, 3), "b": array(3), "K2": array(5, 3, 3, 3), "W": array(2, 20)}
    found = shown(network(conv, params, 2, 8, 8))
    assert "sum(K1**2, axis=(1, 2, 3)) + b**2 - sum(K2**2, axis=(0, 2, 3))" in found
    assert "sum(K2**2, axis=(1, 2, 3)) - sum(reshape(W, [2, 5, 4])**2, axis=(0, 2))" in found
    assert not any("K1" in law and "W" in law.replace("W1", "") for law in found)


def test_residual_blocks_count_for_the_stream():
    def apply(p: Any, x: Any) -> Any:
        h = p["E"] @ x
        return p["O"] @ (h + p["V"] @ relu(p["W"] @ h))

    shapes = {"E": array(4, 3), "V": array(4, 6), "W": array(6, 4), "O": array(2, 4)}
    flow = network(apply, shapes, 3)
    found = shown(flow)
    assert "sum(V**2, axis=0) - sum(W**2, axis=1)" in found
    stream = "sum(E**2, axis=1) + sum(V**2, axis=1) - sum(O**2, axis=0) - sum(W**2, axis=0)"
    assert stream in found
    alone = subtract(squares("E", (4, 3), 1), squares("O", (2, 4), 0))  # without the branches
    assert not Symmetries.of(flow).show(alone)


def test_a_skip_that_is_not_scaled_leaves_nothing():
    flow = network(
        lambda p, x: x + p["V"] @ relu(p["W"] @ x + p["b"]),
        {"V": array(3, 4), "W": array(4, 3), "b": array(4)},
        3,
    )
    assert shown(flow) == ["sum(V**2, axis=0) - sum(W**2, axis=1) - b**2"]


def test_layers_that_are_joined():
    def apply(p: Any, x: Any) -> Any:
        return p["V"] @ jnp.concatenate([relu(p["W"] @ x), relu(p["U"] @ x)])

    found = shown(network(apply, {"V": array(2, 7), "W": array(4, 3), "U": array(3, 3)}, 3))
    assert "sum(W**2, axis=1) - sum(V[:2, :4]**2, axis=0)" in found
    assert "sum(U**2, axis=1) - sum(V[:2, 4:7]**2, axis=0)" in found


def test_tied_weights_have_none():
    assert shown(network(lambda p, x: p["W"].T @ relu(p["W"] @ x), {"W": array(4, 3)}, 3)) == []


def test_behind_a_layer_norm_only_what_comes_after():
    def apply(p: Any, x: Any) -> Any:
        h = p["W"] @ x
        h = (h - h.mean()) / jnp.sqrt(jnp.mean((h - h.mean()) ** 2) + 1e-5)
        return p["V"] @ (p["g"] * h)

    found = shown(network(apply, {"V": array(2, 4), "W": array(4, 3), "g": array(4)}, 3))
    assert found == ["sum(V**2, axis=0) - g**2"]


def test_learning_rates_weigh_the_squares():
    flow = gf.Flow(
        lambda p: p["u"] * p["v"],
        {"u": np.zeros(3), "v": np.zeros(3)},
        metric={"u": gf.Scaled(2), "v": gf.Scaled(3)},
    )
    assert shown(flow) == ["3*u**2 - 2*v**2"]
    assert not Symmetries.of(flow).show(
        subtract(power(Parameter("u", (3,)), 2), power(Parameter("v", (3,)), 2))
    )


def test_entry_by_entry_where_degrees_are_no_sums_over_axes():
    flow = gf.Flow(lambda p: p["U"] * p["V"], {"U": np.zeros((2, 3)), "V": np.zeros((2, 3))})
    assert shown(flow)[0] == "U**2 - V**2"


def test_a_value_that_is_held_is_no_function_of_the_parameters():
    held = gf.Flow(
        lambda p: p["x"] * jax.lax.stop_gradient(p["y"]) * p["z"], dict.fromkeys("xyz", 0.0)
    )
    assert Symmetries.of(held).laws() == []


def test_a_maximum_that_cancels_only_because_it_is_held():
    """max z − max z is 0, but moves with z where one of the two is held."""

    def apply(p: Any, x: Any) -> Any:
        scores = p["z"] * x
        return p["y"] * jnp.exp(jnp.max(scores) - jax.lax.stop_gradient(jnp.max(scores)))

    flow = network(apply, {"y": array(), "z": array(3)}, 3)
    z = Parameter("z", (3,))
    assert not holds(flow, power(z, 2))
    assert not Symmetries.of(flow).show(power(z, 2))
    assert shown(flow) == []


def test_a_derivative_that_is_not_the_functions_own():
    @jax.custom_jvp
    def straight(x: Any) -> Any:
        return x**2

    straight.defjvp(lambda primals, tangents: (straight(*primals), 3 * tangents[0]))
    flow = gf.Flow(lambda p: straight(p["x"]) * p["y"], {"x": 0.0, "y": 0.0})
    assert Symmetries.of(flow).laws() == []


def test_only_gradient_flow_without_drift():
    def flow(**arguments: Any) -> gf.Flow:
        return gf.Flow(lambda p: p["x"] * p["y"], {"x": 0.0, "y": 0.0}, **arguments)

    assert Symmetries.of(flow()).laws()
    assert not Symmetries.of(flow(order=2, damping=1)).laws()
    assert not Symmetries.of(flow(decay=1)).laws()


def test_squares_of_a_window_of_a_parameter():
    window = Apply("index", (Parameter("V", (2, 7)),), (2, 4), (("items", ((0, 2, 1), (0, 4, 1))),))
    law = subtract(total(power(window, 2), 0), squares("W", (4, 3), 1))

    def apply(p: Any, x: Any) -> Any:
        return p["V"] @ jnp.concatenate([relu(p["W"] @ x), relu(p["U"] @ x)])

    flow = network(apply, {"V": array(2, 7), "W": array(4, 3), "U": array(3, 3)}, 3)
    assert Symmetries.of(flow).show(law)
