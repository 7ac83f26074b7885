"""Scalar laws: polynomials of bounded degree in the coordinates, with the potentials' functions beside them.

The dictionary is all monomials of degree ≤ k in θ (and v), and, for mirror metrics, functions such as log u of single
coordinates. Its derivative along a random field mod p is computed by vectorized dual numbers; cost: one row and one
column per monomial, so degree is bounded by `MOST_MONOMIALS`.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb
from typing import Any

import numpy as np

from geoflow.exact.primefield import PrimeField
from geoflow.expr.build import entry, multiply, power
from geoflow.expr.tree import Apply, Expr
from geoflow.flow import Flow
from geoflow.laws.dictionary import TermSampler
from geoflow.lie.bracket import Field, Generator

MOST_MONOMIALS = 1500


def highest_degree(flow: Flow, wanted: int) -> int:
    """The greatest degree ≤ `wanted` whose monomials fit the limit."""
    variables = coordinates(flow)
    degree = 0
    while degree < wanted and comb(len(variables) + degree + 1, degree + 1) - 1 <= MOST_MONOMIALS:
        degree += 1
    return degree


def coordinates(flow: Flow) -> list[Expr]:
    """The scalar coordinates θ (and v) as expressions; t is not among them."""
    return [
        entry(b.leaf, tuple(int(i) for i in index))
        for b in flow.state
        if b.kind != "time"
        for index in np.ndindex(b.shape)
    ]


def monomials(flow: Flow, degree: int) -> list[tuple[int, ...]]:
    """All monomials of degrees 1 … degree, as sorted positions of coordinates, low degrees first."""
    count = len(coordinates(flow))
    return [m for d in range(1, degree + 1) for m in combinations_with_replacement(range(count), d)]


def monomial_expression(variables: list[Expr], monomial: tuple[int, ...]) -> Expr:
    """x0*x1**2 for (0, 1, 1)."""
    factors = [power(variables[k], monomial.count(k)) for k in sorted(set(monomial))]
    product = factors[0]
    for factor in factors[1:]:
        product = multiply(product, factor)
    return product


class MonomialSampler(TermSampler):
    """Monomials and scalar functions. The monomials are evaluated together, as arrays over all of one degree."""

    def __init__(self, generator: Generator, degree: int, functions: list[Expr], rate: Expr | None):
        self._variables = coordinates(generator.flow)
        self._monomials = monomials(generator.flow, degree)
        expressions = [monomial_expression(self._variables, m) for m in self._monomials]
        self._functions = functions
        super().__init__(generator, functions, rate)
        self.terms = (*expressions, *self.terms)

    def _evaluate(
        self, field: PrimeField, constants: Field, point: Field, direction: Field
    ) -> tuple[Any, Any, Any]:
        values, along, rate = super()._evaluate(field, constants, point, direction)
        z, x = (self._flat(v, point) for v in (point, direction))
        own, moved = [], []
        for degree in range(1, max(map(len, self._monomials), default=0) + 1):
            chosen = np.array([m for m in self._monomials if len(m) == degree])
            value, derivative = z[:, chosen[:, 0]], x[:, chosen[:, 0]]
            for k in range(1, degree):
                factor, slope = z[:, chosen[:, k]], x[:, chosen[:, k]]
                derivative = (derivative * factor % field.p + value * slope) % field.p
                value = value * factor % field.p
            own += list(value.T[:, None, :])
            moved += list(derivative.T[:, None, :])
        return [*own, *values], [*moved, *along], rate

    def _flat(self, place: Field, like: Field) -> np.ndarray:
        flow = self.generator.flow
        count = max(v.shape[1] for v in like.values())
        parts = [
            np.broadcast_to(v := place[b.name][0], (count, *v.shape[1:])).reshape(count, -1)
            for b in flow.state
            if b.kind != "time"
        ]
        return np.concatenate(parts, axis=1)


def entries_of(functions: list[Expr]) -> list[Expr]:
    """The entries of elementwise functions as scalars: log(U) → log(U[0, 0]), …"""
    found: list[Expr] = []
    for f in functions:
        found += [_at(f, tuple(int(i) for i in index)) for index in np.ndindex(f.shape)]
    return found


def _at(expr: Expr, index: tuple[int, ...]) -> Expr:
    """One entry of an elementwise expression, the index moved to the leaves."""
    if not isinstance(expr, Apply):
        own = index[len(index) - len(expr.shape) :]
        own = tuple(0 if n == 1 else i for i, n in zip(own, expr.shape, strict=True))
        return entry(expr, own)
    if expr.operation == "stack":
        picked = expr.arguments[index[len(index) - len(expr.shape)]]
        return _at(picked, index[len(index) - len(picked.shape) :] if picked.shape else ())
    return Apply(expr.operation, tuple(_at(a, index) for a in expr.arguments), (), expr.options)
