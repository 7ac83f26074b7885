"""Whether an expression is affine in the controls, by its degree, found from its operations.

The degree of a sum is the larger one even where terms cancel, so that what passes is affine for
sure, and `(a + 1)**2 - a**2` has to be multiplied out.
"""

from __future__ import annotations

from collections.abc import Callable

from geoflow.expr.tree import Apply, Expr, walk

_SUMS = ("add", "sub", "neg", "sum", "mean", "trace")
_MOVES = ("transpose", "index", "diag", "reshape", "concat", "stack")
_LINEAR = frozenset((*_SUMS, *_MOVES))
_PRODUCTS = frozenset(("mul", "matmul", "outer", "kron", "dot", "einsum"))


def not_affine(expr: Expr, is_control: Callable[[Expr], bool]) -> Expr | None:
    """The first node that may have a degree above 1 in the controls, if there is one."""
    degrees: dict[Expr, int] = {}
    for node in walk(expr):
        degree = _degree(node, degrees) if isinstance(node, Apply) else int(is_control(node))
        if degree > 1:
            return node
        degrees[node] = degree
    return None


def _degree(node: Apply, degrees: dict[Expr, int]) -> int:
    """Of a node whose arguments have degree at most 1; 2 stands for anything above."""
    given = [degrees[argument] for argument in node.arguments]
    if not any(given):
        return 0
    if node.operation in _LINEAR:
        return 1
    if node.operation in _PRODUCTS:
        return sum(given)
    return given[0] if node.operation == "div" and not given[1] else 2
