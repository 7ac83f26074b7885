"""Order 1: θ' = −M(θ)⁻¹ ∇(f∘φ)(θ), with weight decay or without."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp

from geoflow.dynamics.base import Decay, Dynamics, Tangent, folded, signed
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr
from geoflow.parametrization import TIME, Arrays, Block, Cotangent, Inversion, Parametrization


@dataclass(frozen=True)
class Gradient(Dynamics):
    """Gradient flow. Decay makes it a system with drift, with t in the state: (t, θ)' = (1, −cθ) + …"""

    decay: Decay | None = None

    @property
    def has_drift(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.decay is not None

    @property
    def text(self) -> str:
        kind = (
            ""
            if self.decay is None
            else f", {'coupled' if self.decay.coupled else 'decoupled'} decay"
        )
        return f"order 1{kind}"

    def without_decay(self) -> Dynamics:
        return Gradient()

    def expressions(self) -> list[Expr]:
        return [] if self.decay is None else list(self.decay.rates.values())

    def state(self, p: Parametrization) -> tuple[Block, ...]:
        if self.decay is None:
            return p.parameters
        return (Block(TIME, (), "time"), *p.parameters)

    def controls(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> Tangent:
        theta = p.theta(z)
        covector = p.covector(c, theta, b)
        return self._timed(p.direction(c, theta, covector, how="spanning"), 0.0)

    def drift(self, p: Parametrization, c: Arrays, z: Arrays) -> Tangent:
        theta = p.theta(z)
        zero = {n: jnp.zeros_like(v) for n, v in theta.items()}
        return self._timed(self._decayed(p, c, theta, zero, "exact"), 1.0)

    def _timed(self, tangent: Tangent, t: float) -> Tangent:
        return tangent if self.decay is None else {TIME: jnp.full((), t), **tangent}

    def _decayed(
        self, p: Parametrization, c: Arrays, theta: Arrays, tangent: Tangent, how: Inversion
    ) -> Tangent:
        if self.decay is None:
            return tangent
        pull = self.decay.covector(c, theta)
        if self.decay.coupled:
            pull = p.direction(c, theta, pull, how=how)
        return signed(tangent, pull, -1.0)

    def velocity(self, p: Parametrization, c: Arrays, z: Arrays, a: Cotangent) -> Tangent:
        theta = p.theta(z)
        steepest = p.direction(c, theta, p.gradient(c, theta, a))
        return self._timed(self._decayed(p, c, theta, steepest, "steepest"), 1.0)

    def rates(self, p: Parametrization) -> list[Expr]:
        if self.decay is None:
            return []
        rates = self.decay.sums(4)
        if not self.decay.coupled:
            return rates
        scales = {print_expr(s): s for m in p.metrics if (s := m.metric.shrinking) is not None}
        return [folded("mul", s, rate) for s in scales.values() for rate in rates]
