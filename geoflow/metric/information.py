"""Fisher information of an output distribution in its natural parameter y.

J holds the derivatives of y, one row an entry. A distribution sees some combinations of the rows, K = DJ, and weighs
them by an invertible F: JᵀF(y)J = KᵀF_K K. *categorical* sees differences to the last class only, since adding a number
to all classes changes no probability; the others see every entry. So rank JᵀFJ = rank K, whatever y is.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Literal, get_args

import jax
import jax.numpy as jnp

Distribution = Literal["gaussian", "bernoulli", "categorical", "poisson"]
OUTPUTS: tuple[Distribution, ...] = get_args(Distribution)
Weigh = Callable[[Distribution, jax.Array, jax.Array], jax.Array]


def rows_seen(output: Distribution, shape: tuple[int, ...]) -> int:
    """How many combinations of the entries of y a distribution sees."""
    return prod((*shape[:-1], shape[-1] - 1)) if output == "categorical" else prod(shape)


def seen(output: Distribution, jacobian: jax.Array) -> jax.Array:
    """K [rows, n] of J [*y.shape, n]."""
    if output == "categorical":
        jacobian = jacobian[..., :-1, :] - jacobian[..., -1:, :]
    return jnp.reshape(jacobian, (-1, jacobian.shape[-1]))


def weighed(output: Distribution, y: jax.Array, columns: jax.Array) -> jax.Array:
    """F_K · columns, for columns [rows, m] of what is seen."""
    match output:
        case "gaussian":
            return columns
        case "bernoulli":
            e = jnp.reshape(jnp.exp(y), (-1, 1))
            return e / (1 + e) ** 2 * columns
        case "poisson":
            return jnp.reshape(jnp.exp(y), (-1, 1)) * columns
        case "categorical":
            p, _ = _probabilities(y)
            v = jnp.reshape(columns, (*p.shape, -1))
            p = p[..., None]
            return jnp.reshape(p * v - p * jnp.sum(p * v, axis=-2, keepdims=True), columns.shape)


def halved(output: Distribution, y: jax.Array, columns: jax.Array) -> jax.Array:
    """W · columns with WᵀW = F_K; categorical: a row for each class."""
    match output:
        case "gaussian":
            return columns
        case "bernoulli":
            e = jnp.reshape(jnp.exp(-jnp.abs(y) / 2), (-1, 1))
            return e / (1 + e**2) * columns
        case "poisson":
            return jnp.reshape(jnp.exp(y / 2), (-1, 1)) * columns
        case "categorical":
            first, last = _probabilities(y)
            p = jnp.concatenate([first, last], axis=-1)[..., None]
            v = jnp.reshape(columns, (*first.shape, -1))
            v = jnp.concatenate([v, jnp.zeros_like(v[..., :1, :])], axis=-2)
            centred = v - jnp.sum(p * v, axis=-2, keepdims=True)
            return jnp.reshape(jnp.sqrt(p) * centred, (-1, columns.shape[-1]))


def unweighed(output: Distribution, y: jax.Array, columns: jax.Array) -> jax.Array:
    """F_K⁻¹ · columns."""
    match output:
        case "gaussian":
            return columns
        case "bernoulli":
            e = jnp.reshape(jnp.exp(y), (-1, 1))
            return (1 + e) ** 2 / e * columns
        case "poisson":
            return columns / jnp.reshape(jnp.exp(y), (-1, 1))
        case "categorical":
            p, last = _probabilities(y)
            v = jnp.reshape(columns, (*p.shape, -1))
            whole = jnp.sum(v, axis=-2, keepdims=True) / last[..., None]
            return jnp.reshape(v / p[..., None] + whole, columns.shape)


def _probabilities(y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Of all classes but the last, and of the last."""
    e = jnp.exp(y[..., :-1] - y[..., -1:])
    total = 1 + jnp.sum(e, axis=-1, keepdims=True)
    return e / total, 1 / total
