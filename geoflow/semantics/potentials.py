"""Mirror metrics, given by a potential: one of those with a name, or any of one's own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.expr.tree import Expr, Parameter, walk
from geoflow.semantics import messages
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.model import ParameterDeclaration, Potential
from geoflow.semantics.options import Usage, arguments
from geoflow.semantics.places import depends_on_parameters, potential, verify_place
from geoflow.syntax import tree

Options = dict[str, object]
_POTENTIALS = ("entropy", "log_barrier", "power")


def mirror(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    """The options of `mirror(…)`."""
    (argument,) = arguments(option, 1, Usage("GEO0401", "metric mirror(entropy)"))
    if isinstance(argument, tree.Function):
        return {"potential": _custom(definitions, argument)}
    if isinstance(argument, tree.Name) and argument.text in ("entropy", "log_barrier"):
        _verify_positive(f"mirror({argument.text})", parameters, option.span)
        return {"potential": argument.text}
    if isinstance(argument, tree.Call) and argument.function.text == "power":
        return _power(definitions, argument, parameters)
    word = argument.text if isinstance(argument, tree.Name) else ""
    near = messages.close_name(word, _POTENTIALS)
    message = (
        "`mirror` takes `entropy`, `log_barrier`, `power(p)` or a potential `u -> expression`."
    )
    hints, fix = messages.did_you_mean(argument.span, near)
    hints = hints or ("write `mirror(u -> u**4)` for ψ(θ) = Σ θᵢ⁴",)
    raise DiagnosticError(replace(_malformed(argument.span, message, *hints), fix=fix))


def _power(
    definitions: Definitions, call: tree.Call, parameters: list[ParameterDeclaration]
) -> Options:
    argument = call.arguments[0] if len(call.arguments) == 1 else None
    if argument is None or isinstance(argument, tree.Keyword | tree.Function | tree.Text):
        raise DiagnosticError(
            _malformed(call.span, "`power` takes one exponent.", "write `power(3)`")
        )
    p = definitions.expressions.exact(argument, "The exponent of a potential")
    if p in (0, 1):
        message = f"The potential Σ uᵖ/(p(p−1)) does not exist for p = {p}."
        hint = "use `entropy` for p = 1" if p == 1 else "use `log_barrier` for p = 0"
        raise DiagnosticError(_malformed(argument.span, message, hint))
    if p.denominator > 2:
        note = f"the inverse metric of power(p) is u**(2 − p), here u**({2 - p})"
        message = "The inverse of this metric is neither rational nor a square root."
        raise DiagnosticError(Diagnostic("GEO0507", message, argument.span, notes=(note,)))
    if abs(p) > 64:
        raise DiagnosticError(messages.bad_exponent(argument.span, "its size is beyond 64"))
    if not (p > 0 and p.denominator == 1 and p.numerator % 2 == 0):
        _verify_positive(f"mirror(power({p}))", parameters, call.span)
    return {"potential": "power", "p": Fraction(p)}


def _custom(definitions: Definitions, function: tree.Function) -> Potential:
    expressions = definitions.expressions
    variable = Parameter(function.variable.text, ())
    body = expressions.array(function.body, {variable.name: variable})
    if body.shape:
        raise DiagnosticError(
            messages.scalar_needed(function.body.span, "A potential of one entry", body.shape)
        )
    _verify_own(definitions, body, variable, function)
    return Potential(variable, body)


def _verify_own(
    definitions: Definitions, body: Expr, variable: Parameter, function: tree.Function
) -> None:
    for node in walk(body):
        if isinstance(node, Parameter) and node is not variable:
            message = f"A potential cannot depend on the parameter `{node.name}`."
            raise DiagnosticError(_malformed(function.body.span, message))
    verify_place(definitions.expressions, body, potential(variable.name), function.body.span)
    if not depends_on_parameters(definitions.expressions, body):
        message = f"This potential does not depend on `{variable.name}`, so its metric is zero."
        raise DiagnosticError(_malformed(function.body.span, message))


def _verify_positive(metric: str, parameters: list[ParameterDeclaration], span: Span) -> None:
    free = [parameter for parameter in parameters if parameter.sign == "free"]
    if free:
        name = free[0].family or free[0].name
        raise DiagnosticError(
            Diagnostic(
                "GEO0403",
                f"`{metric}` needs positive parameters, and `{free[0].name}` may have any sign.",
                span,
                "defined for positive entries only",
                related=(Related(free[0].span, f"declare `{name}` with `> 0`"),),
                hints=(f"write `param {free[0].span.text} > 0`",),
            )
        )


def _malformed(span: Span, message: str, *hints: str) -> Diagnostic:
    return Diagnostic("GEO0401", message, span, hints=hints)
