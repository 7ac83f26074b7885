"""Polynomials of bounded degree that vanish on the orbit through a point, over F_p, by linear algebra.

The curve z' = Σ uₖ(s) Yₖ(z) through a point, with random power series uₖ as controls, is a power series; a polynomial
that vanishes on it to the order K gives K linear conditions on its coefficients. With enough curves the solutions
are the polynomials that vanish on the orbit to high order (necessary conditions only: what is found is a candidate).

*Special points.* An invariant polynomial p that is not a function of laws shows at the points of {p = 0} alone. Over a
small prime a random point lies there with probability about 1/p: so hypersurfaces are met by drawing points, with no
unknown cofactor, and the bilinear problem X p = λ p becomes linear. *Generic points.* A rational law f/g shows at every
point z₀: f − h(z₀)·g vanishes on its orbit (Bostan, Chèze, Cluzeau, Weil 2016, for one field).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from geoflow.laws.vectorfields import Exponents, VectorFields

_ORDER = 8
_SLACK = 6


@dataclass(frozen=True)
class Reduced:
    """Fields mod p: `terms` are (field, variable, monomial, coefficient)."""

    prime: int
    count: int
    monomials: tuple[Exponents, ...]
    terms: tuple[tuple[int, int, int, int], ...]

    def at(self, point: Sequence[int]) -> np.ndarray:
        """The fields at a point, [fields, variables]."""
        p = self.prime
        values = [
            prod(pow(int(x), n, p) for x, n in zip(point, m, strict=True)) % p
            for m in self.monomials
        ]
        rows = np.zeros((self.count, len(point)), dtype=np.int64)
        for f, v, m, c in self.terms:
            rows[f, v] = (rows[f, v] + c * values[m]) % p
        return rows


def reduced(fields: VectorFields, prime: int) -> Reduced | None:
    """The fields mod p; None where p divides a denominator, or is 2: curves are then not even lines."""
    if prime == 2:
        return None
    monomials = sorted({_plain(m) for x in fields.fields for c in x for m in c.monoms()})
    position = {m: k for k, m in enumerate(monomials)}
    terms = []
    for i, x in enumerate(fields.fields):
        for j, component in enumerate(x):
            for m, c in component.to_dict().items():
                if int(c.q) % prime == 0:
                    return None
                residue = int(c.p) * pow(int(c.q), -1, prime) % prime
                terms.append((i, j, position[_plain(m)], residue))
    return Reduced(prime, len(fields.fields), tuple(monomials), tuple(sorted(terms)))


def _plain(exponents: Iterable[int]) -> Exponents:
    return tuple(map(int, exponents))


def conditions(
    fields: Reduced, points: np.ndarray, monomials: Sequence[Exponents], rng: np.random.Generator
) -> np.ndarray:
    """For every point [points, variables], the linear conditions [points, ., monomials] on a polynomial in `monomials`
    that vanishes on its orbit."""
    order = min(_ORDER, fields.prime - 1)
    curves = (len(monomials) + _SLACK) // (order - 1) + 1
    start = np.repeat(points, curves, axis=0)
    series = _curves(fields, start, order, rng)
    values = _monomials(series, monomials, fields.prime)  # [monomials, batch, order]
    rows = values.reshape(len(monomials), len(points), curves * order)
    return np.ascontiguousarray(rows.transpose(1, 2, 0))


def _curves(fields: Reduced, start: np.ndarray, order: int, rng: np.random.Generator) -> np.ndarray:
    """Solutions [batch, variables, order] of z' = Σ uₖ(s) Yₖ(z) mod s^order."""
    p, (batch, variables) = fields.prime, start.shape
    controls = rng.integers(0, p, (batch, fields.count, order))
    z = np.zeros((batch, variables, order), dtype=np.int64)
    z[:, :, 0] = start
    pairs = sorted({(f, m) for f, _, m, _ in fields.terms})
    for k in range(1, order):
        values = _monomials(z[:, :, :k], fields.monomials, p)
        last = {
            (f, m): np.sum(values[m] * controls[:, f, k - 1 :: -1][:, :k], axis=1) % p
            for f, m in pairs
        }
        for f, v, m, c in fields.terms:
            z[:, v, k] = (z[:, v, k] + c * last[f, m]) % p
        z[:, :, k] = z[:, :, k] * pow(k, -1, p) % p
    return z


def _monomials(z: np.ndarray, monomials: Sequence[Exponents], p: int) -> np.ndarray:
    """Values of monomials at power series [batch, variables, order]: [monomials, batch, order]."""
    one = np.zeros((z.shape[0], z.shape[2]), dtype=np.int64)
    one[:, 0] = 1
    known: dict[Exponents, np.ndarray] = {(0,) * z.shape[1]: one}

    def value(m: Exponents) -> np.ndarray:
        if m not in known:
            k = next(i for i, n in enumerate(m) if n)
            known[m] = _product(value((*m[:k], m[k] - 1, *m[k + 1 :])), z[:, k], p)
        return known[m]

    return np.stack([value(m) for m in monomials])


def _product(a: np.ndarray, b: np.ndarray, p: int) -> np.ndarray:
    order = a.shape[-1]
    total = np.zeros_like(a)
    for k in range(order):
        total[:, k:] += a[:, k : k + 1] * b[:, : order - k]
    return total % p
