"""The metric and the flow of a model.

A metric is one small function from its arguments to its options, registered in `_METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.expr.tree import Expr, Parameter, walk
from geoflow.semantics import messages, shapes
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.model import MetricBlock, ParameterDeclaration, Potential
from geoflow.semantics.places import DAMPING, RATE, depends_on_parameters, potential, verify_place
from geoflow.semantics.scope import Members
from geoflow.syntax import printer, tree

Options = dict[str, object]


@dataclass(frozen=True)
class Flow:
    """The order of a flow and its damping."""

    order: Literal[1, 2]
    damping: Expr | None


# ---------------------------------------------------------------- flow


def flow(definitions: Definitions, statement: tree.Flow) -> Flow:
    """The flow a statement describes."""
    order = statement.order.text
    if order not in ("1", "2"):
        message = f"A flow has order 1 or 2, not {order}."
        raise DiagnosticError(Diagnostic("GEO0405", message, statement.order.span, "not an order"))
    if statement.damping is None:
        return Flow(1 if order == "1" else 2, None)
    if order == "1":
        message = "A flow of order 1 has no damping."
        hint = "write `flow order 2 damping …` for momentum"
        span = statement.damping.span
        raise DiagnosticError(
            Diagnostic("GEO0405", message, span, "no velocity to damp", hints=(hint,))
        )
    expressions = definitions.expressions
    damping = expressions.array(statement.damping)
    if damping.shape:
        raise DiagnosticError(
            messages.scalar_needed(statement.damping.span, "The damping", damping.shape)
        )
    verify_place(expressions, damping, DAMPING, statement.damping.span)
    return Flow(2, damping)


# ---------------------------------------------------------------- targets


def targets(
    definitions: Definitions, wanted: tuple[tree.Target, ...] | None
) -> list[tuple[ParameterDeclaration, Span | None]]:
    """The parameters that targets name, each with its target; all of them where none is named."""
    if wanted is None:
        return [(p, None) for members in definitions.parameters.values() for p in members]
    found: dict[str, tuple[ParameterDeclaration, Span | None]] = {}
    for target in wanted:
        for parameter in _target(definitions, target):
            if parameter.name in found:
                message = f"`{parameter.name}` is named twice."
                raise DiagnosticError(Diagnostic("GEO0402", message, target.span, "named again"))
            found[parameter.name] = (parameter, target.span)
    return list(found.values())


def _target(definitions: Definitions, target: tree.Target) -> tuple[ParameterDeclaration, ...]:
    name = target.name
    declared = definitions.scope.find(name, {})
    if declared.kind != "parameter":
        message = f"`{name.text}` is a {declared.kind}, not a parameter."
        raise DiagnosticError(messages.wrong_kind(target.span, message, "not a parameter"))
    members = definitions.parameters[name.text]
    if target.index is None:
        return members
    if not isinstance(declared.meaning, Members):
        message = f"`{name.text}` is not a family; a metric is given for whole parameters."
        raise DiagnosticError(Diagnostic("GEO0204", message, target.span, "not a family"))
    index = definitions.expressions.integer(target.index, "An index of a family")
    indices = list(declared.meaning.by_index)
    if index not in indices:
        raise DiagnosticError(messages.bad_member(name, target.index.span, index, indices))
    return (members[indices.index(index)],)


# ---------------------------------------------------------------- metric


class Metrics:
    """Collects the metric lines of a model; the parameters they leave out are Euclidean."""

    def __init__(self, definitions: Definitions):
        self.definitions = definitions
        self.blocks: list[MetricBlock] = []
        self._taken: dict[str, Span] = {}

    def add(self, statement: tree.Metric) -> None:
        """Take in a metric line. Raises `DiagnosticError`."""
        kind = statement.kind.name
        if kind.text not in _METRICS:
            raise DiagnosticError(_unknown_metric(kind))
        parameters = targets(self.definitions, statement.targets)
        for parameter, span in parameters:
            if parameter.name in self._taken:
                raise DiagnosticError(
                    _two_metrics(parameter, span or statement.span, self._taken[parameter.name])
                )
        # taken even where the options are wrong: a second line is then no second mistake
        self._taken.update((parameter.name, statement.span) for parameter, _ in parameters)
        declarations = [parameter for parameter, _ in parameters]
        options = _METRICS[kind.text](self.definitions, statement.kind, declarations)
        names = tuple(parameter.name for parameter in declarations)
        text = printer.text(statement).removeprefix("metric ")
        self.blocks.append(MetricBlock(kind.text, names, options, statement.span, text))

    def complete(self, span: Span) -> tuple[MetricBlock, ...]:
        """The blocks, with a Euclidean one for the parameters no line names."""
        rest = tuple(
            parameter.name
            for members in self.definitions.parameters.values()
            for parameter in members
            if parameter.name not in self._taken
        )
        default = (MetricBlock("euclidean", rest, {}, span, "euclidean"),) if rest else ()
        return (*self.blocks, *default)


Reader = Callable[[Definitions, tree.Option, list[ParameterDeclaration]], Options]


def _arguments(option: tree.Option, wanted: int, example: str) -> tuple[tree.Argument, ...]:
    given = option.arguments or ()
    if len(given) != wanted:
        name = option.name.text
        message = f"`{name}` takes {_counted(wanted)}, and {len(given) or 'none'} "
        message += "is given." if len(given) <= 1 else "are given."
        raise DiagnosticError(_malformed(option.span, message, f"write `{example}`"))
    return given


def _counted(count: int) -> str:
    return "no argument" if count == 0 else "one argument" if count == 1 else f"{count} arguments"


def _euclidean(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    _arguments(option, 0, "euclidean")
    return {}


def _scaled(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    (argument,) = _arguments(option, 1, "scaled(1/10)")
    if isinstance(argument, tree.Keyword | tree.Function | tree.Text):
        message = "`scaled` takes a learning rate: a constant or an array of constants."
        raise DiagnosticError(_malformed(argument.span, message))
    expressions = definitions.expressions
    rate = expressions.array(argument)
    verify_place(expressions, rate, RATE, argument.span)
    if any(entry <= 0 for entry in expressions.entries(rate) or ()):
        message = "A learning rate must be positive: the metric is its inverse."
        raise DiagnosticError(_malformed(argument.span, message))
    for parameter in parameters:
        if not _broadcasts(rate, parameter):
            message = (
                f"This learning rate is {shapes.words(rate.shape)}, which does not fit "
                f"`{parameter.name}`, {shapes.words(parameter.shape)}."
            )
            related = (Related(parameter.span, "declared here"),)
            raise DiagnosticError(Diagnostic("GEO0301", message, argument.span, related=related))
    return {"rate": rate}


def _broadcasts(rate: Expr, parameter: ParameterDeclaration) -> bool:
    try:
        return shapes.broadcast((rate.shape, parameter.shape)) == parameter.shape
    except shapes.Misfit:
        return False


_POTENTIALS = ("entropy", "log_barrier", "power")


def _mirror(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    (argument,) = _arguments(option, 1, "mirror(entropy)")
    if isinstance(argument, tree.Function):
        return {"potential": _custom_potential(definitions, argument)}
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
    hint = f"did you mean `{near}`?" if near else "write `mirror(u -> u**4)` for ψ(θ) = Σ θᵢ⁴"
    raise DiagnosticError(_malformed(argument.span, message, hint))


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


def _custom_potential(definitions: Definitions, function: tree.Function) -> Potential:
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
    if not depends_on_parameters(body):
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
                hints=(f"write `param {_declaration(free[0])} > 0`",),
            )
        )


def _declaration(parameter: ParameterDeclaration) -> str:
    return parameter.span.text


_METRICS: Mapping[str, Reader] = {"euclidean": _euclidean, "scaled": _scaled, "mirror": _mirror}
_LATER_METRICS = ("fisher", "riemannian")


def _unknown_metric(kind: tree.Name) -> Diagnostic:
    known = "`euclidean`, `scaled(c)` and `mirror(…)`"
    if kind.text in _LATER_METRICS:
        message = f"The metric `{kind.text}` is not supported yet."
        return Diagnostic(
            "GEO0505", message, kind.span, "not supported yet", hints=(f"supported: {known}",)
        )
    near = messages.close_name(kind.text, _METRICS)
    hint = f"did you mean `{near}`?" if near else f"the metrics are {known}"
    message = f"`{kind.text}` is not a metric."
    return Diagnostic("GEO0401", message, kind.span, "unknown metric", hints=(hint,))


def _malformed(span: Span, message: str, *hints: str) -> Diagnostic:
    return Diagnostic("GEO0401", message, span, hints=hints)


def _two_metrics(parameter: ParameterDeclaration, span: Span, first: Span) -> Diagnostic:
    return Diagnostic(
        "GEO0402",
        f"`{parameter.name}` has two metrics.",
        span,
        "a second metric",
        related=(Related(first, "its first metric"),),
        hints=("name the parameters of each metric with `on`",),
    )
