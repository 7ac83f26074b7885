"""Says which operation shapes that do not fit belong to, and where its operands were declared."""

from __future__ import annotations

from dataclasses import replace

from geoflow.diagnostics import Diagnostic, Related
from geoflow.expr.tree import Apply, Expr, Parameter
from geoflow.semantics import messages
from geoflow.semantics.scope import Scope
from geoflow.semantics.shapes import Misfit, words
from geoflow.semantics.signatures import FUNCTIONS
from geoflow.syntax import printer, tree


def explain(
    misfit: Misfit, scope: Scope, node: tree.Expression, arguments: tuple[Expr, ...]
) -> Diagnostic:
    """The diagnostic for an operation whose arguments do not fit."""
    related = _declarations(scope, node, arguments)
    of = [argument.shape for argument in arguments]
    code, reason = misfit.code, misfit.reason
    if isinstance(node, tree.Binary):
        found = messages.operands_misfit(node, of[0], of[1], code, reason, related)
        hints = () if found.hints else _other_gram(node, arguments)
        return replace(found, hints=(*found.hints, *hints))
    if isinstance(node, tree.Call):
        if FUNCTIONS[node.function.text].defaults:  # those that are left out are not spoken of
            of = of[: len(node.arguments)]
        return messages.call_misfit(node.function, node.span, of, code, reason, related)
    message = f"{messages.shown(node)} does not fit: {reason}."
    return Diagnostic(code, message, node.span, reason)


def _other_gram(node: tree.Binary, arguments: tuple[Expr, ...]) -> tuple[str, ...]:
    """`P.T @ P` where `P @ P.T` was added to what has the size of the former, or the other way round."""
    if node.operator not in ("+", "-"):
        return ()
    for operand, expr, other in (
        (node.right, arguments[1], arguments[0]),
        (node.left, arguments[0], arguments[1]),
    ):
        if not isinstance(operand, tree.Binary) or operand.operator != "@":
            continue
        first, second = printer.text(operand.left), printer.text(operand.right)
        transposed = second == f"{first}.T" or first == f"{second}.T"
        if not transposed or not isinstance(expr, Apply) or len(expr.shape) != 2:
            continue
        size = expr.arguments[0].shape[-1]
        if other.shape == (size, size):
            swapped = tree.Binary(operand.span, operand.right, "@", operand.left)
            return (f"`{printer.text(swapped)}` has that size",)
    return ()


def _declarations(
    scope: Scope, node: tree.Expression, arguments: tuple[Expr, ...]
) -> tuple[Related, ...]:
    """Where the parameters and lets that a node speaks of directly were declared."""
    spoken_of: set[Expr] = set(arguments)
    for argument in arguments:
        if isinstance(argument, Apply):
            spoken_of.update(argument.arguments)
    related: dict[str, Related] = {}
    for part in tree.parts(node):
        while isinstance(part, tree.Transposed | tree.Dotted | tree.Unary):
            part = part.operand
        declared = scope.names.get(part.text) if isinstance(part, tree.Name) else None
        if declared is None or declared.kind not in ("parameter", "input", "let"):
            continue
        meaning = declared.meaning
        if isinstance(meaning, Apply | Parameter) and meaning in spoken_of:
            label = f"`{declared.name}` is {words(meaning.shape)}"
            related[declared.name] = Related(declared.span, label)
    return tuple(related.values())
