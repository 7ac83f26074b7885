"""Sign descent and its powers: θᵢ' = sgn(gᵢ)·|gᵢ|^s with g = −∇(f∘φ).

For an odd s the field is gᵢ^s, a polynomial in the cotangent, polarized to a product of s factors. For any other s
the sign of gᵢ does not cancel; with a scalar φ, g = a·∇φ and the field is sgn(∂ᵢφ)·|∂ᵢφ|^s up to a factor, a locally
constant sign times a power. The signs are those at one seeded point with positive coordinates, and verdicts are for the
open set where they are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import flint
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from geoflow.dynamics.base import Dynamics, Tangent
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.objects import ObjectArithmetic
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import Program, UnsupportedPrimitive, trace
from geoflow.exact.rationals import Rationals
from geoflow.parametrization import Arrays, Block, Control, Cotangent, Parametrization, shaped

_TRIES = 50


@dataclass(frozen=True)
class SignDescent(Dynamics):
    """s = 0: sign descent; s = 1: gradient flow."""

    power: int = 0

    @property
    def linear(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.power == 1

    @property
    def local(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return not self.polynomial

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

    def control_blocks(self, p: Parametrization) -> tuple[Control, ...]:
        if not self.polynomial and p.data:
            raise ValueError(f"{self.text} with data, or with parameters as data, is not supported")
        if not self.polynomial and p.outputs != ((),):
            raise ValueError(f"{self.text} is supported for one scalar output only")
        return p.repeated_controls(self.power) if self.polynomial else p.controls

    def controls(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> Tangent:
        theta = p.theta(z)
        if not self.polynomial:
            unit = tuple(jnp.ones(s) for s in p.outputs)
            slope = p.gradient(c, theta, unit)
            (scale,) = p.loss.cotangent(p.outputs, b)
            _, signs = self._signs(p)
            return {
                n: jnp.sum(scale) * signs[n] * lax.integer_pow(g, self.power)
                for n, g in slope.items()
            }
        result = {n: jnp.ones_like(v) for n, v in theta.items()}
        for group in p.gradients_apart(b, self.power):
            part = p.covector(c, theta, group)
            result = {n: result[n] * g for n, g in part.items()}
        return result

    def _signs(self, p: Parametrization) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """A rational point that names the open set, and sgn ∂φ there, exactly. An entry is 0 only where the derivative
        is the zero function: a point at which another one vanishes is not in the interior of an open set.

        Raises:
            UnsupportedPrimitive: φ reads symbolic constants or takes square roots.
            UnluckyPoint: no point was found.
        """
        if any(v is None for v in p.constants.values()):
            raise UnsupportedPrimitive(f"{self.text} with symbolic constants")
        if any(i.primitive in ("sqrt", "rsqrt", "pow") for i in self._slope(p).instructions):
            raise UnsupportedPrimitive(f"{self.text} with square roots")
        program = self._slope(p)
        ring, variables = Polynomials.in_shapes([b.shape for b in p.parameters])
        symbols = dict(zip((b.name for b in p.parameters), variables, strict=True))
        whole = run(program, ring, _leaves(ring, p, symbols))
        vanishes = [_each(ring.is_zero, v) for v in whole]
        rng = np.random.default_rng(0x7369676E)
        for _ in range(_TRIES):
            point = {b.name: rng.integers(1, 100, b.shape) for b in p.parameters}
            exact = Rationals()
            place = {n: exact.literal(v[None, None]) for n, v in point.items()}
            slopes = run(program, exact, _leaves(exact, p, place))
            signs = [_each(_sign, v) for v in slopes]
            if all(np.array_equal(s == 0, z) for s, z in zip(signs, vanishes, strict=True)):
                return point, jax.tree.unflatten(program.out_tree, signs)
        raise UnluckyPoint

    @staticmethod
    def _slope(p: Parametrization) -> Program:
        """The program of ∂φ for a scalar φ."""
        unit = tuple(np.ones(s) for s in p.outputs)
        return trace(
            lambda c, theta: p.gradient(c, theta, tuple(map(jnp.asarray, unit))),
            shaped(dict.fromkeys(p.constants, ())),
            shaped({b.name: b.shape for b in p.parameters}),
        )

    def assumptions(self, p: Parametrization) -> tuple[str, ...]:
        if self.polynomial:
            return ()
        shown = ", ".join(f"{n} = {v.tolist()}" for n, v in self._signs(p)[0].items())
        return (f"on the open set where the derivatives of φ have their signs at {shown}",)

    def inside(self, p: Parametrization, c: Arrays, z: Arrays) -> jax.Array:
        slope = p.gradient(c, p.theta(z), tuple(jnp.ones(s) for s in p.outputs))
        _, signs = self._signs(p)
        same = [(signs[n] == 0) | (jnp.sign(g) == signs[n]) for n, g in slope.items()]
        return jnp.all(jnp.concatenate([jnp.ravel(s) for s in same]))

    def velocity(self, p: Parametrization, c: Arrays, z: Arrays, a: Cotangent) -> Tangent:
        gradient = p.gradient(c, p.theta(z), a)
        if not self.polynomial:  # what is 0 has no sign, even where rounding gives it one
            _, signs = self._signs(p)
            gradient = {n: g * jnp.abs(signs[n]) for n, g in gradient.items()}
        return {n: jnp.sign(g) * jnp.abs(g) ** self.power for n, g in gradient.items()}


def _leaves(
    ring: ObjectArithmetic, p: Parametrization, theta: dict[str, np.ndarray]
) -> list[np.ndarray]:
    constants = {n: ring.constant(v, (1, 1)) for n, v in p.constants.items() if v is not None}
    return jax.tree.leaves((constants, theta))


def _sign(value: flint.fmpq) -> float:
    return float(value > 0) - float(value < 0)


def _each(function: Callable[[Any], float], values: np.ndarray) -> np.ndarray:
    """A function of every entry of values [1, 1, *shape]."""
    found = [float(function(x)) for x in values.flat]
    return np.array(found).reshape(values.shape[2:])
