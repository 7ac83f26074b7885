"""The differential of expressions along a direction, exactly: dh(z)·X for every entry of every h.

A law h of a flow satisfies dh(z)·(c F₀ + G_a)(z) = 0 identically in z, a, c. The derivative of a logarithm is rational,
so most laws with logarithms never need one evaluated. What does need a value becomes a *token*, an independent
variable with a derivative of its own:

- exp(A): E with dE = E·dA. The exponents A are polynomials without constant term; they are written over a basis of
  their integer combinations, so that exp(t)·exp(t) and exp(2t) are one thing and the tokens are algebraically
  independent (Ax 1971). Identities and inequalities over tokens are then those of the functions.
- log(B), where its value matters: L with dL = dB/B. Identities over such tokens hold for the functions; a nonzero
  value refutes nothing unless the arguments are different coordinates, since log(xy) = log x + log y.
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

from geoflow.exact.dual import Arithmetic
from geoflow.exact.interpreter import run
from geoflow.exact.polynomials import Polynomials, Quotient
from geoflow.exact.program import Program, trace
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.tree import Apply, Expr, Parameter, walk
from geoflow.flow import TIME, Flow
from geoflow.lie.bracket import Field, example_point

Arrays = Mapping[str, jax.Array]


class UnsupportedExponential(Exception):
    """exp of something that is not a polynomial without constant term, or exp or log of an array inside a law."""


@dataclass(frozen=True)
class Tokens:
    """`basis` are the exponents of the exponential tokens (as functions of constants and point, by jax); `powers` says
    for every exp node which product of them it is; `logs` are the nodes whose value is a token."""

    exponents: tuple[Expr, ...]
    powers: Mapping[int, tuple[Fraction, ...]]  # node id -> powers of the tokens of `exponents`
    denominator: tuple[int, ...]  # token k stands for exp(exponents[k] / denominator[k])
    logs: tuple[Apply, ...]

    @property
    def count(self) -> int:
        return len(self.exponents) + sum(int(np.prod(n.shape, dtype=np.int64)) for n in self.logs)


@dataclass(frozen=True)
class Differential:
    """Programs for dh·X and for h itself. `constants` are those the expressions read, the flow's included."""

    flow: Flow
    expressions: tuple[Expr, ...]
    constants: Mapping[str, Fraction | None]
    tokens: Tokens
    program: Program
    decides: bool  # whether a nonzero value refutes an identity

    def __call__(
        self,
        ring: Arithmetic,
        constants: Field,
        point: Field,
        tokens: Sequence[np.ndarray],
        direction: Field,
    ) -> list[np.ndarray]:
        """dh·direction, one array [nilpotent, batch, *shape] per expression."""
        leaves = jax.tree.leaves((dict(constants), dict(point), tuple(tokens), dict(direction)))
        return run(self.program, ring, leaves)


def differentiate(
    flow: Flow, expressions: Sequence[Expr], symbolic: Mapping[str, Fraction | None] | None = None
) -> Differential:
    """Trace the differential of expressions in a flow's parameters, velocities, t and constants.

    Raises:
        UnsupportedExponential: an exponential that is no token.
    """
    roots = tuple(expressions)
    constants = {**flow.constants, **(symbolic or {}), **rationals(roots)}
    tokens = _exponential_tokens(flow, roots, constants)
    program = _trace(flow, roots, constants, tokens)
    decides = True
    if any(i.primitive == "log" for i in program.instructions):
        logs = tuple(n for n in walk(*roots) if isinstance(n, Apply) and n.operation == "log")
        tokens = Tokens(tokens.exponents, tokens.powers, tokens.denominator, logs)
        program = _trace(flow, roots, constants, tokens)
        decides = all(isinstance(n.arguments[0], Parameter) for n in logs) and len(
            {n.arguments[0].name for n in logs if isinstance(n.arguments[0], Parameter)}
        ) == len(logs)
    return Differential(flow, roots, constants, tokens, program, decides)


def environment(
    constants: Mapping[str, Any], point: Mapping[str, Any], replaced: Mapping[int, Any] | None = None
) -> Environment:
    """Names of the state as leaves of expressions."""
    velocities = {name.removesuffix("'"): v for name, v in point.items() if name.endswith("'")}
    return Environment(constants, point, velocities, point.get(TIME, 0.0), replaced or {})


def _trace(
    flow: Flow, roots: tuple[Expr, ...], constants: Mapping[str, Any], tokens: Tokens
) -> Program:
    def differential(c: Any, point: Any, values: Any, direction: Any) -> Any:
        def arguments(z: Any) -> tuple[jax.Array, ...]:
            inner = tuple(n.arguments[0] for n in tokens.logs)
            return evaluate((*tokens.exponents, *inner), environment(c, z))

        primal, tangent = jax.jvp(arguments, (point,), (direction,))
        count = len(tokens.exponents)
        moved = [
            v * d / float(q) for v, d, q in zip(values, tangent, tokens.denominator, strict=False)
        ]
        moved += [d / b for b, d in zip(primal[count:], tangent[count:], strict=True)]

        def law(z: Any, t: Any) -> tuple[jax.Array, ...]:
            return evaluate(roots, environment(c, z, _replaced(roots, tokens, t)))

        return jax.jvp(law, (point, tuple(values)), (direction, tuple(moved)))[1]

    array = lambda shape: jax.ShapeDtypeStruct(shape, jnp.float64)  # noqa: E731
    point = example_point(flow)
    values = (*(array(()) for _ in tokens.exponents), *(array(n.shape) for n in tokens.logs))
    return trace(differential, {n: array(()) for n in constants}, point, values, point)


def _replaced(roots: tuple[Expr, ...], tokens: Tokens, values: Sequence[Any]) -> dict[int, Any]:
    replaced: dict[int, Any] = {}
    for node, powers in tokens.powers.items():
        value: Any = jnp.ones(())
        for token, power in zip(values, powers, strict=False):
            if power:
                value = value * lax.integer_pow(token, int(power))
        replaced[node] = value
    count = len(tokens.exponents)
    replaced.update((id(n), v) for n, v in zip(tokens.logs, values[count:], strict=True))
    return replaced


def _exponential_tokens(
    flow: Flow, roots: tuple[Expr, ...], constants: Mapping[str, Fraction | None]
) -> Tokens:
    nodes = [n for n in walk(*roots) if isinstance(n, Apply) and n.operation == "exp"]
    if not nodes:
        return Tokens((), {}, (), ())
    if any(n.shape for n in nodes):
        raise UnsupportedExponential("exp of an array")
    vectors, monomials = _exponents(flow, nodes, constants)
    scale = lcm(*(c.denominator for v in vectors for c in v.values()))
    table = flint.fmpz_mat(
        [[int(v.get(m, Fraction(0)) * scale) for m in monomials] for v in vectors]
    )
    hermite = table.hnf()
    basis = [row for row in np.array(hermite.tolist(), dtype=object) if any(row)]
    return _over_basis(nodes, table, basis)


def _exponents(
    flow: Flow, nodes: Sequence[Apply], constants: Mapping[str, Fraction | None]
) -> tuple[list[dict[Any, Fraction]], list[Any]]:
    """Each exponent as a polynomial {monomial: coefficient} in t, the state and the symbolic constants."""
    arguments = tuple(n.arguments[0] for n in nodes)
    point = example_point(flow)
    program = trace(
        lambda c, z: evaluate(arguments, environment(c, z)),
        {n: jax.ShapeDtypeStruct((), jnp.float64) for n in constants},
        point,
    )
    unknown = [n for n, v in constants.items() if v is None]
    ring, variables = Polynomials.in_shapes(
        [*[() for _ in unknown], *[b.shape for b in flow.state]]
    )
    arrays = iter(variables)
    values = {n: next(arrays) for n in unknown}
    values |= {n: ring.constant(v, (1, 1)) for n, v in constants.items() if v is not None}
    place = {b.name: next(arrays) for b in flow.state}
    vectors = []
    for value in (o[0, 0] for o in run(program, ring, jax.tree.leaves((values, place)))):
        if isinstance(value, Quotient):
            raise UnsupportedExponential("exp of a quotient")
        terms = {m: Fraction(int(c.p), int(c.q)) for m, c in value.to_dict().items()}
        if any(not any(m) for m in terms):
            raise UnsupportedExponential("exp of an expression with a constant term")
        vectors.append(terms)
    return vectors, sorted({m for v in vectors for m in v})


def _over_basis(nodes: Sequence[Apply], table: flint.fmpz_mat, basis: list[np.ndarray]) -> Tokens:
    """Express every exponent in the lattice basis. A token needs its exponent as an expression: it is a rational
    combination of the nodes' exponents, found by solving; one exponent in most laws, so a multiple of it."""
    rows = np.array(table.tolist(), dtype=object)
    exponents: list[Expr] = []
    denominators: list[int] = []
    powers: dict[int, list[Fraction]] = {id(n): [Fraction(0)] * len(basis) for n in nodes}
    for k, vector in enumerate(basis):
        for node, row in zip(nodes, rows, strict=True):
            ratio = _ratio(row, vector)
            if ratio is not None and ratio != 0:
                exponents.append(node.arguments[0])
                denominators.append(int(ratio))
                break
        else:
            raise UnsupportedExponential(
                "exponentials whose exponents are independent only in combination"
            )
        for node, row in zip(nodes, rows, strict=True):
            ratio = _ratio(row, vector)
            if ratio is not None:
                powers[id(node)][k] = ratio
    if any(not any(p) for n, p in powers.items()) and any(np.any(r != 0) for r in rows):
        if any(not any(powers[id(n)]) and np.any(r != 0) for n, r in zip(nodes, rows, strict=True)):
            raise UnsupportedExponential(
                "exponentials whose exponents are independent only in combination"
            )
    return Tokens(
        tuple(exponents), {k: tuple(v) for k, v in powers.items()}, tuple(denominators), ()
    )


def _ratio(row: np.ndarray, vector: np.ndarray) -> Fraction | None:
    """row = ratio · vector with an integer ratio, if so."""
    lead = int(np.flatnonzero(vector)[0])
    ratio = Fraction(int(row[lead]), int(vector[lead]))
    if ratio.denominator != 1 or any(
        int(r) != ratio * int(v) for r, v in zip(row, vector, strict=True)
    ):
        return None
    return ratio
