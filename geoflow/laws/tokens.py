"""Tokens: independent variables that stand for values no exact arithmetic has.

- exp(A): the exponents are polynomials without constant term. They are written over a basis of the lattice of their
  integer combinations (Hermite form), each basis exponent B a token E with dE = E·dB. So exp(t)·exp(t) and exp(2t) are
  one thing, and the tokens are algebraically independent over the rational functions (Ax 1971): identities and
  inequalities over tokens are those of the functions.
- log(B), only where its value matters: a token L with dL = dB/B. Identities over such tokens hold for the functions; a
  nonzero value refutes nothing unless the arguments are different coordinates, since log(xy) = log x + log y.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import flint
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from geoflow.exact.interpreter import run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.quotient import Quotient
from geoflow.expr.build import entry, linear_combination, multiply, power
from geoflow.expr.evaluate import Environment, evaluate
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Apply, Constant, Expr, Parameter, walk
from geoflow.flow import Flow
from geoflow.lie.bracket import example_point
from geoflow.parametrization import TIME


class UnsupportedExponential(Exception):
    """An exponential that is no token: of an array, or of no polynomial without constant term."""


@dataclass(frozen=True)
class Tokens:
    """`exponents` of the exponential tokens; `powers` of them by exp node; the arguments of the logarithmic tokens and
    the token by log node. Exponential tokens come first."""

    exponents: tuple[Expr, ...] = ()
    powers: Mapping[int, tuple[int, ...]] | None = None
    arguments: tuple[Expr, ...] = ()
    logs: Mapping[int, int] | None = None

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of all tokens."""
        return [*(() for _ in self.exponents), *(a.shape for a in self.arguments)]

    def tangents(
        self, values: Sequence[Any], primal: Sequence[Any], tangent: Sequence[Any]
    ) -> tuple[Any, ...]:
        """Derivatives of the tokens from those of exponents and arguments."""
        count = len(self.exponents)
        moved = [e * d for e, d in zip(values, tangent[:count], strict=False)]
        return (*moved, *(d / b for b, d in zip(primal[count:], tangent[count:], strict=True)))

    def replaced(self, values: Sequence[Any]) -> dict[int, Any]:
        """Values of the exp and log nodes, by identity."""
        found: dict[int, Any] = {}
        for node, powers in (self.powers or {}).items():
            value: Any = jnp.ones(())
            for token, n in zip(values, powers, strict=False):
                value = value * lax.integer_pow(token, n) if n else value
            found[node] = value
        for node, position in (self.logs or {}).items():
            found[node] = values[len(self.exponents) + position]
        return found

    @property
    def decide(self) -> bool:
        """Whether the tokens are algebraically independent, so that a nonzero value refutes."""
        return all(isinstance(a, Parameter) for a in self.arguments)


def environment(
    constants: Mapping[str, Any],
    point: Mapping[str, Any],
    replaced: Mapping[int, Any] | None = None,
) -> Environment:
    """Names of the state as leaves of expressions."""
    velocities = {name.removesuffix("'"): v for name, v in point.items() if name.endswith("'")}
    return Environment(constants, point, velocities, point.get(TIME), replaced or {})


def with_logarithms(tokens: Tokens, roots: Sequence[Expr]) -> Tokens:
    """The tokens, with one for every different argument of a logarithm."""
    arguments: dict[str, Expr] = {}
    logs: dict[int, int] = {}
    for node in walk(*roots):
        if isinstance(node, Apply) and node.operation == "log":
            text = print_expr(node.arguments[0])
            arguments.setdefault(text, node.arguments[0])
            logs[id(node)] = list(arguments).index(text)
    return Tokens(tokens.exponents, tokens.powers, tuple(arguments.values()), logs)


def exponential_tokens(
    flow: Flow, roots: Sequence[Expr], constants: Mapping[str, Fraction | None]
) -> Tokens:
    """Tokens for the exponentials below `roots`.

    Raises:
        UnsupportedExponential: one is of an array, or of no polynomial without constant term.
    """
    nodes = [n for n in walk(*roots) if isinstance(n, Apply) and n.operation == "exp"]
    if not nodes:
        return Tokens()
    if any(n.shape for n in nodes):
        raise UnsupportedExponential("exponential of an array")
    unknown = [n for n, v in constants.items() if v is None]
    vectors = _exponents(flow, nodes, constants, unknown)
    monomials = sorted({m for v in vectors for m in v})
    scale = lcm(*(c.denominator for v in vectors for c in v.values()))
    rows = [[int(v.get(m, Fraction(0)) * scale) for m in monomials] for v in vectors]
    basis = [[int(x) for x in row] for row in flint.fmpz_mat(rows).hnf().tolist() if any(row)]
    variables = [Constant(n) for n in unknown] + _coordinates(flow)
    exponents = tuple(
        linear_combination(
            [
                (Fraction(c, scale), _monomial(variables, m))
                for c, m in zip(row, monomials, strict=True)
                if c
            ]
        )
        for row in basis
    )
    powers = {id(node): _powers(row, basis) for node, row in zip(nodes, rows, strict=True)}
    return Tokens(exponents, powers)


def _coordinates(flow: Flow) -> list[Expr]:
    return [entry(b.leaf, tuple(map(int, i))) for b in flow.state for i in np.ndindex(b.shape)]


def _monomial(variables: Sequence[Expr], exponents: tuple[int, ...]) -> Expr:
    factors = [power(x, n) for x, n in zip(variables, exponents, strict=True) if n]
    product = factors[0]
    for factor in factors[1:]:
        product = multiply(product, factor)
    return product


def _powers(row: Sequence[int], basis: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """row = Σ nₖ basisₖ, by the echelon form of the basis."""
    left, powers = list(row), []
    for vector in basis:
        lead = next(k for k, x in enumerate(vector) if x)
        n, rest = divmod(left[lead], vector[lead])
        assert rest == 0, "the rows lie in the lattice of the basis"
        left = [x - n * y for x, y in zip(left, vector, strict=True)]
        powers.append(n)
    return tuple(powers)


def _exponents(
    flow: Flow,
    nodes: Sequence[Apply],
    constants: Mapping[str, Fraction | None],
    unknown: Sequence[str],
) -> list[dict[Any, Fraction]]:
    """Each exponent as a polynomial {monomial: coefficient} in the symbolic constants and the state."""
    arguments = tuple(n.arguments[0] for n in nodes)
    program = trace(
        lambda c, z: evaluate(arguments, environment(c, z)),
        {n: jax.ShapeDtypeStruct((), jnp.float64) for n in constants},
        example_point(flow),
    )
    ring, variables = Polynomials.in_shapes(
        [*[() for _ in unknown], *[b.shape for b in flow.state]]
    )
    arrays = iter(variables)
    values = {n: next(arrays) for n in unknown}
    values |= {n: ring.constant(v, (1, 1)) for n, v in constants.items() if v is not None}
    place = {b.name: next(arrays) for b in flow.state}
    vectors = []
    try:
        outputs = run(program, ring, jax.tree.leaves((values, place)))
    except UnsupportedPrimitive as error:
        raise UnsupportedExponential(f"exponential of a {error.name}") from None
    for value in (o[0, 0] for o in outputs):
        if isinstance(value, Quotient):
            raise UnsupportedExponential("exponential of a quotient")
        terms = {tuple(map(int, m)): _rational(c) for m, c in value.to_dict().items()}
        if any(not any(m) for m in terms):
            raise UnsupportedExponential("exponential of an expression with a constant term")
        vectors.append(terms)
    return vectors


def _rational(value: flint.fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
