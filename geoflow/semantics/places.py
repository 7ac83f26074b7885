"""What an expression may speak of, by the place where it stands: a map, a law, a damping, a rate, a
potential, a field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from geoflow.diagnostics import Diagnostic, DiagnosticError, Span
from geoflow.expr.tree import (
    PIECEWISE,
    TRANSCENDENTAL,
    Apply,
    Expr,
    Parameter,
    Time,
    Velocity,
    walk,
)
from geoflow.semantics import messages
from geoflow.semantics.expressions import Expressions
from geoflow.syntax import tree


@dataclass(frozen=True)
class Place:
    """A place, in words, and what is allowed there. `code`: the diagnostic for a parameter where
    none may be.
    """

    words: str
    time: bool = False
    velocity: bool = False
    parameters: bool = False
    controls: bool = False
    inputs: bool = False
    functions: frozenset[str] = frozenset()  # those allowed of all that no root of a polynomial is
    code: str = "GEO0206"
    moments: tuple[str, ...] = ()  # those of an adaptive flow, written like functions: `w(x)`
    own: str | None = None  # the one variable allowed where parameters are not


_ALL = PIECEWISE | TRANSCENDENTAL
_EXP_LOG = frozenset(("exp", "log"))

MAP = Place("a map", parameters=True)
NETWORK = Place("a network", parameters=True, inputs=True, functions=_ALL)
MATRIX = Place("a metric", parameters=True)
FIELD = Place("a field", time=True, parameters=True, controls=True)
LAW = Place("a law", time=True, velocity=True, parameters=True, functions=_EXP_LOG)
DAMPING = Place("a damping", time=True, code="GEO0405")
DECAY = Place("a rate of decay", code="GEO0405")
RATE = Place("a learning rate", code="GEO0401")
FISHER_DAMPING = Place("the damping of a metric", code="GEO0401")
POINT = Place("the values of a point", code="GEO0409")


def timeless_law(of: str) -> Place:
    """A law of something that knows no time."""
    return Place(f"a law of {of}", parameters=True, functions=_EXP_LOG)


def potential(variable: str) -> Place:
    """The body of `variable -> body`."""
    return Place("a potential", functions=_EXP_LOG, code="GEO0401", own=variable)


def verify_place(expressions: Expressions, expr: Expr, place: Place, span: Span) -> None:
    """Raise `DiagnosticError` at the first thing that may not stand in the place."""
    for node in walk(expr):
        problem = _problem(expressions, node, place, span)
        if problem is not None:
            raise DiagnosticError(problem)


def scalar(expressions: Expressions, node: tree.Expression, place: Place) -> Expr:
    """A scalar that may stand in the place. Raises `DiagnosticError`."""
    expr = expressions.array(node)
    if expr.shape:
        what = place.words[0].upper() + place.words[1:]
        raise DiagnosticError(messages.scalar_needed(node.span, what, expr.shape))
    verify_place(expressions, expr, place, node.span)
    return expr


def rate(
    expressions: Expressions, node: tree.Expression, place: Place, or_zero: bool = False
) -> Expr:
    """A positive scalar of constants, or 0 where that is allowed. One without a value may be either."""
    expr = scalar(expressions, node, place)
    value = expressions.value(expr)
    if value is not None and (value < 0 or (value == 0 and not or_zero)):
        wanted = "not be negative" if or_zero else "be positive"
        message = f"{place.words[0].upper()}{place.words[1:]} must {wanted}, and this is {value}."
        raise DiagnosticError(Diagnostic(place.code, message, node.span, f"{value}"))
    return expr


def smallest(expressions: Expressions, expr: Expr) -> Fraction | None:
    """The smallest entry of an array of constants, where all are known."""
    return min(expressions.entries(expr) or (), default=None)


def _problem(expressions: Expressions, node: Expr, place: Place, span: Span) -> Diagnostic | None:
    where: Callable[[Expr], Span] = lambda expr: expressions.spans.get(expr, span)  # noqa: E731
    match node:
        case Apply(operation=operation) if operation in _ALL - place.functions:
            return messages.not_algebraic(operation, where(node), place.words, place is MAP)
        case Time() if not place.time:
            message = f"The time `t` cannot stand in {place.words}."
            return messages.wrong_kind(where(node), message, "depends on the time")
        case Velocity(name=name) if not place.velocity:
            message = f"A velocity cannot stand in {place.words}."
            return messages.wrong_kind(where(node), message, f"the velocity of `{name}`")
        case Parameter(name=name) if expressions.scope.is_input(node):
            if not place.inputs:
                return messages.input_out_of_place(name, span, place.words)
        case Parameter(name=name) if expressions.scope.is_control(node):
            if not place.controls:
                message = f"The control `{name}` cannot stand in {place.words}, only in a field."
                return messages.wrong_kind(span, message, f"depends on `{name}`")
        case Parameter(name=name) if not (place.parameters or name == place.own):
            words = place.words[0].upper() + place.words[1:]
            message = f"{words} cannot depend on the parameter `{name}`."
            return Diagnostic(place.code, message, span, f"depends on `{name}`")
    return None


def depends_on_parameters(expressions: Expressions, expr: Expr) -> bool:
    """Whether a parameter occurs in the expression."""
    is_input = expressions.scope.is_input
    return any(isinstance(node, Parameter) and not is_input(node) for node in walk(expr))


def depends_on_inputs(expressions: Expressions, expr: Expr) -> bool:
    """Whether an input occurs in the expression."""
    return any(expressions.scope.is_input(node) for node in walk(expr))


def depends_on_time(expr: Expr) -> bool:
    """Whether the time occurs in the expression."""
    return any(isinstance(node, Time) for node in walk(expr))
