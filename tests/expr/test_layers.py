"""The operations of networks: values, derivatives and text against JAX, PyTorch's formulas and plain loops."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.latex import latex_expr
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr
from geoflow.semantics import load_text

Array = jax.Array
SHAPES = {
    "A": (3, 4), "B": (3, 4), "v": (4,), "g": (4,), "b": (4,), "c": (3,), "s": (),
    "K": (6, 3, 2), "G": (6, 1, 2), "Q": (2, 3, 2, 2), "Z": (3, 5, 6), "Y": (2, 3, 4),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def network(text: str) -> Expr:
    """The expression, in a network of parameters and an input of every shape."""
    declared = ", ".join(
        name + (str(list(shape)) if shape else "") for name, shape in SHAPES.items()
    )
    models, diagnostics = load_text(f"param {declared}\ninput x\nnetwork f = ({text})*x")
    assert diagnostics == (), [d.message for d in diagnostics]
    (expression,) = models[0].maps
    return expression.arguments[0]  # type: ignore[union-attr]


def place(seed: int = 0) -> dict[str, Array]:
    draw = np.random.default_rng(seed)
    return {name: jnp.asarray(draw.standard_normal(shape)) for name, shape in SHAPES.items()}


def value(expression: Expr, at: dict[str, Array]) -> Array:
    exact = {name: float(number) for name, number in rationals([expression]).items()}
    return evaluate((expression,), Environment(exact, at))[0]


# ---------------------------------------------------------------- references


def convolution(x: Array, kernel: Array, stride: int, padding: int, groups: int = 1) -> Array:
    axes = kernel.ndim - 2
    lead = x.ndim == axes + 1
    out = lax.conv_general_dilated(
        x[None] if lead else x,
        kernel,
        (stride,) * axes,
        [(padding, padding)] * axes,
        feature_group_count=groups,
    )
    return out[0] if lead else out


def pooled(combine: Callable[[np.ndarray], Any], x: Array, k: int, stride: int) -> np.ndarray:
    """Along the last axis."""
    ends = range(0, x.shape[-1] - k + 1, stride)
    lines = np.reshape(np.asarray(x), (-1, x.shape[-1]))
    out = [[combine(line[e : e + k]) for e in ends] for line in lines]
    return np.reshape(np.array(out), (*x.shape[:-1], len(ends)))


def pooled_twice(combine: Callable[[np.ndarray], Any], x: Array) -> np.ndarray:
    """Windows of 2 by 3 on the last two axes."""
    a = np.asarray(x)
    rows, columns = a.shape[-2] // 2, a.shape[-1] // 3
    return np.array([
        [[combine(plane[2 * i : 2 * i + 2, 3 * j : 3 * j + 3]) for j in range(columns)]
         for i in range(rows)]
        for plane in a
    ])  # fmt: skip


def normalized(x: Array, axes: tuple[int, ...], eps: float = 0.0) -> Array:
    mean, variance = jnp.mean(x, axes, keepdims=True), jnp.var(x, axes, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + eps)


CASES: list[tuple[str, Callable[[dict[str, Array]], Any]]] = [
    ("relu(A)", lambda p: jax.nn.relu(p["A"])),
    ("relu(A)**2", lambda p: jax.nn.relu(p["A"]) ** 2),
    ("leaky_relu(A)", lambda p: jax.nn.leaky_relu(p["A"], 0.01)),
    ("leaky_relu(A, 1/5)", lambda p: jax.nn.leaky_relu(p["A"], 0.2)),
    ("leaky_relu(A, slope=s)", lambda p: jnp.where(p["A"] > 0, p["A"], p["s"] * p["A"])),
    ("tanh(A)", lambda p: jnp.tanh(p["A"])),
    ("sigmoid(A)", lambda p: jax.nn.sigmoid(p["A"])),
    ("softplus(A)", lambda p: jax.nn.softplus(p["A"])),
    ("gelu(A)", lambda p: jax.nn.gelu(p["A"], approximate=False)),
    ("silu(A)", lambda p: jax.nn.silu(p["A"])),
    ("exp(A) + log(exp(B))", lambda p: jnp.exp(p["A"]) + p["B"]),
    ("abs(A)", lambda p: jnp.abs(p["A"])),
    ("maximum(A, B)", lambda p: jnp.maximum(p["A"], p["B"])),
    ("maximum(A, v)", lambda p: jnp.maximum(p["A"], p["v"])),
    ("minimum(A, B)", lambda p: jnp.minimum(p["A"], p["B"])),
    ("softmax(A)", lambda p: jax.nn.softmax(p["A"], axis=-1)),
    ("softmax(A, axis=0)", lambda p: jax.nn.softmax(p["A"], axis=0)),
    ("tril(3) @ A", lambda p: jnp.tril(jnp.ones((3, 3))) @ p["A"]),
    ("conv1d(A, K)", lambda p: convolution(p["A"], p["K"], 1, 0)),
    ("conv1d(A, K, stride=2, padding=1)", lambda p: convolution(p["A"], p["K"], 2, 1)),
    ("conv1d(A, G, groups=3)", lambda p: convolution(p["A"], p["G"], 1, 0, 3)),
    ("conv1d(Y, K, padding=2)", lambda p: convolution(p["Y"], p["K"], 1, 2)),
    ("conv2d(Z, Q)", lambda p: convolution(p["Z"], p["Q"], 1, 0)),
    ("conv2d(Z, Q, 2, 1)", lambda p: convolution(p["Z"], p["Q"], 2, 1)),
    ("conv2d(Z, Q, stride=(1, 2), padding=(0, 1))",
     lambda p: lax.conv_general_dilated(p["Z"][None], p["Q"], (1, 2), [(0, 0), (1, 1)])[0]),
    ("max_pool(A, 2)", lambda p: pooled(np.max, p["A"], 2, 2)),
    ("max_pool(Z, 3, stride=2)", lambda p: pooled(np.max, p["Z"], 3, 2)),
    ("max_pool(Z, (2, 3))", lambda p: pooled_twice(np.max, p["Z"])),
    ("avg_pool(A, 3, 1)", lambda p: pooled(np.mean, p["A"], 3, 1)),
    ("avg_pool(Z, (2, 3))", lambda p: pooled_twice(np.mean, p["Z"])),
    ("layer_norm(A)", lambda p: normalized(p["A"], (1,))),
    ("layer_norm(A, g, b)", lambda p: normalized(p["A"], (1,)) * p["g"] + p["b"]),
    ("layer_norm(A, b=b, eps=1/100)", lambda p: normalized(p["A"], (1,), 0.01) + p["b"]),
    ("rms_norm(A)", lambda p: p["A"] / jnp.sqrt(jnp.mean(p["A"] ** 2, 1, keepdims=True))),
    ("rms_norm(v, g, 1/10)", lambda p: p["v"] * p["g"] / jnp.sqrt(jnp.mean(p["v"] ** 2) + 0.1)),
    ("batch_norm(A, g, b)", lambda p: normalized(p["A"], (0,)) * p["g"] + p["b"]),
    ("batch_norm(v, s)", lambda p: normalized(p["v"], (0,)) * p["s"]),
    ("batch_norm(Y, c, eps=2)",
     lambda p: normalized(p["Y"], (0, 2), 2.0) * p["c"][:, None]),
    ("chain(h = v; l in 1..3: tanh(A.T @ relu(B @ h)))",
     lambda p: _thrice(p)),
    ("[relu(A[i]) for i in 0..2]", lambda p: jax.nn.relu(p["A"])),
]  # fmt: skip


def _thrice(p: dict[str, Array]) -> Array:
    h = p["v"]
    for _ in range(3):
        h = jnp.tanh(p["A"].T @ jax.nn.relu(p["B"] @ h))
    return h


@pytest.mark.parametrize(("text", "reference"), CASES, ids=[text for text, _ in CASES])
def test_values(text: str, reference: Callable[[dict[str, Array]], Any]):
    expression, at = network(text), place()
    found = value(expression, at)
    assert found.shape == expression.shape
    np.testing.assert_allclose(found, reference(at), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_the_text_of_an_expression_means_it(text: str):
    """What is printed is read back as the same function; what goes without saying is not printed."""
    expression, at = network(text), place(1)
    printed = print_expr(expression)
    again = network(printed)
    np.testing.assert_array_equal(value(again, at), value(expression, at))
    assert print_expr(again) == printed
    assert latex_expr(expression).count("{") == latex_expr(expression).count("}")


TEXTS = [
    ("layer_norm(A, g)", "layer_norm(A, g=g)"),
    ("rms_norm(A, eps=0)", "rms_norm(A)"),
    ("conv1d(A, K, padding=1)", "conv1d(A, K, padding=1)"),
    ("conv2d(Z, Q, stride=(1, 1))", "conv2d(Z, Q)"),
    ("max_pool(Z, (2, 3), stride=1)", "max_pool(Z, (2, 3), stride=(1, 1))"),
    ("leaky_relu(A)", "leaky_relu(A, 1/100)"),
]


@pytest.mark.parametrize(("text", "printed"), TEXTS)
def test_text(text: str, printed: str):
    assert print_expr(network(text)) == printed


def test_a_slope_is_exact():
    assert rationals([network("leaky_relu(A)")]) == {"1/100": Fraction(1, 100)}


SMOOTH = [
    "relu(A @ v)**3", "leaky_relu(A, s)", "tanh(A)", "sigmoid(A)", "softplus(A)", "gelu(A)",
    "silu(A)", "softmax(A @ B.T)", "conv1d(tanh(A), K, 2, 1)", "conv2d(Z, Q, 2, 1)**2",
    "max_pool(A**2, 2)", "avg_pool(Z**2, (2, 3))", "layer_norm(A, g, b)", "rms_norm(A, g)",
    "batch_norm(Y, c)", "maximum(A, B)**2", "minimum(A, B)**2", "abs(A)*B",
]  # fmt: skip


@pytest.mark.parametrize("text", SMOOTH)
def test_derivatives_of_the_second_order(text: str):
    """The second derivative along a line, against a difference of first ones."""
    expression, at, toward = network(text), place(2), place(3)

    def along(s: Array) -> Array:
        moved = {name: at[name] + s * toward[name] for name in at}
        return jnp.sum(value(expression, moved) ** 2)

    step = 1e-5
    second = jax.grad(jax.grad(along))(0.0)
    difference = (jax.grad(along)(step) - jax.grad(along)(-step)) / (2 * step)
    assert np.isfinite(second)
    np.testing.assert_allclose(second, difference, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_what_is_traced_has_an_exact_meaning(text: str):
    """No primitive of the trace is an approximation or hides a choice: no max, no convolution, no clamp."""
    expression = network(text)
    names = list(rationals([expression]))
    traced = jax.make_jaxpr(lambda c, p: evaluate((expression,), Environment(c, p))[0])(
        {name: 1.0 for name in names}, place()
    )
    found = _primitives(traced.jaxpr)
    assert not found & {
        "max", "min", "abs", "conv_general_dilated", "reduce_max", "reduce_window_max", "clamp",
        "stop_gradient", "custom_jvp_call", "cos", "sin",
    }  # fmt: skip


def _primitives(jaxpr: Any) -> set[str]:
    found: set[str] = set()
    for equation in jaxpr.eqns:
        found.add(equation.primitive.name)
        for parameter in equation.params.values():
            inner = getattr(parameter, "jaxpr", None)
            if inner is not None:
                found |= _primitives(inner)
    return found


def test_gelu_has_no_rounded_constant():
    traced = jax.make_jaxpr(lambda p: value(network("gelu(A)"), p))(place())
    assert {"erf", "rsqrt"} <= _primitives(traced.jaxpr)
