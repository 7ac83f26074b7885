"""Where a name is declared, in this file or in one that it uses."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from geoflow.diagnostics import Span
from geoflow.semantics.reading import Survey, own_file
from geoflow.server.findings import file_uri
from geoflow.server.pointing import point, statement_at
from geoflow.server.positions import UTF16, span_range
from geoflow.syntax import tree


def definition(
    survey: Survey, offset: int, path: Path | None, encoding: str = UTF16
) -> types.Location | None:
    """The declaration of the name at an offset, or the file that a `use` there names."""
    statement = statement_at(survey, offset)
    if isinstance(statement, tree.Use) and statement.path.span.start <= offset:
        return _used(statement.path.value, path)
    pointed = point(survey, offset)
    if pointed is None:
        return None
    if pointed.binder is not None:
        return _location(pointed.binder[1].span, encoding)
    if pointed.declared is None:
        return None
    span = pointed.declared.span
    return _location(Span(span.source, span.start, span.start + len(pointed.word)), encoding)


def _location(span: Span, encoding: str) -> types.Location | None:
    uri = file_uri(span.source.name)
    return None if uri is None else types.Location(uri, span_range(span, encoding))


def _used(name: str, path: Path | None) -> types.Location | None:
    file = own_file(name) or (path.parent / name if path is not None else None)
    if file is None or not file.is_file():
        return None
    start = types.Position(0, 0)
    return types.Location(file.resolve().as_uri(), types.Range(start, start))
