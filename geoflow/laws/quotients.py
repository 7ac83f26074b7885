"""Laws Π pᵢ^cᵢ from polynomials with Σ cᵢ·(X pᵢ)/pᵢ = 0 (Darboux 1878), and with the time where it is a coordinate.

The cᵢ are the combinations of the logarithms that are conserved: whole numbers make a quotient of products, and
Σ cᵢ λᵢ = −k along the drift a factor exp(k·t). Coefficients in symbolic constants leave logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.polynomials import TooLarge
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.build import divide, function, multiply, power, scale
from geoflow.expr.tree import Expr, Time
from geoflow.laws.darboux import MOST_COORDINATES, invariant_polynomials
from geoflow.laws.dictionary import Combination, TermSampler, combinations_in, constant_monomials
from geoflow.laws.matrix_form import expression
from geoflow.laws.vectorfields import written_out
from geoflow.lie.bracket import Generator


def darboux_factors(
    generator: Generator, degree: int, seed: int, deadline: Deadline = Deadline()
) -> list[Expr]:
    """Invariant polynomials of the flow, those sought on orbits up to a degree; none where the fields are not rational
    or too large to be written out."""
    flow = generator.flow
    if flow.dimension + len(flow.symbolic_constants) > MOST_COORDINATES:
        return []
    try:
        fields = written_out(generator, deadline)
        return [fields.expression(p) for p in invariant_polynomials(fields, degree, seed, deadline)]
    except (TooLarge, UnluckyPoint, UnsupportedPrimitive):
        return []


def quotients(
    generator: Generator, factors: Sequence[Expr], constant_degree: int, seed: int
) -> list[Expr]:
    """Candidates Π pᵢ^cᵢ·exp(k·t)."""
    if not factors:
        return []
    flow = generator.flow
    terms = [function("log", p) for p in factors]
    if any(b.kind == "time" for b in flow.state):
        terms.append(Time())
    sampler = TermSampler(generator, terms)
    monomials = constant_monomials(flow, constant_degree)
    found = []
    for combination in combinations_in(sampler, range(len(terms)), monomials, seed):
        if any(monomial for _, monomial in combination.coefficients):
            found.append(expression(combination, terms))
        else:
            found.append(_quotient(combination, factors))
    return found


def _quotient(combination: Combination, factors: Sequence[Expr]) -> Expr:
    """Σ cᵢ log pᵢ + k·t as Π pᵢ^cᵢ·exp(k·t), the cᵢ without a common divisor; `factors` are the pᵢ."""
    common = gcd(*(int(c) for (j, _), c in combination.coefficients.items() if j < len(factors)))
    above: list[Expr] = []
    below: list[Expr] = []
    for (j, _), whole in combination.coefficients.items():
        c = whole / (common or 1)
        if j == len(factors):
            above.insert(0, function("exp", scale(c, Time())))
        else:
            (above if c > 0 else below).append(power(factors[j], abs(c)))
    if not above:  # the inverse of a law is a law
        above, below = below, above
    product = _multiplied(above)
    return divide(product, _multiplied(below)) if below else product


def _multiplied(factors: Sequence[Expr]) -> Expr:
    product = factors[0]
    for factor in factors[1:]:
        product = multiply(product, factor)
    return product
