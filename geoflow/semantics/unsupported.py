"""Statements that the grammar knows and that are not supported yet: each is named, with what to
write instead.
"""

from __future__ import annotations

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.syntax import tree

_INSTEAD: dict[type[tree.Node], tuple[str, str]] = {
    tree.Input: ("`input`", "describe what the data see of the parameters with `map`"),
    tree.Network: ("`network`", "describe what the data see of the parameters with `map`"),
    tree.AdaptiveFlow: ("this flow", "`flow order 1` and `flow order 2 damping …` are supported"),
    tree.Decay: ("`decay`", ""),
    tree.Control: ("`control`", ""),
    tree.Field: ("`field`", ""),
    tree.Sweep: ("`sweep`", "run single models with `-D name=value`"),
}
_DEFAULTS: dict[type[tree.Node], tuple[str, str]] = {
    tree.Loss: ("loss", "any"),
    tree.AtNamed: ("at", "generic"),
    tree.Gates: ("gates", "lifted"),
}


def unsupported(statement: tree.Statement) -> None:
    """Raise `DiagnosticError` where the statement is not supported yet."""
    kind = type(statement)
    if kind in _INSTEAD:
        raise DiagnosticError(_later(statement, *_INSTEAD[kind]))
    if isinstance(statement, tree.Flow) and statement.accelerated:
        raise DiagnosticError(_later(statement, "`flow … accelerated`", "leave `accelerated` out"))
    if isinstance(statement, tree.AtPoint):
        raise DiagnosticError(_later(statement, "`at {…}`", "`at generic` is supported"))
    if isinstance(statement, tree.Loss | tree.AtNamed | tree.Gates):
        word, default = _DEFAULTS[kind]
        value = statement.kind.name if isinstance(statement, tree.Loss) else statement.name
        if value.text != default:
            raise DiagnosticError(
                _later(statement, f"`{word} {value.text}`", f"`{word} {default}` is supported")
            )


def _later(statement: tree.Node, what: str, instead: str) -> Diagnostic:
    message = f"{what[0].upper()}{what[1:]} is not supported yet."
    hints = (instead,) if instead else ()
    return Diagnostic("GEO0505", message, statement.span, "not supported yet", hints=hints)
