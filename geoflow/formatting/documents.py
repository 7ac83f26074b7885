"""Documents that can be laid out in more than one way, and the choice of the one that fits.

After Wadler and Lindig: a `Group` is written on one line if it fits, and is broken at all of its own
`Line`s if not. A `Remark` ends its line, whatever stands around it, and does not count as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

INDENT = 4


@dataclass(frozen=True)
class Line:
    """A place to break; `flat` is written where the group is not broken."""

    flat: str = ""


@dataclass(frozen=True)
class Remark:
    """A comment: at the end of what is on the line, or on a line of its own."""

    text: str
    alone: bool


@dataclass(frozen=True)
class Choice:
    """A text that depends on whether the group is broken."""

    broken: str
    flat: str = ""


@dataclass(frozen=True)
class Nest:
    """Parts whose lines are indented once more."""

    parts: tuple[Document, ...]


@dataclass(frozen=True)
class Group:
    """Parts that are broken together."""

    parts: tuple[Document, ...]

    @cached_property
    def breaks(self) -> bool:
        """Whether a comment in it ends a line."""
        return remarked(self.parts)


Document = str | Line | Remark | Choice | Nest | Group


def remarked(parts: tuple[Document, ...]) -> bool:
    """Whether there is a comment in the parts."""
    for part in parts:
        if isinstance(part, Remark) or (isinstance(part, Group) and part.breaks):
            return True
        if isinstance(part, Nest) and remarked(part.parts):
            return True
    return False


@dataclass(frozen=True)
class Row:
    """A line of the result: what is written, and the comment after it."""

    code: str
    comment: str | None = None


_Waiting = list[tuple[int, bool, Document]]  # how deep, whether flat, what


def render(parts: tuple[Document, ...], width: int) -> list[Row]:
    """The lines of a document, none of them empty."""
    rows: list[Row] = []
    current, fresh = "", True  # `fresh`: nothing but the indentation is on the line yet
    waiting: _Waiting = [(0, False, part) for part in reversed(parts)]
    while waiting:
        depth, flat, part = waiting.pop()
        match part:
            case Nest():
                waiting += [(depth + INDENT, flat, inner) for inner in reversed(part.parts)]
            case Group():
                fits = not part.breaks and _fits(part, width - len(current), waiting)
                waiting += [(depth, flat or fits, inner) for inner in reversed(part.parts)]
            case Remark():
                if part.alone and not fresh:
                    rows.append(Row(current.rstrip()))
                    current, fresh = " " * depth, True
                rows.append(Row(current + part.text if fresh else current.rstrip(), None))
                if not fresh:
                    rows[-1] = Row(rows[-1].code, part.text)
                current, fresh = " " * depth, True
            case Line() if not flat:
                if not fresh:
                    rows.append(Row(current.rstrip()))
                current, fresh = " " * depth, True
            case _:
                text = _text(part, flat)
                text = text.lstrip(" ") if fresh else text
                current, fresh = current + text, fresh and not text
    return rows if fresh else [*rows, Row(current.rstrip())]


def _text(part: str | Line | Choice, flat: bool) -> str:
    if isinstance(part, str):
        return part
    return part.flat if flat or isinstance(part, Line) else part.broken


def _fits(group: Group, room: int, after: _Waiting) -> bool:
    """Whether a group fits on the line, with all that follows it up to the next place to break."""
    inside: list[tuple[bool, Document]] = [(True, group)]
    rest = len(after)
    while room >= 0:
        if not inside:
            if not rest:
                return True
            rest -= 1
            inside.append(after[rest][1:])
        flat, part = inside.pop()
        match part:
            case Nest() | Group():
                inside += [(flat, inner) for inner in reversed(part.parts)]
            case Remark():
                return True
            case Line() if not flat:
                return True
            case _:
                room -= len(_text(part, flat))
    return False
