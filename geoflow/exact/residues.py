"""F_p, p < 2^22, on float64 arrays of JAX, for evaluation that is compiled.

Numbers are symmetric residues, |x| ≤ p/2, so that sums of 2^10 products are integers below 2^52: exact in whatever
order, and with however many fused multiplications, they are computed. The prime is an argument of what is compiled.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import Program, UnsupportedPrimitive

MOST_BITS = 22
_EXACT_INNER = 2**10

# primitives whose rules compute and move entries, without a look at values
COMPILABLE = frozenset(
    (
        *("add", "add_any", "sub", "mul", "neg", "square", "integer_pow", "dot_general"),
        *("reduce_sum", "transpose", "reshape", "broadcast_in_dim", "squeeze", "slice"),
        *("concatenate", "rev", "iota", "pad", "stack", "unstack", "split"),
    )
)


def compilable(program: Program) -> bool:
    """Whether a program has polynomials with whole coefficients only, so that `Residues` can evaluate it."""
    instructions = all(
        i.primitive in COMPILABLE and int(i.params.get("y", 1)) >= 0 for i in program.instructions
    )
    return instructions and not program.erf and all(map(_whole, program.used_literals()))


def _whole(values: np.ndarray) -> bool:
    floats = values.astype(np.float64)
    return bool(np.all((np.abs(floats) < 2.0**52) & (floats == np.rint(floats))))


class Residues:
    """`exact.dual.Arithmetic` on JAX arrays."""

    def __init__(self, prime: Any):
        self.p, self._inverse = prime, 1 / prime

    def reduced(self, a: Any) -> Any:
        """Symmetric residues of integers below 2^52."""
        return a - self.p * jnp.rint(a * self._inverse)

    def literal(self, values: np.ndarray) -> Any:
        return self.reduced(jnp.asarray(values, dtype=jnp.float64))

    def constant(self, value: Fraction, shape: tuple[int, ...]) -> Any:
        if value.denominator != 1:
            raise UnsupportedPrimitive("a fraction")
        return self.reduced(jnp.full(shape, float(value)))

    def zeros(self, shape: tuple[int, ...]) -> Any:
        return jnp.zeros(shape)

    def add(self, a: Any, b: Any) -> Any:
        return self.reduced(a + b)

    def sub(self, a: Any, b: Any) -> Any:
        return self.reduced(a - b)

    def mul(self, a: Any, b: Any) -> Any:
        return self.reduced(a * b)

    def neg(self, a: Any) -> Any:
        return -a

    def sum(self, a: Any, axes: tuple[int, ...]) -> Any:
        return self.reduced(a.sum(axis=axes))

    def segment_sum(self, a: Any, starts: np.ndarray) -> Any:
        bounds = pairwise([*starts.tolist(), len(a)])
        return self.reduced(jnp.stack([a[i:j].sum(axis=0) for i, j in bounds]))

    def matmul(self, a: Any, b: Any) -> Any:
        inner = a.shape[-1]
        if inner > _EXACT_INNER:
            cut = inner // 2
            low = self.matmul(a[..., :cut], b[..., :cut, :])
            return self.add(low, self.matmul(a[..., cut:], b[..., cut:, :]))
        if inner == 1:
            return self.mul(a, b)
        if b.shape[-1] == 1:  # a sum is fused with what is around it, a product is not
            return self.sum(a * b.swapaxes(-1, -2), (-1,))[..., None]
        if a.shape[-2] == 1:
            return self.sum(a.swapaxes(-1, -2) * b, (-2,))[..., None, :]
        return self.reduced(a @ b)

    def pattern(self, a: Any) -> Any:
        raise UnsupportedPrimitive("a look at values")

    def invert(self, a: Any) -> Any:
        raise UnluckyPoint

    def smooth(self, name: str, a: Any) -> Any:
        raise UnsupportedPrimitive(name)

    def nonnegative(self, a: Any) -> Any:
        """Residues from 0 to p − 1 as int64."""
        return jnp.where(a < 0, a + self.p, a).astype(jnp.int64)
