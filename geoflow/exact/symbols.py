"""Arithmetic on SymPy expressions: laws as formulas, potentials in closed form. No text is parsed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from geoflow.exact.objects import ObjectArithmetic
from geoflow.exact.program import UnsupportedPrimitive

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sqrt": sp.sqrt,
    "exp": sp.exp,
    "log": sp.log,
    "log1p": lambda x: sp.log(1 + x),
    "atan": sp.atan,
    "tanh": sp.tanh,
}


class SymPyExpressions(ObjectArithmetic):
    """SymPy expressions."""

    def number(self, value: Fraction) -> Any:
        return sp.Rational(value.numerator, value.denominator)

    def reciprocal(self, value: Any) -> Any:
        return 1 / value

    def smooth(self, name: str, a: np.ndarray) -> np.ndarray:
        if name not in _FUNCTIONS:
            raise UnsupportedPrimitive(name)
        return self._each(_FUNCTIONS[name], a)
