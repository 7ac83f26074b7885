"""Whether an expression has a real value somewhere.

The derivative of √(−1)·h or log(−1 − h²) is conserved as a formula, but there is no such function; nor is there one
that divides by log(x²) − 2·log(x). Points are random floats: where none gives a finite value, which balls confirm,
nothing is proved.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.balls import Balls
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.precision import working_precision
from geoflow.exact.program import Program, UnsupportedPrimitive, trace
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.tree import Apply, Expr, walk
from geoflow.flow import Flow
from geoflow.laws.tokens import environment
from geoflow.lie.bracket import exact_constants, example_point
from geoflow.parametrization import Block

_POINTS = 256
_CONFIRMED = 8
_BITS = 160


def defined_somewhere(
    flow: Flow, expression: Expr, named: Mapping[str, Fraction | None], seed: int
) -> bool:
    """Whether every entry is finite at one of many random points of the flow's domain."""
    if not any(map(_partial, walk(expression))):
        return True
    rng = np.random.default_rng([seed, 0x646F6D])
    exact = {**flow.constants, **named, **rationals([expression])}
    constants = {
        n: np.full(_POINTS, float(v)) if v is not None else np.exp(rng.normal(size=_POINTS))
        for n, v in exact.items()
    }
    point = {b.name: _values(b, rng) for b in flow.state}

    def value(c: dict, z: dict) -> jax.Array:
        return jnp.all(jnp.isfinite(evaluate((expression,), environment(c, z))[0]))

    with jax.enable_x64(True):
        finite = np.flatnonzero(jax.vmap(value)(constants, point))
    program = trace(
        lambda c, z: evaluate((expression,), environment(c, z))[0],
        {n: jax.ShapeDtypeStruct((), jnp.float64) for n in exact},
        example_point(flow),
    )
    return any(_certainly(program, exact, constants, point, int(k)) for k in finite[:_CONFIRMED])


def _certainly(
    program: Program,
    exact: Mapping[str, Fraction | None],
    constants: Mapping[str, np.ndarray],
    point: Mapping[str, np.ndarray],
    k: int,
) -> bool:
    """Whether balls have a value at point k: no denominator may be 0, and no radicand or logarithm's argument."""
    ring = Balls()
    try:
        with working_precision(_BITS):
            symbolic = {
                n: ring.literal(constants[n][None, [k]]) for n, v in exact.items() if v is None
            }
            place = {n: ring.literal(v[None, [k]]) for n, v in point.items()}
            own = exact_constants(ring, exact, symbolic)
            run(program, ring, jax.tree.leaves((own, place)))
    except (UnluckyPoint, UnsupportedPrimitive):
        return False
    return True


def _partial(node: Expr) -> bool:
    """A function that real numbers may not have."""
    if not isinstance(node, Apply):
        return False
    return node.operation in ("log", "sqrt") or (
        node.operation == "pow" and node.option("exponent").denominator != 1
    )


def _values(block: Block, rng: np.random.Generator) -> np.ndarray:
    """Random coordinates; a third of the points have positive ones only."""
    drawn = rng.normal(size=(_POINTS, *block.shape))
    size = np.exp(drawn)
    if block.positive or block.kind == "time":
        return size
    return np.concatenate([size[: _POINTS // 3], drawn[_POINTS // 3 :]])
