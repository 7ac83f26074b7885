"""Laws in matrix form: combinations of terms of equal shape that are conserved entry by entry."""

from __future__ import annotations

from collections.abc import Sequence

from geoflow.expr.build import linear_combination, multiply, scale
from geoflow.expr.tree import Constant, Expr, Shape
from geoflow.laws.dictionary import Combination, TermSampler, combinations_in, constant_monomials
from geoflow.lie.bracket import Generator

MOST_TERMS = 400


def matrix_laws(
    generator: Generator,
    terms: Sequence[Expr],
    factor: Expr | None,
    rate: Expr | None,
    degree: int,
    seed: int,
) -> list[Expr]:
    """Candidates Σ αⱼ Tⱼ (times `factor`, whose logarithmic derivative is `rate`), one list for all shapes.
    `degree` bounds the degree of α in the symbolic constants."""
    sampler = TermSampler(generator, terms, rate)
    groups: dict[Shape, list[int]] = {}
    for j, term in enumerate(terms):
        groups.setdefault(term.shape, []).append(j)
    monomials = constant_monomials(generator.flow, degree)
    found: list[Expr] = []
    for chosen in groups.values():
        for combination in combinations_in(sampler, chosen[:MOST_TERMS], monomials, seed):
            law = expression(combination, terms)
            found.append(law if factor is None else multiply(factor, law))
    return found


def expression(combination: Combination, terms: Sequence[Expr]) -> Expr:
    """The combination written out, terms in their order, constants in front."""
    parts = []
    for (j, monomial), coefficient in combination.coefficients.items():
        term = terms[j]
        for name in reversed(monomial):
            term = multiply(Constant(name), term)
        parts.append((coefficient, term))
    return linear_combination(parts) if len(parts) > 1 else scale(*parts[0])
