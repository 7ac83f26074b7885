"""Float64 arithmetic behind the same interface, for points that are not rational. Nothing evaluated here is a proof."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from geoflow.exact.interpreter import UnluckyPoint

_FUNCTIONS = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "erf": np.vectorize(math.erf, otypes=[float]),
    "sin": np.sin,
    "cos": np.cos,
    "atan": np.arctan,
    "root_pi": lambda x: np.full(x.shape, math.sqrt(math.pi)),
}


class Floats:
    """R, rounded."""

    def literal(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values, dtype=np.float64)

    def constant(self, value: Fraction, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, float(value))

    def zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape)

    def add(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a + b

    def sub(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a - b

    def mul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a * b

    def neg(self, a: np.ndarray) -> np.ndarray:
        return -a

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a @ b

    def sum(self, a: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        return a.sum(axis=axes)

    def segment_sum(self, a: np.ndarray, starts: np.ndarray) -> np.ndarray:
        return np.add.reduceat(a, starts, axis=0)

    def pattern(self, a: np.ndarray) -> np.ndarray:
        return np.asarray(a != 0)

    def invert(self, a: np.ndarray) -> np.ndarray:
        if not np.all(a):
            raise UnluckyPoint
        return 1.0 / a

    def smooth(self, name: str, a: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            value = _FUNCTIONS[name](a)
        if not np.all(np.isfinite(value)):
            raise UnluckyPoint
        return value
