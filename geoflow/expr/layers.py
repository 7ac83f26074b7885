"""The operations that networks are made of, as JAX functions.

Written so that a traced program has an exact meaning: what is piecewise chooses by a comparison, convolutions are
slices and products, an irrational constant is a function of a rational one, and a softmax subtracts no maximum.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from geoflow.expr.tree import Apply, Number

Array = jax.Array


def relu(x: Array) -> Array:
    """x where it is positive, else 0."""
    return jnp.where(x > 0, x, 0.0)


def leaky_relu(x: Array, slope: Array) -> Array:
    """x where it is positive, else slope·x."""
    return jnp.where(x > 0, x, slope * x)


def absolute(x: Array) -> Array:
    """|x|."""
    return jnp.where(x > 0, x, -x)


def maximum(a: Array, b: Array) -> Array:
    """The larger of two, entry by entry."""
    return jnp.where(a > b, a, b)


def minimum(a: Array, b: Array) -> Array:
    """The smaller of two, entry by entry."""
    return jnp.where(a > b, b, a)


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return lax.log(1.0 + lax.exp(x))


def gelu(x: Array) -> Array:
    """x·Φ(x), Φ the normal distribution."""
    return x * (1.0 + lax.erf(x * lax.rsqrt(jnp.asarray(2.0)))) / 2.0


def softmax(x: Array, axis: int) -> Array:
    """exp(x) divided by its sums along an axis."""
    weights = lax.exp(x)
    return weights / jnp.sum(weights, axis=axis, keepdims=True)


# ---------------------------------------------------------------- windows


def _windows(x: Array, window: tuple[int, ...], strides: tuple[int, ...]) -> Iterator[Array]:
    """The entry of the window at each of its offsets, at all places where the window lies on the last axes."""
    axes = len(window)
    for offsets in itertools.product(*map(range, window)):
        part = x
        for axis, (offset, width, stride) in enumerate(zip(offsets, window, strides, strict=True)):
            places = (x.shape[axis - axes] - width) // stride
            end = offset + places * stride + 1
            part = lax.slice_in_dim(part, offset, end, stride, axis=x.ndim - axes + axis)
        yield part


def convolution(
    x: Array,
    kernel: Array,
    strides: tuple[int, ...],
    paddings: tuple[int, ...],
    groups: int,
) -> Array:
    """The cross-correlation of x[…, C, spatial] with kernel[C_out, C/groups, window]."""
    axes = len(strides)
    if any(paddings):
        edges = [(0, 0, 0)] * (x.ndim - axes) + [(p, p, 0) for p in paddings]
        x = lax.pad(x, jnp.zeros((), x.dtype), edges)
    window = kernel.shape[2:]
    parts = list(_windows(x, window, strides))
    lead, channels, places = (
        x.shape[: -1 - axes],
        x.shape[-1 - axes],
        parts[0].shape[x.ndim - axes :],
    )
    patches = jnp.stack(parts, axis=x.ndim - axes)  # […, C, offset, places]
    patches = jnp.reshape(
        patches, (*lead, groups, channels // groups, len(parts), math.prod(places))
    )
    weights = jnp.reshape(kernel, (groups, -1, channels // groups, len(parts)))
    out = jnp.einsum("...gckp,gock->...gop", patches, weights)
    return jnp.reshape(out, (*lead, kernel.shape[0], *places))


def max_pool(x: Array, window: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """The largest entry of every window."""
    largest, *rest = _windows(x, window, strides)
    for part in rest:
        largest = maximum(largest, part)
    return largest


def average_pool(x: Array, window: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """The mean of every window."""
    total, *rest = _windows(x, window, strides)
    for part in rest:
        total = total + part
    return total / float(math.prod(window))


# ---------------------------------------------------------------- normalization


def _mean(x: Array, axes: tuple[int, ...]) -> Array:
    count = math.prod(x.shape[axis] for axis in axes)
    return jnp.sum(x, axis=axes, keepdims=True) / float(count)


def _shifted(value: Array, argument: Any, by: Array) -> Array:
    """value + by, without the addition where nothing is added."""
    return value if _is(argument, 0) else value + by


def _is(argument: Any, value: int) -> bool:
    return isinstance(argument, Number) and argument.value == value


def layer_norm(node: Apply, x: Array, gain: Array, bias: Array, eps: Array) -> Array:
    """Mean 0 and variance 1 along the last axis, then gain and bias."""
    return _normalized(node, x, gain, bias, eps, (x.ndim - 1,))


def batch_norm(node: Apply, x: Array, gain: Array, bias: Array, eps: Array) -> Array:
    """Mean 0 and variance 1 over all axes but that of the channels, axis 1; then gain and bias of each channel."""
    if x.ndim > 2:
        after = (1,) * (x.ndim - 2)
        gain, bias = (jnp.reshape(a, (*a.shape, *after)) if a.ndim else a for a in (gain, bias))
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    return _normalized(node, x, gain, bias, eps, axes)


def _normalized(
    node: Apply, x: Array, gain: Array, bias: Array, eps: Array, axes: tuple[int, ...]
) -> Array:
    _, of_gain, of_bias, of_eps = node.arguments
    centred = x - _mean(x, axes)
    variance = _shifted(_mean(centred * centred, axes), of_eps, eps)
    out = centred * lax.rsqrt(variance)
    return _shifted(out if _is(of_gain, 1) else out * gain, of_bias, bias)


def rms_norm(node: Apply, x: Array, gain: Array, eps: Array) -> Array:
    """Mean square 1 along the last axis, then gain."""
    _, of_gain, of_eps = node.arguments
    square = _shifted(_mean(x * x, (x.ndim - 1,)), of_eps, eps)
    out = x * lax.rsqrt(square)
    return out if _is(of_gain, 1) else out * gain


RULES: dict[str, Callable[..., Array]] = {
    "abs": lambda _, x: absolute(x),
    "maximum": lambda _, a, b: maximum(a, b),
    "minimum": lambda _, a, b: minimum(a, b),
    "relu": lambda _, x: relu(x),
    "leaky_relu": lambda _, x, slope: leaky_relu(x, slope),
    "tanh": lambda _, x: lax.tanh(x),
    "sigmoid": lambda _, x: lax.logistic(x),
    "softplus": lambda _, x: softplus(x),
    "gelu": lambda _, x: gelu(x),
    "silu": lambda _, x: x * lax.logistic(x),
    "softmax": lambda n, x: softmax(x, n.option("axis")),
    **{
        name: lambda n, x, kernel: convolution(
            x, kernel, n.option("stride"), n.option("padding"), n.option("groups")
        )
        for name in ("conv1d", "conv2d")
    },
    "max_pool": lambda n, x: max_pool(x, n.option("k"), n.option("stride")),
    "avg_pool": lambda n, x: average_pool(x, n.option("k"), n.option("stride")),
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    "rms_norm": rms_norm,
}
