"""Splits a text into statements: a newline ends one unless a bracket is open.

Done before parsing, so that each statement is parsed alone and one mistake hides no other, and so
that brackets that are left open, cross, or nest too deep are found where they are, at a cost linear
in the text. After an open bracket the text is taken up again at the next line that begins like a
statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from geoflow.diagnostics import Diagnostic, Source, Span
from geoflow.syntax import messages

_DEFINITIONS = ("use", "dim", "const", "param", "input", "let", "def")
_SYSTEM = ("map", "network", "metric", "flow", "decay", "loss", "at", "control", "field", "gates")
_CLAIMS = ("law", "expect", "search", "verify", "sweep")
STATEMENT_WORDS = frozenset(("model", *_DEFINITIONS, *_SYSTEM, *_CLAIMS))
DEEPEST_NESTING = 100
LONGEST_STATEMENT = 50_000

_MARKS = re.compile(r'[()\[\]{}\n]|#[^\n]*|"[^"\n]*"?')
_CLOSER = {"(": ")", "[": "]", "{": "}"}
_TWO_WORDS = re.compile(r"[ \t]*([^\W\d]\w*)[ \t]+([^\W\d]\w*)")
_JOINING = frozenset(("for", "in", "on", "when", "and", "or"))
_FIRST_WORD = re.compile(r"[ \t]*([^\W\d]\w*)")


@dataclass(frozen=True)
class Layout:
    """The spans of all statements, in order, each with what is wrong with its brackets, if anything
    is.
    """

    statements: tuple[tuple[Span, Diagnostic | None], ...]


def split(source: Source) -> Layout:
    """Find the statements of a source."""
    statements: list[tuple[Span, Diagnostic | None]] = []
    start = 0
    while start < len(source.text):
        end, problem = _statement_end(source, start)
        span = _trimmed(source, start, end)
        if span is not None:
            if problem is None and span.end - span.start > LONGEST_STATEMENT:
                here = Span(source, span.start, _line_end(source.text, span.start))
                problem = messages.statement_too_long(here, LONGEST_STATEMENT)
            statements.append((span, problem))
        start = end + 1
    return Layout(tuple(statements))


def _statement_end(source: Source, start: int) -> tuple[int, Diagnostic | None]:
    """Where the statement that begins at `start` ends, and what is wrong with its brackets."""
    text = source.text
    opened: list[int] = []
    for mark in _MARKS.finditer(text, start):
        character, at = mark.group()[0], mark.start()
        if character == "\n":
            if not opened:
                return at, None
            if _begins_statement(text, at + 1, text[opened[-1]]):
                break
        elif character in _CLOSER:
            opened.append(at)
            if len(opened) > DEEPEST_NESTING:  # going on would cost a scan for each open bracket
                here = Span(source, at, at + 1)
                return _resume(text, at), messages.nested_too_deeply(here, DEEPEST_NESTING)
        elif character in ")]}":
            here = Span(source, at, at + 1)
            if not opened:
                return _line_end(text, at), messages.unmatched_bracket(here)
            opener = opened.pop()
            if _CLOSER[text[opener]] != character:
                there = Span(source, opener, opener + 1)
                problem = messages.crossed_bracket(here, there, _CLOSER[text[opener]])
                return _resume(text, at), problem
    else:
        at = len(text)
    if opened:
        opener = Span(source, opened[-1], opened[-1] + 1)
        problem = messages.unclosed_bracket(opener, _CLOSER[opener.text])
        return (at if at < len(text) else _resume(text, opened[0])), problem
    return len(text), None


def _begins_statement(text: str, start: int, bracket: str) -> bool:
    """Whether a line inside a bracket must be a statement: no expression has two names in a row."""
    words = _TWO_WORDS.match(text, start)
    if words is None or words.group(1) not in STATEMENT_WORDS:
        return False
    return words.group(2) not in _JOINING and not (bracket == "{" and words.group(1) == "loss")


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _resume(text: str, at: int) -> int:
    """The end of the last line before one that begins with a statement word."""
    words = STATEMENT_WORDS - {"loss"} if text[at] == "{" else STATEMENT_WORDS  # `verify { loss …`
    end = _line_end(text, at)
    while end < len(text):
        word = _FIRST_WORD.match(text, end + 1)
        if word is not None and word.group(1) in words:
            return end
        end = _line_end(text, end + 1)
    return len(text)


def _trimmed(source: Source, start: int, end: int) -> Span | None:
    """The statement without blanks and comments around it; None where nothing is left."""
    words = [
        mark
        for mark in re.finditer(r'"[^"\n]*"?|#[^\n]*|[^\s#"]+', source.text[start:end])
        if mark.group()[0] != "#"
    ]
    return Span(source, start + words[0].start(), start + words[-1].end()) if words else None
