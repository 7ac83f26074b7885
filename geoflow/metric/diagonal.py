"""Constant metrics: Euclidean, and learning rates (`scaled(c)`: M⁻¹ = c)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from geoflow.expr.build import divide, power
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Apply, Constant, Expr, Number, number, walk
from geoflow.metric.base import Arrays, Metric, MetricContext


@dataclass(frozen=True)
class Euclidean(Metric):
    """M = I."""

    quadratic = True

    @property
    def text(self) -> str:
        return "Euclidean"

    def steepest(self, context: MetricContext, covector: Arrays) -> Arrays:
        return covector

    @property
    def shrinking(self) -> Expr | None:
        return number(1)

    def balanced(self, parameter: Expr) -> tuple[Expr, ...]:
        return power(parameter, 2), parameter


@dataclass(frozen=True)
class Scaled(Metric):
    """M⁻¹ = rate: a learning rate per parameter, per row or per entry. `rate` broadcasts to each parameter: a number, a
    nested list of numbers, or an expression whose constants are `known`. A Python float is read as the dyadic number
    it is; use `fractions.Fraction` for 1/10.

    Raises:
        ValueError: a rate that is not a positive number.
    """

    rate: Expr
    known: Mapping[str, Fraction | None]

    def __init__(self, rate: Any, known: Mapping[str, Fraction | None] | None = None):
        object.__setattr__(self, "rate", rate if isinstance(rate, Expr) else _exact(rate))
        object.__setattr__(self, "known", dict(known or {}))

    @property
    def text(self) -> str:
        return f"scaled({print_expr(self.rate)})"

    @property
    def quadratic(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.rate.shape == ()

    @property
    def shrinking(self) -> Expr | None:
        return self.rate if self.quadratic else None

    def constants(self) -> Mapping[str, Fraction | None]:
        named = {n.name: self.known.get(n.name) for n in walk(self.rate) if isinstance(n, Constant)}
        return {**named, **rationals([self.rate])}

    def steepest(self, context: MetricContext, covector: Arrays) -> Arrays:
        (rate,) = evaluate((self.rate,), Environment(constants=context.constants))
        return {name: rate * g for name, g in covector.items()}

    def balanced(self, parameter: Expr) -> tuple[Expr, ...]:
        square, own = power(parameter, 2), parameter
        if self.quadratic:
            return square, own
        return divide(square, self.rate), divide(own, self.rate)


def _exact(rate: Any) -> Expr:
    """Numbers, or arrays and nested lists of them, as an expression."""
    if isinstance(rate, list | tuple) or getattr(rate, "ndim", 0):
        rows = [_exact(r) for r in rate]
        return Apply("stack", tuple(rows), (len(rows), *rows[0].shape), (("axis", 0),))
    value = Fraction(rate.item() if hasattr(rate, "item") else rate)
    if value <= 0:
        raise ValueError(f"a learning rate must be positive, got {rate!r}")
    return Number(value)
