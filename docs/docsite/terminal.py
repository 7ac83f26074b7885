"""What geoflow prints, as text for a page."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from rich.console import Console

from geoflow.comparison import compare_files
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.report.annotations import to_annotations
from geoflow.report.comparison import render_comparison
from geoflow.report.snippet import render_diagnostic
from geoflow.report.terminal import render_full, render_model
from geoflow.sweep.claim import OverSizes

WIDTH = 88  # characters of a line of code on a page


def _console() -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    console = Console(
        file=written, color_system=None, width=WIDTH, highlight=False, markup=False, emoji=False
    )
    return console, written


@cache
def refusal(text: str, name: str) -> tuple[tuple[str, ...], str]:
    """The codes of what is wrong with a text, and what `geoflow check` says of it."""
    options = CheckOptions(verify=False)
    report = check_text(text, name, options, over_sizes=OverSizes(cached=False))
    console, written = _console()
    for model in report.models:
        render_model(model, console)
    if not report.models:
        for diagnostic in report.diagnostics:
            render_diagnostic(diagnostic, console)
    codes = tuple(d.code for d in report.diagnostics)
    return codes, written.getvalue().strip("\n")


@cache
def checked(text: str, name: str) -> tuple[int, str]:
    """The exit code and the output of `geoflow check` on a file of that name."""
    report = check_text(text, name, over_sizes=OverSizes(cached=False))
    console, written = _console()
    render_full(report, console)
    return report.exit_code, written.getvalue().strip("\n")


@cache
def annotated(text: str, name: str) -> str:
    """The workflow commands of `geoflow check --format github`."""
    options = CheckOptions(verify=False)
    report = check_text(text, name, options, over_sizes=OverSizes(cached=False))
    return to_annotations(report).strip("\n")


@cache
def compared(path: Path, text: str) -> str:
    """The output of `geoflow compare --flows` on a file that holds `text`."""
    console, written = _console()
    render_comparison(compare_files([str(path)], True, CheckOptions()), console)
    return written.getvalue().strip("\n")
