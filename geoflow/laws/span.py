"""An upper bound of the number of independent laws among the entries of expressions.

Functionally independent functions are linearly independent beside the constants, so the dimension of the linear span
of the entries, modulo constants, bounds their number. For polynomial entries it is an exact rank over Q. Where it is
too large the rank of their Jacobian over the rational functions is found by fraction-free elimination (Bareiss 1968),
if that is small enough. Exponentials count as coordinates, which can only raise it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import flint
import jax
import jax.numpy as jnp

from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.quotient import Effort, Polynomial, Quotient, TooLarge
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.tree import Expr
from geoflow.flow import Flow
from geoflow.laws.tokens import UnsupportedExponential, environment, exponential_tokens
from geoflow.lie.bracket import exact_constants, example_point

_MOST_TERMS, _MOST_PRODUCTS = 10**4, 3 * 10**6


def most_independent(
    flow: Flow, expressions: Sequence[Expr], named: Mapping[str, Fraction | None], enough: int = 0
) -> int:
    """A proved upper bound of the number of functionally independent entries: the dimension of their span over Q
    modulo constants, or if that is above `enough` the rank of their Jacobian; the number of entries where neither can
    be found. `named` are constants beside the flow's."""
    roots = tuple(expressions)
    best = sum(prod(e.shape) for e in roots)
    try:
        entries, first = _entries(flow, roots, named) if roots else ([], 0)
        best = min(best, _span(entries))
        if best > enough:
            best = min(best, _jacobian_rank(entries, first))
    except (TooLarge, UnluckyPoint, UnsupportedPrimitive, UnsupportedExponential):
        pass
    return best


def _entries(
    flow: Flow, roots: tuple[Expr, ...], named: Mapping[str, Fraction | None]
) -> tuple[list[Any], int]:
    """All entries over polynomials, and the position of the first coordinate among the variables."""
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
    outputs = run(program, ring, jax.tree.leaves((exact, point, values)))
    return [x for v in outputs for x in v.flat], len(unknown)


def _span(entries: Sequence[Any]) -> int:
    if any(isinstance(x, Quotient) for x in entries):
        return len(entries)
    terms = [{m: c for m, c in x.to_dict().items() if any(m)} for x in entries]
    monomials = sorted({m for t in terms for m in t})
    if not monomials:
        return 0
    zero = flint.fmpq(0)
    return flint.fmpq_mat([[t.get(m, zero) for m in monomials] for t in terms]).rank()


def _jacobian_rank(entries: Sequence[Any], first: int) -> int:
    """The rank of the Jacobian with respect to all variables from the position `first` on."""
    effort = Effort(_MOST_TERMS, _MOST_PRODUCTS)
    rows = [_gradient(x, first, effort) for x in entries]
    rank, previous = 0, None
    while rows := [row for row in rows if any(row)]:
        _, r, c = min((len(x), r, c) for r, row in enumerate(rows) for c, x in enumerate(row) if x)
        pivot = rows.pop(r)
        rows = [_eliminated(row, pivot, c, previous, effort) for row in rows]
        previous = pivot[c]
        rank += 1
    return rank


def _eliminated(
    row: list[Polynomial], pivot: list[Polynomial], c: int, previous: Any, effort: Effort
) -> list[Polynomial]:
    """The row without column c; the division by the previous pivot is exact."""
    found = [
        effort.product(pivot[c], x) - effort.product(row[c], y)
        for x, y in zip(row, pivot, strict=True)
    ]
    for x in found:
        effort.check(len(x))
    return found if previous is None else [x / previous for x in found]


def _gradient(entry: Any, first: int, effort: Effort) -> list[Polynomial]:
    """The gradient of an entry, times the square of its denominator."""
    if not isinstance(entry, Quotient):
        return [entry.derivative(k) for k in range(first, entry.context().nvars())]
    n, d = entry.numerator, entry.denominator
    return [
        effort.product(d, n.derivative(k)) - effort.product(n, d.derivative(k))
        for k in range(first, n.context().nvars())
    ]
