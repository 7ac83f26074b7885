"""Operations on float literals, where their result is a float without rounding: 3.0 − 0.0, √4.0, but not 1/3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

_MOST_ENTRIES = 64


class _Inexact(Exception):
    """The result is no rational number."""


def _root(x: Fraction) -> Fraction:
    if x < 0:
        raise _Inexact
    root = Fraction(isqrt(x.numerator), isqrt(x.denominator))
    if root * root != x:
        raise _Inexact
    return root


_OPERATIONS: dict[str, Callable[..., Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "max": lambda a, b: max(a, b),
    "min": lambda a, b: min(a, b),
    "neg": lambda a: -a,
    "abs": lambda a: abs(a),
    "square": lambda a: a * a,
    "sqrt": _root,
    "rsqrt": lambda a: 1 / _root(a),
}


def exactly(
    primitive: str, given: Sequence[np.ndarray], most: int = _MOST_ENTRIES
) -> np.ndarray | None:
    """The value of a primitive on literals of `most` entries; None where it is not known here, or would be rounded."""
    operation = _OPERATIONS.get(primitive)
    if operation is None or any(x.size > most or x.dtype.kind not in "iuf" for x in given):
        return None
    if not all(np.all(np.isfinite(x)) for x in given):
        return None
    arrays = np.broadcast_arrays(*given)
    found = np.empty(arrays[0].shape)
    for index in np.ndindex(found.shape):
        try:
            value: Any = operation(*(Fraction(x[index].item()) for x in arrays))
        except (_Inexact, ZeroDivisionError):
            return None
        try:
            rounded = float(value)
        except OverflowError:
            return None
        if Fraction(rounded) != value:
            return None
        found[index] = rounded
    return found
