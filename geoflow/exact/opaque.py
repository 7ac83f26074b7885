"""Polynomials in which some values are variables of their own: equal values, equal variables.

Whatever vanishes for free values of these variables vanishes for the true ones, provided that no denominator does; so
an identity found here is proved, and one not found says nothing. It is much smaller than the expansion: the inverse of
a matrix is a matrix of variables, not an adjugate over a determinant.

The determinant and the adjugate become D and D·X with the variables X of the inverse. Where the matrix is singular
everywhere D·X has no such value, but a polynomial identity in D and D·X, which range over a dense set, holds there too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from geoflow.exact.division import Divisor
from geoflow.exact.dual import components
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.quotient import Polynomial, Quotient, simple


@dataclass(frozen=True)
class _Known:
    matrix: np.ndarray
    determinant: Polynomial
    inverse: np.ndarray
    divisor: Divisor


class FunctionValues(Polynomials):
    """Rational functions over Q with a variable for each value of exp, log, tanh …"""

    made = 0  # variables that stand for a value

    def smooth(self, name: str, a: np.ndarray) -> np.ndarray:
        if name == "sqrt":
            return super().smooth(name, a)
        return self._each(lambda value: self._value(name, value), a)

    def _value(self, name: str, value: Any) -> Any:
        if name == "exp" and _leading(value) < 0:  # exp(−a) = 1/exp(a)
            return Quotient(self.context.constant(1), self._named(name, -value), self.effort)
        return self._named(name, value)

    def _named(self, name: str, value: Any) -> Polynomial:
        fraction = self._quotient(value)
        key = f"{name} of {fraction.numerator} over {fraction.denominator}"
        if key not in self._memo:
            self._memo[key] = self._stand_in(name)
        return self._memo[key]

    def _stand_in(self, purpose: str) -> Polynomial:
        variable = self._new_variable(purpose)[1]
        self.made += 1
        return variable


class OpaqueInverses(FunctionValues):
    """Also with variables for the inverses of matrices and of polynomials of more than one term."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._inverses: list[_Known] = []
        self._reciprocals: list[tuple[Polynomial, Polynomial]] = []

    def reciprocal(self, value: Any) -> Any:
        """1/value: exact for one term, else a variable times what is left of the value's content."""
        fraction = self._quotient(value)
        numerator = fraction.numerator
        if not numerator:
            raise ZeroDivisionError
        if len(numerator) == 1:
            return simple(fraction.denominator, numerator, self.effort)
        content = numerator.term_content()
        primitive = numerator / content
        leading = primitive.leading_coefficient()
        primitive = primitive / leading
        inverse = next((v for p, v in self._reciprocals if p == primitive), None)
        if inverse is None:
            inverse = self._stand_in("div")
            self._reciprocals.append((primitive, inverse))
        return simple(
            self.effort.product(fraction.denominator, inverse), content * leading, self.effort
        )

    def determinant_and_inverse(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of matrices [1, batch, ..., n, n], by the blocks of nonzero entries."""
        determinant = np.empty(a.shape[:-2], dtype=object)
        inverse = self.zeros(a.shape)
        for index in np.ndindex(determinant.shape):
            matrix, product = a[index], self.number(Fraction(1))
            used = np.asarray(self.pattern(matrix), dtype=bool)
            for block in components(np.asarray(used | used.T)):
                rows, columns = np.ix_(block, block)
                value, inverted = self._block(matrix[rows, columns])
                product = product * value
                inverse[index][rows, columns] = inverted
            determinant[index] = product
        return determinant, inverse

    def _block(self, matrix: np.ndarray) -> tuple[Any, np.ndarray]:
        n = len(matrix)
        if n == 1:
            return matrix[0, 0], self.invert(matrix)
        first = next(x for x in matrix.flat if x != 0)
        scale = _leading(first)
        shrunk, grown = self.context.constant(1 / scale), self.context.constant(scale**n)
        known = self._known(self._each(lambda x: x * shrunk, matrix))
        return known.determinant * grown, self._each(lambda x: x * shrunk, known.inverse)

    def _known(self, matrix: np.ndarray) -> _Known:
        """The variables of a matrix, of an equal one or of its transpose."""
        for known in self._inverses:
            if _equal(known.matrix, matrix):
                return known
            if _equal(known.matrix.T, matrix):
                return replace(known, matrix=matrix, inverse=known.inverse.T)
        symmetric = _equal(matrix, matrix.T)
        inverse = np.empty(matrix.shape, dtype=object)
        for i, j in np.ndindex(matrix.shape):
            inverse[i, j] = inverse[j, i] if symmetric and j < i else self._stand_in("inv")
        known = _Known(matrix, self._stand_in("det"), inverse, Divisor(matrix))
        self._inverses.append(known)
        return known

    def _add_product(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """out + a·b. Where a (or b) is an inverse X of A and meets a multiple A·q, the product is q."""
        if not self._simplified(a, b, out) and not self._simplified(b.T, a.T, out.T):
            super()._add_product(a, b, out)

    def _simplified(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> bool:
        """Whether a consists of inverses, and the product was added to out."""
        if (
            not self._inverses
            or a.shape[0] != a.shape[1]
            or any(isinstance(x, Quotient) for x in b.flat)
        ):
            return False
        used = np.asarray(self.pattern(a), dtype=bool)
        found = []
        for block in components(np.asarray(used | used.T)):
            known = self._inverse_in(a[np.ix_(block, block)])
            if known is None:
                return False
            found.append((block, *known))
        for block, divisor, scale in found:
            inverse = a[np.ix_(block, block)]
            for j in range(b.shape[1]):
                quotient, rest = divisor.divide(list(b[block, j]), self.effort)
                product = self.zeros((len(block), 1))
                super()._add_product(inverse, _column(rest), product)
                for k, q, r in zip(block, quotient, product[:, 0], strict=True):
                    out[k, j] = out[k, j] + q * scale + r
        return True

    def _inverse_in(self, block: np.ndarray) -> tuple[Divisor, Any] | None:
        """The divisor A and the number s with block = s·A⁻¹."""
        first = block[0, 0]
        if isinstance(first, Quotient) or len(first) != 1:
            return None
        scale = self.context.constant(first.leading_coefficient())
        for known in self._inverses:
            if known.divisor.usable and _equal(
                self._each(lambda x: x * scale, known.inverse), block
            ):
                return known.divisor, scale
        return None


def _column(values: list[Any]) -> np.ndarray:
    out = np.empty((len(values), 1), dtype=object)
    for k, value in enumerate(values):
        out[k, 0] = value
    return out


def _leading(value: Any) -> Any:
    """The leading coefficient of the numerator; 1 of zero."""
    numerator = value.numerator if isinstance(value, Quotient) else value
    return numerator.leading_coefficient() if numerator else 1


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and all(
        type(x) is type(y) and x == y for x, y in zip(a.flat, b.flat, strict=True)
    )
