"""Square roots in a prime field that prove something.

Mod p a root has two signs, and signs chosen one by one need not come from any ring homomorphism: √x√y − √(xy) would
be nonzero. So the point is an integer point, the radicands are computed there over Q, and roots are chosen together:
radicands that are independent modulo squares get free roots, every other one is the product it must be, with the
positive rational factor (docs/method.md, "Square roots").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flint

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import Program, UnsupportedPrimitive
from geoflow.exact.rationals import Rationals, exact_root

MOST_INDEPENDENT = 14
ROOTS = frozenset({"sqrt", "rsqrt", "pow"})


def has_roots(program: Program) -> bool:
    """Whether the program takes square roots."""
    return any(i.primitive in ROOTS for i in program.instructions)


class _Opaque:
    """An irrational number: whatever is computed from it is irrational too, for all we know."""

    def _same(self, *_: Any) -> _Opaque:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _same


_OPAQUE = _Opaque()


class Radicands(Rationals):
    """Q with opaque irrational numbers; remembers the radicands met."""

    def __init__(self):
        self._met: list[flint.fmpq] = []

    def reciprocal(self, value: Any) -> Any:
        return value if value is _OPAQUE else super().reciprocal(value)

    def square_root(self, value: Any) -> Any:
        if value is _OPAQUE:
            raise UnsupportedPrimitive("sqrt of an irrational number")
        if value <= 0:
            raise UnluckyPoint
        self._met.append(value)
        root = exact_root(value)
        return _OPAQUE if root is None else root

    @property
    def radicands(self) -> list[flint.fmpq]:
        """The distinct radicands met."""
        return list(dict.fromkeys(self._met))


class RootSystem:
    """Positive rationals as products of independent ones and squares."""

    def __init__(self, values: Sequence[flint.fmpq]):
        self.values = list(values)
        whole = [flint.fmpz(v.p) * flint.fmpz(v.q) for v in values]
        base = coprime_base(whole)
        self.independent: list[flint.fmpz] = []
        self._by_pivot: list[
            tuple[int, int, frozenset[int]]
        ] = []  # (pivot bit, vector, independent indices)
        self.relations: list[
            tuple[frozenset[int], flint.fmpq]
        ] = []  # value = product of independent · factor²
        for v, s in zip(values, whole, strict=True):
            vector, used = (
                sum(1 << k for k, b in enumerate(base) if _multiplicity(s, b) % 2),
                frozenset(),
            )
            for pivot, other, indices in self._by_pivot:
                if vector >> pivot & 1:
                    vector, used = vector ^ other, used ^ indices
            if vector:
                index = len(self.independent)
                self.independent.append(s)
                pivot = vector.bit_length() - 1
                self._by_pivot.append((pivot, vector, used | {index}))
                used = frozenset({index})
            product = flint.fmpz(1)
            for k in used:
                product *= self.independent[k]
            factor = exact_root(v / flint.fmpq(product))
            assert factor is not None
            self.relations.append((used, factor))

    def roots(self, prime: int) -> dict[int, int] | None:
        """Residue of a radicand → residue of its root; None where an independent radicand is no square mod p, or two
        radicands with different roots share a residue."""
        chosen = []
        for s in self.independent:
            r = int(s) % prime
            root = pow(r, (prime + 1) // 4, prime)
            if root * root % prime != r or not r:
                return None
            chosen.append(root)
        table: dict[int, int] = {}
        for value, (used, factor) in zip(self.values, self.relations, strict=True):
            if int(value.q) % prime == 0 or int(factor.q) % prime == 0:
                return None
            root = int(factor.p) * pow(int(factor.q), -1, prime) % prime
            for k in used:
                root = root * chosen[k] % prime
            residue = int(value.p) * pow(int(value.q), -1, prime) % prime
            if (
                table.setdefault(residue, root) != root
                or root * root % prime != residue
                or not root
            ):
                return None
        return table


def coprime_base(values: Sequence[flint.fmpz]) -> list[flint.fmpz]:
    """Pairwise coprime integers > 1, none a square, of which every value is a product."""
    base: list[flint.fmpz] = []
    todo = [flint.fmpz(v) for v in values]
    while todo:
        v = todo.pop()
        root = v.isqrt()
        while v > 1 and root * root == v:
            v, root = root, root.isqrt()
        if v <= 1:
            continue
        for k, b in enumerate(base):
            common = b.gcd(v)
            if common > 1:
                if b != v:
                    base.pop(k)
                    todo += [common, b // common, v // common]
                break
        else:
            base.append(v)
    return base


def _multiplicity(value: flint.fmpz, factor: flint.fmpz) -> int:
    count = 0
    while value % factor == 0:
        value, count = value // factor, count + 1
    return count
