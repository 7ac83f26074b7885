"""Sign descent and its powers: θᵢ' = sgn(gᵢ)·|gᵢ|^s with g = −∇(f∘φ).

For an odd s the field is gᵢ^s, a polynomial in the cotangent, polarized to a product of s factors. For any other s
the sign of gᵢ does not cancel; with a scalar φ, g = a·∇φ and the field is sgn(∂ᵢφ)·|∂ᵢφ|^s up to a factor, a locally
constant sign times a power. The signs are those at one seeded point with positive coordinates, and verdicts are for the
open set where they are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from geoflow.dynamics.base import Dynamics, Tangent
from geoflow.expr.tree import Shape
from geoflow.parametrization import Arrays, Block, Cotangent, Parametrization


@dataclass(frozen=True)
class SignDescent(Dynamics):
    """s = 0: sign descent; s = 1: gradient flow."""

    power: int = 0

    @property
    def text(self) -> str:
        return f"sign({self.power})"

    @property
    def polynomial(self) -> bool:
        """Whether the field is a polynomial in the cotangent."""
        return self.power % 2 == 1

    def state(self, p: Parametrization) -> tuple[Block, ...]:
        if self.polynomial:
            return p.parameters
        return tuple(replace(b, positive=True) for b in p.parameters)

    def control_shapes(self, p: Parametrization) -> tuple[Shape, ...]:
        if not self.polynomial and p.outputs != ((),):
            raise ValueError(f"{self.text} is supported for one scalar output only")
        free = p.loss.free(p.outputs)
        return free * self.power if self.polynomial else free

    def controls(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> Tangent:
        theta, count = p.theta(z), len(p.loss.free(p.outputs))
        if not self.polynomial:
            unit = tuple(jnp.ones(s) for s in p.outputs)
            slope = p.gradient(c, theta, unit)
            (scale,) = p.loss.cotangent(p.outputs, b)
            signs = self._signs(p)
            return {
                n: jnp.sum(scale) * signs[n] * lax.integer_pow(g, self.power)
                for n, g in slope.items()
            }
        result = {n: jnp.ones_like(v) for n, v in theta.items()}
        for k in range(self.power):
            part = p.loss.cotangent(p.outputs, b[k * count : (k + 1) * count])
            result = {n: result[n] * g for n, g in p.gradient(c, theta, part).items()}
        return result

    def _signs(self, p: Parametrization) -> dict[str, np.ndarray]:
        """sgn ∂φ at the point that names the open set."""
        rng = np.random.default_rng(0x7369676E)
        with jax.ensure_compile_time_eval():
            constants = {
                n: jnp.asarray(1.0 if v is None else float(v)) for n, v in p.constants.items()
            }
            theta = {b.name: jnp.asarray(rng.uniform(0.5, 2.0, b.shape)) for b in p.parameters}
            unit = tuple(jnp.ones(s) for s in p.outputs)
            slope = p.gradient(constants, theta, unit)
            return {n: np.sign(np.asarray(g)) for n, g in slope.items()}

    @property
    def assumes(self) -> tuple[str, ...]:
        if self.polynomial:
            return ()
        return ("on the open set where the derivatives of φ have the signs of one positive point",)

    def velocity(self, p: Parametrization, c: Arrays, z: Arrays, a: Cotangent) -> Tangent:
        gradient = p.gradient(c, p.theta(z), a)
        return {n: jnp.sign(g) * jnp.abs(g) ** self.power for n, g in gradient.items()}
