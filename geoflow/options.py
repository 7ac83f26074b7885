"""What a caller may ask of a check, and how it can watch the check go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from geoflow.memory import MOST_MEMORY
from geoflow.results import ModelReport


@dataclass(frozen=True)
class CheckOptions:
    """The options of `geoflow check` that change what is computed.

    `overrides` are the `-D name=value` of sizes and constants, `timeout` is in seconds, `memory` in bytes
    of a row space, `strict` makes probable claims fail, `plot` names a file for the drift figure, `formulas` asks for
    the SymPy form of the laws (which costs the import of SymPy), `gates` overrides what the model says of them,
    `exhibit` asks for what a page shows beside the verdicts, `certificate` for the certificate of each count.
    """

    overrides: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    timeout: float | None = None
    verify: bool = True
    strict: bool = False
    plot: str | None = None
    formulas: bool = False
    gates: Literal["lifted", "real"] | None = None
    exhibit: bool = False
    certificate: bool = False
    memory: int = MOST_MEMORY


class Observer(Protocol):
    """Hears of the stages as they begin and of each model's verdict as soon as it is known."""

    def stage(self, name: str, detail: str = "") -> None:
        """A stage begins, or has news (`detail`)."""

    def counted(self, report: ModelReport) -> None:
        """The exact verdict on a model is known; `report.verify` is still None."""

    def verified(self, report: ModelReport) -> None:
        """The trajectories of the same model are integrated too."""
