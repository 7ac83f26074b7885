"""The metrics of a model.

A metric is one small function from its arguments to its options, registered in `_METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.expr.tree import Expr
from geoflow.semantics import messages, shapes
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.matrices import fisher, riemannian
from geoflow.semantics.model import MetricBlock, ParameterDeclaration
from geoflow.semantics.options import Usage, arguments, expression
from geoflow.semantics.places import RATE, smallest, verify_place
from geoflow.semantics.potentials import mirror
from geoflow.semantics.targets import targets
from geoflow.syntax import printer, tree

Options = dict[str, object]


class Metrics:
    """Collects the metric lines of a model; the parameters they leave out are Euclidean."""

    def __init__(self, definitions: Definitions):
        self.definitions = definitions
        self.blocks: list[MetricBlock] = []
        self._taken: dict[str, Span] = {}

    def add(self, statement: tree.Metric) -> MetricBlock:
        """Take in a metric line. Raises `DiagnosticError`."""
        kind = statement.kind.name
        if kind.text not in _METRICS:
            raise DiagnosticError(_unknown_metric(kind))
        parameters = targets(self.definitions, statement.targets, "GEO0402")
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
        return self.blocks[-1]

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


# ---------------------------------------------------------------- constant metrics

_Reader = Callable[[Definitions, tree.Option, list[ParameterDeclaration]], Options]


def _euclidean(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    arguments(option, 0, Usage("GEO0401", "metric euclidean"))
    return {}


def _scaled(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    usage = Usage("GEO0401", "metric scaled(1/10)")
    (argument,) = arguments(option, 1, usage)
    node = expression(argument, "A learning rate, a constant or an array of constants,", usage)
    expressions = definitions.expressions
    rate = expressions.array(node)
    verify_place(expressions, rate, RATE, node.span)
    least = smallest(expressions, rate)
    if least is not None and least <= 0:
        message = "A learning rate must be positive: the metric is its inverse."
        raise DiagnosticError(Diagnostic("GEO0401", message, node.span))
    for parameter in parameters:
        if not _broadcasts(rate, parameter):
            message = (
                f"This learning rate is {shapes.words(rate.shape)}, which does not fit "
                f"`{parameter.name}`, {shapes.words(parameter.shape)}."
            )
            related = (Related(parameter.span, "declared here"),)
            raise DiagnosticError(Diagnostic("GEO0301", message, node.span, related=related))
    return {"rate": rate}


def _broadcasts(rate: Expr, parameter: ParameterDeclaration) -> bool:
    try:
        return shapes.broadcast((rate.shape, parameter.shape)) == parameter.shape
    except shapes.Misfit:
        return False


# ---------------------------------------------------------------- all metrics

_METRICS: Mapping[str, _Reader] = {
    "euclidean": _euclidean,
    "scaled": _scaled,
    "mirror": mirror,
    "fisher": fisher,
    "riemannian": riemannian,
}


def _unknown_metric(kind: tree.Name) -> Diagnostic:
    known = "`euclidean`, `scaled(c)`, `mirror(…)`, `fisher(…)` and `riemannian(…)`"
    near = messages.close_name(kind.text, _METRICS)
    hints, fix = messages.did_you_mean(kind.span, near)
    hints = hints or (f"the metrics are {known}",)
    message = f"`{kind.text}` is not a metric."
    return Diagnostic("GEO0401", message, kind.span, "unknown metric", hints=hints, fix=fix)


def _two_metrics(parameter: ParameterDeclaration, span: Span, first: Span) -> Diagnostic:
    return Diagnostic(
        "GEO0402",
        f"`{parameter.name}` has two metrics.",
        span,
        "a second metric",
        related=(Related(first, "its first metric"),),
        hints=("name the parameters of each metric with `on`",),
    )
