"""F_p with pseudo-random values for transcendental functions: fast, and an *estimate* only.

exp(u) is a number that depends on u alone, with the right derivative. Relations between values (exp(u + v) =
exp(u)·exp(v)) are lost, so a rank found here may be too large: `exact.balls` proves it. Square roots are principal.
"""

from __future__ import annotations

import hashlib

import numpy as np

from geoflow.exact.primefield import PrincipalRoots

_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))


class Estimates(PrincipalRoots):
    """F_p with tokens for functions. Batch entries at which a root or an inverse does not exist are noted."""

    def fresh(self) -> Estimates:
        """The same field, without notes."""
        return Estimates(self.p)

    def smooth(self, name: str, a: np.ndarray) -> np.ndarray:
        if name == "sqrt":
            return super().smooth(name, a)
        salt = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=7).digest(), "big")
        x = (a.astype(np.uint64) + np.uint64(salt)) * _MIX[0]
        x ^= x >> np.uint64(29)
        x *= _MIX[1]
        x ^= x >> np.uint64(32)
        return (x % np.uint64(self.p - 1)).astype(np.int64) + 1
