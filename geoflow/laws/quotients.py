"""Laws Π pᵢ^cᵢ from polynomials with Σ cᵢ·(X pᵢ)/pᵢ = 0 (Darboux 1878), and with the time where it is a coordinate.

The cᵢ are the combinations of the logarithms that are conserved: whole numbers make a quotient of products, and
Σ cᵢ λᵢ = −k along the drift a factor exp(k·t). Coefficients in symbolic constants leave logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.polynomials import Polynomial, TooLarge
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.build import divide, function, multiply, power, scale
from geoflow.expr.tree import Expr, Time
from geoflow.laws.darboux import MOST_COORDINATES, MOST_UNKNOWNS, invariant_polynomials
from geoflow.laws.dictionary import Combination, TermSampler, combinations_in, constant_monomials
from geoflow.laws.matrix_form import expression
from geoflow.laws.vectorfields import VectorFields, written_out
from geoflow.lie.bracket import Generator


@dataclass(frozen=True)
class Factors:
    """The pᵢ. Where they are known as `polynomials`, a product of some is written out if that is shorter."""

    expressions: tuple[Expr, ...]
    fields: VectorFields | None = None
    polynomials: tuple[Polynomial, ...] = ()

    def product(self, chosen: Sequence[int]) -> list[Expr]:
        """Factors of the product of the chosen ones."""
        long = [j for j in chosen if self.polynomials and len(self.polynomials[j]) > 1]
        if self.fields is not None and len(long) > 1:
            together = self.fields.context.constant(1)
            for j in long:
                together *= self.polynomials[j]
            if len(together) <= sum(len(self.polynomials[j]) for j in long):
                short = [self.expressions[j] for j in chosen if j not in long]
                return [*short, self.fields.expression(together)]
        return [self.expressions[j] for j in chosen]


def darboux_factors(
    generator: Generator,
    degree: int,
    seed: int,
    deadline: Deadline = Deadline(),
    most: int = MOST_UNKNOWNS,
) -> Factors:
    """Invariant polynomials of the flow, those sought on orbits up to a degree; none where the fields are not rational
    or too large to be written out."""
    flow = generator.flow
    if flow.dimension + len(flow.symbolic_constants) > MOST_COORDINATES:
        return Factors(())
    try:
        fields = written_out(generator, deadline)
        found = tuple(invariant_polynomials(fields, degree, seed, deadline, most))
    except (TooLarge, UnluckyPoint, UnsupportedPrimitive):
        return Factors(())
    return Factors(tuple(map(fields.expression, found)), fields, found)


def quotients(
    generator: Generator, factors: Factors, constant_degree: int, seed: int
) -> list[Expr]:
    """Candidates Π pᵢ^cᵢ·exp(k·t)."""
    if not factors.expressions:
        return []
    flow = generator.flow
    terms = [function("log", p) for p in factors.expressions]
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


def _quotient(combination: Combination, factors: Factors) -> Expr:
    """Σ cᵢ log pᵢ + k·t as Π pᵢ^cᵢ·exp(k·t), the cᵢ without a common divisor."""
    time, coefficients = len(factors.expressions), combination.coefficients
    common = gcd(*(int(c) for (j, _), c in coefficients.items() if j != time)) or 1
    by_exponent: dict[Fraction, list[int]] = {}
    for (j, _), c in coefficients.items():
        if j != time:
            by_exponent.setdefault(c / common, []).append(j)
    above: list[Expr] = []
    below: list[Expr] = []
    if (time, ()) in coefficients:
        above.append(function("exp", scale(coefficients[time, ()] / common, Time())))
    for c, chosen in by_exponent.items():
        (above if c > 0 else below).extend(power(p, abs(c)) for p in factors.product(chosen))
    if not above:  # the inverse of a law is a law
        above, below = below, above
    product = _multiplied(above)
    return divide(product, _multiplied(below)) if below else product


def _multiplied(factors: Sequence[Expr]) -> Expr:
    product = factors[0]
    for factor in factors[1:]:
        product = multiply(product, factor)
    return product
