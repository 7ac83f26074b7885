"""The field c·F₀ + G_b of a flow as sparse Laurent polynomials, expanded once.

From the terms of its components follow, exactly, which diagonal symmetries it has (`laws.grading`), and whether a
polynomial is a law: dh·(c F₀ + G_b) + c·λ·h is expanded over Q and must be the zero polynomial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.quotient import Effort, TooLarge
from geoflow.exact.sparsepoly import Monomial, SparsePolynomial, SparsePolynomials, product_of
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.tree import Expr
from geoflow.flow import Flow
from geoflow.laws.tokens import environment
from geoflow.lie.bracket import Generator, Letter, exact_constants, example_point

_TERMS, _PRODUCTS = 10**5, 10**7
_TERMS_IN_ALL = 10**6


@dataclass(frozen=True)
class PolynomialField:
    """`components` by coordinate of the state. Variables: the coordinates in the order of the state, then `weight` (c),
    then the controls, of which those `fixed` take the values 0 and 1, then the symbolic constants. `rate` is λ, 0
    without a time factor."""

    flow: Flow
    components: tuple[SparsePolynomial, ...]
    weight: int
    controls: range
    fixed: frozenset[int]
    size: int
    rate: SparsePolynomial

    @property
    def moving(self) -> list[int]:
        """Positions of the coordinates that a polynomial law may hold: all but t."""
        return coordinate_positions(self.flow)

    def conserves(self, law: Mapping[Monomial, Any], deadline: Deadline = Deadline()) -> bool:
        """Whether the polynomial, times the time factor, is a law: an identity over Q.

        Raises:
            TooLarge: the expansion outgrew its bounds.
        """
        ring = SparsePolynomials(
            self.size, Effort(10 * _TERMS, 10 * _PRODUCTS, deadline), self.fixed
        )
        total = ring.mul(_array(SparsePolynomial(dict(law))), _array(self._moved_rate()))[0]
        gradient: dict[int, dict[Monomial, Any]] = {}
        for monomial, coefficient in law.items():
            for k in set(monomial):
                rest = list(monomial)
                rest.remove(k)
                part = gradient.setdefault(k, {})
                part[tuple(rest)] = coefficient * monomial.count(k)
        row = _array(*(SparsePolynomial(g) for g in gradient.values()))
        column = _array(*(self.components[k] for k in gradient))
        along = ring.matmul(row[None, :], column[:, None])[0, 0]
        return ring.is_zero(along + total)

    def _moved_rate(self) -> SparsePolynomial:
        """c·λ."""
        terms = {product_of(m, (self.weight,)): x for m, x in self.rate.terms.items()}
        return SparsePolynomial(terms)


def coordinate_positions(flow: Flow) -> list[int]:
    """Positions in the state of all coordinates but t."""
    found, start = [], 0
    for b in flow.state:
        if b.kind != "time":
            found += range(start, start + b.size)
        start += b.size
    return found


def polynomial_field(
    generator: Generator, rate: Expr | None = None, deadline: Deadline = Deadline()
) -> PolynomialField | None:
    """The field of a flow, with the rate of a time factor; None where it is no Laurent polynomial, or too large."""
    flow = generator.flow
    if generator.estimated or any(c.kind in ("choice", "onehot") for c in generator.controls):
        return None
    shapes = [*(b.shape for b in flow.state), (), *(c.shape for c in generator.controls)]
    shapes += [() for _ in flow.symbolic_constants]
    weight = sum(b.size for b in flow.state)
    free = generator.control_size
    size = weight + 1 + free + len(flow.symbolic_constants)
    ring = SparsePolynomials(size, Effort(_TERMS, _PRODUCTS, deadline))
    arrays = iter(ring.arrays(shapes))
    point = {b.name: next(arrays) for b in flow.state}
    letter = Letter(next(arrays), tuple(next(arrays) for _ in generator.controls))
    symbolic = {n: next(arrays) for n in flow.symbolic_constants}
    try:
        constants = exact_constants(ring, flow.constants, symbolic)
        components = generator.rows(generator(ring, constants, point, letter), 1)[0]
        own = SparsePolynomial({}) if rate is None else _rate(flow, ring, rate, symbolic, point)
    except (TooLarge, UnluckyPoint, UnsupportedPrimitive):
        return None
    if sum(len(x.terms) for x in components) > _TERMS_IN_ALL:
        return None
    fixed, start = [], weight + 1
    for control in generator.controls:
        count = prod(control.shape)
        if control.kind == "gate":
            fixed += range(start, start + count)
        start += count
    controls = range(weight + 1, weight + 1 + free)
    return PolynomialField(flow, tuple(components), weight, controls, frozenset(fixed), size, own)


def _rate(
    flow: Flow,
    ring: SparsePolynomials,
    rate: Expr,
    symbolic: Mapping[str, Any],
    point: Mapping[str, Any],
) -> SparsePolynomial:
    constants = {**flow.constants, **rationals([rate])}
    program = trace(
        lambda c, z: evaluate((rate,), environment(c, z)),
        {n: jax.ShapeDtypeStruct((), jnp.float64) for n in constants},
        example_point(flow),
    )
    exact = exact_constants(ring, constants, symbolic)
    (value,) = run(program, ring, jax.tree.leaves((exact, dict(point))))
    return value.ravel()[0]


def _array(*values: SparsePolynomial) -> Any:
    out = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):
        out[k] = value
    return out
