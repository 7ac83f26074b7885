"""Metrics with a matrix: the Fisher information of the map, or a matrix written out."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.expr.tree import Expr
from geoflow.semantics.constants import Entries
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.losses import verify_classes
from geoflow.semantics.model import MetricBlock, ParameterDeclaration
from geoflow.semantics.options import Usage, arguments, expression, split, word
from geoflow.semantics.places import FISHER_DAMPING, MATRIX, rate, verify_place
from geoflow.semantics.shapes import words
from geoflow.syntax import tree

Options = dict[str, object]
_MOST_POINTS = 1000
_KINDS = ("full", "blocks", "diagonal")
_OUTPUTS = ("gaussian", "bernoulli", "categorical", "poisson")


def fisher(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    """The options of `fisher(…)`."""
    usage = Usage("GEO0401", "metric fisher(blocks, damping = 1/10)")
    plain, named = split(option, ("damping", "output", "data"), usage)
    if len(plain) > 1:
        raise usage.wrong(plain[1].span, "`fisher` takes one kind; the rest is given by name.")
    kind = word(plain[0], "The kind of a Fisher metric", _KINDS, usage) if plain else "full"
    output = "gaussian"
    if "output" in named:
        output = word(named["output"], "The distribution of the output", _OUTPUTS, usage)
    damping: Expr | None = None
    if "damping" in named:
        expressions = definitions.expressions
        damping = rate(expressions, named["damping"], FISHER_DAMPING, or_zero=True)
        if expressions.value(damping) == 0:
            damping = None  # none is the same, and may be singular
    options: Options = {"kind": kind, "damping": damping, "output": output}
    if "data" in named:
        options["points"] = _points(definitions, named["data"])
    return options


def _points(definitions: Definitions, data: tree.Expression) -> int | None:
    """k of `points(k)`; None for `gaussian`."""
    usage = Usage("GEO0401", "metric fisher(blocks, data = points(8))")
    if isinstance(data, tree.Name) and data.text == "gaussian":
        return None
    if not (isinstance(data, tree.Call) and data.function.text == "points"):
        raise usage.wrong(data.span, "The data of a Fisher metric are `gaussian` or `points(k)`.")
    argument = data.arguments[0] if len(data.arguments) == 1 else None
    if argument is None or isinstance(argument, tree.Keyword | tree.Function | tree.Text):
        raise usage.wrong(data.span, "`points` takes their number.")
    count = definitions.expressions.exact(argument, "The number of points")
    if count.denominator != 1 or not 1 <= count <= _MOST_POINTS:
        message = (
            f"The number of points is an integer from 1 to {_MOST_POINTS}, and this is {count}."
        )
        raise usage.wrong(argument.span, message)
    return count.numerator


def verify_data(block: MetricBlock, network: bool) -> None:
    """Raise where a metric has data, and the model has none."""
    if "points" in block.options and not network:
        message = "A map has no data: `data` is for the Fisher metric of a network."
        raise DiagnosticError(
            Diagnostic("GEO0401", message, block.span, hints=("leave `data = …` out",))
        )


def verify_outputs(block: MetricBlock, maps: tuple[Expr, ...]) -> None:
    """Raise where the maps have no such distribution."""
    if block.options.get("output") == "categorical":
        verify_classes(maps, "A categorical output", block.span, "GEO0401")


def riemannian(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    """The options of `riemannian(…)`."""
    usage = Usage("GEO0401", "metric riemannian(eye(3)) on u")
    (argument,) = arguments(option, 1, usage)
    node = expression(argument, "The matrix of a metric", usage)
    expressions = definitions.expressions
    matrix = expressions.array(node)
    size = sum(prod(parameter.shape) for parameter in parameters)
    if matrix.shape != (size, size):
        names = ", ".join(f"`{parameter.name}`" for parameter in parameters[:4])
        names += " …" if len(parameters) > 4 else ""
        message = f"The metric of {names} is a {size}×{size} matrix, "
        message += f"one row for each of {size} entries, and this is {words(matrix.shape)}."
        raise DiagnosticError(Diagnostic("GEO0301", message, node.span, f"not {size}×{size}"))
    verify_place(expressions, matrix, MATRIX, node.span)
    known = expressions.entries(matrix)
    wrong = _no_metric(known, size) if known is not None else ""
    if wrong:
        message = "The matrix of a metric is symmetric and positive definite, and this one is not."
        raise DiagnosticError(
            Diagnostic("GEO0401", message, node.span, "no metric", notes=(wrong,))
        )
    return {"matrix": matrix}


def _no_metric(entries: Entries, size: int) -> str:
    """An entry that differs from the one across the diagonal, or a minor of size 1 or 2 on it that is not positive."""

    def m(i: int, j: int) -> Fraction:
        return entries[i * size + j]

    for i in range(size):
        if m(i, i) <= 0:
            return f"M[{i},{i}] = {m(i, i)} is not positive"
        for j in range(i):
            if m(i, j) != m(j, i):
                return f"M[{j},{i}] = {m(j, i)} but M[{i},{j}] = {m(i, j)}"
            minor = m(i, i) * m(j, j) - m(i, j) ** 2
            if minor <= 0:
                return f"M[{j},{j}]*M[{i},{i}] - M[{j},{i}]**2 = {minor} is not positive"
    return ""
