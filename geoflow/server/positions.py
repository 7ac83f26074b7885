"""Places of a text as the protocol counts them: lines from 0, columns in units of an encoding."""

from __future__ import annotations

from lsprotocol import types

from geoflow.diagnostics import Source, Span

UTF8, UTF16 = types.PositionEncodingKind.Utf8, types.PositionEncodingKind.Utf16


def units(text: str, encoding: str = UTF16) -> int:
    """How many units a piece of a line is long. By default the protocol counts as UTF-16 does."""
    if encoding == UTF16:
        return len(text) + sum(character > "\uffff" for character in text)
    return len(text.encode("utf-8", "surrogatepass")) if encoding == UTF8 else len(text)


def position(source: Source, offset: int, encoding: str = UTF16) -> types.Position:
    """Where a character offset is."""
    line, column = source.line_column(offset)
    return types.Position(line - 1, units(source.line(line)[: column - 1], encoding))


def span_range(span: Span, encoding: str = UTF16) -> types.Range:
    """A span as a range."""
    return types.Range(
        position(span.source, span.start, encoding), position(span.source, span.end, encoding)
    )


def offset(source: Source, place: types.Position, encoding: str = UTF16) -> int:
    """The character offset of a place; the end of the line for one beyond it."""
    line = source.line(place.line + 1)
    start = source.line_start(place.line + 1)
    before = 0
    for column, character in enumerate(line):
        before += units(character, encoding)
        if before > place.character:
            return start + column
    return start + len(line)
