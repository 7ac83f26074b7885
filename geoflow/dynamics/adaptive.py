"""Adaptive optimizers in continuous time, ε = 0 and no bias correction: RMSProp and Adam.

With g = −∇(f∘φ) and w = √v the root of the second moment, state (t, θ, w) or (t, θ, m, w):
RMSProp θ' = g/w, Adam m' = b₁(g − m), θ' = m/w; both w' = b₂(g² − w²)/(2w). The fields are quadratic in the cotangent:
with g linear in it, g² = g(a)·g(a) is polarized to g(a₁)·g(a₂), so that the coefficient fields are spanned.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import jax.numpy as jnp

from geoflow.dynamics.base import Dynamics, Tangent
from geoflow.expr.evaluate import Environment, evaluate
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr
from geoflow.parametrization import TIME, Arrays, Block, Control, Cotangent, Parametrization


def _moment(letter: str, block: Block, positive: bool) -> Block:
    return Block(f"{letter}({block.name})", block.shape, "moment", positive)


class _Adaptive(Dynamics):
    """What RMSProp and Adam share: three groups of controls, (a, a₁, a₂)."""

    has_drift = True
    b2: Expr

    linear = False

    def assumptions(self, p: Parametrization) -> tuple[str, ...]:
        return ("with ε = 0 and no bias correction",)

    def control_blocks(self, p: Parametrization) -> tuple[Control, ...]:
        return p.repeated_controls(3)

    def _gradients(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> list[Tangent]:
        """The gradients of the three groups."""
        return [p.covector(c, p.theta(z), g) for g in p.gradients_apart(b, 3)]

    def _second(self, p: Parametrization, c: Arrays, z: Arrays, product: Tangent) -> Tangent:
        """w' from g²: b₂·g²/(2w)."""
        (rate,) = evaluate((self.b2,), Environment(c))
        return {f"w({n})": rate * product[n] / (2.0 * z[f"w({n})"]) for n in product}

    def _second_decay(self, p: Parametrization, c: Arrays, z: Arrays) -> Tangent:
        (rate,) = evaluate((self.b2,), Environment(c))
        return {f"w({b.name})": -rate * z[f"w({b.name})"] / 2.0 for b in p.parameters}

    def _zero(self, p: Parametrization) -> Tangent:
        return {b.name: jnp.zeros(b.shape) for b in self.state(p)}

    def velocity(self, p: Parametrization, c: Arrays, z: Arrays, a: Cotangent) -> Tangent:
        gradient = p.gradient(c, p.theta(z), a)
        moved = self._moved(p, c, z, gradient)
        moved |= self._second(p, c, z, {n: g * g for n, g in gradient.items()})
        tangent = self.drift(p, c, z)
        return {n: tangent[n] + moved[n] if n in moved else tangent[n] for n in tangent}

    def controls(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> Tangent:
        linear, left, right = self._gradients(p, c, z, b)
        product = {n: left[n] * right[n] for n in left}
        return self._zero(p) | self._moved(p, c, z, linear) | self._second(p, c, z, product)

    @abstractmethod
    def _moved(self, p: Parametrization, c: Arrays, z: Arrays, gradient: Tangent) -> Tangent:
        """The part that is linear in the gradient."""


@dataclass(frozen=True)
class RMSProp(_Adaptive):
    """θ' = g/w."""

    b2: Expr

    @property
    def text(self) -> str:
        return f"RMSProp(b2 = {print_expr(self.b2)})"

    def expressions(self) -> list[Expr]:
        return [self.b2]

    def state(self, p: Parametrization) -> tuple[Block, ...]:
        return (
            Block(TIME, (), "time"),
            *p.parameters,
            *(_moment("w", b, True) for b in p.parameters),
        )

    def rates(self, p: Parametrization) -> list[Expr]:
        return [self.b2]

    def _moved(self, p: Parametrization, c: Arrays, z: Arrays, gradient: Tangent) -> Tangent:
        return {n: g / z[f"w({n})"] for n, g in gradient.items()}

    def drift(self, p: Parametrization, c: Arrays, z: Arrays) -> Tangent:
        return self._zero(p) | {TIME: jnp.ones(())} | self._second_decay(p, c, z)


@dataclass(frozen=True)
class Adam(_Adaptive):
    """m' = b₁(g − m), θ' = m/w."""

    b1: Expr
    b2: Expr

    @property
    def text(self) -> str:
        return f"Adam(b1 = {print_expr(self.b1)}, b2 = {print_expr(self.b2)})"

    def expressions(self) -> list[Expr]:
        return [self.b1, self.b2]

    def state(self, p: Parametrization) -> tuple[Block, ...]:
        first = (_moment("m", b, False) for b in p.parameters)
        second = (_moment("w", b, True) for b in p.parameters)
        return (Block(TIME, (), "time"), *p.parameters, *first, *second)

    def rates(self, p: Parametrization) -> list[Expr]:
        return [self.b1, self.b2]

    def _moved(self, p: Parametrization, c: Arrays, z: Arrays, gradient: Tangent) -> Tangent:
        (rate,) = evaluate((self.b1,), Environment(c))
        return {f"m({n})": rate * g for n, g in gradient.items()}

    def drift(self, p: Parametrization, c: Arrays, z: Arrays) -> Tangent:
        (rate,) = evaluate((self.b1,), Environment(c))
        first = {f"m({b.name})": -rate * z[f"m({b.name})"] for b in p.parameters}
        position = {b.name: z[f"m({b.name})"] / z[f"w({b.name})"] for b in p.parameters}
        return self._zero(p) | {TIME: jnp.ones(())} | position | first | self._second_decay(p, c, z)
