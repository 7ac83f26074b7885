"""What an expression may speak of, by the place where it stands: a map, a law, a damping, a
learning rate, a potential.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from geoflow.diagnostics import Diagnostic, DiagnosticError, Span
from geoflow.expr.tree import Apply, Expr, Parameter, Time, Velocity, walk
from geoflow.semantics import messages
from geoflow.semantics.expressions import Expressions


@dataclass(frozen=True)
class Place:
    """A place, in words, and what is allowed there. `code`: the diagnostic for a parameter where
    none may be.
    """

    words: str
    time: bool = False
    velocity: bool = False
    parameters: bool = False
    transcendental: bool = False
    code: str = "GEO0206"
    own: str | None = None  # the one variable allowed where parameters are not


MAP = Place("a map", parameters=True)
LAW = Place("a law", time=True, velocity=True, parameters=True, transcendental=True)
LAW_OF_ORDER_ONE = Place("a law of a flow of order 1", parameters=True, transcendental=True)
DAMPING = Place("a damping", time=True, code="GEO0405")
RATE = Place("a learning rate", code="GEO0401")


def potential(variable: str) -> Place:
    """The body of `variable -> body`."""
    return Place("a potential", transcendental=True, code="GEO0401", own=variable)


def verify_place(expressions: Expressions, expr: Expr, place: Place, span: Span) -> None:
    """Raise `DiagnosticError` at the first thing that may not stand in the place."""
    for node in walk(expr):
        problem = _problem(expressions, node, place, span)
        if problem is not None:
            raise DiagnosticError(problem)


def _problem(expressions: Expressions, node: Expr, place: Place, span: Span) -> Diagnostic | None:
    where: Callable[[Expr], Span] = lambda expr: expressions.spans.get(expr, span)  # noqa: E731
    match node:
        case Apply(operation="exp" | "log" as operation) if not place.transcendental:
            return messages.transcendental(operation, where(node), place.words)
        case Time() if not place.time:
            message = f"The time `t` cannot stand in {place.words}."
            return messages.wrong_kind(where(node), message, "depends on the time")
        case Velocity(name=name) if not place.velocity:
            message = f"A velocity cannot stand in {place.words}."
            return messages.wrong_kind(where(node), message, f"the velocity of `{name}`")
        case Parameter(name=name) if not (place.parameters or name == place.own):
            message = f"{place.words.capitalize()} cannot depend on the parameter `{name}`."
            return Diagnostic(place.code, message, span, f"depends on `{name}`")
    return None


def depends_on_parameters(expr: Expr) -> bool:
    """Whether a parameter occurs in the expression."""
    return any(isinstance(node, Parameter) for node in walk(expr))
