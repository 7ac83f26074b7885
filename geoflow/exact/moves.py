"""Primitives that move entries without touching them; the same for every arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from geoflow.exact.dual import Array
from geoflow.exact.program import Instruction, UnsupportedPrimitive

if TYPE_CHECKING:
    from geoflow.exact.interpreter import Evaluator


def broadcast(value: Array, ins: Instruction) -> Array:
    """`broadcast_in_dim`."""
    shape = ins.params["shape"]
    sizes = [1] * len(shape)
    for axis, position in enumerate(ins.params["broadcast_dimensions"]):
        sizes[int(position)] = value.shape[2 + axis]
    lead = value.shape[:2]
    return np.broadcast_to(value.reshape(*lead, *sizes), (*lead, *shape))


def reshaped(value: Array, ins: Instruction) -> Array:
    """`reshape`, with a transpose first where there is one."""
    order = ins.params["dimensions"]
    if order is not None:  # a transpose first: the gradient of prod over an axis, Fortran order
        value = value.transpose(0, 1, *(2 + int(k) for k in order))
    return value.reshape(*value.shape[:2], *ins.params["new_sizes"])


def sliced(value: Array, ins: Instruction) -> Array:
    """`slice`."""
    p = ins.params
    strides = p["strides"] or (1,) * len(p["start_indices"])
    where = zip(p["start_indices"], p["limit_indices"], strides, strict=True)
    return value[(slice(None), slice(None), *(slice(int(a), int(b), int(s)) for a, b, s in where))]


def dynamically_sliced(ev: Evaluator, ins: Instruction) -> Array:
    """`dynamic_slice` at known indices."""
    value, sizes = ev.values_of(ins)[0], ins.params["slice_sizes"]
    starts = [int(ev.static(ins, 1 + k)) for k in range(len(sizes))]
    starts = [min(max(s, 0), value.shape[2 + k] - sizes[k]) for k, s in enumerate(starts)]
    return value[
        (slice(None), slice(None), *(slice(s, s + n) for s, n in zip(starts, sizes, strict=True)))
    ]


def padded(ev: Evaluator, ins: Instruction) -> Array:
    """`pad`, with negative and inner padding."""
    value, filling = same_lead(ev, ev.values_of(ins))
    shape, target, source = [], [], []
    for axis, (low, high, inner) in enumerate(ins.params["padding_config"]):
        n, low, high, step = value.shape[2 + axis], int(low), int(high), int(inner) + 1
        size = low + high + max(0, (n - 1) * step + 1)
        kept = [k for k in range(n) if 0 <= low + k * step < size]
        shape.append(size)
        source.append(kept)
        target.append([low + k * step for k in kept])
    lead = value.shape[:2]
    out = np.array(np.broadcast_to(filling.reshape(*lead, *(1,) * len(shape)), (*lead, *shape)))
    out[:, :, *np.ix_(*target)] = value[:, :, *np.ix_(*source)]
    return out


def same_lead(ev: Evaluator, values: list[Array]) -> list[Array]:
    """Equal nilpotent and batch lengths, so that arrays can be joined."""
    length, batch = max(len(v) for v in values), max(v.shape[1] for v in values)
    grown = []
    for v in values:
        v = np.broadcast_to(v, (len(v), batch, *v.shape[2:]))
        if len(v) < length:
            v = np.concatenate([v, ev.ring.zeros((length - len(v), *v.shape[1:]))])
        grown.append(v)
    return grown


def concatenated(ev: Evaluator, ins: Instruction) -> Array:
    """`concatenate`."""
    return np.concatenate(same_lead(ev, ev.values_of(ins)), axis=2 + ins.params["dimension"])


def stacked(ev: Evaluator, ins: Instruction) -> Array:
    """`stack`."""
    return np.stack(same_lead(ev, ev.values_of(ins)), axis=2 + ins.params["axis"])


def unstacked(ev: Evaluator, ins: Instruction) -> list[Array]:
    """`unstack`."""
    value, axis = ev.values_of(ins)[0], 2 + ins.params["axis"]
    return [np.take(value, k, axis=axis) for k in range(value.shape[axis])]


def split(ev: Evaluator, ins: Instruction) -> list[Array]:
    """`split`."""
    value, axis = ev.values_of(ins)[0], 2 + ins.params["axis"]
    return np.split(value, np.cumsum(ins.params["sizes"])[:-1], axis=axis)


def take(value: Array, source: Array) -> Array:
    """The entries at flat positions."""
    flat = value.reshape(*value.shape[:2], -1)
    return flat[:, :, source.ravel()].reshape(*value.shape[:2], *source.shape)


def positions(shape: Sequence[int]) -> Array:
    """The flat position of every entry."""
    return np.arange(math.prod(shape), dtype=np.int64).reshape(shape)


def gathered(ev: Evaluator, ins: Instruction) -> Array:
    """Which entry goes where is found by letting JAX gather the entries' positions; −1 is out of bounds."""
    value, params = ev.values_of(ins)[0], {**ins.params, "fill_value": -1}
    with jax.enable_x64(True):
        source = jax.lax.gather_p.bind(positions(value.shape[2:]), ev.static(ins, 1), **params)
    source = np.asarray(source)
    if not np.any(source < 0):
        return take(value, source)
    filling = ins.params["fill_value"]
    if filling is None or not np.isfinite(filling):
        raise UnsupportedPrimitive("an index out of bounds", ins.where)
    flat = value.reshape(*value.shape[:2], -1)
    parts = same_lead(ev, [flat, ev.ring.literal(np.full((1, 1, 1), filling))])
    return take(np.concatenate(parts, axis=2), source)


def scattered(ev: Evaluator, ins: Instruction) -> Array:
    """The transpose of a gather. Updates that go to one place are added in rounds, each place once in a round."""
    operand, updates = ev.values_of(ins)[0], ev.values_of(ins)[2]
    shape = operand.shape[2:]
    target = scatter_targets(ev, ins, shape, updates.shape[2:])
    out, flat = same_lead(ev, [operand, updates.reshape(*updates.shape[:2], -1)])
    out = np.array(out.reshape(*out.shape[:2], -1))
    there = np.flatnonzero(target >= 0)  # out of bounds: dropped
    there = there[np.argsort(target[there], kind="stable")]
    while len(there):
        first = np.r_[True, target[there[1:]] != target[there[:-1]]]
        now, there = there[first], there[~first]
        where = target[now]
        out[:, :, where] = ev.ring.add(out[:, :, where], flat[:, :, now])
    return out.reshape(*out.shape[:2], *shape)


def scatter_targets(
    ev: Evaluator, ins: Instruction, shape: Sequence[int], updates: Sequence[int]
) -> Array:
    """Where each update of a `scatter-add` goes, −1 out of bounds: the dimension numbers are those of a gather."""
    numbers = ins.params["dimension_numbers"]
    window = iter(updates[k] for k in numbers.update_window_dims)
    hidden = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    sizes = tuple(1 if k in hidden else next(window) for k in range(len(shape)))
    gather = jax.lax.GatherDimensionNumbers(
        offset_dims=numbers.update_window_dims,
        collapsed_slice_dims=numbers.inserted_window_dims,
        start_index_map=numbers.scatter_dims_to_operand_dims,
        operand_batching_dims=numbers.operand_batching_dims,
        start_indices_batching_dims=numbers.scatter_indices_batching_dims,
    )
    with jax.enable_x64(True):
        found = jax.lax.gather(
            positions(shape),
            ev.static(ins, 1),
            gather,
            sizes,
            mode=ins.params["mode"],
            fill_value=-1,
        )
    return np.asarray(found).ravel()
