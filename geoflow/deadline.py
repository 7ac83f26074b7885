"""A point in time after which long work stops with what it has."""

from __future__ import annotations

import time
from dataclasses import dataclass


class OutOfTime(Exception):
    """The deadline passed, and there is nothing to go on with."""


@dataclass(frozen=True)
class Deadline:
    """`at` is a `time.monotonic()` value; None never passes."""

    at: float | None = None

    @staticmethod
    def after(seconds: float | None) -> Deadline:
        """So many seconds from now; never for None."""
        return Deadline(None if seconds is None else time.monotonic() + seconds)

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self.at is not None and time.monotonic() > self.at

    def check(self) -> None:
        """Raise `OutOfTime` if the time is over."""
        if self.passed:
            raise OutOfTime
