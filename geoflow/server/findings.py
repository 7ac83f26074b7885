"""Diagnostics and their fixes as the protocol has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types

from geoflow.diagnostics import Diagnostic, Fix, Source, Span
from geoflow.report.locations import told
from geoflow.semantics.reading import own_file
from geoflow.server.positions import UTF16, span_range

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}


def file_uri(name: str) -> str | None:
    """The URI of the file that a source is shown as; None where it is no file."""
    path = own_file(name) or Path(name)
    return None if name.startswith("<") else path.resolve().as_uri()


def in_file(span: Span | None, name: str) -> bool:
    """Whether a span lies in the file of that name."""
    return span is None or span.source.name == name


def to_protocol(diagnostic: Diagnostic, name: str, encoding: str = UTF16) -> types.Diagnostic:
    """A diagnostic shown in the file `name`: one of another file stands at its beginning."""
    span = diagnostic.span
    here = types.Range(types.Position(0, 0), types.Position(0, 0))
    message = told(diagnostic)
    if span is not None and in_file(span, name):
        here = span_range(span, encoding)
    elif span is not None:
        message = f"{span.source.name}:{span.line}: {message}"
    return types.Diagnostic(
        range=here,
        message=message,
        severity=_SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        source="geoflow",
        related_information=list(_related(diagnostic, encoding)) or None,
    )


def _related(diagnostic: Diagnostic, encoding: str) -> Iterable[types.DiagnosticRelatedInformation]:
    for related in diagnostic.related:
        uri = file_uri(related.span.source.name)
        if uri is not None:
            place = types.Location(uri, span_range(related.span, encoding))
            yield types.DiagnosticRelatedInformation(place, related.label)


def fixes(
    diagnostics: Iterable[Diagnostic],
    name: str,
    wanted: Callable[[types.Range], bool],
    encoding: str = UTF16,
) -> Iterable[types.CodeAction]:
    """What mends the diagnostics of a file at a place that is wanted."""
    for diagnostic in diagnostics:
        fix = diagnostic.fix
        if fix is None or not in_file(fix.span, name) or not in_file(diagnostic.span, name):
            continue
        shown = to_protocol(diagnostic, name, encoding)
        uri = file_uri(name)
        if uri is None or not wanted(shown.range):
            continue
        edit = types.TextEdit(span_range(fix.span, encoding), fix.replacement)
        yield types.CodeAction(
            title=_title(fix),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            edit=types.WorkspaceEdit(changes={uri: [edit]}),
            is_preferred=True,
        )


def _title(fix: Fix) -> str:
    if not fix.replacement:
        return f"Remove `{fix.span.text}`"
    if fix.span.start == fix.span.end:
        return f"Insert `{fix.replacement.strip()}`"
    return f"Replace `{fix.span.text}` with `{fix.replacement}`"


def saved(
    findings: Iterable[Mapping[str, Any]], source: Source, encoding: str = UTF16
) -> Iterator[types.Diagnostic]:
    """The findings of a check, given as JSON, in the text that was checked."""
    for finding in findings:
        if finding["file"] != source.name or finding["line"] is None:
            continue
        start = source.line_start(finding["line"]) + finding["column"] - 1
        end = source.line_start(finding["end_line"]) + finding["end_column"] - 1
        diagnostic = Diagnostic(
            finding["code"],
            finding["message"],
            Span(source, start, end),
            notes=tuple(finding["notes"]),
            hints=tuple(finding["hints"]),
            severity=finding["severity"],
        )
        yield to_protocol(diagnostic, source.name, encoding)
