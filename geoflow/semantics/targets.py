"""The parameters that a statement names with `on`, in `at {…}` or before a `'`."""

from __future__ import annotations

from geoflow.diagnostics import Diagnostic, DiagnosticError, Span
from geoflow.semantics import messages
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.model import ParameterDeclaration
from geoflow.semantics.scope import Members
from geoflow.syntax import tree


def targets(
    definitions: Definitions, wanted: tuple[tree.Target, ...] | None, code: str
) -> list[tuple[ParameterDeclaration, Span | None]]:
    """The parameters that targets name, each with its target; all of them where none is named.

    `code`: the diagnostic for a parameter that is named twice.
    """
    if wanted is None:
        return [(p, None) for members in definitions.parameters.values() for p in members]
    found: dict[str, tuple[ParameterDeclaration, Span | None]] = {}
    for each in wanted:
        for parameter in target(definitions, each):
            if parameter.name in found:
                message = f"`{parameter.name}` is named twice."
                raise DiagnosticError(Diagnostic(code, message, each.span, "named again"))
            found[parameter.name] = (parameter, each.span)
    return list(found.values())


def target(definitions: Definitions, wanted: tree.Target) -> tuple[ParameterDeclaration, ...]:
    """The parameters that one target names: a parameter, a member of a family, or all of them."""
    name = wanted.name
    declared = definitions.scope.find(name, {})
    if declared.kind != "parameter":
        article = "an" if declared.kind == "input" else "a"
        message = f"`{name.text}` is {article} {declared.kind}, not a parameter."
        raise DiagnosticError(messages.wrong_kind(wanted.span, message, "not a parameter"))
    members = definitions.parameters[name.text]
    if wanted.index is None:
        definitions.expressions.spend(len(members), wanted.span)
        return members
    if not isinstance(declared.meaning, Members):
        message = f"`{name.text}` is not a family; a parameter is named as a whole."
        raise DiagnosticError(Diagnostic("GEO0204", message, wanted.span, "not a family"))
    index = definitions.expressions.integer(wanted.index, "An index of a family")
    first, last = declared.meaning.first, declared.meaning.last
    if not first <= index <= last:
        raise DiagnosticError(messages.bad_member(name, wanted.index.span, index, first, last))
    return (members[index - first],)


def one_target(definitions: Definitions, wanted: tree.Target) -> ParameterDeclaration:
    """The one parameter that a target names: of a family, a member."""
    found = target(definitions, wanted)
    meaning = definitions.scope.names[wanted.name.text].meaning
    if wanted.index is None and isinstance(meaning, Members):
        raise DiagnosticError(messages.bare_family(wanted.name, "parameters", meaning.first))
    return found[0]
