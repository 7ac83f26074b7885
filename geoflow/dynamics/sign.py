"""Sign descent and its powers: θᵢ' = sgn(gᵢ)·|gᵢ|^s with g = −∇(f∘φ).

For an odd s the field is gᵢ^s, a polynomial in the cotangent, polarized to a product of s factors. For any other s
the sign of gᵢ does not cancel; with a scalar φ, g = a·∇φ and the field is sgn(∂ᵢφ)·|∂ᵢφ|^s up to a factor, a locally
constant sign times a power. The signs are those at one seeded point with positive coordinates, and verdicts are for the
open set where they are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import flint
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from geoflow.dynamics.base import Dynamics, Tangent
from geoflow.exact.interpreter import run
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.rationals import Irrational, Rationals
from geoflow.expr.tree import Shape
from geoflow.parametrization import Arrays, Block, Cotangent, Parametrization, shaped


@dataclass(frozen=True)
class SignDescent(Dynamics):
    """s = 0: sign descent; s = 1: gradient flow."""

    power: int = 0

    @property
    def linear(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.power == 1

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
        """sgn ∂φ, exactly, at the rational point that names the open set.

        Raises:
            UnsupportedPrimitive: φ reads symbolic constants or takes square roots.
        """
        if any(v is None for v in p.constants.values()):
            raise UnsupportedPrimitive(f"{self.text} with symbolic constants")
        unit = tuple(np.ones(s) for s in p.outputs)
        program = trace(
            lambda c, theta: p.gradient(c, theta, tuple(map(jnp.asarray, unit))),
            shaped(dict.fromkeys(p.constants, ())),
            shaped({b.name: b.shape for b in p.parameters}),
        )
        ring = Rationals()
        constants = {n: ring.constant(v, (1, 1)) for n, v in p.constants.items() if v is not None}
        theta = {n: ring.literal(v[None, None]) for n, v in _open_point(p).items()}
        try:
            slopes = run(program, ring, jax.tree.leaves((constants, theta)))
        except Irrational:
            raise UnsupportedPrimitive(f"{self.text} with square roots") from None
        signs = [np.vectorize(_sign, otypes=[np.float64])(v[0, 0]) for v in slopes]
        return jax.tree.unflatten(program.out_tree, signs)

    def assumptions(self, p: Parametrization) -> tuple[str, ...]:
        if self.polynomial:
            return ()
        shown = ", ".join(f"{n} = {v.tolist()}" for n, v in _open_point(p).items())
        return (f"on the open set where the derivatives of φ have their signs at {shown}",)

    def velocity(self, p: Parametrization, c: Arrays, z: Arrays, a: Cotangent) -> Tangent:
        gradient = p.gradient(c, p.theta(z), a)
        return {n: jnp.sign(g) * jnp.abs(g) ** self.power for n, g in gradient.items()}


def _open_point(p: Parametrization) -> dict[str, np.ndarray]:
    """A seeded point with positive integer coordinates."""
    rng = np.random.default_rng(0x7369676E)
    return {b.name: rng.integers(1, 100, b.shape) for b in p.parameters}


def _sign(value: flint.fmpq) -> float:
    return float(value > 0) - float(value < 0)
