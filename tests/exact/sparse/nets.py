"""Small networks of every kind that sparse arithmetic is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import geoflow as gf


def mlp(widths: Sequence[int], act: Callable = jax.nn.relu, biases: bool = False) -> gf.Flow:
    """Dense layers."""
    pairs = list(pairwise(widths))
    params = {f"W{k}": np.zeros((b, a)) for k, (a, b) in enumerate(pairs)}
    if biases:
        params |= {f"b{k}": np.zeros(b) for k, (_, b) in enumerate(pairs)}

    def apply(p, x):
        for k in range(len(pairs)):
            x = p[f"W{k}"] @ x + (p[f"b{k}"] if biases else 0)
            x = act(x) if k < len(pairs) - 1 else x
        return x

    return gf.Flow.of_network(apply, params, np.zeros(widths[0]))


def convolutional(pool: str = "max", biases: bool = True) -> gf.Flow:
    """Two convolutions, the first padded and pooled, the second strided, and a dense head."""
    params = {"K": np.zeros((2, 1, 3, 3)), "L": np.zeros((3, 2, 2, 2)), "W": np.zeros((2, 12))}
    if biases:
        params |= {"b": np.zeros(2), "c": np.zeros(3)}

    def apply(p, x):
        h = lax.conv_general_dilated(x[None], p["K"], (1, 1), "SAME")
        h = jax.nn.relu(h + p["b"][None, :, None, None] if biases else h)
        window = (1, 1, 2, 2)
        if pool == "max":
            h = lax.reduce_window(h, -jnp.inf, lax.max, window, window, "VALID")
        elif pool == "mean":
            h = lax.reduce_window(h, 0.0, lax.add, window, window, "VALID") / 4
        h = lax.conv_general_dilated(h, p["L"], (2, 2), "SAME")
        h = jax.nn.relu(h + p["c"][None, :, None, None] if biases else h)
        return p["W"] @ h.reshape(-1)

    return gf.Flow.of_network(apply, params, np.zeros((1, 8, 8)) if pool else np.zeros((1, 4, 4)))


def residual(width: int, layers: int, gated: bool, outside: tuple[int, int] = (5, 3)) -> gf.Flow:
    """Blocks h + B·relu(A·h), with a relu after each sum where `gated`."""
    params = {"W": np.zeros((width, outside[0])), "V": np.zeros((outside[1], width))}
    for k in range(layers):
        params |= {f"A{k}": np.zeros((width, width)), f"B{k}": np.zeros((width, width))}
    after = jax.nn.relu if gated else lambda h: h

    def apply(p, x):
        h = after(p["W"] @ x)
        for k in range(layers):
            h = after(h + p[f"B{k}"] @ jax.nn.relu(p[f"A{k}"] @ h))
        return p["V"] @ h

    return gf.Flow.of_network(apply, params, np.zeros(outside[0]))


def product(n: int, m: int, r: int) -> gf.Flow:
    """φ = U Vᵀ."""
    return gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": np.zeros((n, r)), "V": np.zeros((m, r))})


NETS: dict[str, Callable[[], gf.Flow]] = {
    "mlp": lambda: mlp((4, 5, 3, 2)),
    "biases": lambda: mlp((3, 4, 4, 2), biases=True),
    "leaky": lambda: mlp((3, 4, 2), act=jax.nn.leaky_relu),
    "pooled": lambda: convolutional("max"),
    "averaged": lambda: convolutional("mean", biases=False),
    "strided": lambda: convolutional("", biases=True),
    "residual": lambda: residual(4, 2, gated=True),
    "stream": lambda: residual(3, 2, gated=False),
    "product": lambda: product(7, 6, 3),
}
