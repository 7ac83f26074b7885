"""What `Flow.of_network` says of networks that it cannot analyze: the place in the user's code, and a cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import geoflow as gf
from geoflow.diagnostics import DiagnosticError

KEY = jax.random.PRNGKey(0)
W, X = {"W": jnp.ones((2, 2))}, jnp.ones(2)


class Dropped(eqx.Module):
    linear: eqx.nn.Linear
    dropout: eqx.nn.Dropout

    def __init__(self):
        self.linear, self.dropout = eqx.nn.Linear(2, 2, key=KEY), eqx.nn.Dropout(0.5)

    def __call__(self, x: Any, key: Any = None) -> Any:
        return self.dropout(self.linear(x), key=key)


class LinenDropped(nn.Module):
    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dropout(0.5, deterministic=False)(nn.Dense(2)(x))


class NnxDropped(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.linear, self.dropout = nnx.Linear(2, 2, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.dropout(self.linear(x))


DENSE = {"params": {"Dense_0": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}}}

# name: (arguments, whether a line of this file is named, part of the message)
MISTAKES: dict[str, tuple[Callable[[], tuple[Any, ...]], bool, str]] = {
    "sort": (lambda: (lambda p, x: jnp.sort(p["W"] @ x), W, X), True, "uses `sort`"),
    "top_k": (lambda: (lambda p, x: jax.lax.top_k(p["W"] @ x, 1)[0], W, X), True, "uses `top_k`"),
    "argmax": (
        lambda: (lambda p, x: x[jnp.argmax(p["W"] @ x)] * p["W"], W, X), True, "uses `argmax`",
    ),
    "round": (lambda: (lambda p, x: jnp.round(p["W"] @ x), W, X), True, "a step has no derivative"),
    "bfloat16": (
        lambda: (lambda p, x: (p["W"] @ x).astype(jnp.bfloat16), W, X), True, "keep float32",
    ),
    "while": (
        lambda: (
            lambda p, x: jax.lax.while_loop(lambda c: c[0] < 1, lambda c: p["W"] @ c, x), W, X,
        ),
        True,
        "use `jax.lax.scan`",
    ),
    "if": (lambda: (lambda p, x: p["W"] @ x if x[0] > 0 else x, W, X), True, "use jnp.where"),
    "int": (lambda: (lambda p, x: p["W"][int(x[0])], W, X), True, "decides by a value"),
    "numpy": (lambda: (lambda p, x: np.tanh(p["W"] @ x), W, X), True, "use jax.numpy"),
    "integers": (
        lambda: (lambda p, x: p["W"] @ x, {"W": jnp.ones((2, 2), jnp.int32)}, X), False, "arrays of int32",
    ),
    "empty": (lambda: (lambda p, x: x, {}, X), False, "holds no arrays"),
    "Python numbers": (lambda: (lambda p, x: p["a"] * x, {"a": 1.0}, X), False, "Python numbers"),
    "NaN": (
        lambda: (lambda p, x: p["W"] @ x, {"W": jnp.full((2, 2), jnp.nan)}, X), False, "'W' holds NaN",
    ),
    "infinite": (
        lambda: (lambda p, x: p["W"] @ x, {"W": np.full((2, 2), np.inf)}, X), False, "'W' holds NaN or an inf",
    ),
    "complex parameter": (
        lambda: (lambda p, x: p["W"] @ x, {"W": jnp.ones((2, 2), jnp.complex64)}, X), False, "is complex",
    ),
    "equinox dropout": (lambda: (Dropped(), X), True, "inference mode"),
    "equinox dropout with a key": (
        lambda: (lambda m, x: m(x, key=KEY), Dropped(), X), True, "inference mode",
    ),
    "linen dropout": (lambda: (LinenDropped().apply, DENSE, X), True, "deterministic=True"),
    "linen dropout with a key": (
        lambda: (lambda v, x: LinenDropped().apply(v, x, rngs={"dropout": KEY}), DENSE, X),
        True,
        "deterministic=True",
    ),
    "nnx dropout": (lambda: (NnxDropped(nnx.Rngs(0)), X), True, "model.eval()"),
    "shape": (
        lambda: (lambda p, x: p["W"] @ x, W, jnp.ones(3)), True, "cannot be evaluated at x of shape (3,)",
    ),
    "linen shape": (
        lambda: (nn.Dense(2).apply, nn.Dense(2).init(KEY, X), jnp.ones(3)), False, "x of shape (3,)",
    ),
    "missing key": (lambda: (lambda p, x: p["V"] @ x, W, X), True, "KeyError: 'V'"),
    "no function": (lambda: (W, X), False, "not callable"),
    "linen module": (lambda: (nn.Dense(2), X), False, "of_network(model.apply, model.init(key, x), x)"),
    "unread": (lambda: (lambda p, x: p["W"] @ x, {**W, "b": X}, X), False, "does not read b"),
    "constant": (lambda: (lambda p, x: x, W, X), False, "does not depend on its parameters"),
    "no data": (lambda: (lambda p, x: p["W"], W, X), False, "Flow(phi, params)"),
    "complex": (lambda: (lambda p, x: 1j * (p["W"] @ x), W, X), False, "output is complex"),
    "integer": (lambda: (lambda p, x: jnp.argmax(p["W"] @ x), W, X), False, "before argmax"),
    "nothing": (lambda: (lambda p, x: None, W, X), False, "is a `return` missing?"),
    "truth values": (
        lambda: (lambda p, x: p["W"] @ x, W, jnp.ones(2, bool)), False, "has dtype bool",
    ),
    "key as input": (lambda: (lambda p, x: p["W"], W, jax.random.key(0)), False, "is a random key"),
    "sum of ids": (
        lambda: (lambda p, x: p["W"][x[0] + x[1]], W, jnp.zeros(2, jnp.int32)), False, "one-hot rows",
    ),
    "ids as numbers": (
        lambda: (lambda p, x: p["W"] @ x, W, jnp.zeros(2, jnp.int32)), False, "one-hot rows",
    ),
    "counted ids": (
        lambda: (lambda p, x: p["W"][jnp.cumsum(x) % 2], W, jnp.zeros(2, jnp.int32)), False, "`cumsum`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str):
    arguments, placed, part = MISTAKES[name]
    with pytest.raises(ValueError) as raised:
        gf.Flow.of_network(*arguments())
    assert part in str(raised.value)
    assert ("test_python_errors.py:" in str(raised.value)) == placed
    assert "site-packages" not in str(raised.value)


def test_what_is_met_later_names_its_line():
    """A primitive that nothing here knows is found when the flow is analyzed."""
    flow = gf.Flow.of_network(lambda p, x: jax.lax.lgamma(p["W"] @ x), W, X)
    with pytest.raises(DiagnosticError, match=r"digamma.*test_python_errors\.py:") as raised:
        gf.analyze(flow)
    assert raised.value.diagnostics[0].code == "GEO0508"


def test_inference_mode_is_the_cure():
    flow = gf.Flow.of_network(eqx.nn.inference_mode(Dropped()), X)
    assert gf.count_laws(flow).upper == 0
