"""Places in a source text, and what is wrong there: data that every stage collects and only `report` prints."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Source:
    """A text and the name it is shown under (a path, or `<stdin>`)."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both counted from 1, columns in code points."""
        line = bisect.bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line_start(self, number: int) -> int:
        """The offset of the first character of a line (from 1); the end of the text past the end."""
        starts = self._line_starts
        return starts[number - 1] if 1 <= number <= len(starts) else len(self.text)

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its newline; empty past the end."""
        if not 1 <= number <= len(self._line_starts):
            return ""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")


@dataclass(frozen=True)
class Span:
    """The characters `start:end` of a source."""

    source: Source = field(repr=False)
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line of the start, from 1."""
        return self.source.line_column(self.start)[0]

    @property
    def column(self) -> int:
        """The column of the start, from 1."""
        return self.source.line_column(self.start)[1]

    @property
    def end_line(self) -> int:
        """The line of the end, from 1."""
        return self.source.line_column(self.end)[0]

    @property
    def end_column(self) -> int:
        """The column after the last character, from 1."""
        return self.source.line_column(self.end)[1]

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.source, min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True)
class Related:
    """A second place that explains the first."""

    span: Span
    label: str


@dataclass(frozen=True)
class Fix:
    """A replacement that an editor can apply."""

    span: Span
    replacement: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding: `message` is a sentence, `label` says what the marked text is, `notes` are facts,
    `hints` actions."""

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    related: tuple[Related, ...] = ()
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    fix: Fix | None = None
    severity: Severity = "error"

    @property
    def position(self) -> tuple[str, int]:
        """Where it sorts."""
        return (self.span.source.name, self.span.start) if self.span else ("", -1)


def _in_words(d: Diagnostic) -> str:
    place = f" ({d.span.source.name}:{d.span.line})" if d.span else ""
    return f"{d.code}: {d.message}{place}" + "".join(f"\n  hint: {hint}" for hint in d.hints)


class DiagnosticError(Exception):
    """Carries diagnostics to the nearest stage boundary, where they are collected."""

    def __init__(self, *diagnostics: Diagnostic):
        super().__init__("\n".join(map(_in_words, diagnostics)))
        self.diagnostics = diagnostics


class GeoflowBug(Exception):
    """A fault of geoflow itself: caught once, in the command line, with a request for a report."""


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By position, without repetitions."""
    unique = {(d.code, d.position, d.message): d for d in diagnostics}
    return tuple(sorted(unique.values(), key=lambda d: (d.position, d.code)))
