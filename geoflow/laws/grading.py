"""Gradings of polynomials by the diagonal symmetries of a flow.

A sign change θᵢ → ±θᵢ that only relabels the controls maps laws to laws, so the part of a law in each parity class is
a law: a system over F₂ in the signs of coordinates and controls, one equation for each term of the field. The same
system over F_p for a large p has the scalings, whose classes are those of total degrees, degrees in a layer and so on;
a weight mod p is a symmetry by p-th roots of unity, and the parts of a rational law are rational.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from geoflow.exact.sparsepoly import Monomial
from geoflow.laws.polynomialfield import PolynomialField

LARGE = 2**61 - 1  # prime
_WORDS = 2**62  # so many random elements of F₂^62
_MOST_STEPS = 2 * 10**7


@dataclass(frozen=True)
class Grading:
    """By coordinate: random elements of the dual of F₂^g and of F_p^g, as bits that are combined by exclusive or and
    as residues that are added. Monomials of one class have equal sums; of different ones, but for a few in 2^60."""

    parity: np.ndarray
    degree: np.ndarray

    def keys(self, monomials: np.ndarray) -> np.ndarray:
        """One number by class, for monomials [count, degree]; the position N stands for the number 1."""
        parity = np.append(self.parity, 0)
        degree = np.append(self.degree, 0)
        signs = np.zeros(len(monomials), dtype=np.int64)
        total = np.zeros(len(monomials), dtype=np.int64)
        for column in monomials.T:
            signs ^= parity[column]
            total = (total + degree[column]) % LARGE
        return signs ^ total * 0x2545F4914F6CDD1D  # wraps


def trivial(dimension: int) -> Grading:
    """The grading with one class."""
    return Grading(np.zeros(dimension, dtype=np.int64), np.zeros(dimension, dtype=np.int64))


def grading_of(field: PolynomialField, seed: int) -> Grading:
    """The finest grading by signs and by scalings."""
    rng = np.random.default_rng([seed, 0x677261])
    equations = list(_equations(field))
    unknowns = field.size + 1
    bits = _solution(equations, unknowns, 2, rng)
    residues = _solution(equations, unknowns, LARGE, rng)
    n = field.weight + 1
    if bits is None or residues is None:
        return trivial(n - 1)
    return Grading(np.array(bits[1:n], dtype=np.int64), np.array(residues[1:n], dtype=np.int64))


def _equations(field: PolynomialField) -> Iterator[dict[int, int]]:
    """weight(term) − weight(coordinate) = a common shift, for every term of every component."""
    for k, component in enumerate(field.components):
        for monomial in component.terms:
            yield _equation(monomial, k)
    for monomial in field.rate.terms:
        yield _equation((*monomial, field.weight), None)
    if field.rate:  # the time factor is a function of t
        yield from ({k + 1: 1} for k in set(range(field.weight)) - set(field.moving))
    yield from ({k + 1: 1} for k in field.fixed)
    yield from ({k + 1: 1} for k in range(field.controls.stop, field.size))


def _equation(monomial: Monomial, target: int | None) -> dict[int, int]:
    """Unknown 0 is the shift, unknown k + 1 the weight of variable k."""
    row = {0: -1}
    for k in monomial:
        variable, sign = (k + 1, 1) if k >= 0 else (~k + 1, -1)
        row[variable] = row.get(variable, 0) + sign
    if target is not None:
        row[target + 1] = row.get(target + 1, 0) - 1
    return row


def _solution(
    equations: list[dict[int, int]], unknowns: int, modulus: int, rng: np.random.Generator
) -> list[int] | None:
    """A random solution: mod 2 as many at once as there are bits. None where elimination would take too long.

    Later unknowns are eliminated first: a control occurs in few equations, and is free.
    """
    pivots: dict[int, dict[int, int]] = {}
    steps = 0
    for equation in equations:
        row = {k: x % modulus for k, x in equation.items() if x % modulus}
        while row:
            lead = max(row)
            pivot = pivots.get(lead)
            if pivot is None:
                inverse = pow(row[lead], -1, modulus)
                pivots[lead] = {k: x * inverse % modulus for k, x in row.items()}
                break
            factor = row[lead]
            for k, x in pivot.items():
                value = (row.get(k, 0) - factor * x) % modulus
                if value:
                    row[k] = value
                else:
                    row.pop(k, None)
            steps += len(pivot)
        if steps > _MOST_STEPS:
            return None
    values: list[int] = []
    for k in range(unknowns):
        if k not in pivots:
            values.append(int(rng.integers(0, _WORDS if modulus == 2 else modulus)))
            continue
        value = 0
        for j, x in pivots[k].items():
            if j == k:
                continue
            value = value ^ values[j] if modulus == 2 else (value - x * values[j]) % modulus
        values.append(value)
    return values
