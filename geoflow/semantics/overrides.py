"""Sizes and constants given from outside, `-D n=5`, `-D d=[2,5,1]`, `-D tau=3/2`: expressions of
numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from geoflow.diagnostics import Diagnostic, DiagnosticError, Severity, Source, Span
from geoflow.semantics.messages import close_name
from geoflow.semantics.scope import free_names
from geoflow.syntax import tree
from geoflow.syntax.parser import parse_expression

_ONLY = "only `dim` and `const` can be given"


def read_overrides(
    overrides: Mapping[str, str], statements: Sequence[tree.Statement], lenient: bool = False
) -> tuple[dict[str, tree.Expression], list[Diagnostic]]:
    """The values by name, as trees with sources of their own, and what is wrong with the others.

    A name that the statements lack is an error, or a note where another file may have it.
    """
    known = {
        item.name.text
        for statement in statements
        if isinstance(statement, tree.Dim | tree.Const)
        for item in statement.items
    }
    values: dict[str, tree.Expression] = {}
    diagnostics: list[Diagnostic] = []
    for name, text in overrides.items():
        source = Source(f"-D {name}", text)
        if name not in known:
            diagnostics.append(_unknown(name, source, known, "note" if lenient else "error"))
            continue
        try:
            values[name] = read_value(name, source)
        except DiagnosticError as error:
            diagnostics += error.diagnostics
    return values, diagnostics


def settle_unknown(found: Sequence[Sequence[Diagnostic]]) -> tuple[tuple[Diagnostic, ...], ...]:
    """The diagnostics of each file that was read leniently, without the notes on names it lacks.

    A name that no file has is an error, told with the first of them.
    """
    notes: dict[str, list[Diagnostic]] = {}
    for diagnostics in found:
        for diagnostic in filter(_is_lack, diagnostics):
            notes.setdefault(diagnostic.message, []).append(diagnostic)
    # of several hints the one that knows a name close by
    errors = [
        replace(max(same, key=_knows), severity="error")
        for same in notes.values()
        if len(same) == len(found)
    ]
    kept = [tuple(d for d in diagnostics if not _is_lack(d)) for diagnostics in found]
    return tuple((*errors, *own) if i == 0 else own for i, own in enumerate(kept))


def _knows(note: Diagnostic) -> int:
    """How much its hint knows: a name close by, those that there are, nothing."""
    (hint,) = note.hints
    return 0 if hint == _ONLY else 1 if hint.startswith(_ONLY) else 2


def _is_lack(diagnostic: Diagnostic) -> bool:
    return diagnostic.code == "GEO0109" and diagnostic.severity == "note"


def _unknown(name: str, source: Source, known: set[str], severity: Severity) -> Diagnostic:
    whole = Span(source, 0, len(source.text))
    near = close_name(name, known)
    listed = ", ".join(f"`{each}`" for each in sorted(known))
    hint = f"did you mean `-D {near}={source.text}`?" if near else _ONLY
    if near is None and listed:
        hint = f"{_ONLY}: {listed}"
    message = f"No model here has a size or constant `{name}`."
    return Diagnostic("GEO0109", message, whole, hints=(hint,), severity=severity)


def read_value(name: str, source: Source) -> tree.Expression:
    """The value given for a name: a number, or a list of numbers.

    Raises:
        DiagnosticError: the text is neither.
    """
    whole = Span(source, 0, len(source.text))
    try:
        value = parse_expression(source)
    except DiagnosticError as error:
        reason = error.diagnostics[0].message
        raise DiagnosticError(_not_a_value(name, whole, reason)) from None
    if next(free_names(value), None) is not None or not _numeric(value):
        raise DiagnosticError(
            _not_a_value(name, whole, "It must be a number or a list of numbers.")
        )
    return value


def _numeric(node: tree.Node) -> bool:
    allowed = (tree.Numeral, tree.Unary, tree.Binary)
    entries = node.items if isinstance(node, tree.List) else (node,)
    waiting: list[tree.Node] = list(entries)
    while waiting:
        part = waiting.pop()
        if not isinstance(part, allowed):
            return False
        waiting += tree.parts(part)
    return True


def _not_a_value(name: str, span: Span, reason: str) -> Diagnostic:
    return Diagnostic(
        "GEO0109",
        f"`-D {name}={span.text}` gives no value. {reason}",
        span,
        hints=(f"write `-D {name}=5`, `-D {name}=3/2` or `-D {name}=[2,5,1]`",),
    )
