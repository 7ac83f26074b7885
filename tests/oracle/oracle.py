"""Counts conservation laws symbolically over Q: slow, obvious, and sharing nothing with geoflow.

The flow is written as vector fields with polynomial coefficients, which are closed under Lie
brackets; by Frobenius the number of laws is the dimension of the state minus the resulting rank.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from typing import Any

import sympy
from sympy.polys.orderings import lex
from sympy.polys.rings import PolyRing

TIME = sympy.Symbol("t")
POINT_SIZE = 10**6


def velocity(parameter: sympy.Symbol) -> sympy.Symbol:
    """The symbol of a parameter's velocity."""
    return sympy.Symbol(f"{parameter.name}'")


@dataclass(frozen=True)
class Description:
    """A flow in SymPy's terms: φ and the diagonal of M⁻¹ are rational in the parameters."""

    parameters: tuple[Any, ...]
    phi: tuple[Any, ...]
    inverse_metric: tuple[Any, ...]
    order: int = 1
    damping: Any = sympy.S.Zero


class Echelon:
    """The span over Q of the rows added so far."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Fraction]] = {}

    def add(self, row: Sequence[Any]) -> bool:
        """Add a row; true if it was outside the span."""
        left = [Fraction(int(x.numerator), int(x.denominator)) for x in row]
        for pivot, known in self.rows.items():
            if left[pivot]:
                factor = left[pivot]
                left = [a - factor * b for a, b in zip(left, known, strict=True)]
        pivot = next((i for i, x in enumerate(left) if x), None)
        if pivot is None:
            return False
        self.rows[pivot] = [x / left[pivot] for x in left]
        return True


@dataclass(frozen=True)
class Oracle:
    """Counts and laws of one flow; `seed` chooses the points at which ranks are taken."""

    description: Description
    seed: int = 0

    @cached_property
    def state(self) -> tuple[Any, ...]:
        """θ at order 1; (t, θ, θ') at order 2."""
        parameters = self.description.parameters
        if self.description.order == 1:
            return parameters
        return (TIME, *parameters, *map(velocity, parameters))

    @property
    def dimension(self) -> int:
        """N, the number of coordinates of the state."""
        return len(self.state)

    @cached_property
    def controlled(self) -> tuple[tuple[Any, ...], ...]:
        """One field M⁻¹∇φ_k for each coordinate of φ; at order 2 it acts on the velocities."""
        model = self.description
        pushes = [
            tuple(
                m * sympy.diff(coordinate, x)
                for m, x in zip(model.inverse_metric, model.parameters, strict=True)
            )
            for coordinate in model.phi
        ]
        if model.order == 1:
            return tuple(pushes)
        still = (sympy.Integer(0),) * (1 + len(model.parameters))
        return tuple(still + push for push in pushes)

    @cached_property
    def drift(self) -> tuple[Any, ...] | None:
        """∂_t + v ∂_θ - τ v ∂_v at order 2, nothing at order 1."""
        if self.description.order == 1:
            return None
        speeds = tuple(map(velocity, self.description.parameters))
        return (sympy.Integer(1), *speeds, *(-self.description.damping * v for v in speeds))

    @cached_property
    def rank(self) -> int:
        """The generic rank of the Lie algebra that the fields generate."""
        drifts = [self.drift] if self.drift else []
        closure = Closure(len(self.state), self.seed)
        ring = PolyRing(self.state, sympy.QQ, lex)
        return closure.run([clear_denominators(ring, f) for f in [*drifts, *self.controlled]])

    @property
    def count(self) -> int:
        """The number of independent conservation laws."""
        return self.dimension - self.rank

    def is_law(self, law: Any) -> bool:
        """Whether the fields annihilate `law`, which may hold logarithms and one exp(ct)."""
        gradient = [sympy.diff(law, z) for z in self.state]
        fields = [*self.controlled, *([self.drift] if self.drift else [])]
        return all(
            vanishes(sum((a * b for a, b in zip(field, gradient, strict=True)), sympy.Integer(0)))
            for field in fields
        )


def vanishes(expression: Any) -> bool:
    """Whether a rational expression is zero, by expanding its numerator."""
    numerator, _ = sympy.fraction(sympy.together(expression))
    return sympy.expand(numerator) == 0


Field = tuple[Any, ...]  # of polynomials


def clear_denominators(ring: Any, field: Sequence[Any]) -> Field:
    """A polynomial multiple of a rational field: it spans the same line over K."""
    fractions = [sympy.fraction(sympy.together(entry)) for entry in field]
    pairs = [tuple(ring.from_expr(sympy.expand(part)) for part in pair) for pair in fractions]
    common = reduce(lambda a, b: a.lcm(b), (d for _, d in pairs), ring.one)
    return primitive(tuple(n * common.exquo(d) for n, d in pairs))


def primitive(field: Field) -> Field:
    """The field divided by the common factor of its entries."""
    factor: Any = reduce(lambda a, b: a.gcd(b), field)
    return tuple(entry.exquo(factor) for entry in field) if factor else field


def bracket(left: Field, right: Field) -> Field:
    """[X, Y] = DY·X - DX·Y."""
    ring: Any = left[0].ring
    directions = [(x, a, b) for x, a, b in zip(ring.gens, left, right, strict=True) if a or b]
    return tuple(
        sum((a * y.diff(x) - b * z.diff(x) for x, a, b in directions), ring.zero)
        for y, z in zip(right, left, strict=True)
    )


class Closure:
    """Closes fields under brackets, over the field K of rational functions.

    A basis of the K-span of the generators suffices as generators, for [fX, Y] = f[X, Y] - Y(f)X;
    and the span is closed as soon as every [generator, basis field] lies in it. Independence is
    read at two random points.
    """

    def __init__(self, dimension: int, seed: int) -> None:
        source = random.Random(f"oracle {seed}")
        self.points = [[source.randint(1, POINT_SIZE) for _ in range(dimension)] for _ in range(2)]
        self.spans = [Echelon() for _ in self.points]
        self.dimension = dimension

    def extends(self, field: Field) -> bool:
        """Add a field; true if it was independent of the earlier ones."""
        answers = {
            span.add([value(entry, point) for entry in field])
            for span, point in zip(self.spans, self.points, strict=True)
        }
        if len(answers) == 2:
            raise ArithmeticError("the two points disagree: one of them is special")
        return answers.pop()

    def run(self, fields: Sequence[Field]) -> int:
        """The rank of the closure."""
        generators = [field for field in sorted(fields, key=size) if self.extends(field)]
        basis = list(generators)
        pairs = [(x, y) for j, y in enumerate(generators) for x in generators[:j]]
        while pairs and len(basis) < self.dimension:
            candidate = bracket(*pairs.pop(0))
            if any(candidate) and self.extends(candidate):
                candidate = primitive(candidate)
                basis.append(candidate)
                pairs.extend((x, candidate) for x in generators)
                pairs.sort(key=lambda pair: size(pair[0]) * size(pair[1]))
        return len(basis)


def size(field: Field) -> int:
    """The number of terms."""
    return sum(len(entry) for entry in field)


def value(polynomial: Any, point: Sequence[int]) -> Any:
    """The value at an integer point."""
    total = polynomial.ring.domain.zero
    for exponents, coefficient in polynomial.terms():
        for base, exponent in zip(point, exponents, strict=True):
            if exponent:
                coefficient *= base**exponent
        total += coefficient
    return total
