"""The degrees of the homogeneous parts of a polynomial expression, read off its tree.

A superset: parts that cancel are counted. `None` stands for what is no polynomial, or not seen to be one.
"""

from __future__ import annotations

from fractions import Fraction

from geoflow.expr.tree import Apply, Expr, Parameter, Velocity, walk

Degrees = frozenset[int] | None
HIGHEST = 64  # beyond, an expression counts as no polynomial

_LINEAR = frozenset(("neg", "transpose", "index", "sum", "mean", "trace", "diag", "reshape"))
_SUMS = _LINEAR | {"add", "sub", "concat", "stack"}
_PRODUCTS = frozenset(("mul", "matmul", "outer", "kron", "dot", "einsum"))
_NUMBERS = frozenset(("eye", "zeros", "ones", "tril"))


def degrees(root: Expr) -> Degrees:
    """The degrees in parameters and velocities together; constants and t have degree 0."""
    found: dict[int, Degrees] = {}
    for node in walk(root):
        if isinstance(node, Apply):
            found[id(node)] = _operation(node, [found[id(a)] for a in node.arguments])
        else:
            found[id(node)] = frozenset({int(isinstance(node, Parameter | Velocity))})
    return found[id(root)]


def _operation(node: Apply, arguments: list[Degrees]) -> Degrees:
    known = [d for d in arguments if d is not None]
    name = node.operation
    if name in _NUMBERS:
        return frozenset({0})
    if len(known) < len(arguments):
        return None
    if name in _SUMS:
        return frozenset().union(*known)
    if name in _PRODUCTS:
        total = frozenset({0})
        for factor in known:
            total = _bounded(frozenset(a + b for a in total for b in factor))
            if total is None:
                return None
        return total
    if name == "div":
        return known[0] if known[1] == {0} else None
    if name == "pow":
        return _power(known[0], node.option("exponent"))
    return frozenset({0}) if all(d == {0} for d in known) else None


def _power(base: frozenset[int], exponent: Fraction) -> Degrees:
    if base == {0}:
        return base
    if exponent.denominator != 1 or exponent < 0 or exponent > HIGHEST:
        return None
    total: Degrees = frozenset({0})
    for _ in range(int(exponent)):
        if total is None:
            return None
        total = _bounded(frozenset(a + b for a in total for b in base))
    return total


def _bounded(found: frozenset[int]) -> Degrees:
    return found if max(found) <= HIGHEST else None
