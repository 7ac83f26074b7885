"""Calls: of the functions of the language, and of the model's own, which are written out."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import TYPE_CHECKING

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related
from geoflow.expr.tree import Expr, Number, Parameter, walk
from geoflow.semantics import messages
from geoflow.semantics.functions import arguments
from geoflow.semantics.scope import Locals, Scope
from geoflow.semantics.signatures import FUNCTIONS, UNSUPPORTED
from geoflow.syntax import tree

if TYPE_CHECKING:
    from geoflow.semantics.expressions import Expressions


def call(expressions: Expressions, node: tree.Call, local: Locals) -> Expr:
    """The value of a call."""
    name = node.function
    if name.text in FUNCTIONS:
        operation, arrays, options = arguments(expressions, node, local)
        if operation == "size":
            return _size(arrays[0], options.get("axis"))
        if operation == "embedding":
            return _embedding(expressions, node, *arrays)
        return expressions.apply(operation, arrays, node, **options)
    moment = _moment(expressions, node, local)
    if moment is not None:
        return moment
    verify_function(expressions.scope, name)
    meaning = expressions.scope.find(name, local).meaning
    if isinstance(meaning, tree.Def):
        return _inline(expressions, meaning, node, local)
    raise DiagnosticError(
        messages.wrong_kind(
            name.span,
            f"`{name.text}` is not a function.",
            "called here",
            f"entries are written `{name.text}[i]`, products `{name.text}*(…)`",
        )
    )


def _moment(expressions: Expressions, node: tree.Call, local: Locals) -> Expr | None:
    """`w(x)`: a moment of the parameter x, where `local` has moments and no function has that name."""
    name = node.function.text
    if name in expressions.scope.names or not any(m.startswith(f"{name}(") for m in local):
        return None
    argument = node.arguments[0] if len(node.arguments) == 1 else None
    if argument is not None and not isinstance(argument, tree.Keyword | tree.Function | tree.Text):
        operand = expressions.array(argument, local)
        if isinstance(operand, Parameter) and f"{name}({operand.name})" in local:
            return local[f"{name}({operand.name})"]
    message = f"`{name}(…)` is a moment of one parameter of the flow."
    raise DiagnosticError(
        messages.wrong_kind(
            node.span, message, "no moment", f"write `{name}(x)` for a parameter `x`"
        )
    )


def _size(array: Expr, axis: int | None) -> Number:
    """How many entries there are along an axis, or in all."""
    return Number(Fraction(math.prod(array.shape) if axis is None else array.shape[axis]))


def _embedding(expressions: Expressions, node: tree.Call, table: Expr, tokens: Expr) -> Expr:
    """The rows of a table that tokens choose: a product, since tokens are one-hot."""
    given = (each for each in walk(tokens) if isinstance(each, Parameter))
    if not any(expressions.scope.are_tokens(each) for each in given):
        raise DiagnosticError(messages.no_tokens(node))
    if len(tokens.shape) <= 2:
        return expressions.apply("matmul", (tokens, table), node)
    lead = "abcdefghijklmnopqrstuvwxyz"[: len(tokens.shape) - 1]
    return expressions.apply("einsum", (tokens, table), node, subscripts=f"{lead}y,yz->{lead}z")


def verify_function(scope: Scope, name: tree.Name) -> None:
    """Raise where a function that is called is not supported or not declared."""
    if name.text in scope.names or name.text in FUNCTIONS:
        return
    if name.text in UNSUPPORTED:
        raise DiagnosticError(messages.unsupported_function(name))
    if not scope.open and name.text not in scope.broken:
        names = scope.candidates({})
        own = {other for other in names if scope.names[other].kind == "function"}
        raise DiagnosticError(messages.unknown_function(name, {*FUNCTIONS, *own}))


def _inline(expressions: Expressions, definition: tree.Def, node: tree.Call, local: Locals) -> Expr:
    """The body of a definition, with the arguments for its parameters."""
    name = node.function.text
    parameters = [parameter.text for parameter in definition.parameters]
    if len(node.arguments) != len(parameters):
        count = f"{len(parameters)} argument" + "s" * (len(parameters) != 1)
        given = f"{len(node.arguments)} " + ("is" if len(node.arguments) == 1 else "are")
        message = f"`{name}` takes {count}, and {given} given."
        raise DiagnosticError(messages.wrong_arguments(node.span, message))
    values: dict[str, Expr] = {}
    for parameter, argument in zip(parameters, node.arguments, strict=True):
        if isinstance(argument, tree.Keyword | tree.Function | tree.Text):
            message = f"`{name}` takes arrays, in order."
            raise DiagnosticError(messages.wrong_arguments(argument.span, message))
        values[parameter] = expressions.array(argument, local)
    try:
        return expressions.array(definition.body, values)
    except DiagnosticError as error:
        here = Related(node.span, "called here")
        raise DiagnosticError(*(_called(d, here) for d in error.diagnostics)) from None


def _called(diagnostic: Diagnostic, call: Related) -> Diagnostic:
    """The diagnostic with the call added: the innermost and the outermost are kept."""
    others = [related for related in diagnostic.related if related.label != call.label]
    calls = [related for related in diagnostic.related if related.label == call.label]
    return dataclasses.replace(diagnostic, related=(*others, *calls[:1], call))
