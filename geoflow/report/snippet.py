"""A diagnostic as a labelled piece of its source: place, marked lines, notes, hints."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from rich.console import Console

from geoflow.diagnostics import Diagnostic, Source, Span
from geoflow.report.page import Page
from geoflow.report.visible import visible, width

TAB = 4
_WORDS = 3  # a label of so few is worth its repetition
_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


@dataclass(frozen=True)
class Mark:
    """Columns `start:end` (from 0, in code points) of a line, underlined with `stroke`."""

    source: Source
    line: int
    start: int
    end: int
    stroke: str
    label: str
    style: str


def render_diagnostic(diagnostic: Diagnostic, console: Console) -> None:
    """Prints one diagnostic. All that colour says is also said by a word or a sign."""
    page = Page(console)
    style = _STYLES[diagnostic.severity]
    page.line(
        (f"{diagnostic.severity}[{diagnostic.code}]", style), (f": {diagnostic.message}", "bold")
    )
    gutter = 1
    if diagnostic.span is not None:
        marks = _marks(diagnostic.span, _unsaid(diagnostic), "^", style)
        for related in diagnostic.related:
            marks += _marks(related.span, related.label, "-", "cyan")
        gutter = len(str(max(mark.line for mark in marks)))
        _render_sources(page, diagnostic.span, marks, gutter)
    lead = f"{' ' * (gutter + 1)}= "
    for note in diagnostic.notes:
        page.paragraph((f"{lead}note: ", "cyan"), note)
    for hint in diagnostic.hints:
        page.paragraph((f"{lead}hint: ", "green"), hint)
    page.line((f"{lead}more: ", "dim"), f"geoflow explain {diagnostic.code}")


def _unsaid(diagnostic: Diagnostic) -> str:
    """The label, but for a sentence that the headline has said already."""
    label = diagnostic.label
    return "" if len(label.split()) > _WORDS and label in diagnostic.message else label


def _marks(span: Span, label: str, stroke: str, style: str) -> list[Mark]:
    """One mark, or for a span of several lines one on the first and one on the last line."""
    source, (line, column) = span.source, (span.line, span.column)
    if span.end_line == line or span.end <= span.start:
        end = max(column, column - 1 + span.end - span.start)
        return [Mark(source, line, column - 1, end, stroke, label, style)]
    first = source.line(line)
    last_line, last_end = span.end_line, span.end_column - 1
    if last_end == 0:  # the span ends with the newline of the line before
        last_line, last_end = last_line - 1, len(source.line(last_line - 1))
    if last_line == line:
        return [Mark(source, line, column - 1, max(len(first), column), stroke, label, style)]
    last = source.line(last_line)
    start = min(len(last) - len(last.lstrip()), max(last_end - 1, 0))
    return [
        Mark(source, line, column - 1, max(len(first), column), stroke, "from here", style),
        Mark(source, last_line, start, max(last_end, start + 1), stroke, label or "to here", style),
    ]


def _render_sources(page: Page, primary: Span, marks: list[Mark], gutter: int) -> None:
    corner, bar = ("-->", "|") if page.ascii_only else ("┌─", "│")
    margin = " " * (gutter + 1)
    sources = list(dict.fromkeys(mark.source for mark in marks))
    for source in sources:
        own = sorted((m for m in marks if m.source == source), key=lambda m: (m.line, m.start))
        place = (
            (primary.line, primary.column)
            if source == primary.source
            else (own[0].line, own[0].start + 1)
        )
        page.line((f"{margin}{corner} ", "blue"), f"{source.name}:{place[0]}:{place[1]}")
        page.line((f"{margin}{bar}", "blue"))
        previous = own[0].line
        for line, group in groupby(own, key=lambda m: m.line):
            if line > previous + 1:
                page.line((f"{margin}{bar}", "blue"))
            _render_line(
                page, source.line(line), list(group), f"{line:>{gutter}} {bar} ", f"{margin}{bar} "
            )
            previous = line
        page.line((f"{margin}{bar}", "blue"))


def _render_line(page: Page, text: str, marks: list[Mark], numbered: str, empty: str) -> None:
    focus = next((mark for mark in marks if mark.stroke == "^"), marks[0])
    room = max(page.width - width(numbered) - 1, 20)
    clip = clip_line(text, focus.start, room, page.ascii_only)
    page.line((numbered, "blue"), clip.shown)
    for mark in marks:
        start, end = clip.cell(mark.start), clip.cell(mark.end)
        strokes = mark.stroke * max(1, end - start)
        label = f" {mark.label}" if mark.label else ""
        page.line((empty, "blue"), " " * start, (strokes + label, mark.style))


@dataclass(frozen=True)
class Clip:
    """A line made visible, tabs expanded, cut to fit. `offsets[0]` is of code point `first`."""

    shown: str
    first: int
    offsets: tuple[int, ...]

    def cell(self, column: int) -> int:
        """The cell where a code point begins, the nearest end where it is cut off."""
        return self.offsets[min(max(column - self.first, 0), len(self.offsets) - 1)]


def clip_line(line: str, focus: int, room: int, ascii_only: bool = False) -> Clip:
    """`line` in at most `room` cells, cut around code point `focus` where it is longer."""
    first = max(0, focus - 2 * room)  # a line may be a megabyte: look only near the focus
    piece_list, offsets = [], [0]
    for character in line[first : focus + 2 * room]:
        piece = (
            " " * (TAB - offsets[-1] % TAB) if character == "\t" else visible(character, ascii_only)
        )
        piece_list.append(piece)
        offsets.append(offsets[-1] + width(piece))
    complete = first == 0 and len(line) <= focus + 2 * room
    if complete and offsets[-1] <= room:
        return Clip("".join(piece_list), 0, tuple(offsets))
    dots = "..." if ascii_only else "…"
    room -= 2 * width(dots)
    left = max(
        0, min(offsets[min(focus - first, len(offsets) - 1)] - room // 3, offsets[-1] - room)
    )
    low = next(i for i, cell in enumerate(offsets) if cell >= left)
    high = max(i for i, cell in enumerate(offsets) if cell <= offsets[low] + room)
    before = dots if first + low > 0 else ""
    after = dots if first + high < len(line) else ""
    shift = width(before) - offsets[low]
    cells = tuple(cell + shift for cell in offsets[low : high + 1])
    return Clip(before + "".join(piece_list[low:high]) + after, first + low, cells)
