"""A metric written out: a symmetric matrix of expressions on the flattened parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import jax
import jax.numpy as jnp

from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Constant, Expr, walk
from geoflow.metric.base import Arrays, Metric, MetricContext
from geoflow.primitives import inv


@dataclass(frozen=True)
class Riemannian(Metric):
    """M(θ) = `matrix` [n, n], on the row-major flattened parameters in order; n is their number."""

    couples = True

    matrix: Expr
    known: Mapping[str, Fraction | None]

    @property
    def text(self) -> str:
        return f"riemannian({print_expr(self.matrix)})"

    def constants(self) -> Mapping[str, Fraction | None]:
        named = {
            n.name: self.known.get(n.name) for n in walk(self.matrix) if isinstance(n, Constant)
        }
        return {**named, **rationals([self.matrix])}

    def steepest(self, context: MetricContext, covector: Arrays) -> Arrays:
        (matrix,) = evaluate((self.matrix,), Environment(context.constants, context.theta))
        flat = jnp.concatenate([jnp.reshape(covector[n], (-1,)) for n in covector])
        moved: jax.Array = inv(matrix) @ flat
        found, start = {}, 0
        for name, g in covector.items():
            size = prod(g.shape)
            found[name] = jnp.reshape(moved[start : start + size], g.shape)
            start += size
        return found
