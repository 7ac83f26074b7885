"""Invariant polynomials of a family of fields: p with X p = λ p for every field X (Darboux 1878).

Candidates, each tested by exact division over Q: the coordinates; the factors of the fields' denominator; the factors
of the minors of the matrix of the fields, since the locus where their rank drops is invariant; and polynomials of
rising degree that vanish on orbits, by linear algebra mod small primes (`laws.orbits`) and rational reconstruction.
Σ cᵢ λᵢ = 0 makes Σ cᵢ log pᵢ a law: `laws.search` finds the cᵢ. Not found: polynomials with coefficients that need
more than two small primes, of a degree beyond the bound, or without points over F_p (unless they divide a minor).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, islice, product
from math import comb

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact import linalg
from geoflow.exact.polynomials import Polynomial
from geoflow.exact.primefield import draw_prime
from geoflow.laws.orbits import conditions, reduced
from geoflow.laws.vectorfields import Exponents, VectorFields, primitive

MOST_COORDINATES = 12
_MOST_MINORS = 60
_MOST_RANK = 4
MOST_UNKNOWNS = 70  # about a second
MOST_ASKED = 300  # where the degree is asked for
_SMALL_PRIMES = (73, 61, 67)  # −1 and 3 are squares mod the first two, 2 mod the first
_POINTS_PER_PRIME = (
    4  # times the prime: a hypersurface is missed at each prime with probability exp(−4)
)
_MOST_CANDIDATES = 12
_MOST_EXCESS = 2  # a point on more hypersurfaces than these says little
_MOST_GENERIC = 6
_LARGE_PRIMES = 2
_MOST_DRAWN = 40  # primes; some divide a denominator, or come twice
_GENERIC_POINTS = 6


def invariant_polynomials(
    fields: VectorFields,
    degree: int,
    seed: int,
    deadline: Deadline = Deadline(),
    most: int = MOST_UNKNOWNS,
) -> list[Polynomial]:
    """Invariant polynomials, irreducible over Q, those of least degree first. `degree` bounds those that are sought on
    orbits, `most` the number of their monomials."""
    found = _Found(fields)
    for p in _factors(fields, seed):
        found.test(p)
    for d in range(1, degree + 1):
        if deadline.passed or comb(len(fields.variables) + d, d) > most:
            break
        for p in _on_orbits(fields, found, d, seed):
            found.test(p)
    return sorted(found.polynomials, key=lambda p: (p.total_degree(), len(p), str(p)))


@dataclass
class _Found:
    """Invariant polynomials so far."""

    fields: VectorFields
    polynomials: list[Polynomial] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def test(self, p: Polynomial) -> None:
        """Keep the irreducible factors of p that are invariant and move with the state."""
        moved = set(self.fields.moved())
        for q, _ in p.factor()[1]:
            key = str(sorted(_normalized(q).items()))
            if key in self._seen or not any(q.degrees()[k] for k in moved):
                continue
            self._seen.add(key)
            if self.fields.invariant(q):
                self.polynomials.append(q)


def _normalized(p: Polynomial) -> dict[Exponents, int]:
    terms = primitive(p)
    sign = 1 if terms[max(terms)] > 0 else -1
    return {m: sign * c for m, c in terms.items()}


def _factors(fields: VectorFields, seed: int) -> Iterator[Polynomial]:
    """Polynomials of which factors are likely to be invariant."""
    gens = fields.context.gens()
    yield from (gens[k] for k in fields.moved())
    for p in (fields.denominator, *_minors(fields, seed)):
        if p and not p.is_constant():
            yield p


def _minors(fields: VectorFields, seed: int) -> Iterator[Polynomial]:
    """Minors of the greatest size that does not vanish identically."""
    moved, prime = fields.moved(), draw_prime(np.random.default_rng([seed, 0x6D696E]))
    mod = reduced(fields, prime)
    if mod is None:
        return
    point = np.random.default_rng([seed, 0x72616E]).integers(1, prime, len(fields.variables))
    rank = linalg.rank(mod.at([int(x) for x in point]), prime)
    if not 0 < rank <= _MOST_RANK:
        return
    count = len(fields.fields)
    chosen = product(combinations(range(count), rank), combinations(moved, rank))
    if comb(count, rank) * comb(len(moved), rank) > _MOST_MINORS:
        chosen = islice(chosen, _MOST_MINORS)
    for rows, columns in chosen:
        yield _determinant([[fields.fields[i][j] for j in columns] for i in rows])


def _determinant(matrix: Sequence[Sequence[Polynomial]]) -> Polynomial:
    """By the first row; matrices are small and sparse."""
    if len(matrix) == 1:
        return matrix[0][0]
    total = matrix[0][0] * 0
    for k, x in enumerate(matrix[0]):
        if x:
            minor = _determinant([[*row[:k], *row[k + 1 :]] for row in matrix[1:]])
            total += x * minor if k % 2 == 0 else -x * minor
    return total


def _on_orbits(fields: VectorFields, found: _Found, degree: int, seed: int) -> Iterator[Polynomial]:
    """Candidates of one degree from the orbits of points."""
    monomials = _monomials_of(len(fields.variables), degree)
    generic = _generic(fields, monomials, seed)
    if len(generic) <= _MOST_GENERIC:
        yield from generic
    residues: list[_Residues] = []
    for prime in _SMALL_PRIMES:
        candidates = _special(fields, [*found.polynomials], generic, monomials, prime, seed)
        residues.append(_Residues(prime, candidates))
        yield from _lifted(fields, residues)
        if len(residues) > 1 and not any(r.candidates for r in residues):
            return


def _monomials_of(variables: int, degree: int) -> list[Exponents]:
    """All monomials up to a degree, 1 included, high degrees first."""
    found = [()]
    for _ in range(variables):
        found = [(*m, n) for m in found for n in range(degree - sum(m) + 1)]
    return sorted(found, key=lambda m: (-sum(m), tuple(-n for n in m)))


def _generic(fields: VectorFields, monomials: Sequence[Exponents], seed: int) -> list[Polynomial]:
    """A basis over Q of the span of all polynomials that vanish on the orbit of a generic point."""
    rng = np.random.default_rng([seed, 0x67656E])
    primes: list[int] = []
    bases: list[np.ndarray] = []
    for _ in range(_MOST_DRAWN):
        if len(primes) == _LARGE_PRIMES:
            break
        prime = draw_prime(rng)
        mod = None if prime in primes else reduced(fields, prime)
        if mod is None:
            continue
        points = rng.integers(1, prime, (_GENERIC_POINTS, len(fields.variables)))
        rows = conditions(mod, points, monomials, rng)
        if linalg.rank(rows[0], prime) == len(monomials):
            return []
        spaces = [linalg.nullspace(r, prime) for r in rows]
        primes.append(prime)
        bases.append(linalg.echelon(np.concatenate(spaces), prime))
    if len(primes) < _LARGE_PRIMES or len({tuple(map(tuple, b != 0)) for b in bases}) > 1:
        return []
    rows = [
        _reconstructed([[int(x) for x in b[i]] for b in bases], primes)
        for i in range(len(bases[0]))
    ]
    return [
        fields.polynomial({m: c for m, c in zip(monomials, row, strict=True) if c})
        for row in rows
        if row is not None
    ]


def _reconstructed(rows: Sequence[Sequence[int]], primes: Sequence[int]) -> list[Fraction] | None:
    """Rational numbers from their residues by prime."""
    found = []
    for residues in zip(*rows, strict=True):
        value = linalg.reconstruct(*linalg.combine_residues(list(residues), list(primes)))
        if value is None:
            return None
        found.append(value)
    return found


Residue = dict[Exponents, int]


@dataclass(frozen=True)
class _Residues:
    """Candidates mod a prime, the coefficient of the first monomial 1."""

    prime: int
    candidates: list[Residue]


def _special(
    fields: VectorFields,
    known: Sequence[Polynomial],
    generic: Sequence[Polynomial],
    monomials: Sequence[Exponents],
    prime: int,
    seed: int,
) -> list[Residue]:
    """Polynomials mod p that vanish on the orbits of several points, and on no generic one, beside the known ones."""
    rng = np.random.default_rng([seed, prime])
    mod = reduced(fields, prime)
    if mod is None:
        return []
    points = rng.integers(0, prime, (_POINTS_PER_PRIME * prime, len(fields.variables)))
    for p in known:
        points = points[_values(p, points, prime) != 0]
    if not len(points):
        return []
    usual = np.array([_residues(p, monomials, prime) for p in generic], dtype=np.int64)
    usual = usual.reshape(-1, len(monomials))
    rows = conditions(mod, points, monomials, rng)
    ranks = [linalg.rank(r, prime) for r in rows]
    met: dict[tuple[int, ...], int] = {}
    for r, rank in zip(rows, ranks, strict=True):
        if 0 < max(ranks) - rank <= _MOST_EXCESS:
            for row in linalg.nullspace(r, prime):
                key = tuple(int(x) for x in row)
                met[key] = met.get(key, 0) + 1
    often = sorted((row for row, n in met.items() if n > 1), key=lambda r: (-met[r], r))
    rank = linalg.rank(usual, prime)
    return [
        {m: c for m, c in zip(monomials, row, strict=True) if c}
        for row in often[:_MOST_CANDIDATES]
        if linalg.rank(np.concatenate([usual, [row]]), prime) > rank
    ]


def _values(p: Polynomial, points: np.ndarray, prime: int) -> np.ndarray:
    """p at points mod a prime."""
    total = np.zeros(len(points), dtype=np.int64)
    for m, c in primitive(p).items():
        value = np.full(len(points), c % prime)
        for k, n in enumerate(m):
            for _ in range(n):
                value = value * points[:, k] % prime
        total = (total + value) % prime
    return total


def _residues(p: Polynomial, monomials: Sequence[Exponents], prime: int) -> list[int]:
    terms = primitive(p)
    return [terms.get(m, 0) % prime for m in monomials]


def _lifted(fields: VectorFields, residues: Sequence[_Residues]) -> Iterator[Polynomial]:
    """Polynomials over Q with the residues of the last prime: of one candidate; of a product of two, which are
    conjugate where a polynomial splits mod p; of one candidate with the same monomials for two primes."""
    *before, last = residues
    pairs = (_product(a, b, last.prime) for a, b in combinations(last.candidates, 2))
    for candidate in (*last.candidates, *pairs):
        yield from _rational(fields, [candidate], [last.prime])
    for candidate in last.candidates:
        for other in before:
            for twin in other.candidates:
                if twin.keys() == candidate.keys():
                    yield from _rational(fields, [twin, candidate], [other.prime, last.prime])


def _product(a: Residue, b: Residue, prime: int) -> Residue:
    found: Residue = {}
    for m, c in a.items():
        for n, d in b.items():
            k = tuple(x + y for x, y in zip(m, n, strict=True))
            found[k] = (found.get(k, 0) + c * d) % prime
    return {m: c for m, c in found.items() if c}


def _rational(
    fields: VectorFields, residues: Sequence[Residue], primes: Sequence[int]
) -> Iterator[Polynomial]:
    order = sorted(residues[0])
    row = _reconstructed([[r[m] for m in order] for r in residues], primes)
    if row is not None:
        yield fields.polynomial(dict(zip(order, row, strict=True)))
