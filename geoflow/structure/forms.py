"""Linear forms in unknown degrees, by number: an array of degrees is an array of integers.

Number 0 is the form 0. `ZERO` is no form: it marks a value that is 0, which has any degree.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import numpy as np

ZERO = -1
MOST_FORMS = 400_000
MOST_ENTRIES = 6_000_000

Form = tuple[tuple[int, Fraction], ...]  # (unknown, coefficient), unknowns ascending


class TooEntangled(Exception):
    """The degrees have no short description."""


class Forms:
    """The forms met so far, and those that must be 0."""

    def __init__(self, unknowns: int):
        self.unknowns = unknowns
        self.terms: list[Form] = [(), *(((k, Fraction(1)),) for k in range(unknowns))]
        self._number: dict[Form, int] = {form: n for n, form in enumerate(self.terms)}
        self.vanishing: set[int] = set()

    def unknown(self, first: int, shape: tuple[int, ...]) -> np.ndarray:
        """The numbers of unknowns from the `first` on, as an array."""
        size = int(np.prod(shape, dtype=np.int64))
        return np.arange(first + 1, first + 1 + size, dtype=np.int64).reshape(shape)

    def number(self, form: Form) -> int:
        """The number of a form."""
        found = self._number.get(form)
        if found is None:
            if len(self.terms) > MOST_FORMS:
                raise TooEntangled
            found = self._number[form] = len(self.terms)
            self.terms.append(form)
        return found

    def combine(self, a: np.ndarray, b: np.ndarray, sign: int = 1) -> np.ndarray:
        """a + b, or a − b, entry by entry; ZERO where one of them is."""
        a, b = np.broadcast_arrays(a, b)
        if a.size > MOST_ENTRIES:
            raise TooEntangled
        if sign == 1 and not np.any(a):
            return b
        if not np.any(b):
            return a
        base = len(self.terms) + 1
        keys, place = np.unique((a + 1) * base + (b + 1), return_inverse=True)
        if len(keys) > MOST_FORMS:
            raise TooEntangled
        found = [self._pair(int(k // base) - 1, int(k % base) - 1, sign) for k in keys]
        return np.array(found, dtype=np.int64)[place].reshape(a.shape)

    def _pair(self, a: int, b: int, sign: int) -> int:
        if ZERO in (a, b):
            return ZERO
        total = dict(self.terms[a])
        for k, c in self.terms[b]:
            total[k] = total.get(k, Fraction(0)) + sign * c
        return self.number(tuple(sorted((k, c) for k, c in total.items() if c)))

    def scaled(self, ids: np.ndarray, factor: Fraction) -> np.ndarray:
        """factor · a, entry by entry."""
        keys, place = np.unique(ids, return_inverse=True)
        found = [
            ZERO if k == ZERO else self.number(tuple((u, c * factor) for u, c in self.terms[k]))
            for k in keys.tolist()
        ]
        return np.array(found, dtype=np.int64)[place].reshape(ids.shape)

    def equate(self, a: np.ndarray, b: np.ndarray) -> None:
        """Require a = b wherever neither is ZERO."""
        self.vanish(self.combine(a, b, -1))

    def vanish(self, ids: np.ndarray) -> None:
        """Require the forms to be 0."""
        self.vanishing.update(np.unique(ids).tolist())

    def equations(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The forms that must be 0, with whole coefficients: (row, unknown, coefficient)."""
        rows, unknowns, values = [], [], []
        chosen = sorted(self.vanishing - {0, ZERO})
        for row, k in enumerate(chosen):
            form = self.terms[k]
            scale = lcm(*(c.denominator for _, c in form))
            for u, c in form:
                rows.append(row)
                unknowns.append(u)
                values.append(int(c * scale))
        return _ints(rows), _ints(unknowns), _ints(values)


def _ints(values: Sequence[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)
