"""A check as it goes: its stage on stderr, each verdict on stdout as soon as it is known."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from geoflow.report.page import Page
from geoflow.report.terminal import render_model, render_verification
from geoflow.results import ModelReport

PATIENCE = 0.5  # seconds before a status line appears: most checks are over by then


class LiveReport:
    """An observer of a check.

    The status line needs a terminal on stderr. Verdicts are printed early only on a terminal
    (`stream`): a file or a pipe gets each model's block whole, in the end.
    """

    def __init__(self, out: Console, err: Console, *, stream: bool, verbose: bool = False):
        self._out, self._page, self._verbose = out, Page(out), verbose
        self._stream = stream
        self._status = Status("", console=err) if err.is_terminal else None
        self._since = time.monotonic()
        self._open: tuple[str, str] | None = None
        self.shown: set[tuple[str, str]] = set()
        self.finished: dict[tuple[str, str], ModelReport] = {}

    def __enter__(self) -> LiveReport:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pause()
        self._close()

    def stage(self, name: str, detail: str = "") -> None:
        """Shows the stage, once the check has lasted a moment."""
        if self._status is not None and time.monotonic() - self._since > PATIENCE:
            text = self._page.show(f"{name} {detail}".rstrip())
            self._status.update(escape(text))
            self._status.start()

    def counted(self, report: ModelReport) -> None:
        """Prints the exact verdict."""
        self.finished[report.file, report.model] = report
        if self._stream:
            self._pause()
            self._close()
            render_model(report, self._out, verbose=self._verbose)
            self._open = (report.file, report.model)
            self.shown.add(self._open)

    def verified(self, report: ModelReport) -> None:
        """Prints the verification line below the verdict it belongs to."""
        self.finished[report.file, report.model] = report
        if self._stream and self._open == (report.file, report.model):
            self._pause()
            render_verification(report, self._out)
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._page.blank()
            self._open = None

    def _pause(self) -> None:
        if self._status is not None:
            self._status.stop()
