"""Networks made of the layers of Equinox and Flax, each beside the same network written in jax.numpy.

Both have one structure, so the flow of each has the same count of laws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import nnx

Network = tuple[Any, ...]  # the positional arguments of Flow.of_network
KEY = jax.random.PRNGKey(0)
K1, K2, K3 = jax.random.split(KEY, 3)


def sequence(*layers: Any) -> Any:
    modules: list[Any] = [x if isinstance(x, eqx.Module) else eqx.nn.Lambda(x) for x in layers]
    return eqx.nn.Sequential(modules)


def linen(module: nn.Module, x: Any) -> Network:
    return module.apply, module.init(KEY, x), x


def dense(n: int, m: int, key: Any = K1) -> Any:
    return eqx.nn.Linear(n, m, use_bias=False, key=key)


def plain(function: Callable[[Any, Any], Any], x: Any, **shapes: tuple[int, ...]) -> Network:
    return function, {n: jnp.ones(s) for n, s in shapes.items()}, x


def rolled(x: Any, kernel: Any) -> Any:
    """A convolution without padding, written as a sum: x [C, n], kernel [O, C, k]."""
    k = kernel.shape[-1]
    windows = jnp.stack([x[:, i : i + k] for i in range(x.shape[-1] - k + 1)], axis=1)
    return jnp.einsum("cnk,ock->on", windows, kernel)


def squares(x: Any) -> Any:
    """Windows of 2 × 2 of [C, H, W], as [C, H/2, W/2, 4]."""
    parts = [x[:, i::2, j::2] for i in range(2) for j in range(2)]
    return jnp.stack(parts, axis=-1)


def convolved(x: Any, kernel: Any) -> Any:
    """A 2 × 2 convolution [C, H, W] with one row and column of zeros on every side."""
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1)))
    h, w = padded.shape[1] - 1, padded.shape[2] - 1
    return sum(
        jnp.einsum("chw,oc->ohw", padded[:, i : i + h, j : j + w], kernel[:, :, i, j])
        for i in range(2)
        for j in range(2)
    )


def layer_norm(z: Any, epsilon: float, scale: Any, shift: Any) -> Any:
    centred = z - jnp.mean(z, -1, keepdims=True)
    return scale * centred / jnp.sqrt(jnp.mean(centred**2, -1, keepdims=True) + epsilon) + shift


class Pooled(nn.Module):
    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.Conv(2, (2,), padding="VALID", use_bias=False)(x)
        x = nn.avg_pool(nn.relu(x), (2,), (1,))
        return nn.Dense(1, use_bias=False)(x.ravel())


class Normalized(nn.Module):
    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.BatchNorm(use_running_average=False)(nn.Dense(2, use_bias=False)(x))
        return nn.Dense(1, use_bias=False)(nn.relu(x))


class Normalizing(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.first = nnx.Linear(2, 2, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(2, rngs=rngs)
        self.last = nnx.Linear(2, 1, use_bias=False, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.last(nnx.relu(self.norm(self.first(x))))


def batch_norm(p: Any, x: Any) -> Any:
    z = x @ p["W"]
    centred = z - z.mean(0)
    z = centred / jnp.sqrt((centred**2).mean(0) + 1e-5) * p["s"] + p["b"]
    return jax.nn.relu(z) @ p["V"]


NORMS = {"W": (3, 2), "s": (3,), "b": (3,), "V": (1, 3)}
BATCH = {"W": (2, 2), "s": (2,), "b": (2,), "V": (2, 1)}
LINE, IMAGE, ROWS, PAIR = jnp.ones((1, 4)), jnp.ones((1, 3, 3)), jnp.ones((3, 2)), jnp.ones(2)
POOLED = plain(
    lambda p, x: (
        p["V"]
        @ jax.nn.relu(rolled(x, p["K"])).T.ravel().reshape(3, 2)[jnp.array([[0, 1], [1, 2]])]
        .mean(1)
        .ravel()
    ),
    LINE,
    K=(2, 1, 2),
    V=(1, 4),
)  # fmt: skip

# name: (the library's network, the plain one)
PAIRS: dict[str, Callable[[], tuple[Network, Network]]] = {
    "equinox MLP": lambda: (
        (eqx.nn.MLP(3, 1, 2, 2, key=KEY), jnp.ones(3)),
        plain(
            lambda p, x: (
                p["C"] @ jax.nn.relu(p["B"] @ jax.nn.relu(p["A"] @ x + p["a"]) + p["b"]) + p["c"]
            ),
            jnp.ones(3),
            A=(2, 3), a=(2,), B=(2, 2), b=(2,), C=(1, 2), c=(1,),
        ),
    ),
    "equinox Conv1d": lambda: (
        (
            sequence(
                eqx.nn.Conv1d(1, 2, 2, use_bias=False, key=K1),
                jax.nn.relu,
                eqx.nn.Conv1d(2, 1, 2, use_bias=False, key=K2),
            ),
            LINE,
        ),
        plain(
            lambda p, x: rolled(jax.nn.relu(rolled(x, p["K"])), p["L"]),
            LINE,
            K=(2, 1, 2), L=(1, 2, 2),
        ),
    ),
    "equinox Conv2d with padding, MaxPool2d": lambda: (
        (
            sequence(
                eqx.nn.Conv2d(1, 2, 2, padding=1, use_bias=False, key=K1),
                eqx.nn.MaxPool2d(2, 2),
                jnp.ravel,
                dense(8, 1),
            ),
            IMAGE,
        ),
        plain(
            lambda p, x: p["V"] @ jnp.max(squares(convolved(x, p["K"])), -1).ravel(),
            IMAGE,
            K=(2, 1, 2, 2), V=(1, 8),
        ),
    ),
    "equinox relu, MaxPool2d": lambda: (
        (
            sequence(
                eqx.nn.Conv2d(1, 2, 2, padding=1, use_bias=False, key=K1),
                jax.nn.relu,
                eqx.nn.MaxPool2d(2, 2),
                jnp.ravel,
                dense(8, 1),
            ),
            IMAGE,
        ),
        plain(
            lambda p, x: (
                p["V"] @ jnp.max(squares(jax.nn.relu(convolved(x, p["K"]))), -1).ravel()
            ),
            IMAGE,
            K=(2, 1, 2, 2), V=(1, 8),
        ),
    ),
    "equinox AvgPool1d": lambda: (
        (
            sequence(
                eqx.nn.Conv1d(1, 2, 2, use_bias=False, key=K1),
                eqx.nn.AvgPool1d(2, 1),
                jnp.ravel,
                dense(4, 1),
            ),
            LINE,
        ),
        plain(
            lambda p, x: (
                p["V"] @ ((z := rolled(x, p["K"]))[:, 1:] / 2 + z[:, :-1] / 2).ravel()
            ),
            LINE,
            K=(2, 1, 2), V=(1, 4),
        ),
    ),
    "equinox LayerNorm": lambda: (
        (sequence(dense(2, 3), eqx.nn.LayerNorm(3), dense(3, 1, K2)), PAIR),
        plain(
            lambda p, x: p["V"] @ layer_norm(p["W"] @ x, 1e-5, p["s"], p["b"]), PAIR, **NORMS
        ),
    ),
    "equinox RMSNorm": lambda: (
        (sequence(dense(2, 3), eqx.nn.RMSNorm(3, eps=0.0, use_bias=False), dense(3, 1, K2)), PAIR),
        plain(
            lambda p, x: (
                p["V"] @ (p["s"] * (z := p["W"] @ x) / jnp.sqrt(jnp.mean(z**2)))
            ),
            PAIR,
            W=(3, 2), s=(3,), V=(1, 3),
        ),
    ),
    "linen LayerNorm": lambda: (
        linen(
            nn.Sequential([nn.Dense(3, use_bias=False), nn.LayerNorm(), nn.Dense(1, use_bias=False)]),
            PAIR,
        ),
        plain(
            lambda p, x: p["V"] @ layer_norm(p["W"] @ x, 1e-6, p["s"], p["b"]), PAIR, **NORMS
        ),
    ),
    "linen Conv, avg_pool": lambda: (linen(Pooled(), LINE.T), POOLED),
    "linen BatchNorm": lambda: (
        (
            lambda v, x: Normalized().apply(v, x, mutable=["batch_stats"])[0],
            Normalized().init(KEY, ROWS),
            ROWS,
        ),
        plain(batch_norm, ROWS, **BATCH),
    ),
    "nnx BatchNorm": lambda: (
        (Normalizing(nnx.Rngs(0)), ROWS),
        plain(batch_norm, ROWS, **BATCH),
    ),
}  # fmt: skip


def activated(name: str) -> Network:
    f = getattr(jax.nn, name)
    return plain(lambda p, x: p["V"] @ f(p["W"] @ x), jnp.ones(3), W=(8, 3), V=(2, 8))


ACTIVATIONS = (
    "relu", "leaky_relu", "relu6", "hard_tanh", "elu", "selu", "gelu", "silu", "softplus", "softmax",
    "log_softmax", "sigmoid", "log_sigmoid", "tanh", "mish", "hard_sigmoid", "hard_swish", "squareplus",
    "soft_sign",
)  # fmt: skip
