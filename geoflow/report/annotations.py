"""Findings as GitHub's workflow commands: a line each, shown beside the code of a pull request."""

from __future__ import annotations

from geoflow.codes import CODES
from geoflow.diagnostics import Diagnostic
from geoflow.report.locations import relative_path, told
from geoflow.report.visible import visible
from geoflow.results import Report

_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


def to_annotations(report: Report) -> str:
    """The commands, one a finding."""
    return "".join(_command(diagnostic) + "\n" for diagnostic in report.diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    properties = {**_place(diagnostic), "title": f"{diagnostic.code}: {CODES[diagnostic.code]}"}
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_LEVELS[diagnostic.severity]} {written}::{_data(told(diagnostic))}"


def _place(diagnostic: Diagnostic) -> dict[str, str]:
    span = diagnostic.span
    if span is None:
        return {}
    place = {
        "file": relative_path(span.source.name) or span.source.name,
        "line": str(span.line),
        "endLine": str(span.end_line),
    }
    if span.line == span.end_line:  # columns are of one line only
        place |= {"col": str(span.column), "endColumn": str(max(span.end_column, span.column + 1))}
    return place


def _data(text: str) -> str:
    text = "\n".join(visible(line) for line in text.split("\n"))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
