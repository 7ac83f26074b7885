"""Constructors of expressions that compute the shape, for code that writes expressions itself (laws, metrics)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from geoflow.expr.tree import Apply, Expr, Number, Parameter, Velocity, number


def broadcast(*operands: Expr) -> tuple[int, ...]:
    """The shape of an elementwise operation."""
    return np.broadcast_shapes(*(o.shape for o in operands))


def add(a: Expr, b: Expr) -> Expr:
    """a + b."""
    return Apply("add", (a, b), broadcast(a, b))


def subtract(a: Expr, b: Expr) -> Expr:
    """a - b."""
    return Apply("sub", (a, b), broadcast(a, b))


def multiply(a: Expr, b: Expr) -> Expr:
    """a*b, elementwise."""
    return Apply("mul", (a, b), broadcast(a, b))


def divide(a: Expr, b: Expr) -> Expr:
    """a/b, elementwise."""
    return Apply("div", (a, b), broadcast(a, b))


def negative(a: Expr) -> Expr:
    """-a."""
    return Apply("neg", (a,), a.shape)


def power(a: Expr, exponent: int | Fraction) -> Expr:
    """a**exponent; a itself for 1."""
    exponent = Fraction(exponent)
    if exponent == 1:
        return a
    return Apply("pow", (a,), a.shape, (("exponent", exponent),))


def function(name: str, a: Expr) -> Expr:
    """An elementwise function: sqrt, exp, log."""
    return Apply(name, (a,), a.shape)


def transpose(a: Expr) -> Expr:
    """a.T; undoes a transpose."""
    if isinstance(a, Apply) and a.operation == "transpose" and a.option("axes") is None:
        return a.arguments[0]
    return Apply("transpose", (a,), a.shape[::-1]) if len(a.shape) > 1 else a


def matmul(a: Expr, b: Expr) -> Expr:
    """a @ b for vectors and matrices."""
    shape = a.shape[:-1] + b.shape[1:]
    return Apply("matmul", (a, b), shape)


def outer(a: Expr, b: Expr) -> Expr:
    """outer(a, b) of two vectors."""
    return Apply("outer", (a, b), (a.shape[0], b.shape[0]))


def total(a: Expr, axis: int | tuple[int, ...] | None = None) -> Expr:
    """`sum(a, axis=…)`; all entries without an axis."""
    if axis is None:
        return Apply("sum", (a,), ())
    axes = (axis,) if isinstance(axis, int) else axis
    shape = tuple(n for k, n in enumerate(a.shape) if k not in axes)
    return Apply("sum", (a,), shape, (("axis", axis),))


def entry(a: Expr, index: tuple[int, ...]) -> Expr:
    """One entry; `a` itself if it is a scalar."""
    return Apply("index", (a,), (), (("items", index),)) if index else a


def scale(coefficient: Fraction, a: Expr) -> Expr:
    """coefficient · a without a factor of 1, and with a minus sign for −1."""
    if coefficient == 1:
        return a
    if isinstance(a, Number):
        return Number(coefficient * a.value)
    if coefficient == -1:
        return negative(a)
    return multiply(Number(coefficient), a)


def linear_combination(terms: list[tuple[Fraction, Expr]]) -> Expr:
    """Σ cᵢ·termᵢ written with + and −; at least one term, none with coefficient 0."""
    (first, head), *rest = terms
    result = scale(first, head)
    for coefficient, term in rest:
        join = add if coefficient > 0 else subtract
        result = join(result, scale(abs(coefficient), term))
    return result


def zero() -> Expr:
    """The number 0."""
    return number(0)


Leaf = Parameter | Velocity
