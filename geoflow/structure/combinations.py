"""Combinations of expressions that satisfy linear conditions, written with whole coefficients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd, lcm

import flint

from geoflow.expr.build import linear_combination
from geoflow.expr.tree import Expr


def kernel(rows: Sequence[Sequence[Fraction]], columns: int) -> Iterator[list[Fraction]]:
    """A basis, in reduced form, of the combinations of columns that vanish."""
    matrix = [[Fraction(0)] * columns, *rows]
    entries = [[flint.fmpq(x.numerator, x.denominator) for x in row[::-1]] for row in matrix]
    reduced, rank = flint.fmpq_mat(entries).rref()
    pivots = [next(c for c in range(columns) if reduced[r, c] != 0) for r in range(rank)]
    for free in (c for c in range(columns) if c not in pivots):
        found = [Fraction(0)] * columns
        found[free] = Fraction(1)
        for r, pivot in enumerate(pivots):
            x = reduced[r, free]
            found[pivot] = -Fraction(int(x.p), int(x.q))
        yield found[::-1]


def whole(parts: Sequence[tuple[Fraction, Expr]]) -> Expr:
    """The combination with whole coprime coefficients, those that are positive first."""
    scale = lcm(*(c.denominator for c, _ in parts))
    common = gcd(*(int(c * scale) for c, _ in parts)) * (1 if parts[0][0] > 0 else -1)
    found = [(c * scale / common, x) for c, x in parts]
    return linear_combination(sorted(found, key=lambda part: part[0] < 0))
