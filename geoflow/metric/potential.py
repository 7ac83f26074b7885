"""The functions uψ'(u) − ψ(u) and ψ'(u) of a user's potential, in closed form where SymPy finds one.

The potential is traced and evaluated on a SymPy symbol: no text is parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import jax
import numpy as np
import sympy as sp

from geoflow.exact.interpreter import run
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.symbols import SymPyExpressions
from geoflow.expr.convert import NotConvertible, from_sympy
from geoflow.expr.tree import Constant, Expr


def to_sympy(
    function: Callable[[Mapping[str, jax.Array], jax.Array], jax.Array],
    variable: sp.Symbol,
    known: Mapping[str, Fraction | None] | None = None,
) -> Any:
    """A scalar JAX function of (constants, u) applied to a symbol; symbolic constants become positive symbols.

    Raises:
        UnsupportedPrimitive: the function uses one that has no SymPy counterpart here.
    """
    known = known or {}
    scalar = jax.ShapeDtypeStruct((), np.float64)
    program = trace(function, dict.fromkeys(known, scalar), scalar)
    ring = SymPyExpressions()
    constants = {
        n: ring.constant(v, (1, 1)) if v is not None else _single(constant_symbol(n))
        for n, v in known.items()
    }
    return run(program, ring, jax.tree.leaves((constants, _single(variable))))[0][0, 0]


def constant_symbol(name: str) -> sp.Symbol:
    """The SymPy symbol of a symbolic constant."""
    return sp.Symbol(name, positive=True)


def _single(value: Any) -> np.ndarray:
    out = np.empty((1, 1), dtype=object)
    out[0, 0] = value
    return out


def balanced_functions(
    potential: Callable[[Mapping[str, jax.Array]], Callable[[jax.Array], jax.Array]],
    known: Mapping[str, Fraction | None],
    parameter: Expr,
) -> tuple[Expr, ...]:
    """Those of uψ' − ψ and ψ' that the language can write, applied to the parameter's entries."""
    u = sp.Symbol("u", positive=True)
    symbols: dict[sp.Symbol, Expr] = {
        constant_symbol(n): Constant(n) for n, v in known.items() if v is None
    }
    symbols[u] = parameter
    try:
        psi = to_sympy(lambda c, x: potential(c)(x), u, known)
    except UnsupportedPrimitive:
        return ()
    found: list[Expr] = []
    for candidate in (sp.simplify(u * psi.diff(u) - psi), sp.simplify(psi.diff(u))):
        candidate = sp.expand_log(candidate)
        candidate = candidate - candidate.as_independent(u, as_Add=True)[0]
        candidate = candidate.as_independent(u, as_Add=False)[1]
        try:
            if candidate.has(u):
                found.append(from_sympy(candidate, symbols))
        except NotConvertible:
            continue
    return tuple(found)
