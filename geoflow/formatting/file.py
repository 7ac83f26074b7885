"""A whole text: its statements, the comments between them, blank lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from geoflow.diagnostics import DiagnosticError, Source
from geoflow.formatting.documents import Row, render
from geoflow.formatting.statement import document
from geoflow.formatting.tokens import comment
from geoflow.syntax import tree
from geoflow.syntax.parser import parse

WIDTH = 100


def format_text(source: Source, width: int = WIDTH) -> str:
    """The canonical text of a source.

    Raises `DiagnosticError` with what is wrong with a text that cannot be parsed.
    """
    file, problems = parse(source)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise DiagnosticError(*errors)
    rows = _spread(list(_rows(file, width)))
    return "".join(line + "\n" for line in _aligned(rows, width))


def _rows(file: tree.File, width: int) -> Iterator[Row]:
    """The lines of the file; those of code begin at no blank, empty ones are as they were."""
    text, end = file.span.source.text, 0
    for statement in file.statements:
        yield from _between(text[end : statement.span.start], begins=end == 0)
        end = statement.span.end
        rows = render(document(statement), width)
        line_end = text.find("\n", end)
        line_end = len(text) if line_end < 0 else line_end
        last = text[end:line_end].strip()
        yield from rows[:-1]
        yield Row(rows[-1].code, comment(last) if last else None)
        end = line_end
    yield from _between(text[end:], begins=end == 0)


def _between(text: str, begins: bool) -> Iterator[Row]:
    """The comments and empty lines between two statements, without the end of the first's line."""
    *lines, last = text.split("\n")
    for line in lines if begins else lines[1:]:
        yield Row(comment(line.strip()))
    if last.strip():
        yield Row(comment(last.strip()))


def _spread(rows: list[Row]) -> list[Row]:
    """One empty line where there were several, and before each `model` with its comments."""
    found: list[Row] = []
    for row in rows:
        if row.code or (found and found[-1].code):
            found.append(row)
    while found and not found[-1].code:
        found.pop()
    heads: list[int] = []
    for index, row in enumerate(found):
        if row.code.startswith("model "):
            while index and found[index - 1].code.startswith("#"):
                index -= 1
            heads.append(index)
    for index in reversed(heads):
        if index and found[index - 1].code:
            found.insert(index, Row(""))
    return found


def _aligned(rows: list[Row], width: int) -> Iterator[str]:
    """The lines, comments of lines in a row below each other where there is room."""
    for commented, run in itertools.groupby(rows, key=lambda row: row.comment is not None):
        lines = list(run)
        longest = max(len(row.code) for row in lines)
        fits = all(longest + 2 + len(row.comment or "") <= width for row in lines)
        for row in lines:
            room = (longest if fits else len(row.code)) + 2
            yield row.code.ljust(room) + (row.comment or "") if commented else row.code
