"""A metric written out: a symmetric matrix of expressions on the flattened parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod

import jax
import jax.numpy as jnp

from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Constant, Expr, Parameter, walk
from geoflow.metric.base import Arrays, Metric, MetricContext, Setting
from geoflow.metric.signature import Domain, samples, verify_sign, verify_symmetric
from geoflow.primitives import inv


@dataclass(frozen=True)
class _Settled:
    setting: Setting
    provisos: tuple[str, ...]


@dataclass(frozen=True)
class Riemannian(Metric):
    """M(θ) = `matrix` [n, n], on the row-major flattened parameters in order; n is their number."""

    couples = True

    matrix: Expr
    known: Mapping[str, Fraction | None]
    found: _Settled | None = field(default=None, repr=False, compare=False)

    def reads_beside(self, own: Sequence[str], rest: Sequence[str]) -> bool:
        return any(isinstance(n, Parameter) and n.name in rest for n in walk(self.matrix))

    @property
    def text(self) -> str:
        return f"riemannian({print_expr(self.matrix)})"

    def constants(self) -> Mapping[str, Fraction | None]:
        named = {
            n.name: self.known.get(n.name) for n in walk(self.matrix) if isinstance(n, Constant)
        }
        return {**named, **rationals([self.matrix])}

    def settled(self, setting: Setting) -> Metric:
        """With what must be assumed for the matrix to be a metric.

        Raises:
            NoMetric: it is not symmetric, or singular or negative at every point tried.
        """
        place = replace(setting, known={})
        if self.found is not None and self.found.setting == place:
            return self
        domain = Domain(setting.own, self.constants(), setting.shapes, setting.positive)
        tried = samples(self._matrix, domain)
        symmetry = verify_symmetric(self._matrix, tried, domain)
        sign = verify_sign(tried, domain)
        return replace(self, found=_Settled(place, tuple(filter(None, (symmetry, sign)))))

    @property
    def provisos(self) -> tuple[str, ...]:
        return self.found.provisos if self.found is not None else ()

    def _matrix(self, constants: Arrays, theta: Arrays) -> jax.Array:
        return evaluate((self.matrix,), Environment(constants, theta))[0]

    def steepest(self, context: MetricContext, covector: Arrays) -> Arrays:
        matrix = self._matrix(context.constants, context.theta)
        flat = jnp.concatenate([jnp.reshape(covector[n], (-1,)) for n in covector])
        moved: jax.Array = inv(matrix) @ flat
        found, start = {}, 0
        for name, g in covector.items():
            size = prod(g.shape)
            found[name] = jnp.reshape(moved[start : start + size], g.shape)
            start += size
        return found
