"""Laws, expectations, and the settings of the search and of the integration."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from geoflow.diagnostics import Diagnostic, DiagnosticError, Fix, Span
from geoflow.expr.tree import Expr, Parameter
from geoflow.semantics import arithmetic, messages
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.model import Expectation, LawClaim, SearchTerm, VerifySettings
from geoflow.semantics.places import Place, verify_place
from geoflow.semantics.targets import targets
from geoflow.syntax import printer, tree

Expecting = tree.ExpectLaws | tree.ExpectNoLaws | tree.ExpectProperty | tree.ExpectDepth


def law(definitions: Definitions, statement: tree.Law, place: Place) -> LawClaim:
    """The claim of a `law` statement."""
    expressions = definitions.expressions
    moments: dict[str, Expr] = {
        f"{letter}({parameter.name})": Parameter(f"{letter}({parameter.name})", parameter.shape)
        for letter in place.moments
        for members in definitions.parameters.values()
        for parameter in members
    }
    expression = expressions.array(statement.value, moments)
    verify_place(expressions, expression, place, statement.value.span)
    text = printer.text(statement.value)
    return LawClaim(statement.name.text, expression, text, statement.span)


# ---------------------------------------------------------------- expectations


def expectation(definitions: Definitions, statement: Expecting) -> Expectation | None:
    """The claim of an `expect` statement; None where its condition does not hold."""
    of: tuple[str, ...] = ()
    if isinstance(statement, tree.ExpectLaws) and statement.targets is not None:
        found = targets(definitions, statement.targets, "GEO0407")
        of = tuple(parameter.name for parameter, _ in found)
    if statement.condition is not None and not condition(definitions, statement.condition):
        # only the names are looked at: the number may make no sense for these sizes
        if isinstance(statement, tree.ExpectLaws | tree.ExpectDepth):
            definitions.expressions.verify_names(statement.value)
        return None
    text = printer.text(statement)
    kind: Any = "laws"
    value: int | None = None
    match statement:
        case tree.ExpectLaws() | tree.ExpectDepth():
            counted = "block" if of else "laws"
            kind = counted if isinstance(statement, tree.ExpectLaws) else "depth"
            value = _count(definitions, statement.value)
        case tree.ExpectNoLaws():
            value = 0
        case tree.ExpectProperty():
            kind = statement.property
    return Expectation(kind, value, text, statement.span, of)


def _count(definitions: Definitions, node: tree.Expression) -> int:
    value = definitions.expressions.exact(node, "An expected number")
    if value.denominator != 1 or value < 0:
        raise DiagnosticError(messages.not_a_count(node.span, "number of laws", value))
    return value.numerator


_COMPARISONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def condition(definitions: Definitions, node: tree.Condition) -> bool:
    """Whether a condition on sizes and constants holds. Both sides of `and` and `or` are read, to
    find mistakes.
    """
    match node:
        case tree.Both():
            left, right = condition(definitions, node.left), condition(definitions, node.right)
            return left and right
        case tree.Either():
            left, right = condition(definitions, node.left), condition(definitions, node.right)
            return left or right
        case tree.Negation():
            return not condition(definitions, node.operand)
        case tree.Comparison():
            values = [
                definitions.expressions.exact(operand, "A side of a comparison")
                for operand in node.operands
            ]
            return all(
                _COMPARISONS[symbol](a, b)
                for symbol, a, b in zip(node.operators, values, values[1:], strict=False)
            )


# ---------------------------------------------------------------- search

_HIGHEST_DEGREE = 8


def search(definitions: Definitions, statement: tree.Search) -> tuple[SearchTerm, ...]:
    """Where to look for laws."""
    return tuple(_search_term(definitions, option) for option in statement.options)


def _search_term(definitions: Definitions, option: tree.Option) -> SearchTerm:
    name, given = option.name.text, option.arguments
    if name in ("polynomial", "darboux") and given is not None and len(given) == 1:
        (argument,) = given
        if not isinstance(argument, tree.Keyword | tree.Function | tree.Text):
            degree = definitions.expressions.integer(argument, "A degree")
            if not 1 <= degree <= _HIGHEST_DEGREE:
                message = f"A degree is between 1 and {_HIGHEST_DEGREE}, and this is {degree}."
                raise DiagnosticError(_bad_setting(argument.span, message))
            return SearchTerm(name, degree)
    if name == "log" and given is not None and len(given) == 1:
        (argument,) = given
        if isinstance(argument, tree.Name) and argument.text == "coordinates":
            return SearchTerm("log")
    if name == "potentials" and given is None:
        return SearchTerm("potentials")
    usage = {
        "polynomial": "polynomial(2)",
        "darboux": "darboux(2)",
        "log": "log(coordinates)",
        "potentials": "potentials",
    }
    if name in usage:
        raise DiagnosticError(
            _bad_setting(
                option.span, f"This is not how `{name}` is written.", f"write `{usage[name]}`"
            )
        )
    near = messages.close_name(name, usage)
    hints, fix = messages.did_you_mean(option.name.span, near)
    hints = hints or ("write " + ", ".join(f"`{u}`" for u in usage.values()),)
    message = f"`{name}` is not a place to search."
    raise DiagnosticError(_bad_setting(option.span, message, *hints, fix=fix))


# ---------------------------------------------------------------- verify

_LOSSES = ("squared", "logistic")


def verification(statement: tree.Verify) -> VerifySettings:
    """How to integrate."""
    given: dict[str, Any] = {}
    for setting in statement.settings:
        name = setting.name.text
        if name not in _SETTINGS:
            near = messages.close_name(name, _SETTINGS)
            hints, fix = messages.did_you_mean(setting.name.span, near)
            hints = hints or ("settings: " + ", ".join(_SETTINGS),)
            message = f"`{name}` is not a setting."
            raise DiagnosticError(_bad_setting(setting.name.span, message, *hints, fix=fix))
        target, reader = _SETTINGS[name]
        if target in given:
            raise DiagnosticError(_bad_setting(setting.span, f"`{name}` is set twice."))
        given[target] = reader(setting)
    return VerifySettings(**given)


def _losses(setting: tree.Setting) -> tuple[str, ...]:
    names: list[str] = []
    for value in setting.values:
        known = isinstance(value, tree.Option) and value.arguments is None
        name = value.name.text if isinstance(value, tree.Option) else ""
        if not known or name not in _LOSSES:
            near = messages.close_name(name, _LOSSES)
            hints, fix = messages.did_you_mean(value.span, near)
            hints = hints or ("the losses are `squared` and `logistic`",)
            raise DiagnosticError(_bad_setting(value.span, "This is not a loss.", *hints, fix=fix))
        if name not in names:
            names.append(name)
    return tuple(names)


def _data(setting: tree.Setting) -> int:
    value = setting.values[0]
    if len(setting.values) == 1 and isinstance(value, tree.Option):
        given = value.arguments or ()
        if value.name.text == "gaussian" and len(given) == 1 and isinstance(given[0], tree.Numeral):
            return _integer(given[0], 1, 100_000)
    raise DiagnosticError(
        _bad_setting(setting.span, "The data is not given like this.", "write `data gaussian(32)`")
    )


def _integer(node: tree.Numeral, least: int, greatest: int) -> int:
    value = _number(node)
    if value.denominator != 1 or not least <= value <= greatest:
        message = f"This must be an integer between {least} and {greatest:,}, and is {node.text}."
        raise DiagnosticError(_bad_setting(node.span, message))
    return value.numerator


def _number(node: tree.Numeral) -> Fraction:
    try:
        return arithmetic.parse_number(node.text)
    except arithmetic.TooLarge:
        raise DiagnosticError(
            messages.number_too_large(node.span, arithmetic.LARGEST_BITS)
        ) from None


def _single(setting: tree.Setting) -> tree.Numeral:
    value = setting.values[0]
    if len(setting.values) != 1 or not isinstance(value, tree.Numeral):
        message = f"`{setting.name.text}` takes one number."
        raise DiagnosticError(_bad_setting(setting.span, message))
    return value


def _trials(setting: tree.Setting) -> int:
    return _integer(_single(setting), 1, 1000)


def _time(setting: tree.Setting) -> float:
    return _between(_single(setting), Fraction(0), Fraction(10**6))


def _tolerance(setting: tree.Setting) -> float:
    return _between(_single(setting), Fraction(1, 10**12), Fraction(1))


def _between(node: tree.Numeral, above: Fraction, below: Fraction) -> float:
    value = _number(node)
    if not above < value < below:
        message = (
            f"This must lie between {float(above):g} and {float(below):g}, and is {node.text}."
        )
        raise DiagnosticError(_bad_setting(node.span, message))
    return float(value)


_SETTINGS: dict[str, tuple[str, Callable[[tree.Setting], Any]]] = {
    "loss": ("losses", _losses),
    "data": ("data", _data),
    "time": ("time", _time),
    "trials": ("trials", _trials),
    "tolerance": ("tolerance", _tolerance),
}


def _bad_setting(span: Span, message: str, *hints: str, fix: Fix | None = None) -> Diagnostic:
    return Diagnostic("GEO0409", message, span, hints=hints, fix=fix)
