"""The fields of a flow written out: vectors of polynomials over Q that span all G_a and F₀ over the rational functions.

The generator c·F₀ + G_a is expanded with every coordinate a variable; its coefficients in (c, a), cleared of their
common denominator, are the fields. A field times a function has the same invariant hypersurfaces and the same laws,
so denominators may be cleared. Symbolic constants are variables that no field moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.polynomials import Polynomial, Polynomials, Quotient, TooLarge
from geoflow.exact.quotient import Effort
from geoflow.expr.build import entry, linear_combination, multiply, power
from geoflow.expr.tree import Constant, Expr, number
from geoflow.lie.bracket import Generator, Letter, exact_constants

Exponents = tuple[int, ...]
MOST_TERMS = 4000  # of one field's numerators
MOST_PRODUCTS = 3e6  # of terms, about a second


@dataclass(frozen=True)
class VectorFields:
    """`fields` [fields][variables]: polynomials in the ring of `context`, one variable a symbolic constant or a
    coordinate, as `variables` says. `denominator` is what they were multiplied by."""

    context: Any
    variables: tuple[Expr, ...]
    fields: tuple[tuple[Polynomial, ...], ...]
    denominator: Polynomial

    def derivative(self, p: Polynomial, field: Sequence[Polynomial]) -> Polynomial:
        """X p."""
        total = self.context.constant(0)
        for k, x in enumerate(field):
            if x:
                total += x * p.derivative(k)
        return total

    def invariant(self, p: Polynomial) -> bool:
        """Whether p divides X p for every field: {p = 0} is invariant (Darboux 1878)."""
        return all(not divmod(self.derivative(p, x), p)[1] for x in self.fields)

    def moved(self) -> tuple[int, ...]:
        """The variables that are coordinates of the state."""
        return tuple(k for k, v in enumerate(self.variables) if not isinstance(v, Constant))

    def polynomial(self, terms: Mapping[Exponents, Fraction]) -> Polynomial:
        """A polynomial from its coefficients."""
        return self.context.from_dict(
            {m: flint.fmpq(c.numerator, c.denominator) for m, c in terms.items()}
        )

    def expression(self, p: Polynomial) -> Expr:
        """The polynomial written out, with primitive integer coefficients, the first one positive."""
        terms = sorted(primitive(p).items(), key=lambda mc: (-sum(mc[0]), tuple(-e for e in mc[0])))
        sign = 1 if terms[0][1] > 0 else -1
        return linear_combination(
            [(Fraction(sign * c), self._monomial(m)) for m, c in terms if any(m)]
            + [(Fraction(sign * c), number(1)) for m, c in terms if not any(m)]
        )

    def _monomial(self, exponents: Exponents) -> Expr:
        factors = [power(v, n) for v, n in zip(self.variables, exponents, strict=True) if n]
        product = factors[0]
        for factor in factors[1:]:
            product = multiply(product, factor)
        return product


def primitive(p: Polynomial) -> dict[Exponents, int]:
    """Coefficients of the primitive integer multiple of p."""
    terms = {tuple(map(int, m)): c for m, c in p.to_dict().items()}
    scale = int(np.lcm.reduce([int(c.q) for c in terms.values()], dtype=object))
    whole = {m: int(c.p) * scale // int(c.q) for m, c in terms.items()}
    common = int(np.gcd.reduce(list(whole.values()), dtype=object))
    return {m: c // common for m, c in whole.items()}


def written_out(generator: Generator, deadline: Deadline = Deadline()) -> VectorFields:
    """Expand the fields of a flow.

    Raises:
        TooLarge: the expansion has too many terms. UnluckyPoint: a denominator is identically zero.
        UnsupportedPrimitive: the fields are not rational.
    """
    flow = generator.flow
    names = flow.symbolic_constants
    shapes = [*[() for _ in names], *[b.shape for b in flow.state]]
    controls = [c.shape for c in generator.controls]
    ring, arrays = Polynomials.in_shapes([*shapes, (), *controls], deadline=deadline)
    ring.effort = Effort(MOST_TERMS, MOST_PRODUCTS, deadline)
    symbolic = dict(zip(names, arrays, strict=False))
    point = {b.name: a for b, a in zip(flow.state, arrays[len(names) :], strict=False)}
    letter = Letter(arrays[len(shapes)], tuple(arrays[len(shapes) + 1 :]))
    exact = exact_constants(ring, flow.constants, symbolic)
    direction = generator(ring, exact, point, letter)
    entries = [x for b in flow.state for x in _entries(direction[b.name], b.shape)]
    denominator = ring.number(Fraction(1))
    for x in entries:
        if isinstance(x, Quotient):
            denominator *= x.denominator / denominator.gcd(x.denominator)
    numerators = [
        x.numerator * (denominator / x.denominator) if isinstance(x, Quotient) else x * denominator
        for x in entries
    ]
    variables = (
        *map(Constant, names),
        *(entry(b.leaf, tuple(map(int, i))) for b in flow.state for i in np.ndindex(b.shape)),
    )
    return _split(numerators, denominator, variables)


def _entries(array: np.ndarray, shape: tuple[int, ...]) -> list[Any]:
    return list(np.broadcast_to(array, (1, 1, *shape)).flat)


def _split(
    numerators: Sequence[Polynomial], denominator: Polynomial, variables: tuple[Expr, ...]
) -> VectorFields:
    """The coefficients in the controls, in a ring without them."""
    count = len(variables)
    context = flint.fmpq_mpoly_ctx.get(
        tuple(f"x{k}" for k in range(count)), flint.Ordering.degrevlex
    )
    parts: dict[Exponents, list[dict[Exponents, Any]]] = {}
    constants = count - len(numerators)
    for k, p in enumerate(numerators):
        if len(p) > MOST_TERMS:
            raise TooLarge
        for m, c in p.to_dict().items():
            by_coordinate = parts.setdefault(m[count:], [{} for _ in range(count)])
            by_coordinate[constants + k][m[:count]] = c
    fields = tuple(
        tuple(map(context.from_dict, by_coordinate)) for _, by_coordinate in sorted(parts.items())
    )
    below = context.from_dict({m[:count]: c for m, c in denominator.to_dict().items()})
    return VectorFields(context, variables, fields, below)
