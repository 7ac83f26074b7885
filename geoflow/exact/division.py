"""Division of a vector of polynomials by a matrix of them: v = A·q + r.

Only quotients without the variables of A are found, term by term in the other variables; each takes one linear system
over Q. This is enough where a matrix and its inverse meet: A⁻¹·v = q + A⁻¹·r.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flint
import numpy as np

from geoflow.exact.quotient import Effort, Polynomial, Quotient

Key = tuple[int, tuple[int, ...]]  # an entry of the vector, exponents of the variables of A
Part = dict[Key, Any]


class Divisor:
    """A square matrix of polynomials. `usable`: its columns are independent over Q."""

    def __init__(self, matrix: np.ndarray):
        self.size = len(matrix)
        self.usable = False
        if any(isinstance(x, Quotient) for x in matrix.flat):
            return
        self.context = matrix.flat[0].context()
        degrees = np.max([x.degrees() for x in matrix.flat], axis=0)
        self._inner = [int(k) for k in np.flatnonzero(degrees > 0)]
        parts = [self._parts(list(matrix[:, k])) for k in range(self.size)]
        if not all(parts):
            return
        self._columns = [part.popitem()[1] for part in parts]  # of one part: all is inner
        keys = sorted({key for column in self._columns for key in column})
        zero = flint.fmpq(0)
        table = flint.fmpq_mat([[c.get(key, zero) for key in keys] for c in self._columns])
        echelon, rank = table.rref()
        self.usable = rank == self.size
        if self.usable:
            leads = (next(j for j in range(len(keys)) if echelon[i, j]) for i in range(rank))
            self._keys = [keys[j] for j in leads]
            square = [[c.get(key, zero) for c in self._columns] for key in self._keys]
            self._solve = flint.fmpq_mat(square).inv()

    def divide(self, vector: Sequence[Any], effort: Effort) -> tuple[list[Any], list[Any]]:
        """q and r with vector = A·q + r."""
        effort.spend(sum(map(len, vector)))
        quotient: list[dict[tuple[int, ...], Any]] = [{} for _ in range(self.size)]
        rest: list[dict[tuple[int, ...], Any]] = [{} for _ in range(self.size)]
        for outer, part in self._parts(vector).items():
            found = self._combination(part)
            if found is None:
                for (row, inner), coefficient in part.items():
                    rest[row][self._joined(outer, inner)] = coefficient
                continue
            for k, coefficient in enumerate(found):
                if coefficient:
                    quotient[k][outer] = coefficient
        return [self._polynomial(q) for q in quotient], [self._polynomial(r) for r in rest]

    def _parts(self, vector: Sequence[Any]) -> dict[tuple[int, ...], Part]:
        """The vector by the exponents of the variables that A does not hold."""
        parts: dict[tuple[int, ...], Part] = {}
        for row, entry in enumerate(vector):
            for exponents, coefficient in entry.terms():
                inner = tuple(exponents[k] for k in self._inner)
                outer = list(exponents)
                for k in self._inner:
                    outer[k] = 0
                parts.setdefault(tuple(outer), {})[row, inner] = coefficient
        return parts

    def _combination(self, part: Part) -> list[Any] | None:
        """Numbers q with part = Σ qₖ·(column k)."""
        zero = flint.fmpq(0)
        right = flint.fmpq_mat([[part.get(key, zero)] for key in self._keys])
        found = [row[0] for row in (self._solve * right).tolist()]
        total: Part = {}
        for q, column in zip(found, self._columns, strict=True):
            for key, coefficient in column.items() if q else ():
                total[key] = total.get(key, zero) + q * coefficient
        return found if {k: c for k, c in total.items() if c} == part else None

    def _joined(self, outer: tuple[int, ...], inner: tuple[int, ...]) -> tuple[int, ...]:
        exponents = list(outer)
        for k, n in zip(self._inner, inner, strict=True):
            exponents[k] = n
        return tuple(exponents)

    def _polynomial(self, terms: Mapping[tuple[int, ...], Any]) -> Polynomial:
        return self.context.from_dict(dict(terms))
