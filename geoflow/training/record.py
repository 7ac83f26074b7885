"""What a watched run says of itself: plain numbers for a logger, and sentences where something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geoflow.training.diagnosis import causes
from geoflow.training.prediction import Plan
from geoflow.training.settings import Settings


@dataclass(frozen=True)
class LawRecord:
    """One law of a run: its entries at the start and now, what is predicted now, and the scale of each entry."""

    label: str
    plan: Plan
    first: np.ndarray
    now: np.ndarray
    predicted: np.ndarray
    scale: np.ndarray
    flagged_at: int

    @property
    def drift(self) -> float:
        """max |h − h(0)| relative to the sum of absolute terms."""
        return relative(self.now - self.first, self.scale)

    @property
    def expected(self) -> float:
        """The drift that the settings explain."""
        return relative(self.predicted - self.first, self.scale)

    @property
    def unexplained(self) -> float:
        """What is left."""
        return relative(self.now - self.predicted, self.scale)


def relative(change: np.ndarray, scale: np.ndarray) -> float:
    """The largest entry of a change relative to a scale; 0 where both are 0."""
    with np.errstate(all="ignore"):
        found = np.where(change == 0, 0.0, np.abs(change) / scale)
    return float(np.max(found, initial=0.0))


@dataclass(frozen=True)
class Record:
    """A run up to a step. `table`: inner products of the first step that is not explained, see `diagnosis`."""

    step: int
    laws: tuple[LawRecord, ...]
    names: tuple[str, ...]
    table: np.ndarray
    settings: Settings
    tolerance: float
    eps: float

    def row(self) -> dict[str, float | int]:
        """Numbers by name, for any logger."""
        found: dict[str, float | int] = {"step": self.step}
        for law in self.laws:
            found[f"{law.label}/value"] = float(np.max(np.abs(law.now), initial=0.0))
            found[f"{law.label}/drift"] = law.drift
            if law.plan.predicted:
                found[f"{law.label}/predicted"] = law.expected
                found[f"{law.label}/unexplained"] = law.unexplained
        found["flags"] = sum(law.flagged_at >= 0 for law in self.laws)
        return found

    def flags(self) -> tuple[str, ...]:
        """What the settings of the optimizer do not explain: the laws, then the causes."""
        flagged = [law for law in self.laws if law.flagged_at >= 0]
        if not flagged:
            return ()
        first = min(law.flagged_at for law in flagged)
        said = [
            f"from step {law.flagged_at} on the drift of {law.label} is not what the settings explain: "
            f"{law.drift:.1e} against {law.expected:.1e} (tolerance {self.tolerance:.0e})"
            for law in flagged
        ]
        return (*said, *causes(self.names, self.table, self.settings, first, self.eps))


def notes(labels: Sequence[str], plans: Sequence[Plan]) -> tuple[str, ...]:
    """What is not predicted from the law itself, and why."""
    found = []
    for label, plan in zip(labels, plans, strict=True):
        if plan.how == "none":
            found.append(f"{label}: no prediction, {plan.reason}")
        elif plan.how == "settings":
            found.append(f"{label}: predicted from the settings alone, {plan.reason}")
    return tuple(found)
