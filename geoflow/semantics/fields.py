"""A system written out, `field z' = …` with controls, in place of a map that is trained."""

from __future__ import annotations

from collections.abc import Sequence

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.semantics.affine import not_affine
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.model import FieldDeclaration, ParameterDeclaration
from geoflow.semantics.places import FIELD, verify_place
from geoflow.semantics.shapes import words
from geoflow.semantics.targets import one_target
from geoflow.syntax import tree

_OF_TRAINING: dict[type[tree.Node], str] = {
    tree.Map: "map",
    tree.Network: "network",
    tree.Input: "input",
    tree.Gates: "gates",
    tree.Metric: "metric",
    tree.Flow: "flow",
    tree.AdaptiveFlow: "flow",
    tree.Decay: "decay",
    tree.Loss: "loss",
}


def written_out(statements: Sequence[tree.Statement]) -> bool:
    """Whether these are the statements of a system written out."""
    kinds = {type(statement) for statement in statements}
    return tree.Field in kinds or (tree.Control in kinds and not {tree.Map, tree.Network} & kinds)


def misplaced(statement: tree.Statement, written: bool) -> Diagnostic | None:
    """What is wrong with a statement that belongs to the other kind of model."""
    word = _OF_TRAINING.get(type(statement))
    if written and word is not None:
        message = f"`{word}` cannot stand in a model with `field`: its fields say how it moves."
    elif not written and isinstance(statement, tree.Control):
        message = "`control` belongs to a model with `field`, and this one has a map or a network."
    else:
        return None
    return Diagnostic("GEO0407", message, statement.span, "not allowed here")


class Fields:
    """Collects the fields of a model."""

    def __init__(self, definitions: Definitions):
        self.definitions = definitions
        self.declared: list[FieldDeclaration] = []
        self._taken: dict[str, Span] = {}

    def add(self, statement: tree.Field) -> None:
        """Take in a field. Raises `DiagnosticError`."""
        expressions, node = self.definitions.expressions, statement.value
        parameter = one_target(self.definitions, statement.target)
        if parameter.name in self._taken:
            message = f"`{parameter.name}` has two fields."
            related = (Related(self._taken[parameter.name], "its first field"),)
            span = statement.target.span
            raise DiagnosticError(
                Diagnostic("GEO0407", message, span, "a second field", related=related)
            )
        self._taken[parameter.name] = statement.target.span
        value = expressions.array(node)
        verify_place(expressions, value, FIELD, node.span)
        if value.shape != parameter.shape:
            raise DiagnosticError(_misfit(parameter, words(value.shape), node.span))
        wrong = not_affine(value, expressions.scope.is_control)
        if wrong is not None:
            span = expressions.spans.get(wrong, node.span)
            message = "A field must be affine in the controls: of degree 1 in all of them together."
            hint = "multiply out, or give the product of controls a name of its own: `control`"
            raise DiagnosticError(
                Diagnostic(
                    "GEO0405",
                    message,
                    span,
                    "not affine in the controls",
                    notes=(
                        "the field is read as F₀ + Σ aᵢGᵢ, and the laws are those of all F₀, Gᵢ",
                    ),
                    hints=(hint,),
                )
            )
        self.declared.append(FieldDeclaration(parameter.name, value, statement.span))

    def verify_complete(self, span: Span) -> None:
        """Raise where a parameter has no field."""
        known = self.definitions.scope.names
        missing = [
            f"`{parameter.name}`"
            for name, members in self.definitions.parameters.items()
            for parameter in members
            if known[name].meaning is not None and parameter.name not in self._taken
        ]
        if missing:
            more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
            message = f"There is no field for {', '.join(missing[:8])}{more}."
            hint = f"write `field {missing[0][1:-1]}' = …`"
            note = "without it nothing says how this coordinate moves, nor what is conserved"
            raise DiagnosticError(
                Diagnostic("GEO0406", message, span, notes=(note,), hints=(hint,))
            )


def _misfit(parameter: ParameterDeclaration, shape: str, span: Span) -> Diagnostic:
    message = f"The field of `{parameter.name}` is {shape}, "
    message += f"and `{parameter.name}` is {words(parameter.shape)}."
    related = (Related(parameter.span, "declared here"),)
    return Diagnostic("GEO0301", message, span, related=related)
