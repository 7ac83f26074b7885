"""What is conserved, and how far it changes along a trajectory.

The drift of an entry is max |h(t) − h(0)| / max scale(t) over the saved times, where `scale` is the
sum of the absolute values of the entry's terms: cancellation inside a law does not make round-off
look like drift.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.flow import Flow
from geoflow.verification.trajectory import Observe, Point, in_open_set, split

AGREEMENT = 0.1  # two passes agree on a drift when they differ by at most this part of it


@dataclass(frozen=True)
class VerifiedLaw:
    """A law as functions of a point (block name → array: `U`, `U'`, `t`): its values, and the sum
    of the absolute values of its terms, of the same shape. `proved`: exactly, not by a trajectory.
    `quadratic`: a polynomial of degree 2 at most in the state, without t.
    """

    text: str
    value: Callable[[Point], jax.Array]
    scale: Callable[[Point], jax.Array]
    proved: bool
    quadratic: bool = False


def make_observer(flow: Flow, laws: tuple[VerifiedLaw, ...], rng: np.random.Generator) -> Observe:
    """Values and scales of the laws and, last, of the control."""
    weights = {block.name: rng.standard_normal(block.shape) for block in flow.state}

    def observe(point: Point) -> list[tuple[jax.Array, jax.Array]]:
        pairs = [(jnp.asarray(law.value(point)), jnp.asarray(law.scale(point))) for law in laws]
        terms = jnp.concatenate(
            [
                jnp.ravel(weights[b.name] * (point[b.name] if b.positive else point[b.name] ** 2))
                for b in flow.state
                if b.kind != "time"
            ]
        )
        return [*pairs, (jnp.sum(terms), jnp.sum(jnp.abs(terms)))]

    return observe


def inside_domain(
    flow: Flow, constants: Mapping[str, float], states: np.ndarray
) -> tuple[np.ndarray, str]:
    """The saved times [time] up to which positive parameters are positive and the point is in the open set of the
    flow's verdicts, and what ends first."""
    point = split(flow, states)
    conditions = [
        (f"{b.name} > 0 fails", np.all(_entries(point[b.name] > 0), axis=1))
        for b in flow.parameters
        if b.positive
    ]
    if flow.dynamics.local:
        signs = in_open_set(flow, constants, states)
        conditions.append(("a derivative of φ has another sign", signs))
    inside, first = np.ones(len(states), dtype=bool), ""
    for text, holds in conditions:
        good = np.logical_and.accumulate(holds)
        if good.sum() < inside.sum():
            inside, first = good, text
    return inside, first


def moved(flow: Flow, states: np.ndarray) -> float:
    """How far the state [time, N], its time left out, goes from where it starts, relative to its
    largest norm."""
    moving = states[:, 1:] if flow.order == 2 else states
    largest = np.max(np.linalg.norm(moving, axis=1))
    return float(np.max(np.linalg.norm(moving - moving[0], axis=1)) / largest) if largest else 0.0


def changes(value: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(h(t) − h(0)) / max scale by entry, [time, entry]."""
    return _relative(_entries(value - value[0]), scale)


def _entries(array: np.ndarray) -> np.ndarray:
    """[time, …] as [time, entry]."""
    return array.reshape(len(array), int(np.prod(array.shape[1:])))


def _relative(change: np.ndarray, scale: np.ndarray) -> np.ndarray:
    size = np.broadcast_to(np.max(np.abs(_entries(scale)), axis=0), change.shape)
    return np.divide(change, size, out=np.zeros_like(change), where=change != 0)


def drift_of(value: np.ndarray, scale: np.ndarray) -> float:
    """The drift of one run [time, …]; NaN where a value is not finite."""
    with np.errstate(all="ignore"):
        change = changes(value, scale)
    if not (np.isfinite(value).all() and np.isfinite(change).all()):
        return float("nan")
    return float(np.max(np.abs(change), initial=0.0))


def drifts_by_run(value: Any, scale: Any, kept: np.ndarray) -> np.ndarray:
    """Drifts by run; NaN where nothing is kept."""
    return np.array(
        [
            drift_of(v[k], s[k]) if k.any() else np.nan
            for v, s, k in zip(value, scale, kept, strict=True)
        ]
    )


def same_drift(
    earlier: np.ndarray, later: np.ndarray, scale: np.ndarray, kept: np.ndarray, drift: float
) -> bool:
    """Whether two passes give a law [time, …] the same values, compared with how far it drifts."""
    with np.errstate(all="ignore"):
        difference = _relative(_entries((later - earlier)[kept]), scale[kept])
    return bool(np.max(np.abs(difference), initial=0.0) <= AGREEMENT * drift)
