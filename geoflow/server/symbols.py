"""The outline of a file: its models, and what each declares and claims."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from geoflow.diagnostics import Span
from geoflow.semantics.reading import Survey
from geoflow.server.positions import UTF16, span_range
from geoflow.syntax import printer, tree

_LONGEST = 60
_Kind = types.SymbolKind


def symbols(survey: Survey, encoding: str = UTF16) -> list[types.DocumentSymbol]:
    """The symbols of a file: those below a `model` line are its children."""
    found: list[types.DocumentSymbol] = []
    model: types.DocumentSymbol | None = None
    for statement in survey.file.statements:
        if isinstance(statement, tree.ModelLine):
            model = _symbol(statement.name.text, _Kind.Module, statement.span, encoding)
            model.children = []
            found.append(model)
            continue
        for symbol in _symbols(statement, encoding):
            if model is None:
                found.append(symbol)
            else:
                model.children = [*(model.children or ()), symbol]
                model.range = types.Range(model.range.start, symbol.range.end)
    return found


def _symbols(statement: tree.Statement, encoding: str) -> Iterator[types.DocumentSymbol]:
    match statement:
        case tree.Dim() | tree.Const():
            for item in statement.items:
                yield _symbol(item.name.text, _Kind.Constant, item.span, encoding)
        case tree.Param() | tree.Input():
            for item in statement.items:
                yield _symbol(item.name.text, _Kind.Variable, item.span, encoding)
        case tree.Control():
            yield _symbol(statement.name.text, _Kind.Variable, statement.span, encoding)
        case tree.Let():
            yield _symbol(statement.name.text, _Kind.Variable, statement.span, encoding)
        case tree.Def():
            yield _symbol(statement.name.text, _Kind.Function, statement.span, encoding)
        case tree.Map() | tree.Network():
            yield _symbol(statement.name.text, _Kind.Function, statement.span, encoding)
        case tree.Field():
            yield _symbol(f"{statement.target.name.text}'", _Kind.Field, statement.span, encoding)
        case tree.Law():
            yield _symbol(statement.name.text, _Kind.Property, statement.span, encoding)
        case tree.ExpectLaws() | tree.ExpectNoLaws() | tree.ExpectProperty() | tree.ExpectDepth():
            text = printer.text(statement)
            shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
            yield _symbol(shown, _Kind.Boolean, statement.span, encoding)


def _symbol(name: str, kind: types.SymbolKind, span: Span, encoding: str) -> types.DocumentSymbol:
    place = span_range(span, encoding)
    return types.DocumentSymbol(name=name, kind=kind, range=place, selection_range=place)
