"""Why a law survives steps of every size: an identity, where there is one.

- A law of degree 1 is 0 at every gradient, and a step of SGD or momentum adds a combination of gradients.
- For SGD: h(θ + ηG_a(θ)) = h(θ), expanded over Q with θ, a and η as variables.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.discretized import Optimizer
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.quotient import Quotient, TooLarge
from geoflow.expr.degrees import degrees
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.tree import Apply, walk
from geoflow.flow import Flow
from geoflow.laws.law import Law
from geoflow.laws.tokens import environment
from geoflow.metric import Euclidean
from geoflow.parametrization import shaped

MOST_VARIABLES = 60


def why(flow: Flow, law: Law, optimizer: Optimizer) -> str:
    """The reason, as a sentence; empty where none is known."""
    if law.status != "proved" or optimizer == "adam":
        return ""
    flat = all(isinstance(m.metric, Euclidean) for m in flow.parametrization.metrics)
    if flat and degrees(law.expression) == {1}:
        return "linear, and 0 at every gradient"
    if optimizer == "sgd" and stepped_identity(flow, law):
        return "h(θ + ηG_a(θ)) = h(θ) for all θ, a and η, expanded over Q"
    return ""


def stepped_identity(flow: Flow, law: Law) -> bool:
    """Whether a law is the same after a step of any size, identically. False also where that is not decided."""
    size = sum(b.size for b in flow.parameters) + flow.cotangent_size
    constants = {**flow.constants, **rationals([law.expression])}
    if size > MOST_VARIABLES or flow.parametrization.data or None in constants.values():
        return False
    if any(isinstance(n, Apply) and n.operation in ("exp", "log") for n in walk(law.expression)):
        return False
    shapes = {b.name: b.shape for b in flow.parameters}

    def change(c: dict, z: dict, controls: tuple, step: jax.Array) -> jax.Array:
        moved = flow.controls({n: c[n] for n in flow.constants}, z, controls)
        after = {n: z[n] + step * moved[n] for n in z}
        before, later = (
            evaluate((law.expression,), environment(c, point))[0] for point in (z, after)
        )
        return later - before

    examples = (
        shaped(dict.fromkeys(constants, ())),
        shaped(shapes),
        tuple(jax.ShapeDtypeStruct(s, jnp.float64) for s in flow.cotangents),
        jax.ShapeDtypeStruct((), jnp.float64),
    )
    try:
        program = trace(change, *examples)
        sizes = [shapes[n] for n in sorted(shapes)]
        ring, variables = Polynomials.in_shapes([*sizes, *flow.cotangents, ()])
        given = {n: ring.constant(v, (1, 1)) for n, v in constants.items() if v is not None}
        outputs = run(program, ring, [*(given[n] for n in sorted(given)), *variables])
    except (UnsupportedPrimitive, UnluckyPoint, TooLarge):
        return False
    entries = [x for o in outputs for x in np.asarray(o, dtype=object).ravel()]
    return all(_is_zero(x) for x in entries)


def _is_zero(value: object) -> bool:
    numerator = value.numerator if isinstance(value, Quotient) else value
    return numerator == 0
