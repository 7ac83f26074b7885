"""Convolutions and pooling as what every arithmetic has: gathered windows, products and sums, greatest values.

Each expansion is a JAX function with the meaning of the primitive; the program of its trace takes its place.
A window's entries are found as positions of the array: none where it reaches over the edge, where a dilated array has a
hole, or where negative padding cuts. A greatest value is taken over the entries that are there, so no −∞ enters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Pairs = Sequence[tuple[int, int]]


def positions(
    shape: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    base: Sequence[int],
    dilation: Sequence[int],
) -> np.ndarray:
    """[*outputs, *window]: the position in an array of this shape, flattened, of every window's entries; −1 where
    there is none."""
    rank = len(shape)
    flat = np.zeros((1,) * (2 * rank), dtype=np.int64)
    inside = np.ones((1,) * (2 * rank), dtype=bool)
    for axis, n in enumerate(shape):
        low, high = padding[axis]
        whole = (n - 1) * base[axis] + 1 if n else 0
        reach = (window[axis] - 1) * dilation[axis] + 1
        count = max(0, (low + whole + high - reach) // strides[axis] + 1)
        starts = np.arange(count)[:, None] * strides[axis] - low
        place = starts + np.arange(window[axis]) * dilation[axis]
        there = (place >= 0) & (place < whole) & (place % base[axis] == 0)
        sizes = [1] * (2 * rank)
        sizes[axis], sizes[rank + axis] = count, window[axis]
        flat = flat * n + np.where(there, place // base[axis], 0).reshape(sizes)
        inside = inside & there.reshape(sizes)
    return np.where(inside, flat, -1)


def convolution(lhs: jax.Array, rhs: jax.Array, **p: Any) -> jax.Array:
    """`conv_general_dilated`: windows of the image times the kernel."""
    numbers, groups, batches = (
        p["dimension_numbers"],
        p["feature_group_count"],
        p["batch_group_count"],
    )
    x, kernel = lax.transpose(lhs, numbers.lhs_spec), lax.transpose(rhs, numbers.rhs_spec)
    count, channels, *shape = x.shape
    made, used, *window = kernel.shape
    where = positions(
        shape, window, p["window_strides"], p["padding"], p["lhs_dilation"], p["rhs_dilation"]
    )
    outputs = where.shape[: len(shape)]
    patches = _taken(x.reshape(count, channels, -1), where.reshape(int(np.prod(outputs)), -1))
    # [count, channels, outputs, window] as [groups, count, outputs, channels of the group, window]
    if batches > 1:
        patches = patches.reshape(batches, count // batches, *patches.shape[1:])
        patches = patches.transpose(0, 1, 3, 2, 4)
    else:
        patches = patches.reshape(count, groups, used, *patches.shape[2:])
        patches = patches.transpose(1, 0, 3, 2, 4)
    several = groups * batches
    kernel = kernel.reshape(several, made // several, used, -1)
    found = lax.dot_general(patches, kernel, (((3, 4), (2, 3)), ((0,), (0,))))
    # [groups, count, outputs, features of the group]
    found = found.transpose(1, 0, 3, 2).reshape(found.shape[1], made, *outputs)
    return lax.transpose(found, tuple(int(k) for k in np.argsort(numbers.out_spec)))


def window_sum(x: jax.Array, **p: Any) -> jax.Array:
    """`reduce_window_sum`."""
    where = _windows(x.shape, p)
    return jnp.sum(_taken(x.reshape(-1), where), axis=tuple(range(x.ndim, 2 * x.ndim)))


def window_max(x: jax.Array, **p: Any) -> jax.Array:
    """`reduce_window_max`."""
    where = _windows(x.shape, p)
    outputs, parts = where.shape[: x.ndim], []
    order: list[np.ndarray] = []
    for kept, entries in _alike(where):
        parts.append(jnp.max(_values(x, entries), axis=-1))
        order.append(kept)
    place = np.argsort(np.concatenate(order))
    return _values(jnp.concatenate(parts), place).reshape(outputs)


def window_min(x: jax.Array, **p: Any) -> jax.Array:
    """`reduce_window_min`."""
    return -window_max(-x, **p)


def selected_and_gathered(tangents: jax.Array, x: jax.Array, **p: Any) -> jax.Array:
    """`select_and_gather_add`: the tangent where the value is greatest."""
    where = _windows(x.shape, p)
    x = _upward(x, p)
    outputs, parts, order = where.shape[: x.ndim], [], []
    for kept, entries in _alike(where):
        parts.append(_at_greatest(_values(x, entries), _values(tangents, entries)).sum(axis=-1))
        order.append(kept)
    place = np.argsort(np.concatenate(order))
    return _values(jnp.concatenate(parts), place).reshape(outputs)


def selected_and_scattered(source: jax.Array, x: jax.Array, **p: Any) -> jax.Array:
    """`select_and_scatter_add`: each source goes where the value of its window is greatest."""
    where = _windows(x.shape, p)
    x = _upward(x, p)
    total = jnp.zeros(x.size, x.dtype)
    for kept, entries in _alike(where):
        moved = _at_greatest(_values(x, entries), _values(source, kept)[:, None])
        total = total.at[entries].add(moved, mode="promise_in_bounds")
    return total.reshape(x.shape)


def _windows(shape: tuple[int, ...], p: dict[str, Any]) -> np.ndarray:
    ones = (1,) * len(shape)
    return positions(
        shape,
        p["window_dimensions"],
        p["window_strides"],
        p["padding"],
        p.get("base_dilation", ones),
        p.get("window_dilation", ones),
    )


def _taken(x: jax.Array, where: np.ndarray) -> jax.Array:
    """Entries along the last axis, 0 where there is none."""
    outside = np.where(where < 0, x.shape[-1], where)
    return jnp.take(x, outside, axis=-1, mode="fill", fill_value=0.0)


def _values(x: jax.Array, where: np.ndarray) -> jax.Array:
    return jnp.take(x.reshape(-1), where, axis=0, mode="clip")


def _alike(where: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The windows by which of their entries are there: (their numbers, [windows, entries])."""
    rank = where.ndim // 2
    rows = where.reshape(int(np.prod(where.shape[:rank])), -1)
    kinds, kind = np.unique(rows >= 0, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    return [(np.flatnonzero(kind == k), rows[kind == k][:, used]) for k, used in enumerate(kinds)]


def _at_greatest(values: jax.Array, x: jax.Array) -> jax.Array:
    """x where the value is greatest; shared where several are, as relus that are off: their derivatives agree."""
    at = (values == jnp.max(values, axis=-1, keepdims=True)).astype(values.dtype)
    return at * x / jnp.sum(at, axis=-1, keepdims=True)


def _upward(x: jax.Array, p: dict[str, Any]) -> jax.Array:
    return x if p["select_prim"].name == "ge" else -x


def rearranged(eqn: Any, indices: Sequence[np.ndarray | None], *values: jax.Array) -> jax.Array:
    """A primitive that only moves entries, at known indices: which entry goes where is found by moving positions."""
    moved, start, given = [], 0, []
    for value, index in zip(values, indices, strict=True):
        if index is not None:
            given.append(np.asarray(index))
            continue
        given.append(np.arange(start, start + value.size).reshape(value.shape))
        moved.append(value.reshape(-1))
        start += value.size
    with jax.ensure_compile_time_eval():
        source = np.asarray(eqn.primitive.bind(*map(jnp.asarray, given), **eqn.params))
    return _values(jnp.concatenate(moved), source)


EXPANSIONS: dict[str, Callable[..., jax.Array]] = {
    "conv_general_dilated": convolution,
    "reduce_window_sum": window_sum,
    "reduce_window_max": window_max,
    "reduce_window_min": window_min,
    "select_and_gather_add": selected_and_gathered,
    "select_and_scatter_add": selected_and_scattered,
    "one_minus_square": lambda x, **_: 1 - x * x,  # newer JAX's derivative of tanh
    "tan": lambda x, **_: jnp.sin(x) / jnp.cos(x),
    "sinh": lambda x, **_: (jnp.exp(x) - jnp.exp(-x)) / 2,
    "cosh": lambda x, **_: (jnp.exp(x) + jnp.exp(-x)) / 2,
}
