"""What every flow provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp

from geoflow.expr.build import add, multiply
from geoflow.expr.evaluate import Environment, evaluate
from geoflow.expr.tree import Expr, Number, number
from geoflow.parametrization import Arrays, Block, Control, Cotangent, Parametrization

Tangent = dict[str, jax.Array]


@dataclass(frozen=True)
class Decay:
    """Weight decay: a rate c by parameter. *coupled*: c‖θ‖²/2 is part of the loss, so its gradient goes through the
    metric (and, for momentum, into θ''); *decoupled*: −cθ is added to θ'."""

    rates: Mapping[str, Expr] = field(default_factory=dict)
    coupled: bool = False

    def covector(self, constants: Arrays, theta: Arrays) -> Tangent:
        """c·θ by parameter; zero where there is no decay."""
        found = {}
        for name, value in theta.items():
            rate = self.rates.get(name)
            if rate is None:
                found[name] = jnp.zeros_like(value)
            else:
                found[name] = evaluate((rate,), Environment(constants))[0] * value
        return found

    @property
    def uniform(self) -> bool:
        """Whether all rates are one expression, or equal numbers."""
        rates = list(self.rates.values())
        values = {r.value if isinstance(r, Number) else id(r) for r in rates}
        return len(values) <= 1

    def sums(self, most: int) -> list[Expr]:
        """Sums of up to `most` different or equal rates, and of one rate times k: the λ of factors exp(λt)."""
        distinct = list({id(r): r for r in self.rates.values()}.values())
        sums: list[Expr] = []
        for i, rate in enumerate(distinct):
            sums += [folded("mul", number(k), rate) for k in range(1, most + 1)]
            sums += [folded("add", rate, other) for other in distinct[i + 1 :]]
        return sums


def folded(operation: str, a: Expr, b: Expr) -> Expr:
    """a + b or a·b, numbers folded."""
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(a.value + b.value if operation == "add" else a.value * b.value)
    if operation == "mul" and isinstance(a, Number) and a.value == 1:
        return b
    return add(a, b) if operation == "add" else multiply(a, b)


class Dynamics(ABC):
    """One kind of flow. `free` controls b are those of the loss class; G is linear in them, or spans what it should."""

    order: int = 1
    has_drift: bool = False
    linear: bool = True  # G_b is linear in b, and is the field of a loss
    local: bool = False  # G_b is the flow's field in an open set only
    decay: Decay | None = None

    def without_decay(self) -> Dynamics:
        """The same flow without weight decay."""
        return self

    @property
    @abstractmethod
    def text(self) -> str:
        """How the verdict line names it: `order 1`, `order 2, damping 1/2`."""

    def expressions(self) -> list[Expr]:
        """The expressions in constants that the flow reads."""
        return []

    def assumptions(self, p: Parametrization) -> tuple[str, ...]:
        """What verdicts on the flow take for granted besides."""
        return ()

    @abstractmethod
    def state(self, p: Parametrization) -> tuple[Block, ...]:
        """The coordinates z in order."""

    def control_blocks(self, p: Parametrization) -> tuple[Control, ...]:
        """The free controls."""
        return p.controls

    @abstractmethod
    def controls(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> Tangent:
        """G_b(z), in exact arithmetic."""

    def drift(self, p: Parametrization, c: Arrays, z: Arrays) -> Tangent:
        """F₀(z)."""
        return {b.name: jnp.zeros(b.shape) for b in self.state(p)}

    @abstractmethod
    def velocity(self, p: Parametrization, c: Arrays, z: Arrays, a: Cotangent) -> Tangent:
        """z' for the cotangent a = −∇f(φ(θ)), in floating point."""

    def inside(self, p: Parametrization, c: Arrays, z: Arrays) -> jax.Array:
        """Whether z is in the open set in which a `local` G_b is the flow's field."""
        return jnp.asarray(True)

    def rates(self, p: Parametrization) -> list[Expr]:
        """Logarithmic derivatives λ(t) of the time factors that laws may have, besides 0."""
        return []


def signed(
    tangent: Mapping[str, jax.Array], other: Mapping[str, jax.Array], factor: float
) -> Tangent:
    """tangent + factor·other, by name."""
    return {n: tangent[n] + factor * other[n] if n in other else tangent[n] for n in tangent}
