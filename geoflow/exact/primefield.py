"""Arithmetic in F_p on int64 arrays, p < 2^26.

Evaluation mod p is a ring homomorphism from the functions without p in a denominator, so a rank found here is a proved
lower bound of the generic rank (docs/method.md). Primes are drawn from the seed; p ≡ 3 mod 4, so that
a^((p+1)/4) is a square root. Matrix products go through float64 BLAS where they are large: one factor is split into
halves of 13 bits, so that sums of 2^14 products of 39 bits stay exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import flint
import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive

BITS = 26
_HALF = 13
_EXACT_INNER = 2**10  # sums of so many products below 2^52 stay below 2^62


class PrimeField:
    """F_p. `roots` maps radicands to the square roots to take (see `exact.radicals`)."""

    def __init__(self, prime: int, roots: Mapping[int, int] | None = None):
        self.p = prime
        self.roots = roots

    def literal(self, values: np.ndarray) -> np.ndarray:
        values = np.asarray(values)
        if values.dtype.kind in "uO":  # numbers that int64 may not hold
            return (values.astype(object) % self.p).astype(np.int64)
        if values.dtype.kind in "ib":
            return values.astype(np.int64) % self.p
        flat = [self.fraction(Fraction(float(x))) for x in values.ravel()]
        return np.array(flat, dtype=np.int64).reshape(values.shape)

    def residues(self, values: np.ndarray) -> np.ndarray:
        """The residues of an array of rationals.

        Raises:
            UnluckyPoint: p divides a denominator.
        """
        flat = [self.fraction(Fraction(int(x.p), int(x.q))) for x in values.ravel()]
        return np.array(flat, dtype=np.int64).reshape(values.shape)

    def fraction(self, value: Fraction) -> int:
        """The residue of a rational.

        Raises:
            UnluckyPoint: p divides the denominator.
        """
        if value.denominator % self.p == 0:
            raise UnluckyPoint
        return value.numerator * pow(value.denominator, -1, self.p) % self.p

    def constant(self, value: Fraction, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, self.fraction(value))

    def zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape, dtype=np.int64)

    def add(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a + b) % self.p

    def sub(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a - b) % self.p

    def mul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a * b % self.p

    def neg(self, a: np.ndarray) -> np.ndarray:
        return -a % self.p

    def sum(self, a: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        return a.sum(axis=axes) % self.p

    def segment_sum(self, a: np.ndarray, starts: np.ndarray) -> np.ndarray:
        return np.add.reduceat(a, starts) % self.p

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        inner = a.shape[-1]
        if inner > _EXACT_INNER:
            cut = inner // 2
            return self.add(
                self.matmul(a[..., :cut], b[..., :cut, :]),
                self.matmul(a[..., cut:], b[..., cut:, :]),
            )
        if inner == 1:
            return self.mul(a, b)
        if a.shape[-2] * inner * b.shape[-1] < 512:
            return (a @ b) % self.p
        right = b.astype(np.float64)
        if inner * self.p**2 < 2**53:
            return (a.astype(np.float64) @ right).astype(np.int64) % self.p
        high = ((a >> _HALF).astype(np.float64) @ right).astype(np.int64) % self.p
        low = ((a & (2**_HALF - 1)).astype(np.float64) @ right).astype(np.int64)
        return ((high << _HALF) + low) % self.p

    def pattern(self, a: np.ndarray) -> np.ndarray:
        return np.asarray(a != 0)

    def invert(self, a: np.ndarray) -> np.ndarray:
        if not np.all(a):
            raise UnluckyPoint
        return self.power(a, self.p - 2)

    def power(self, a: np.ndarray, exponent: int) -> np.ndarray:
        result, square = np.ones_like(a), a
        while exponent:
            if exponent & 1:
                result = result * square % self.p
            square = square * square % self.p
            exponent >>= 1
        return result

    def smooth(self, name: str, a: np.ndarray) -> np.ndarray:
        if name != "sqrt":
            raise UnsupportedPrimitive(name)
        if self.roots is None:
            raise UnsupportedPrimitive("sqrt without a choice of roots")
        try:
            found = [self.roots[int(x)] for x in a.ravel()]
        except KeyError:
            raise UnluckyPoint from None
        return np.array(found, dtype=np.int64).reshape(a.shape)


class PrincipalRoots(PrimeField):
    """F_p that takes a^((p+1)/4) for every square root, one batch entry at a time: enough to look for candidates,
    never for a proof (`exact.radicals` says why)."""

    def __init__(self, prime: int):
        super().__init__(prime)
        self._unusable: list[np.ndarray] = []

    def smooth(self, name: str, a: np.ndarray) -> np.ndarray:
        if name != "sqrt":
            raise UnsupportedPrimitive(name)
        root = self.power(a, (self.p + 1) // 4)
        self._note(root * root % self.p != a)
        return root

    def invert(self, a: np.ndarray) -> np.ndarray:
        self._note(a == 0)
        return self.power(a, self.p - 2)

    def _note(self, bad: np.ndarray) -> None:
        """Batch entries where a root or an inverse does not exist."""
        self._unusable.append(np.any(bad, axis=tuple(k for k in range(bad.ndim) if k != 1)))

    def usable(self, count: int) -> np.ndarray:
        """Which of `count` batch entries were evaluated without fault."""
        bad = np.zeros(count, dtype=bool)
        for found in self._unusable:
            bad |= np.broadcast_to(found, (count,))
        return ~bad


def draw_prime(rng: np.random.Generator, bits: int = BITS) -> int:
    """A prime p ≡ 3 mod 4 between 2^25 and 2^26, or of other `bits`."""
    while True:
        candidate = int(rng.integers(2 ** (bits - 3), 2 ** (bits - 2))) * 4 + 3
        if flint.fmpz(candidate).is_prime():
            return candidate
