"""Sizes and constants given from outside, `-D n=5`, `-D d=[2,5,1]`, `-D tau=3/2`: expressions of
numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geoflow.diagnostics import Diagnostic, DiagnosticError, Source, Span
from geoflow.semantics.messages import close_name
from geoflow.semantics.scope import free_names
from geoflow.syntax import tree
from geoflow.syntax.parser import parse_expression


def read_overrides(
    overrides: Mapping[str, str], statements: Sequence[tree.Statement]
) -> tuple[dict[str, tree.Expression], list[Diagnostic]]:
    """The values by name, as trees with sources of their own, and what is wrong with the others."""
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
        try:
            values[name] = _value(name, source, known)
        except DiagnosticError as error:
            diagnostics += error.diagnostics
    return values, diagnostics


def _value(name: str, source: Source, known: set[str]) -> tree.Expression:
    whole = Span(source, 0, len(source.text))
    if name not in known:
        near = close_name(name, known)
        hint = (
            f"did you mean `-D {near}={source.text}`?"
            if near
            else "only `dim` and `const` can be given"
        )
        message = f"No model here has a size or constant `{name}`."
        raise DiagnosticError(Diagnostic("GEO0109", message, whole, hints=(hint,)))
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
