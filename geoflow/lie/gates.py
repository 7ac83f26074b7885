"""Gates as they really are at a point: every comparison of the program decided in exact arithmetic or in balls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from geoflow.exact.dual import Arithmetic
from geoflow.exact.gates import Gate
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.program import live
from geoflow.lie.bracket import Field, Generator, Letter


def real_gates(
    generator: Generator, ring: Arithmetic, constants: Field, point: Field, letter: Letter
) -> Letter:
    """The letter, its gates replaced by those that the point and its data give. `ring` orders its values (Q, floats,
    balls).

    Data for which two compared values are equal, or cannot be told apart, are left out of the batch.

    Raises:
        UnluckyPoint: no datum is left.
        UnsupportedPrimitive: as the interpreter.
    """
    program = generator.program
    if not program.gates:
        return letter
    batch = max(v.shape[1] for v in (letter.weight, *letter.controls))
    usable = np.ones(batch, dtype=bool)
    compared = [s for g in program.gates for s in (g.left, g.right) if s is not None]
    program = replace(program, outputs=compared, instructions=live(program.instructions, compared))
    values: dict[int, np.ndarray] = {}

    def decide(gate: Gate, left: np.ndarray, right: np.ndarray | None) -> np.ndarray:
        if gate.slot not in values:
            chosen, decided = _chosen(left, gate.axes) if gate.axes else _greater(left, right)
            values[gate.slot] = chosen
            usable[:] &= decided
        return ring.literal(values[gate.slot])

    count = len(letter.controls) - len(program.gates)
    own = letter.controls[:count]
    leaves = jax.tree.leaves((dict(constants), dict(point), letter.weight, own))
    slots = run(program, ring, leaves, decide)
    found = dict(zip(compared, slots, strict=True))
    for gate in program.gates:  # those that no other compared value reads
        decide(gate, found[gate.left], None if gate.right is None else found[gate.right])
    if not np.any(usable):
        raise UnluckyPoint
    gates = (values[g.slot] for g in program.gates)
    kept = [
        np.broadcast_to(v, (1, batch, *v.shape[2:]))[:, usable]
        for v in (letter.weight, *own, *gates)
    ]
    return Letter(kept[0], tuple(kept[1:]))


def _greater(left: np.ndarray, right: Any) -> tuple[np.ndarray, np.ndarray]:
    """1 where left > right, 0 where left < right, and by batch entry whether all are decided."""
    difference = left - (0 if right is None else right)
    above, below = difference > 0, difference < 0
    return above.astype(np.int64), _all(above | below)


def _all(truths: np.ndarray) -> np.ndarray:
    """By batch entry of [1, batch, …]."""
    return np.asarray(truths.all(axis=(0, *range(2, truths.ndim))))


def _chosen(values: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """1 where the value exceeds all others over the axes, and by batch entry whether one does."""
    over = tuple(2 + a for a in axes)
    moved = np.moveaxis(values, over, range(values.ndim - len(over), values.ndim))
    flat = moved.reshape(*moved.shape[: values.ndim - len(over)], -1)
    exceeds = flat[..., :, None] > flat[..., None, :]
    best = exceeds.sum(-1) == flat.shape[-1] - 1
    back = best.reshape(moved.shape)
    chosen = np.moveaxis(back, range(values.ndim - len(over), values.ndim), over)
    return chosen.astype(np.int64), _all(best.any(-1))
