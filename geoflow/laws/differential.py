"""The differential of expressions along a direction, exactly: dh(z)·X for every entry of every h.

A law h of a flow satisfies dh(z)·(c F₀ + G_a)(z) = 0 identically in z, a, c. The derivative of a logarithm is rational,
so most laws with logarithms never need one evaluated; what does need a value becomes a token (`laws.tokens`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.dual import Arithmetic
from geoflow.exact.interpreter import run
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import Program, trace
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.tree import Expr
from geoflow.flow import Flow
from geoflow.laws.tokens import Tokens, environment, exponential_tokens, with_logarithms
from geoflow.lie.bracket import Field, exact_constants, example_point
from geoflow.lie.point import ModularPoint


@dataclass(frozen=True)
class Differential:
    """The program of dh·X. `constants` are those it reads, the flow's included."""

    flow: Flow
    expressions: tuple[Expr, ...]
    constants: Mapping[str, Fraction | None]
    tokens: Tokens
    program: Program

    @property
    def decides(self) -> bool:
        """Whether a nonzero value refutes an identity."""
        return self.tokens.decide

    def __call__(
        self,
        ring: Arithmetic,
        constants: Field,
        point: Field,
        tokens: Sequence[np.ndarray],
        direction: Field,
    ) -> list[np.ndarray]:
        """dh·direction, one array [nilpotent, batch, *shape] per expression."""
        leaves = jax.tree.leaves((dict(constants), dict(point), tuple(tokens), dict(direction)))
        return run(self.program, ring, leaves)


def random_tokens(
    differential: Differential, field: PrimeField, rng: np.random.Generator
) -> list[np.ndarray]:
    """A random value for every token."""
    return [rng.integers(1, field.p, (1, 1, *s)) for s in differential.tokens.shapes]


def differentiate(
    flow: Flow, expressions: Sequence[Expr], named: Mapping[str, Fraction | None] | None = None
) -> Differential:
    """Trace the differential of expressions in a flow's parameters, velocities, t and constants; `named` are constants
    that only the expressions name.

    Raises:
        UnsupportedExponential: an exponential that is no token.
    """
    roots = tuple(expressions)
    constants = {**flow.constants, **(named or {}), **rationals(roots)}
    tokens = exponential_tokens(flow, roots, constants)
    constants |= rationals(tokens.exponents)
    program = _trace(flow, roots, constants, tokens)
    if any(i.primitive == "log" for i in program.instructions):
        tokens = with_logarithms(tokens, roots)
        program = _trace(flow, roots, constants, tokens)
    return Differential(flow, roots, constants, tokens, program)


def _trace(
    flow: Flow, roots: tuple[Expr, ...], constants: Mapping[str, Any], tokens: Tokens
) -> Program:
    def differential(c: Any, point: Any, values: Any, direction: Any) -> Any:
        def inner(z: Any) -> tuple[jax.Array, ...]:
            return evaluate((*tokens.exponents, *tokens.arguments), environment(c, z))

        def law(z: Any, t: Any) -> tuple[jax.Array, ...]:
            return evaluate(roots, environment(c, z, tokens.replaced(t)))

        moved = tokens.tangents(values, *jax.jvp(inner, (point,), (direction,)))
        return jax.jvp(law, (point, tuple(values)), (direction, moved))[1]

    def array(shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, jnp.float64)

    point = example_point(flow)
    values = tuple(map(array, tokens.shapes))
    return trace(differential, {n: array(()) for n in constants}, point, values, point)


def modular_inputs(
    differential: Differential, place: ModularPoint, rng: np.random.Generator
) -> tuple[Field, list[np.ndarray]]:
    """Constants (the flow's at the point, the law's own) and random tokens over the point's field."""
    field, known = place.field, place.constants
    symbolic = {
        n: rng.integers(1, field.p, (1, 1)) for n, v in differential.constants.items() if v is None
    }
    constants = exact_constants(field, differential.constants, symbolic) | known
    return constants, random_tokens(differential, field, rng)
