"""What a study of finite steps returns: frozen, JSON-ready data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from geoflow.results import Verdict

Optimizer = Literal["sgd", "momentum", "adam"]
ROUND_OFF = 1e-12


@dataclass(frozen=True)
class Run:
    """One run: its step, momentum, number of steps, and how far the parameters moved relative to their norm. `drifts`
    by law, and that of a control function that is no law; NaN where the run diverged."""

    step: float
    momentum: float
    steps: int
    moved: float
    drifts: tuple[float, ...]
    control: float

    @property
    def diverged(self) -> bool:
        """Whether the parameters left the numbers."""
        return not math.isfinite(self.moved)


@dataclass(frozen=True)
class SteppedLaw:
    """A law of the flow. `exact`: why every step of any size keeps it, if that is shown."""

    text: str
    status: Verdict
    exact: str = ""


@dataclass(frozen=True)
class Slope:
    """drift ≈ step^`slope` at a momentum, over the steps where the drift is more than round-off; None for fewer than
    two of these."""

    law: str
    momentum: float
    slope: float | None


@dataclass(frozen=True)
class Discretized:
    """Drifts of the laws of a gradient flow along an optimizer's runs over the same time."""

    model: str
    file: str
    optimizer: Optimizer
    time: float
    data: str
    loss: str
    seed: int
    laws: tuple[SteppedLaw, ...]
    runs: tuple[Run, ...]
    notes: tuple[str, ...] = ()

    @property
    def momenta(self) -> tuple[float, ...]:
        """The momenta, in order."""
        return tuple(dict.fromkeys(run.momentum for run in self.runs))

    @property
    def slopes(self) -> tuple[Slope, ...]:
        """By law and momentum."""
        return tuple(
            Slope(law.text, momentum, self._slope(number, momentum))
            for number, law in enumerate(self.laws)
            for momentum in self.momenta
        )

    def _slope(self, number: int, momentum: float) -> float | None:
        points = [
            (math.log(run.step), math.log(run.drifts[number]))
            for run in self.runs
            if run.momentum == momentum and ROUND_OFF < run.drifts[number] < math.inf
        ]
        if len({x for x, _ in points}) < 2:
            return None
        return float(np.polyfit([x for x, _ in points], [y for _, y in points], 1)[0])

    def survives(self, number: int) -> bool:
        """Whether a law drifts by round-off in every run; runs that diverged or did not move say nothing."""
        good = [run for run in self.runs if not run.diverged and run.control > 1e-6]
        return bool(good) and all(run.drifts[number] <= ROUND_OFF for run in good)
