"""Expressions to SymPy, LaTeX, and back: by construction of SymPy objects, never by parsing text."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import jax
import numpy as np
import sympy as sp

from geoflow.exact.interpreter import run
from geoflow.exact.program import trace
from geoflow.exact.symbols import SymPyExpressions
from geoflow.expr.build import add, divide, function, multiply, power
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, Time, Velocity, walk


class NotConvertible(Exception):
    """An expression outside the language's functions."""


def from_sympy(value: Any, symbols: dict[sp.Symbol, Expr]) -> Expr:
    """A SymPy expression in rational numbers, `symbols`, +, ·, powers, log and exp as an elementwise expression.

    Raises:
        NotConvertible: for anything else.
    """
    if value in symbols:
        return symbols[value]
    if value.is_Rational:
        return Number(Fraction(int(value.p), int(value.q)))
    if value.is_Add or value.is_Mul:
        parts = [from_sympy(a, symbols) for a in value.as_ordered_terms() if value.is_Add] or [
            from_sympy(a, symbols) for a in value.args
        ]
        combine = add if value.is_Add else _product
        result = parts[0]
        for part in parts[1:]:
            result = combine(result, part)
        return result
    if value.is_Pow and value.exp.is_Rational and value.exp.q in (1, 2):
        return power(from_sympy(value.base, symbols), Fraction(int(value.exp.p), int(value.exp.q)))
    if isinstance(value, sp.log | sp.exp):
        return function(type(value).__name__, from_sympy(value.args[0], symbols))
    raise NotConvertible(str(value))


def _product(a: Expr, b: Expr) -> Expr:
    if isinstance(b, Apply) and b.operation == "pow" and b.option("exponent") == -1:
        return divide(a, b.arguments[0])
    return multiply(a, b)


def entry_symbol(name: str, index: tuple[int, ...]) -> sp.Symbol:
    """The SymPy symbol of one entry: `U[0, 1]`, `U'[0, 1]`, `t`."""
    return sp.Symbol(name + (f"[{', '.join(map(str, index))}]" if index else ""), real=True)


def expression_to_sympy(expr: Expr, constants: Mapping[str, Fraction | None]) -> Any:
    """The entries of an expression as SymPy: a scalar, or an `ImmutableDenseNDimArray`. The same program that JAX runs
    is evaluated on symbols."""
    exact = {**constants, **rationals([expr])}
    leaves = {n.name if isinstance(n, Parameter) else f"{n.name}'": n.shape for n in _leaves(expr)}

    def value(c: Any, z: Any, t: Any) -> Any:
        velocities = {n.removesuffix("'"): v for n, v in z.items() if n.endswith("'")}
        return evaluate((expr,), Environment(c, z, velocities, t))[0]

    shape = jax.ShapeDtypeStruct
    examples = (
        {n: shape((), np.float64) for n in exact},
        {n: shape(s, np.float64) for n, s in leaves.items()},
    )
    program = trace(value, *examples, shape((), np.float64))
    ring = SymPyExpressions()
    values = {
        n: ring.constant(v, (1, 1)) if v is not None else _symbols(n, ()) for n, v in exact.items()
    }
    place = {n: _symbols(n, s) for n, s in leaves.items()}
    (out,) = run(program, ring, jax.tree.leaves((values, place, _symbols("t", ()))))
    out = np.broadcast_to(out[0, 0], expr.shape)
    return (
        out.item() if expr.shape == () else sp.ImmutableDenseNDimArray(list(out.flat), expr.shape)
    )


def _leaves(expr: Expr) -> list[Parameter | Velocity]:
    return [n for n in walk(expr) if isinstance(n, Parameter | Velocity)]


def _symbols(name: str, shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty((1, 1, *shape), dtype=object)
    for index in np.ndindex(shape):
        out[(0, 0, *index)] = entry_symbol(name, index)
    return out


def scalar_to_sympy(expr: Expr, t: sp.Symbol, symbols: dict[sp.Symbol, Expr]) -> Any:
    """A scalar expression in t and constants; the symbols made for constants are added to `symbols`.

    Raises:
        NotConvertible: it holds parameters.
    """
    done: dict[int, Any] = {}
    for node in walk(expr):
        match node:
            case Number(value):
                done[id(node)] = sp.Rational(value.numerator, value.denominator)
            case Time():
                done[id(node)] = t
            case Constant(name):
                symbol = sp.Symbol(name, positive=True)
                symbols[symbol] = node
                done[id(node)] = symbol
            case Apply(operation, arguments) if operation in _SCALAR:
                done[id(node)] = _SCALAR[operation](node, *(done[id(a)] for a in arguments))
            case _:
                raise NotConvertible(str(node))
    return done[id(expr)]


_SCALAR: dict[str, Any] = {
    "add": lambda _, a, b: a + b,
    "sub": lambda _, a, b: a - b,
    "mul": lambda _, a, b: a * b,
    "div": lambda _, a, b: a / b,
    "neg": lambda _, a: -a,
    "sqrt": lambda _, a: sp.sqrt(a),
    "pow": lambda n, a: (
        a ** sp.Rational(n.option("exponent").numerator, n.option("exponent").denominator)
    ),
}
