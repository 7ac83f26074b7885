"""Weight decay: its rates by parameter, and whether it is part of the loss."""

from __future__ import annotations

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.flows import Flow
from geoflow.semantics.model import DecayDeclaration
from geoflow.semantics.places import DECAY, rate
from geoflow.semantics.targets import targets
from geoflow.syntax import printer, tree


class Decays:
    """Collects the decay lines of a model. `flow` is None where it is not known."""

    def __init__(self, definitions: Definitions, flow: Flow | None):
        self.definitions = definitions
        self.flow = flow
        self.declared: list[DecayDeclaration] = []
        self._taken: dict[str, Span] = {}
        self._first: tuple[bool, Span] | None = None

    def add(self, statement: tree.Decay) -> None:
        """Take in a decay line. Raises `DiagnosticError`."""
        coupled = self._coupled(statement)
        parameters = targets(self.definitions, statement.targets, "GEO0407")
        for parameter, span in parameters:
            if parameter.name in self._taken:
                raise _two_decays(
                    parameter.name, span or statement.span, self._taken[parameter.name]
                )
        self._taken.update((parameter.name, statement.span) for parameter, _ in parameters)
        value = rate(self.definitions.expressions, statement.rate, DECAY, or_zero=True)
        names = tuple(parameter.name for parameter, _ in parameters)
        text = printer.text(statement)
        self.declared.append(DecayDeclaration(names, value, coupled, statement.span, text))

    def _coupled(self, statement: tree.Decay) -> bool:
        flow = self.flow
        if flow is not None and flow.kind != "order":
            message = f"`{flow.text}` has no decay."
            raise _malformed(statement.span, message, "no decay here", "leave it out")
        if statement.coupling is None and flow is not None and flow.order == 2:
            message = "A decay in a flow of order 2 must say whether it is part of the loss."
            hint = "write `coupled` (c‖θ‖²/2 in the loss) or `decoupled` (−cθ in θ') at its end"
            raise _malformed(statement.span, message, "coupled or decoupled?", hint)
        coupled = statement.coupling == "coupled"
        first, self._first = self._first, self._first or (coupled, statement.span)
        if first is not None and first[0] != coupled:
            message = "Coupled and decoupled decay cannot stand in one model."
            related = Related(first[1], "coupled" if first[0] else "decoupled")
            label = "coupled" if coupled else "decoupled"
            raise _malformed(statement.span, message, label, related=related)
        return coupled


def _two_decays(name: str, span: Span, first: Span) -> DiagnosticError:
    return DiagnosticError(
        Diagnostic(
            "GEO0407",
            f"`{name}` decays twice.",
            span,
            "a second decay",
            related=(Related(first, "its first decay"),),
            hints=("name the parameters of each decay with `on`",),
        )
    )


def _malformed(
    span: Span, message: str, label: str, *hints: str, related: Related | None = None
) -> DiagnosticError:
    others = () if related is None else (related,)
    return DiagnosticError(Diagnostic("GEO0405", message, span, label, related=others, hints=hints))
