"""Order 2: θ'' + τ(t) θ' = −M⁻¹ ∇(f∘φ)(θ), state (t, θ, v).

`accelerated`: mirror metrics are taken at τθ + θ' instead of θ (2405.12888, for non-negative matrix factorization and
input-convex networks). Decay, *coupled*: −M⁻¹cθ in v'; *decoupled*: −cθ in θ'.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from geoflow.dynamics.base import Decay, Dynamics, Tangent, folded, signed
from geoflow.expr.evaluate import Environment, evaluate
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr, Number
from geoflow.parametrization import TIME, Arrays, Block, Cotangent, Inversion, Parametrization


@dataclass(frozen=True)
class Momentum(Dynamics):
    """Heavy ball (τ constant), Nesterov (τ = 3/t), or any damping."""

    damping: Expr
    accelerated: bool = False
    decay: Decay | None = None
    order = 2
    has_drift = True

    @property
    def text(self) -> str:
        parts = [f"order 2, damping {print_expr(self.damping)}"]
        if self.accelerated:
            parts.append("accelerated")
        if self.decay is not None:
            parts.append(f"{'coupled' if self.decay.coupled else 'decoupled'} decay")
        return ", ".join(parts)

    def without_decay(self) -> Dynamics:
        return Momentum(self.damping, self.accelerated)

    def expressions(self) -> list[Expr]:
        return [self.damping, *(self.decay.rates.values() if self.decay is not None else ())]

    def state(self, p: Parametrization) -> tuple[Block, ...]:
        velocities = (Block(f"{b.name}'", b.shape, "velocity") for b in p.parameters)
        return (Block(TIME, (), "time"), *p.parameters, *velocities)

    def _tau(self, c: Arrays, z: Arrays) -> jax.Array:
        return evaluate((self.damping,), Environment(c, time=z[TIME]))[0]

    def _metric_point(self, p: Parametrization, c: Arrays, z: Arrays) -> Tangent | None:
        if not self.accelerated:
            return None
        tau = self._tau(c, z)
        return {b.name: tau * z[b.name] + z[f"{b.name}'"] for b in p.parameters}

    def _force(
        self, p: Parametrization, c: Arrays, z: Arrays, covector: Arrays, how: Inversion
    ) -> Tangent:
        return p.direction(c, p.theta(z), covector, self._metric_point(p, c, z), how)

    def controls(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> Tangent:
        covector = p.covector(c, p.theta(z), b)
        force = self._force(p, c, z, covector, "spanning")
        tangent = {block.name: jnp.zeros(block.shape) for block in self.state(p)}
        return tangent | {f"{n}'": v for n, v in force.items()}

    def drift(self, p: Parametrization, c: Arrays, z: Arrays) -> Tangent:
        return self._drift(p, c, z, "exact")

    def _drift(self, p: Parametrization, c: Arrays, z: Arrays, how: Inversion) -> Tangent:
        theta, tau = p.theta(z), self._tau(c, z)
        position = {b.name: z[f"{b.name}'"] for b in p.parameters}
        velocity = {b.name: -tau * z[f"{b.name}'"] for b in p.parameters}
        if self.decay is not None:
            pull = self.decay.covector(c, theta)
            if self.decay.coupled:
                velocity = signed(velocity, self._force(p, c, z, pull, how), -1.0)
            else:
                position = signed(position, pull, -1.0)
        return {TIME: jnp.ones(()), **position, **{f"{n}'": v for n, v in velocity.items()}}

    def velocity(self, p: Parametrization, c: Arrays, z: Arrays, a: Cotangent) -> Tangent:
        force = self._force(p, c, z, p.gradient(c, p.theta(z), a), "steepest")
        tangent = self._drift(p, c, z, "steepest")
        return tangent | {f"{n}'": tangent[f"{n}'"] + v for n, v in force.items()}

    def rates(self, p: Parametrization) -> list[Expr]:
        zero = isinstance(self.damping, Number) and self.damping.value == 0
        found = [] if zero else [self.damping]
        if self.decay is not None and not self.decay.coupled:
            for rate in self.decay.sums(2):
                found += [rate] if zero else [rate, folded("add", self.damping, rate)]
        return found
