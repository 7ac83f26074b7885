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
_KINDS = ("full", "blocks", "diagonal")
_OUTPUTS = ("gaussian", "bernoulli", "categorical", "poisson")


def fisher(
    definitions: Definitions, option: tree.Option, parameters: list[ParameterDeclaration]
) -> Options:
    """The options of `fisher(…)`."""
    usage = Usage("GEO0401", "metric fisher(blocks, damping = 1/10)")
    plain, named = split(option, ("damping", "output"), usage)
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
    return {"kind": kind, "damping": damping, "output": output}


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
    if known is not None and not _may_be_positive(known, size):
        message = "The matrix of a metric is symmetric and positive definite, and this one is not."
        raise DiagnosticError(Diagnostic("GEO0401", message, node.span, "no metric"))
    return {"matrix": matrix}


def _may_be_positive(entries: Entries, size: int) -> bool:
    """Whether a matrix is symmetric, and every 2×2 minor on its diagonal positive."""
    rows = [entries[i * size : (i + 1) * size] for i in range(size)]
    zero = Fraction(0)
    return all(rows[i][i] > zero for i in range(size)) and all(
        rows[i][j] == rows[j][i] and rows[i][j] ** 2 < rows[i][i] * rows[j][j]
        for i in range(size)
        for j in range(i)
    )
