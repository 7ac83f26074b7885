"""Statements that the grammar knows and that are not supported yet: each is named, with what to
write instead.
"""

from __future__ import annotations

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.syntax import tree

_INSTEAD: dict[type[tree.Node], tuple[str, str]] = {
    tree.Input: ("`input`", "describe what the data see of the parameters with `map`"),
    tree.Network: ("`network`", "describe what the data see of the parameters with `map`"),
    tree.Sweep: ("`sweep`", "run single models with `-D name=value`"),
}


def unsupported(statement: tree.Statement) -> None:
    """Raise `DiagnosticError` where the statement is not supported yet."""
    kind = type(statement)
    if kind in _INSTEAD:
        raise DiagnosticError(_later(statement, *_INSTEAD[kind]))
    if isinstance(statement, tree.Gates) and statement.name.text != "lifted":
        what = f"`gates {statement.name.text}`"
        raise DiagnosticError(_later(statement, what, "`gates lifted` is supported"))


def _later(statement: tree.Node, what: str, instead: str) -> Diagnostic:
    message = f"{what[0].upper()}{what[1:]} is not supported yet."
    hints = (instead,) if instead else ()
    return Diagnostic("GEO0505", message, statement.span, "not supported yet", hints=hints)
