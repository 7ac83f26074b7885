"""Losses with random data: they make the cotangent a = −∇f(φ) that drives a verification.

Every loss here is f(φ) = mean over n data of ℓ(⟨xᵢ, vec φ⟩, yᵢ). Laws hold for every smooth f, so
few and simple losses do; what matters is that a points in directions nobody chose. A new loss is
one entry of `LOSSES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


@dataclass(frozen=True)
class Loss:
    """ℓ(prediction, label) of one datum, and how labels are drawn given random predictions."""

    name: str
    value: Callable[[jax.Array, jax.Array], jax.Array]
    labels: Callable[[np.random.Generator, np.ndarray], np.ndarray]


def _noisy_signs(rng: np.random.Generator, predictions: np.ndarray) -> np.ndarray:
    """Labels that φ can learn, so that it moves, but not all of them."""
    noise = rng.standard_normal(predictions.shape) * np.std(predictions)
    return np.where(predictions + noise > 0, 1.0, -1.0)


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            "squared",
            value=lambda prediction, label: 0.5 * (prediction - label) ** 2,
            labels=lambda _, predictions: predictions,
        ),
        Loss(
            "logistic",
            value=lambda prediction, label: jnp.logaddexp(0.0, -label * prediction),
            labels=_noisy_signs,
        ),
    )
}


def find_losses(names: Sequence[str]) -> tuple[Loss, ...]:
    """The losses called so.

    Raises:
        ValueError: a name that is not registered, or no name at all.
    """
    if not names:
        raise ValueError(f"name at least one loss; known: {', '.join(LOSSES)}")
    if unknown := [name for name in names if name not in LOSSES]:
        raise ValueError(f"unknown loss {unknown[0]!r}; known: {', '.join(LOSSES)}")
    return tuple(LOSSES[name] for name in names)


def draw_features(rng: np.random.Generator, data: int, size: int) -> np.ndarray:
    """x [data, size], Gaussian, scaled so that the largest eigenvalue of mean xxᵀ is about 4
    at most for every size: with more entries of φ than data the flow would otherwise grow stiff."""
    return rng.standard_normal((data, size)) * min(1.0, np.sqrt(data / max(size, 1)))


def draw_labels(rng: np.random.Generator, loss: Loss, features: np.ndarray) -> np.ndarray:
    """y [data] for the features [data, size]."""
    return loss.labels(rng, features @ rng.standard_normal(features.shape[1]))


def cotangent(
    losses: tuple[Loss, ...],
    which: jax.Array,
    features: jax.Array,
    labels: jax.Array,
    output: jax.Array,
) -> jax.Array:
    """a = −∇f at the flattened φ, [size], for the loss number `which`."""
    slopes = [jax.vmap(jax.grad(loss.value)) for loss in losses]
    slope = lax.switch(which, slopes, features @ output, labels)
    return -(slope @ features) / float(labels.shape[0])
