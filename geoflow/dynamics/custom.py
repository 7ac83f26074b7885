"""A control-affine system written out, for geometry beyond training: z' = f(z, a), affine in the controls a."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import jax.numpy as jnp

from geoflow.dynamics.base import Dynamics, Tangent
from geoflow.expr.evaluate import Environment, evaluate
from geoflow.expr.tree import Expr, Shape, Time, walk
from geoflow.parametrization import TIME, Arrays, Block, Control, Cotangent, Parametrization


@dataclass(frozen=True)
class Custom(Dynamics):
    """`fields` by state array; `inputs` are the controls' names and shapes, which occur in fields as parameters."""

    fields: Mapping[str, Expr] = field(default_factory=dict)
    inputs: tuple[tuple[str, Shape], ...] = ()
    has_drift = True

    @property
    def text(self) -> str:
        controls = (
            ", ".join(f"{name}{list(shape) or ''}" for name, shape in self.inputs) or "no controls"
        )
        return f"fields written out, {controls}"

    def expressions(self) -> list[Expr]:
        return list(self.fields.values())

    @property
    def timed(self) -> bool:
        """Whether a field depends on t."""
        return any(isinstance(n, Time) for n in walk(*self.fields.values()))

    def state(self, p: Parametrization) -> tuple[Block, ...]:
        return (Block(TIME, (), "time"), *p.parameters) if self.timed else p.parameters

    def control_blocks(self, p: Parametrization) -> tuple[Control, ...]:
        return tuple(Control(shape) for _, shape in self.inputs)

    def _value(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> Tangent:
        controls = {name: value for (name, _), value in zip(self.inputs, b, strict=True)}
        env = Environment(c, {**z, **controls}, time=z.get(TIME))
        names = [block.name for block in p.parameters]
        values = evaluate(tuple(self.fields[n] for n in names), env)
        return dict(zip(names, values, strict=True))

    def _still(self) -> Cotangent:
        return tuple(jnp.zeros(shape) for _, shape in self.inputs)

    def controls(self, p: Parametrization, c: Arrays, z: Arrays, b: Cotangent) -> Tangent:
        moved, still = self._value(p, c, z, b), self._value(p, c, z, self._still())
        tangent = {n: moved[n] - still[n] for n in moved}
        return {TIME: jnp.zeros(()), **tangent} if self.timed else tangent

    def drift(self, p: Parametrization, c: Arrays, z: Arrays) -> Tangent:
        tangent = self._value(p, c, z, self._still())
        return {TIME: jnp.ones(()), **tangent} if self.timed else tangent

    def velocity(self, p: Parametrization, c: Arrays, z: Arrays, a: Cotangent) -> Tangent:
        tangent = self._value(p, c, z, a)
        return {TIME: jnp.ones(()), **tangent} if self.timed else tangent
