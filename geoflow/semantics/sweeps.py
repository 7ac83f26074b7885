"""`sweep n in 1..6, r in 1..4 when r <= n`: the family of models that a model stands for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from geoflow.diagnostics import Diagnostic, DiagnosticError, sort_diagnostics
from geoflow.semantics import messages
from geoflow.semantics.budget import Budget
from geoflow.semantics.claims import condition
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.expressions import Expressions
from geoflow.semantics.model import SweepDeclaration, SweptSize
from geoflow.semantics.scope import Definition, Scope, free_names
from geoflow.syntax import printer, tree

MOST_MODELS = 20_000


def sweep(definitions: Definitions, statement: tree.Sweep) -> SweepDeclaration:
    """The family of a `sweep` statement; its condition is read at the declared sizes, for mistakes."""
    swept = [item.name for item in statement.items]
    sizes: list[SweptSize] = []
    for item in statement.items:
        verify_swept(definitions.declared, item.name)
        if item.name.text in [size.name for size in sizes]:
            message = f"`{item.name.text}` is swept twice."
            raise DiagnosticError(Diagnostic("GEO0407", message, item.name.span, "swept again"))
        _verify_fixed(definitions, item.range, swept)
        values = definitions.expressions.range(item.range)
        if not values:
            first, last = values.start, values.stop - 1
            raise DiagnosticError(messages.empty_family(item.range.span, first, last))
        sizes.append(SweptSize(item.name.text, values.start, values.stop - 1))
    models = math.prod(len(size.values) for size in sizes)
    if models > MOST_MODELS:
        message = f"A family has at most {MOST_MODELS:,} models, and this has {models:,}."
        raise DiagnosticError(messages.too_large(statement.span, message))
    if statement.condition is not None:
        condition(definitions, statement.condition)
    return SweepDeclaration(tuple(sizes), printer.text(statement), statement.span)


def verify_swept(declared: Mapping[str, Definition], name: tree.Name) -> None:
    """Raise where a name is no single size or constant that can take integers."""
    item = declared.get(name.text)
    if item is None:
        sizes = [n for n, d in declared.items() if isinstance(d, tree.DimItem | tree.ConstItem)]
        raise DiagnosticError(messages.unknown_name(name, sizes))
    if not isinstance(item, tree.DimItem | tree.ConstItem):
        message = f"`{name.text}` is no size and no constant, so it cannot be swept."
    elif isinstance(item, tree.DimItem) and item.family is not None:
        message = f"`{name.text}` is a family of sizes, and single sizes are swept."
    else:
        return
    hint = "sweep a size that is declared with `dim`"
    raise DiagnosticError(messages.wrong_kind(name.span, message, "not a size", hint))


def _verify_fixed(definitions: Definitions, node: tree.Range, swept: Sequence[tree.Name]) -> None:
    """Raise where a range moves with the sizes that are swept."""
    names = {name.text for name in swept}
    for used in free_names(node):
        if names & reached(definitions.declared, [used.text]):
            message = f"The range depends on `{used.text}`, which changes over the sweep."
            hint = "give the widest range, and keep the sizes that are wanted with `when`"
            raise DiagnosticError(
                messages.wrong_kind(used.span, message, "changes over the sweep", hint)
            )


def reached(declared: Mapping[str, Definition], names: Iterable[str]) -> set[str]:
    """The names whose definitions some names need, themselves among them."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            if name in declared:
                waiting += [used.text for used in free_names(declared[name])]
    return found


def admits(
    declared: Mapping[str, Definition],
    given: Mapping[str, tree.Expression],
    node: tree.Condition,
) -> bool:
    """Whether the condition of a sweep holds at the sizes given.

    Raises:
        DiagnosticError: it has no value there.
    """
    needed = reached(declared, [name.text for name in free_names(node)])
    definitions = Definitions(Expressions(Scope(), Budget(), None), given)
    for name, item in declared.items():
        if name in needed:
            definitions.declare(_statement(item))
    definitions.evaluate()
    if definitions.diagnostics:
        raise DiagnosticError(*sort_diagnostics(definitions.diagnostics))
    return condition(definitions, node)


def _statement(item: Definition) -> tree.Statement:
    match item:
        case tree.DimItem():
            return tree.Dim(item.span, (item,))
        case tree.ConstItem():
            return tree.Const(item.span, (item,))
        case tree.ParamItem():
            return tree.Param(item.span, (item,))
        case tree.InputItem():
            return tree.Input(item.span, (item,))
        case _:
            return item
