"""How far a sweep has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from geoflow.report.page import Page

_EVERY = 10.0  # seconds between lines where there is no terminal


class SweepProgress:
    """Counts rows as they come; the rate and the time left are those of this run's own rows."""

    def __init__(self, console: Console):
        self._page = Page(console)
        self._since = self._said = time.monotonic()
        self._task = None
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )

    def __enter__(self) -> SweepProgress:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("models", total=None, rate="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """So many rows are there."""
        now = time.monotonic()
        rate = done / max(now - self._since, 1e-3)
        if self._bar is not None and self._task is not None:
            shown = f"{rate:.1f}/s" if done else ""
            self._bar.update(self._task, completed=done, total=total, rate=shown)
        elif now - self._said > _EVERY and done:
            self._said = now
            left = (total - done) / rate
            self._page.line(f"{done} of {total} models, {rate:.1f} a second, {_time(left)} left")


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min"
        if hours
        else f"{minutes} min {rest} s"
        if minutes
        else f"{rest} s"
    )
