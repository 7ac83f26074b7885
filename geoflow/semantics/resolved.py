"""A model as one text of its own: files it uses written out, sizes and constants given from outside in place.

Two models with the same text are the same model, so it stands for the model in caches and on other machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from geoflow.syntax import printer, tree


def resolved_text(
    name: str, statements: Iterable[tree.Statement], given: Mapping[str, tree.Expression]
) -> str:
    """The text of a model; `given` are the values of sizes and constants by name."""
    lines = [f"model {name}"]
    written: set[tuple[str, int]] = set()
    for statement in statements:
        place = (statement.span.source.name, statement.span.start)
        # a file that is used twice declares nothing twice
        if place not in written and not isinstance(statement, tree.ModelLine | tree.Use):
            written.add(place)
            lines.append(printer.text(with_values(statement, given)))
    return "\n".join(lines) + "\n"


def with_values(statement: tree.Statement, given: Mapping[str, tree.Expression]) -> tree.Statement:
    """The statement with the values given in place of those that it declares."""
    match statement:
        case tree.Dim():
            items = tuple(
                tree.DimItem(item.span, item.name, item.family, given[item.name.text])
                if item.name.text in given
                else item
                for item in statement.items
            )
            return tree.Dim(statement.span, items)
        case tree.Const():
            items = tuple(
                tree.ConstItem(item.span, item.name, given[item.name.text])
                if item.name.text in given
                else item
                for item in statement.items
            )
            return tree.Const(statement.span, items)
        case _:
            return statement
