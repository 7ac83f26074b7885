"""Polynomials and rational functions over Q, for identities that are proved by expansion.

The square root of P is a new variable w with w² = P. A numerator that is zero modulo these relations is the zero
function for either sign of every root, so an identity found here is proved; one not found (√x√y − √(xy)) is not
refuted. Variables that take the values 0 and 1 alone are idempotent, m² = m; of those of a one-hot row also mₖmₗ = 0
and Σ mₖ = 1, so what is zero for all rows is the zero polynomial.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import flint
import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.objects import ObjectArithmetic
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.quotient import (
    MOST_TERMS,
    Effort,
    Polynomial,
    Quotient,
    TooLarge,
    as_quotient,
    simple,
    terms_of,
)

MOST_MEMORY = 4 * 10**8  # bytes of exponents in one array
_OVERHEAD = 10  # products of terms that take as long as one call
_SMALL = 10**5  # products of terms that need no care


class TooFewVariables(UnsupportedPrimitive):
    """The spare variables are used up: with more of them the evaluation may succeed."""


class Polynomials(ObjectArithmetic):
    """Rational functions over Q in named variables, with `roots` spare variables for square roots; `idempotent` are
    positions of variables with m² = m, `onehot` those of rows of variables of which one is 1 and the others are 0."""

    def __init__(
        self,
        names: Sequence[str],
        roots: int = 0,
        limit: int = MOST_TERMS,
        deadline: Deadline = Deadline(),
        effort: Effort | None = None,
        idempotent: Collection[int] = (),
        onehot: Sequence[Sequence[int]] = (),
    ):
        self.context = flint.fmpq_mpoly_ctx.get(
            tuple(names) + tuple(f"root{k}" for k in range(roots)), flint.Ordering.degrevlex
        )
        generators = self.context.gens()
        self.variables = generators[: len(names)]
        self.effort = effort or Effort(limit, deadline=deadline)
        self._spare = list(enumerate(generators))[len(names) :]
        self._roots: list[tuple[int, Polynomial]] = []  # (position of w, w²)
        self._memo: dict[str, Any] = {}
        self._idempotent = frozenset(idempotent).union(*onehot)
        self._rows = {k: tuple(row) for row in onehot for k in row}
        self._width = len(names) + roots  # bytes of one exponent vector, about

    @classmethod
    def in_shapes(
        cls, shapes: Sequence[tuple[int, ...]], roots: int = 0, deadline: Deadline = Deadline()
    ) -> tuple[Polynomials, list[np.ndarray]]:
        """A ring with one variable per entry of arrays of these shapes, and the arrays [1, 1, *shape]."""
        sizes = [int(np.prod(s, dtype=np.int64)) for s in shapes]
        ring = cls([f"x{k}" for k in range(sum(sizes))], roots, deadline=deadline)
        return ring, ring.arrays(shapes)

    def arrays(self, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
        """The variables, in order, as arrays [1, 1, *shape]."""
        variables, arrays = iter(self.variables), []
        for shape in shapes:
            array = np.empty((1, 1, *shape), dtype=object)
            for index in np.ndindex(array.shape):
                array[index] = next(variables)
            arrays.append(array)
        return arrays

    def number(self, value: Fraction) -> Polynomial:
        return self.context.constant(flint.fmpq(value.numerator, value.denominator))

    def reciprocal(self, value: Any) -> Any:
        """1/value; raises ZeroDivisionError also where value vanishes for some signs of the roots."""
        fraction = self._quotient(value)
        if not self._without_powers(self._norm(fraction.numerator)):
            raise ZeroDivisionError
        return simple(fraction.denominator, fraction.numerator, self.effort)

    def mul(self, a: Any, b: Any) -> Any:
        products = _sizes(a) * _sizes(b)
        self.effort.spend(int(products.sum()) + _OVERHEAD * products.size)
        if products.max(initial=0) <= _SMALL:
            return self._bounded(super().mul(a, b))
        out = np.empty(products.shape, dtype=object)
        left, right = np.broadcast_to(a, out.shape), np.broadcast_to(b, out.shape)
        for index in np.ndindex(out.shape):
            out[index] = self._product(left[index], right[index])
            self.effort.check(terms_of(out[index]))
        return self._bounded(out)

    def _product(self, a: Any, b: Any) -> Any:
        if isinstance(a, Quotient) or isinstance(b, Quotient):
            return a * b
        return self.effort.product(a, b)

    def matmul(self, a: Any, b: Any) -> Any:
        """The matrix product; entries that are zero cost nothing."""
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        left = np.broadcast_to(a, (*lead, *a.shape[-2:]))
        right = np.broadcast_to(b, (*lead, *b.shape[-2:]))
        out = self.zeros((*lead, a.shape[-2], b.shape[-1]))
        for index in np.ndindex(lead):
            self._add_product(left[index], right[index], out[index])
        return self._bounded(out)

    def _add_product(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        for k in range(len(b)):
            columns = [(j, y) for j, y in enumerate(b[k]) if y]
            for i, x in enumerate(a[:, k] if columns else ()):
                if not x:
                    continue
                self.effort.spend(_OVERHEAD * len(columns))
                for j, y in columns:
                    out[i, j] = out[i, j] + self._product(x, y)
                    self.effort.check(terms_of(out[i, j]))

    def sum(self, a: Any, axes: tuple[int, ...]) -> Any:
        sizes = _sizes(a)
        self.effort.spend(int(sizes.sum()) + _OVERHEAD * sizes.size)
        return self._bounded(super().sum(a, axes))

    def _bounded(self, array: Any) -> Any:
        """The array, unless one element or the memory of all is out of bounds."""
        total = 0
        for value in array.flat:
            terms = terms_of(value)
            total += terms
            self.effort.check(terms)
            if total * self._width > MOST_MEMORY:
                raise TooLarge("the expansion takes too much memory")
        self.effort.spend(0)
        return array

    def _quotient(self, value: Any) -> Quotient:
        return as_quotient(value, self.context, self.effort)

    def _new_variable(self, purpose: str) -> tuple[int, Polynomial]:
        if not self._spare:
            raise TooFewVariables(purpose)
        return self._spare.pop()

    def square_root(self, value: Any) -> Any:
        """√(n/d) = w/d with w² = n·d. Each n/d has a w of its own: √(n·d) may have the other sign."""
        fraction = self._quotient(value)
        radicand = self.effort.product(fraction.numerator, fraction.denominator)
        key = f"{fraction.numerator} over {fraction.denominator}"
        if key not in self._memo:
            position, w = self._new_variable("sqrt")
            self._roots.append((position, radicand))
            self._memo[key] = w
        return self._quotient(self._memo[key]) * self.reciprocal(fraction.denominator)

    def _norm(self, p: Polynomial) -> Polynomial:
        """The product over both signs of every root that p holds: zero where p may be the zero function."""
        for w, radicand in reversed(self._roots):
            even, odd = _split(self._reduce_square(p, w, radicand), w, self.context)
            if odd:
                p = self.effort.product(even, even) - self.effort.product(
                    self.effort.product(odd, odd), radicand
                )
            else:
                p = even
        return p

    def is_zero(self, value: Any) -> bool:
        """Whether a value is zero modulo the relations of the square roots and of idempotent variables."""
        numerator = value.numerator if isinstance(value, Quotient) else value
        for w, radicand in reversed(self._roots):  # later radicands may contain earlier roots
            numerator = self._reduce_square(numerator, w, radicand)
        return not self._without_powers(numerator)

    def _without_powers(self, p: Polynomial) -> Polynomial:
        """p modulo m² = m for the idempotent variables m, and the relations of rows: their last variables are
        eliminated."""
        used = [k for k, n in enumerate(p.degrees()) if n and k in self._idempotent]
        if not any(k in self._rows or p.degrees()[k] > 1 for k in used):
            return p
        found: dict[tuple[int, ...], Any] = {}
        for exponents, coefficient in p.terms():
            lowered = list(exponents)
            ones = [k for k in used if lowered[k]]
            for k in ones:
                lowered[k] = 1
            rows = [self._rows[k] for k in ones if k in self._rows]
            if len(set(rows)) < len(rows):
                continue
            last = [row for row in rows if lowered[row[-1]]]
            for chosen in product(*last):  # the last variable of a row is 1 − Σ of the others
                term, value = lowered.copy(), coefficient
                for k, row in zip(chosen, last, strict=True):
                    term[row[-1]] = 0
                    if k != row[-1]:
                        term[k], value = 1, -value
                key = tuple(term)
                found[key] = found.get(key, flint.fmpq(0)) + value
            self.effort.check(len(found))
        return self.context.from_dict(found)

    def _reduce_square(self, p: Polynomial, position: int, radicand: Polynomial) -> Polynomial:
        if p.degrees()[position] < 2:
            return p
        parts: dict[int, dict[tuple[int, ...], Any]] = {}
        for exponents, coefficient in p.terms():
            power, rest = divmod(exponents[position], 2)
            lowered = (*exponents[:position], rest, *exponents[position + 1 :])
            parts.setdefault(power, {})[lowered] = coefficient
        total, reached, root_power = self.context.constant(0), 0, self.context.constant(1)
        for power in sorted(parts):
            while reached < power:
                root_power = self.effort.product(root_power, radicand)
                reached += 1
            total += self.effort.product(self.context.from_dict(parts[power]), root_power)
        return total


def _sizes(array: Any) -> np.ndarray:
    """Numbers of terms, entry by entry."""
    values = np.asarray(array, dtype=object)
    return np.fromiter(map(terms_of, values.flat), np.int64, values.size).reshape(values.shape)


def _split(p: Polynomial, position: int, context: Any) -> tuple[Polynomial, Polynomial]:
    """(a, b) with p = a + b·w, for p of degree at most 1 in the variable w at the position."""
    if not p.degrees()[position]:
        return p, context.constant(0)
    even, odd = {}, {}
    for exponents, coefficient in p.terms():
        if exponents[position]:
            odd[(*exponents[:position], 0, *exponents[position + 1 :])] = coefficient
        else:
            even[exponents] = coefficient
    return context.from_dict(even), context.from_dict(odd)
