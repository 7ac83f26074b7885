"""Indices and slices, resolved to positions counted from 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoflow.diagnostics import DiagnosticError
from geoflow.expr.tree import Shape
from geoflow.semantics import messages, shapes
from geoflow.semantics.scope import Locals
from geoflow.syntax import tree

if TYPE_CHECKING:
    from geoflow.semantics.expressions import Expressions

Item = int | tuple[int, int, int]


def positions(
    expressions: Expressions, node: tree.Index, shape: Shape, local: Locals
) -> tuple[Item, ...]:
    """One item an axis, a position or (start, stop, step); axes without an index are whole."""
    if len(node.items) > len(shape):
        count = f"{len(node.items)} indices are given"
        raise DiagnosticError(messages.bad_index(node.span, f"{count} for {shapes.words(shape)}"))
    items: list[Item] = [
        _slice(expressions, item, size, local)
        if isinstance(item, tree.Slice)
        else _position(expressions, item, size, local)
        for item, size in zip(node.items, shape, strict=False)
    ]
    return (*items, *((0, size, 1) for size in shape[len(items) :]))


def _position(expressions: Expressions, node: tree.Expression, size: int, local: Locals) -> int:
    if isinstance(node, tree.Name) and node.text in expressions.scope.tokens - local.keys():
        raise DiagnosticError(messages.token_index(node))
    if isinstance(node, tree.Name) and node.text not in local and _is_datum(expressions, node.text):
        raise DiagnosticError(messages.datum_index(node))
    index = expressions.integer(node, "An index", local)
    if not -size <= index < size:
        reason = f"index {index} is out of range 0 to {size - 1}"
        raise DiagnosticError(messages.bad_index(node.span, reason))
    return index % size


def _is_datum(expressions: Expressions, name: str) -> bool:
    declared = expressions.scope.names.get(name)
    return declared is not None and declared.kind == "input"


def _slice(
    expressions: Expressions, node: tree.Slice, size: int, local: Locals
) -> tuple[int, int, int]:
    parts = [
        None if part is None else expressions.integer(part, "An end of a slice", local)
        for part in (node.start, node.stop, node.step)
    ]
    if parts[2] is not None and parts[2] <= 0:
        raise DiagnosticError(messages.bad_index(node.span, "the step of a slice is positive"))
    start, stop, step = slice(*parts).indices(size)
    if start >= stop:
        raise DiagnosticError(messages.bad_index(node.span, "the slice is empty"))
    return start, stop, step
