"""Statements that the grammar knows and that are not supported yet: each is named, with what to
write instead.
"""

from __future__ import annotations

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.syntax import tree

_INSTEAD: dict[type[tree.Node], tuple[str, str]] = {
    tree.Sweep: ("`sweep`", "run single models with `-D name=value`"),
}


def unsupported(statement: tree.Statement) -> None:
    """Raise `DiagnosticError` where the statement is not supported yet."""
    if type(statement) not in _INSTEAD:
        return
    what, instead = _INSTEAD[type(statement)]
    message = f"{what} is not supported yet."
    raise DiagnosticError(
        Diagnostic("GEO0505", message, statement.span, "not supported yet", hints=(instead,))
    )
