"""Ball arithmetic (python-flint `arb`): every value is an interval that holds the exact one.

Constants are exact, derivatives come from exact rules on nilpotents, so a matrix of values whose determinant cannot
vanish proves a rank (docs/method.md, "Balls").
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.objects import ObjectArithmetic
from geoflow.exact.program import UnsupportedPrimitive

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": lambda x: x.exp(),
    "log": lambda x: _positive(x).log(),
    "log1p": lambda x: _positive(1 + x).log(),
    "tanh": lambda x: x.tanh(),
    "logistic": lambda x: 1 / (1 + (-x).exp()),
    "erf": lambda x: x.erf(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "atan": lambda x: x.atan(),
    "root_pi": lambda _: flint.arb.pi().sqrt(),
}


def _positive(x: Any) -> Any:
    if not x > 0:
        raise UnluckyPoint
    return x


class Balls(ObjectArithmetic):
    """Balls at the working precision of `flint.ctx`, which the caller sets."""

    def number(self, value: Fraction) -> flint.arb:
        return flint.arb(flint.fmpq(value.numerator, value.denominator))

    def reciprocal(self, value: flint.arb) -> flint.arb:
        if value.contains(0):
            raise ZeroDivisionError
        return 1 / value

    def square_root(self, value: flint.arb) -> flint.arb:
        return _positive(value).sqrt()

    def smooth(self, name: str, a: np.ndarray) -> np.ndarray:
        if name == "sqrt":
            return super().smooth(name, a)
        if name not in _FUNCTIONS:
            raise UnsupportedPrimitive(name)
        return self._each(_FUNCTIONS[name], a)

    def pattern(self, a: np.ndarray) -> np.ndarray:
        return self._each(lambda x: not x.is_zero(), a).astype(bool)


def full_rank(rows: np.ndarray) -> bool:
    """Whether a square matrix of balls [n, n] is certainly invertible: ‖I − C·A‖ < 1 for a float approximation C of
    the inverse of its midpoints, each row and column scaled first by a power of two."""
    middle = np.array([[float(x.mid()) for x in row] for row in rows])
    if not np.all(np.isfinite(middle)):
        return False
    left = _powers_of_two(np.max(np.abs(middle), axis=1))
    scaled = middle * left[:, None]
    right = _powers_of_two(np.max(np.abs(scaled), axis=0))
    try:
        inverse = np.linalg.inv(scaled * right)
    except np.linalg.LinAlgError:
        return False
    balls = rows * _exact(left)[:, None] * _exact(right)
    product = flint.arb_mat(_exact(inverse).tolist()) * flint.arb_mat(balls.tolist())
    n = len(rows)
    sums = (sum(abs(product[i, j] - (i == j)) for j in range(n)) for i in range(n))
    return all(total < 1 for total in sums)  # not one that is, or may be, NaN


def _powers_of_two(sizes: np.ndarray) -> np.ndarray:
    return np.exp2(-np.round(np.log2(np.where(sizes > 0, sizes, 1.0))))


def _exact(values: np.ndarray) -> np.ndarray:
    return np.vectorize(lambda x: flint.arb(float(x)), otypes=[object])(values)
