"""Sparse Laurent polynomials over Q in very many variables.

A monomial is the sorted tuple of its variables' numbers, repeated by their exponents, so that a term costs what it
holds and not what the ring has: the fields of a model of a thousand parameters have a few factors in each term. An
inverse of the variable k is the number ~k, and only monomials have inverses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geoflow.exact.objects import ObjectArithmetic
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.quotient import Effort

Monomial = tuple[int, ...]
Terms = dict[Monomial, Any]  # int or Fraction
_OVERHEAD = 2  # products of terms that take as long as one call


def product_of(a: Monomial, b: Monomial) -> Monomial:
    """The product of two monomials."""
    if not a or not b:
        return a or b
    merged = sorted(a + b)
    if merged[0] < 0 <= merged[-1]:
        for k in [k for k in merged if k < 0]:
            if ~k in merged:
                merged.remove(k)
                merged.remove(~k)
    return tuple(merged)


class SparsePolynomial:
    """Coefficients, none of them zero, by monomial."""

    __slots__ = ("terms",)

    def __init__(self, terms: Terms):
        self.terms = terms

    def __add__(self, other: Any) -> SparsePolynomial:
        other = _polynomial(other)
        if len(other.terms) > len(self.terms):
            self, other = other, self
        terms = dict(self.terms)
        _accumulate(terms, other.terms.items())
        return SparsePolynomial(terms)

    def __mul__(self, other: Any) -> SparsePolynomial:
        terms: Terms = {}
        _accumulate(terms, _products(self, _polynomial(other)))
        return SparsePolynomial(terms)

    def __neg__(self) -> SparsePolynomial:
        return SparsePolynomial({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Any) -> SparsePolynomial:
        return self + (-_polynomial(other))

    def __rsub__(self, other: Any) -> SparsePolynomial:
        return (-self) + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SparsePolynomial) and self.terms == other.terms

    __hash__ = None  # type: ignore[assignment]


def _polynomial(value: Any) -> SparsePolynomial:
    if isinstance(value, SparsePolynomial):
        return value
    return SparsePolynomial({(): value} if value else {})


def _products(a: SparsePolynomial, b: SparsePolynomial) -> Iterator[tuple[Monomial, Any]]:
    for m, x in a.terms.items():
        for n, y in b.terms.items():
            yield product_of(m, n), x * y


def _accumulate(total: Terms, more: Iterable[tuple[Monomial, Any]]) -> None:
    """Add terms to `total`, in place."""
    for m, x in more:
        value = total.get(m)
        if value is None:
            total[m] = x
        elif value := value + x:
            total[m] = value
        else:
            del total[m]


class SparsePolynomials(ObjectArithmetic):
    """Laurent polynomials in `size` variables; those at the positions `idempotent` have m² = m."""

    made = 0  # no value becomes a variable

    def __init__(self, size: int, effort: Effort | None = None, idempotent: Collection[int] = ()):
        self.size, self.effort = size, effort or Effort()
        self._idempotent = frozenset(idempotent)

    def arrays(self, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
        """The variables, in order, as arrays [1, 1, *shape]."""
        numbers, arrays = iter(range(self.size)), []
        for shape in shapes:
            array = np.empty((1, 1, *shape), dtype=object)
            for index in np.ndindex(array.shape):
                array[index] = SparsePolynomial({(next(numbers),): 1})
            arrays.append(array)
        return arrays

    def number(self, value: Fraction) -> SparsePolynomial:
        exact = value.numerator if value.denominator == 1 else value
        return SparsePolynomial({(): exact} if exact else {})

    def reciprocal(self, value: Any) -> SparsePolynomial:
        """1/value for one term."""
        terms = _polynomial(value).terms
        if not terms:
            raise ZeroDivisionError
        if len(terms) > 1:
            raise UnsupportedPrimitive("the inverse of a sum")
        ((monomial, coefficient),) = terms.items()
        inverse = Fraction(1, 1) / coefficient
        return SparsePolynomial({tuple(sorted(~k for k in monomial)): inverse})

    def mul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        sizes = _sizes(a) * _sizes(b)
        self.effort.spend(int(sizes.sum()) + _OVERHEAD * sizes.size)
        return super().mul(a, b)

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        left = np.broadcast_to(a, (*lead, *a.shape[-2:]))
        right = np.broadcast_to(b, (*lead, *b.shape[-2:]))
        out = np.empty((*lead, a.shape[-2], b.shape[-1]), dtype=object)
        for index in np.ndindex(out.shape):
            row, column = left[index[:-1]], right[(*index[:-2], slice(None), index[-1])]
            out[index] = self._inner(row, column)
        return out

    def _inner(self, row: np.ndarray, column: np.ndarray) -> SparsePolynomial:
        total: Terms = {}
        self.effort.spend(_OVERHEAD * len(row))
        for x, y in zip(row, column, strict=True):
            if x and y:
                self.effort.spend(len(x.terms) * len(y.terms))
                _accumulate(total, _products(x, y))
        self.effort.check(len(total))
        return SparsePolynomial(total)

    def sum(self, a: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        apart = np.moveaxis(a, axes, range(len(axes)))
        kept = apart.shape[len(axes) :]
        flat, out = apart.reshape(-1, *kept), np.empty(kept, dtype=object)
        for index in np.ndindex(kept):
            total: Terms = {}
            for x in flat[(slice(None), *index)]:
                self.effort.spend(len(x.terms))
                _accumulate(total, x.terms.items())
            out[index] = SparsePolynomial(total)
        return out

    def segment_sum(self, a: np.ndarray, starts: np.ndarray) -> np.ndarray:
        parts = np.split(a, starts[1:])
        return np.stack([self.sum(part, (0,)) for part in parts])

    def pattern(self, a: np.ndarray) -> np.ndarray:
        return _sizes(a) > 0

    def is_zero(self, value: Any) -> bool:
        """Whether a value is zero modulo m² = m for idempotent variables."""
        terms = _polynomial(value).terms
        if not terms or not self._idempotent:
            return not terms
        lowered: Terms = {}
        _accumulate(lowered, ((self._lowered(m), c) for m, c in terms.items()))
        return not lowered

    def _lowered(self, monomial: Monomial) -> Monomial:
        return tuple(
            k
            for i, k in enumerate(monomial)
            if not (i and k == monomial[i - 1] and k in self._idempotent)
        )


def _sizes(array: np.ndarray) -> np.ndarray:
    """Numbers of terms, entry by entry."""
    flat = (len(x.terms) if isinstance(x, SparsePolynomial) else bool(x) for x in array.flat)
    return np.fromiter(flat, np.int64, array.size).reshape(array.shape)
