"""An upper bound of the number of independent laws among the entries of expressions.

Functionally independent functions are linearly independent beside the constants, so the dimension of the linear span
of the entries, modulo constants, bounds their number. For polynomial entries it is an exact rank over Q.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod

import flint
import jax
import jax.numpy as jnp

from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.quotient import Quotient, TooLarge
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.tree import Expr
from geoflow.flow import Flow
from geoflow.laws.tokens import UnsupportedExponential, environment, exponential_tokens
from geoflow.lie.bracket import exact_constants, example_point


def span_dimension(
    flow: Flow, expressions: Sequence[Expr], named: Mapping[str, Fraction | None]
) -> int:
    """Dimension of the span of all entries over Q modulo constants; the number of entries where they are no
    polynomials in the state, the symbolic constants and exponentials. `named` are constants beside the flow's."""
    roots = tuple(expressions)
    try:
        return _dimension(flow, roots, named) if roots else 0
    except (TooLarge, UnluckyPoint, UnsupportedPrimitive, UnsupportedExponential):
        return sum(prod(e.shape) for e in roots)


def _dimension(flow: Flow, roots: tuple[Expr, ...], named: Mapping[str, Fraction | None]) -> int:
    constants = {**flow.constants, **named, **rationals(roots)}
    tokens = exponential_tokens(flow, roots, constants)
    array = [jax.ShapeDtypeStruct((), jnp.float64) for _ in tokens.exponents]
    program = trace(
        lambda c, z, e: evaluate(roots, environment(c, z, tokens.replaced(e))),
        {n: jax.ShapeDtypeStruct((), jnp.float64) for n in constants},
        example_point(flow),
        tuple(array),
    )
    unknown = [n for n, v in constants.items() if v is None]
    shapes = [*[() for _ in unknown], *[b.shape for b in flow.state], *[() for _ in array]]
    ring, variables = Polynomials.in_shapes(shapes)
    arrays = iter(variables)
    symbolic = {n: next(arrays) for n in unknown}
    point = {b.name: next(arrays) for b in flow.state}
    values = tuple(next(arrays) for _ in array)
    exact = exact_constants(ring, constants, symbolic)
    entries = [
        x for v in run(program, ring, jax.tree.leaves((exact, point, values))) for x in v.flat
    ]
    if any(isinstance(x, Quotient) for x in entries):
        return len(entries)
    terms = [{m: c for m, c in x.to_dict().items() if any(m)} for x in entries]
    monomials = sorted({m for t in terms for m in t})
    if not monomials:
        return 0
    zero = flint.fmpq(0)
    return flint.fmpq_mat([[t.get(m, zero) for m in monomials] for t in terms]).rank()
