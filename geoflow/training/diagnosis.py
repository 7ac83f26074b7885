"""Why a run drifts otherwise than its settings say: each parameter's step, against its gradient and itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geoflow.training.settings import Settings

FITTED = 1e-3  # of a step, to call it a combination of gradient and parameter
ROUND_OFF = 200.0  # units in the last place of the parameter
PRODUCTS: tuple[str, ...] = ("uu", "ut", "tt", "du", "dt", "dd", "ee")


def products(before: Any, after: Any, u: Any, predicted: Any, total: Any) -> list[Any]:
    """Inner products of one parameter's step d, its direction u, itself t and what is unexplained e; `total` sums."""
    d, e = after - before, after - predicted
    pairs = ((u, u), (u, before), (before, before), (d, u), (d, before), (d, d), (e, e))
    return [total(a * b) for a, b in pairs]


@dataclass(frozen=True)
class _Fit:
    """d = −rate·u − shrink·θ; `left`: what is not so, relative."""

    rate: float
    shrink: float
    left: float


def _fit(p: Mapping[str, float]) -> _Fit | None:
    """The least squares; None where u and θ are parallel."""
    gram = np.array([[p["uu"], p["ut"]], [p["ut"], p["tt"]]])
    if np.linalg.det(gram) <= 1e-9 * p["uu"] * p["tt"] or not np.isfinite(gram).all():
        return None
    moved = np.array([p["du"], p["dt"]])
    found = np.linalg.solve(gram, moved)
    left = max(p["dd"] - float(found @ moved), 0.0)
    return _Fit(
        -float(found[0]), -float(found[1]), float(np.sqrt(left / p["dd"])) if p["dd"] else 0.0
    )


def causes(
    names: Sequence[str], table: np.ndarray, settings: Settings, step: int, eps: float
) -> tuple[str, ...]:
    """What the settings get wrong, a sentence a parameter; `table` has a row of `PRODUCTS` a parameter."""
    found: dict[str, list[str]] = {}
    for name, row in zip(names, table, strict=True):
        p = dict(zip(PRODUCTS, map(float, row), strict=True))
        if not np.isfinite(row).all():
            found.setdefault("no longer finite", []).append(name)
        elif p["ee"] > (ROUND_OFF * eps) ** 2 * (p["tt"] + p["dd"]):
            found.setdefault(_said(name, p, settings, step), []).append(name)
    return tuple(f"{', '.join(own)}: {words}" for words, own in found.items()) or (
        "every parameter moves as the settings say, so the gradients are not those of this flow: "
        "tied parameters, a penalty on parameters in the loss, or another model",
    )


def _said(name: str, p: Mapping[str, float], settings: Settings, step: int) -> str:
    rate = float(settings.rate(name, step))
    coupled = settings.coupled(name)  # u holds it already
    decay = settings.shrinking(name) + coupled
    fit = _fit(p)
    if p["dd"] == 0.0:
        return "does not move"
    if fit is None or fit.left > FITTED:
        return (
            "moves along no combination of the gradient and itself, as with clipping, noise, momentum "
            "or another optimizer than was said"
        )
    words = []
    if abs(fit.rate - rate) > FITTED * rate:
        words.append(f"moves at learning rate {fit.rate:.3g}, the settings say {rate:.3g}")
    unsaid = abs(fit.shrink - rate * settings.shrinking(name)) * np.sqrt(p["tt"])
    if unsaid > FITTED * np.sqrt(p["ee"]):
        had = coupled + fit.shrink / fit.rate if fit.rate else float("nan")
        if abs(had - decay) > FITTED * max(abs(decay), abs(had)):
            words.append(f"decays at rate {had:.3g}, the settings say {decay:.3g}")
    return " and ".join(words) or "moves otherwise than the settings say"
