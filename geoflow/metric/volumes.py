"""Logarithms of volumes, of which the laws of block and diagonal natural gradients are made."""

from __future__ import annotations

from geoflow.expr.build import function, matmul, power, total, transpose
from geoflow.expr.tree import Apply, Expr, Parameter


def volumes(parameter: Parameter, damping: Expr | None) -> tuple[Expr, ...]:
    """log det of the Gram matrix (damped: plus c·I), and log of the norms of the whole, of rows and of columns."""
    found: list[Expr] = []
    if len(parameter.shape) == 2:
        rows, columns = parameter.shape
        # the larger Gram matrix is singular, or (damped) has the same determinant up to a constant
        tall = rows >= columns
        left, right = (
            (transpose(parameter), parameter) if tall else (parameter, transpose(parameter))
        )
        determinant = Apply("det", (_damped(matmul(left, right), damping),), ())
        found.append(function("log", determinant))
    if parameter.shape:
        axes: list[int | None] = [None, *range(len(parameter.shape))]
        squares = power(parameter, 2)
        found += [function("log", _shifted(total(squares, a), damping)) for a in axes]
    return tuple(found)


def _shifted(norm: Expr, damping: Expr | None) -> Expr:
    return norm if damping is None else Apply("add", (norm, damping), norm.shape)


def _damped(gram: Expr, damping: Expr | None) -> Expr:
    if damping is None:
        return gram
    identity = Apply("eye", (), gram.shape, (("size", gram.shape[0]),))
    return Apply("add", (gram, Apply("mul", (damping, identity), gram.shape)), gram.shape)
