"""Arithmetic on numpy arrays of Python objects: the part that does not depend on which objects."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive


class ObjectArithmetic:
    """A ring whose elements are Python objects with +, −, ·. Subclasses say what a rational number becomes."""

    def number(self, value: Fraction) -> Any:
        raise NotImplementedError

    def reciprocal(self, value: Any) -> Any:
        """1/value; raises ZeroDivisionError for zero."""
        raise NotImplementedError

    def square_root(self, value: Any) -> Any:
        raise UnsupportedPrimitive("sqrt")

    def literal(self, values: np.ndarray) -> np.ndarray:
        values = np.asarray(values)
        if values.dtype == object:
            return values
        return self._each(lambda x: self.number(Fraction(x.item())), values)

    def constant(self, value: Fraction, shape: tuple[int, ...]) -> np.ndarray:
        out = np.empty(shape, dtype=object)
        out.fill(self.number(value))
        return out

    def zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.constant(Fraction(0), shape)

    def add(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(a + b, dtype=object)

    def sub(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(a - b, dtype=object)

    def mul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(a * b, dtype=object)

    def neg(self, a: np.ndarray) -> np.ndarray:
        return np.asarray(-a, dtype=object)

    def sum(self, a: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        if any(a.shape[k] == 0 for k in axes):
            return self.zeros(tuple(n for k, n in enumerate(a.shape) if k not in axes))
        for axis in sorted(axes, reverse=True):
            a = np.asarray(np.add.reduce(a, axis=axis), dtype=object)
        return a

    def segment_sum(self, a: np.ndarray, starts: np.ndarray) -> np.ndarray:
        return np.add.reduceat(a, starts, axis=0)

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self.sum(
            self.mul(a[..., :, :, None], b[..., None, :, :]), (max(a.ndim, b.ndim) - 1,)
        )

    def pattern(self, a: np.ndarray) -> np.ndarray:
        return np.asarray(a != 0)

    def invert(self, a: np.ndarray) -> np.ndarray:
        try:
            return self._each(self.reciprocal, a)
        except ZeroDivisionError:
            raise UnluckyPoint from None

    def smooth(self, name: str, a: np.ndarray) -> np.ndarray:
        if name != "sqrt":
            raise UnsupportedPrimitive(name)
        return self._each(self.square_root, a)

    @staticmethod
    def _each(function: Any, values: np.ndarray) -> np.ndarray:
        out = np.empty(values.shape, dtype=object)
        for index in np.ndindex(values.shape):
            out[index] = function(values[index])
        return out
