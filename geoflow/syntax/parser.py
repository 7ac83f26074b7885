"""Parses a source, statement by statement, and collects every mistake of the text.

Each statement is a slice of the text, parsed alone (`layout` finds the slices), so that positions
are those of the file and mistakes are independent.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from geoflow.diagnostics import Diagnostic, DiagnosticError, Source, Span
from geoflow.syntax import habits, messages, tree
from geoflow.syntax.build import build
from geoflow.syntax.grammar import parser
from geoflow.syntax.layout import STATEMENT_WORDS, split
from geoflow.syntax.limits import verify_depth

MOST_SHOWN = 50
_WORD = re.compile(r"[^\W\d]\w*")
_MALFORMED = re.compile(r"[0-9][\w.]*[\w.]|\.[0-9][\w.]*")


def parse(source: Source) -> tuple[tree.File, tuple[Diagnostic, ...]]:
    """The statements in order, `Broken` where one could not be parsed, and what is wrong with
    those.
    """
    statements: list[tree.Statement] = []
    mistakes = _Mistakes()
    for span, problem in split(source).statements:
        goes_on = bool(statements) and _goes_on(statements[-1], span)
        try:
            if problem is not None:
                raise DiagnosticError(problem)
            statements.append(_parse_statement(span, brief=len(mistakes.found) >= MOST_SHOWN))
        except DiagnosticError as error:
            statements.append(tree.Broken(span, span.text))
            mistakes.add(() if goes_on else error.diagnostics)
    file = tree.File(Span(source, 0, len(source.text)), tuple(statements))
    return file, tuple(mistakes.found)


def _goes_on(previous: tree.Statement, span: Span) -> bool:
    """Whether a line is the rest of an expression that was broken off, and told of there."""
    if not isinstance(previous, tree.Broken):
        return False
    word = _WORD.match(span.source.text, span.start, span.end)
    return (
        previous.text.endswith(("\\", "@", "+", "-", "*", "/"))
        and (word is None or word.group().lower() not in STATEMENT_WORDS)
        and span.line == previous.span.end_line + 1
    )


@dataclass
class _Mistakes:
    """The mistakes of a text in order, a reserved word only where it is first taken for a name."""

    found: list[Diagnostic] = field(default_factory=list)
    _reserved: set[str] = field(default_factory=set)

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take in what is wrong with one more statement."""
        for diagnostic in diagnostics:
            if diagnostic.code != "GEO0205":
                self.found.append(diagnostic)
            elif diagnostic.message not in self._reserved:
                self._reserved.add(diagnostic.message)
                self.found.append(diagnostic)


def parse_expression(source: Source) -> tree.Expression:
    """The expression that is the whole text. Raises `DiagnosticError`."""
    whole = Span(source, 0, len(source.text))
    problems = [problem for _, problem in split(source).statements if problem is not None]
    if problems:
        raise DiagnosticError(*problems)
    expression = build(_feed(whole, "expression"), whole)
    verify_depth(expression)
    return expression


def _parse_statement(span: Span, brief: bool) -> tree.Statement:
    """The statement of a span; `brief`: what is wrong with it is not going to be shown."""
    source = span.source
    word = _WORD.match(source.text, span.start, span.end)
    if word is not None and word.group() not in STATEMENT_WORDS:
        here = Span(source, word.start(), word.end())
        near = [word.group().lower()]
        if near[0] not in STATEMENT_WORDS:
            near = []
        if not near and not brief:
            near = difflib.get_close_matches(word.group(), STATEMENT_WORDS, n=2, cutoff=0.7)
        assigned = source.text[word.end() : span.end].lstrip().startswith("=")
        raise DiagnosticError(
            messages.not_a_statement(here, near[0] if len(near) == 1 else None, assigned)
        )
    statement = build(_feed(span, "statement", brief), span)
    verify_depth(statement)
    return statement


def _feed(span: Span, start: str, brief: bool = False) -> Tree[Token] | Token:
    """Lark's tree of the text of a span; its failures become diagnostics.

    Positions in it count from the start of the span: lark would count the lines before it anew for
    each statement.
    """
    try:
        return _tree(span.text, start)
    except UnexpectedInput as error:
        if brief:
            diagnostic = messages.unexpected_text(Span(span.source, span.end, span.end), ())
        else:
            diagnostic = _unexpected(span, error)
    raise DiagnosticError(diagnostic)


@functools.lru_cache(maxsize=4096)
def _tree(text: str, start: str) -> Tree[Token] | Token:
    """Lark's tree, which nobody changes: of a text that is edited most statements stay."""
    return parser().parse(text, start=start)


def _unexpected(span: Span, error: UnexpectedInput) -> Diagnostic:
    if isinstance(error, UnexpectedToken):
        return _unexpected_token(span, error)
    if isinstance(error, UnexpectedCharacters):
        position = span.start + (error.pos_in_stream or 0)
        return _unexpected_character(span, position, error.allowed or ())
    return _unexpected_end(span, error.expected if isinstance(error, UnexpectedEOF) else ())


def _unexpected_token(span: Span, error: UnexpectedToken) -> Diagnostic:
    token = error.token
    if token.type == "$END" or token.start_pos is None:
        return _unexpected_end(span, error.accepts or ())
    begin = span.start + token.start_pos
    here = Span(span.source, begin, begin + len(token))
    expected = error.accepts or error.expected
    taken = here.text in messages.RESERVED and "NAME" in expected
    failure = habits.Failure(span, here, frozenset(expected))
    return _known(failure, taken) or messages.unexpected_text(here, expected)


def _known(failure: habits.Failure, reserved: bool) -> Diagnostic | None:
    """A mistake that can be told of better than by what the grammar expected."""
    return (
        habits.missing_name(failure)
        or _odd_text(failure.statement, failure.here.start)
        or (messages.reserved_name(failure.here) if reserved else None)
        or habits.recognize(failure)
    )


def _unexpected_end(span: Span, expected: Iterable[str]) -> Diagnostic:
    here = Span(span.source, span.end, span.end)
    failure = habits.Failure(span, here, frozenset(expected))
    known = habits.missing_name(failure) or habits.recognize(failure)
    return known or messages.unexpected_text(here, expected)


def _unexpected_character(span: Span, position: int, expected: Iterable[str]) -> Diagnostic:
    word = _WORD.match(span.source.text, position, span.end)
    here = Span(span.source, position, word.end() if word else position + 1)
    failure = habits.Failure(span, here, frozenset(expected))
    known = _known(failure, here.text in messages.RESERVED)
    if known is not None:
        return known
    if word is not None:
        return messages.unexpected_text(here, ())
    if here.text in "()[]{},;:=+-*/@<>.'":
        return messages.unexpected_text(here, ())
    return messages.unexpected_character(here)


def _odd_text(span: Span, position: int) -> Diagnostic | None:
    """Numbers, attributes and strings gone wrong around a position."""
    text = span.source.text
    if text[position] == '"' and '"' not in text[position + 1 : span.end].split("\n")[0]:
        return messages.unclosed_string(Span(span.source, position, position + 1))
    attribute = re.compile(r"\.\s*[^\W\d]\w*").match(text, position, span.end)
    if attribute is not None and not text[position - 1].isdigit():
        here = Span(span.source, position, attribute.end())
        before, after = text[span.start : position], text[attribute.end() : span.end]
        name = attribute.group().lstrip(". \t\n")
        return messages.unknown_attribute(here, habits.attribute_hint(before, name, after))
    start = position
    while start > span.start and (text[start - 1].isalnum() or text[start - 1] in "._"):
        start -= 1
    number = _MALFORMED.match(text, start, span.end)
    if number is None or ".." in number.group() or number.end() < position:
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", number.group()):
        return None
    return messages.malformed_number(Span(span.source, start, number.end()))
