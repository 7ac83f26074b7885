"""What is trained: the maps of a model, or its network."""

from __future__ import annotations

from collections.abc import Sequence

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.expr.tree import Expr
from geoflow.semantics import messages
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.expressions import NO_LOCALS
from geoflow.semantics.model import Gates
from geoflow.semantics.options import Usage, word
from geoflow.semantics.places import (
    MAP,
    NETWORK,
    depends_on_inputs,
    depends_on_parameters,
    verify_place,
)
from geoflow.syntax import printer, tree

Trained = tree.Map | tree.Network


def maps(definitions: Definitions, statement: Trained) -> list[tuple[Expr, str]]:
    """The arrays that a `map` or a `network` lists, each with its text."""
    expressions, value = definitions.expressions, statement.value
    is_network = isinstance(statement, tree.Network)
    what, place = ("network", NETWORK) if is_network else ("map", MAP)
    listed = expressions.items(value, NO_LOCALS)
    entries = [(value, expressions.array(value))] if listed is None else listed
    if not entries:
        raise DiagnosticError(
            messages.wrong_kind(value.span, f"This list of {what}s is empty.", f"no {what}")
        )
    for origin, expression in entries:
        verify_place(expressions, expression, place, origin.span)
    name = statement.name.text
    if not any(depends_on_parameters(expressions, expression) for _, expression in entries):
        message = f"The {what} `{name}` does not depend on any parameter."
        note = "its Jacobian is 0, so no loss moves a parameter, and every function is conserved"
        raise DiagnosticError(Diagnostic("GEO0408", message, value.span, "constant", notes=(note,)))
    if is_network and not any(depends_on_inputs(expressions, each) for _, each in entries):
        declared = list(definitions.inputs)
        raise DiagnosticError(messages.network_without_data(name, value.span, declared))
    if isinstance(value, tree.Comprehension):
        return [(expression, "") for _, expression in entries[:-1]] + [
            (entries[-1][1], printer.text(value))
        ]
    return [(expression, printer.text(origin)) for origin, expression in entries]


def map_text(texts: Sequence[str]) -> str:
    """The text of several maps together."""
    shown = [text for text in texts if text]
    return "".join(shown) if len(shown) < 2 else f"[{', '.join(shown)}]"


def gates(statement: tree.Gates) -> Gates:
    """How gates are treated."""
    kinds: dict[str, Gates] = {"lifted": "lifted", "real": "real"}
    usage = Usage("GEO0409", "gates lifted")
    return kinds[word(statement.name, "The treatment of gates", tuple(kinds), usage)]


def missing(name: str, span: Span) -> Diagnostic:
    """A model without anything that is trained."""
    message = f"The model `{name}` has no map."
    hint = "write `map phi = …`: all that the data and the loss can see of the parameters"
    also = "or `network g = …`, of the parameters and an `input`"
    note = "a law holds for every loss f∘φ; without φ nothing says which ways a loss can push"
    return Diagnostic("GEO0406", message, span, notes=(note,), hints=(hint, also))


def mixed(statements: Sequence[tree.Statement]) -> list[Diagnostic]:
    """What is wrong where maps, networks and what belongs to networks stand in one model."""
    first = {kind: [s for s in statements if isinstance(s, kind)] for kind in _KINDS}
    trained, networks = first[tree.Map], first[tree.Network]
    if trained and networks:
        message = "A model has a map or a network, and not both."
        related = (Related(trained[0].span, "its map"),)
        return [Diagnostic("GEO0407", message, networks[0].span, "a network too", related=related)]
    if not trained:
        return []
    problems = [messages.input_without_network(s.span) for s in first[tree.Input][:1]]
    message = "`gates` belongs to a model with `network`, and this one has a map."
    return problems + [
        Diagnostic("GEO0407", message, statement.span, "no network", hints=("leave it out",))
        for statement in first[tree.Gates][:1]
    ]


_KINDS = (tree.Map, tree.Network, tree.Input, tree.Gates)
