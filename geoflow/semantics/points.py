"""The point at which laws are counted."""

from __future__ import annotations

from collections.abc import Iterable

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.expr.tree import Expr
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.model import AtPoint, ParameterDeclaration
from geoflow.semantics.options import Usage, word
from geoflow.semantics.places import POINT, smallest, verify_place
from geoflow.semantics.shapes import words
from geoflow.semantics.targets import target
from geoflow.syntax import tree

_MOST_NAMED = 8


def point(definitions: Definitions, statement: tree.AtNamed | tree.AtPoint) -> AtPoint | None:
    """The point that a statement describes; None for a generic one."""
    if isinstance(statement, tree.AtPoint):
        return AtPoint("point", _values(definitions, statement), statement.span)
    usage = Usage("GEO0409", "at generic")
    known = ("generic", "zero", "balanced")
    name = word(statement.name, "A point without values", known, usage)
    if name == "zero":
        for parameter in _all(definitions):
            if parameter.sign == "positive":
                raise _outside(parameter, statement.span, "is 0 here")
        return AtPoint("zero", {}, statement.span)
    return AtPoint("balanced", {}, statement.span) if name == "balanced" else None


def _all(definitions: Definitions) -> Iterable[ParameterDeclaration]:
    return (p for members in definitions.parameters.values() for p in members)


def _values(definitions: Definitions, statement: tree.AtPoint) -> dict[str, Expr]:
    values: dict[str, Expr] = {}
    problems: list[Diagnostic] = []
    for assignment in statement.assignments:
        try:
            found = _assigned(definitions, assignment)
            for name in values.keys() & found.keys():
                message = f"`{name}` is given two values."
                span = assignment.target.span
                raise DiagnosticError(Diagnostic("GEO0407", message, span, "given again"))
            values |= found
        except DiagnosticError as error:
            problems += error.diagnostics
    if problems:
        raise DiagnosticError(*problems)
    missing = [p.name for p in _all(definitions) if p.name not in values]
    if missing:
        raise DiagnosticError(_left_out(statement.span, missing))
    return values


def _assigned(definitions: Definitions, assignment: tree.Assignment) -> dict[str, Expr]:
    """The values that one assignment gives: to every member, where it names a family."""
    expressions, node = definitions.expressions, assignment.value
    parameters = target(definitions, assignment.target)
    value = expressions.array(node)
    verify_place(expressions, value, POINT, node.span)
    for parameter in parameters:
        if value.shape != parameter.shape:
            message = f"The value of `{parameter.name}` is {words(value.shape)}, "
            message += f"and `{parameter.name}` is {words(parameter.shape)}."
            related = (Related(parameter.span, "declared here"),)
            raise DiagnosticError(Diagnostic("GEO0301", message, node.span, related=related))
        least = smallest(expressions, value)
        if parameter.sign == "positive" and least is not None and least <= 0:
            raise _outside(parameter, node.span, f"has the entry {least} here")
    return {parameter.name: value for parameter in parameters}


def _outside(parameter: ParameterDeclaration, span: Span, how: str) -> DiagnosticError:
    message = f"`{parameter.name}` is declared positive, and {how}."
    related = (Related(parameter.span, "declared here"),)
    return DiagnosticError(Diagnostic("GEO0409", message, span, "not positive", related=related))


def _left_out(span: Span, missing: list[str]) -> Diagnostic:
    more = len(missing) - _MOST_NAMED
    shown = [f"`{name}`" for name in missing[:_MOST_NAMED]]
    shown += [f"{more} more"] if more > 0 else []
    listed = ", ".join(shown[:-1]) + (" and " if shown[:-1] else "") + shown[-1]
    message = f"This point has no value for {listed}."
    hint = "a point has a value for every parameter"
    return Diagnostic("GEO0206", message, span, "not a whole point", hints=(hint,))
