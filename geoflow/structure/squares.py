"""Expressions that are sums of squares of parameters' entries: which square is in which entry of the expression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from geoflow.expr.tree import Apply, Expr, Number, Parameter, walk


@dataclass(frozen=True)
class Squares:
    """coefficient · (squares of a parameter's entries): that of entry i is a term of entry `target`[i] of the
    expression, of none where that is −1."""

    name: str
    coefficient: Fraction
    target: np.ndarray


@dataclass(frozen=True)
class _Linear:
    """An array each entry of which is an entry of a parameter: their flat positions."""

    leaf: Parameter
    positions: np.ndarray


class _NoSquares(Exception):
    pass


_Value = _Linear | tuple[Squares, ...] | Fraction


def squares(expr: Expr) -> tuple[Squares, ...] | None:
    """The expression as a sum of squares; None where it is none."""
    done: dict[int, _Value] = {}
    try:
        for node in walk(expr):
            done[id(node)] = _value(node, [done[id(a)] for a in _arguments(node)])
    except _NoSquares:
        return None
    found = done[id(expr)]
    return found if isinstance(found, tuple) else None


def _arguments(node: Expr) -> tuple[Expr, ...]:
    return node.arguments if isinstance(node, Apply) else ()


def _value(node: Expr, given: list) -> _Value:
    match node:
        case Number(value):
            return value
        case Parameter(_, shape):
            size = int(np.prod(shape, dtype=np.int64))
            return _Linear(node, np.arange(size).reshape(shape))
        case Apply(operation) if operation in _RULES:
            return _RULES[operation](node, *given)
        case _:
            raise _NoSquares


def _squared(a: _Linear, target: np.ndarray) -> tuple[Squares, ...]:
    """Each entry squared, as a term of the given entry."""
    flat = np.full(int(np.prod(a.leaf.shape, dtype=np.int64)), -1, dtype=np.int64)
    flat[a.positions.ravel()] = target.ravel()
    if np.count_nonzero(flat >= 0) != target.size:  # an entry occurs twice
        raise _NoSquares
    return (Squares(a.leaf.name, Fraction(1), flat.reshape(a.leaf.shape)),)


def _numbers(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)


def _renumbered(given: tuple[Squares, ...], target: np.ndarray) -> tuple[Squares, ...]:
    """Entries of the expression renamed: k becomes target[k]."""
    longer = np.append(target.ravel(), -1)
    return tuple(replace(s, target=longer[s.target]) for s in given)


def _scaled(given: tuple[Squares, ...], factor: Fraction) -> tuple[Squares, ...]:
    return tuple(replace(s, coefficient=s.coefficient * factor) for s in given if factor)


def _sum(node: Apply, *given: object) -> tuple[Squares, ...]:
    sign = Fraction(-1 if node.operation == "sub" else 1)
    a, b = given
    if not (isinstance(a, tuple) and isinstance(b, tuple)):
        raise _NoSquares
    if any(x.shape != node.shape for x in node.arguments):
        raise _NoSquares
    return a + _scaled(b, sign)


def _times(node: Apply, a: object, b: object) -> tuple[Squares, ...]:
    if isinstance(a, Fraction) and isinstance(b, tuple):
        return _scaled(b, a)
    if isinstance(a, tuple) and isinstance(b, Fraction):
        return _scaled(a, b)
    if (
        isinstance(a, _Linear)
        and isinstance(b, _Linear)
        and a.leaf.name == b.leaf.name
        and np.array_equal(a.positions, b.positions)
    ):
        return _squared(a, _numbers(a.positions.shape))
    raise _NoSquares


def _divided(node: Apply, a: object, b: object) -> tuple[Squares, ...]:
    if isinstance(a, tuple) and isinstance(b, Fraction) and b:
        return _scaled(a, 1 / b)
    raise _NoSquares


def _power(node: Apply, a: object) -> tuple[Squares, ...]:
    if isinstance(a, _Linear) and node.option("exponent") == 2:
        return _squared(a, _numbers(a.positions.shape))
    raise _NoSquares


def _negative(node: Apply, a: object) -> tuple[Squares, ...]:
    if isinstance(a, tuple):
        return _scaled(a, Fraction(-1))
    raise _NoSquares


def _total(node: Apply, a: object) -> tuple[Squares, ...]:
    if not isinstance(a, tuple) or node.option("keepdims"):
        raise _NoSquares
    shape, axis = node.arguments[0].shape, node.option("axis")
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % len(shape) for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(shape))
    return _renumbered(a, np.broadcast_to(_numbers(kept), shape))


def _rearranged(change: Callable[[Apply, np.ndarray], np.ndarray]) -> Callable[..., _Value]:
    def rule(node: Apply, a: object) -> _Linear | tuple[Squares, ...]:
        if isinstance(a, _Linear):
            return replace(a, positions=change(node, a.positions))
        if not isinstance(a, tuple):
            raise _NoSquares
        shape = node.arguments[0].shape
        source = change(node, _numbers(shape)).ravel()
        target = np.full(int(np.prod(shape, dtype=np.int64)), -1, dtype=np.int64)
        target[source] = np.arange(len(source))
        return _renumbered(a, target)

    return rule


def _indexed(node: Apply, values: np.ndarray) -> np.ndarray:
    items = node.option("items")
    if any(not isinstance(i, int) and i[2] < 0 for i in items):
        raise _NoSquares
    return np.asarray(values[tuple(i if isinstance(i, int) else slice(*i) for i in items)])


def _transposed(node: Apply, values: np.ndarray) -> np.ndarray:
    return values.transpose(node.option("axes"))


_RULES: dict[str, Callable[..., _Value]] = {
    "add": _sum,
    "sub": _sum,
    "mul": _times,
    "div": _divided,
    "neg": _negative,
    "pow": _power,
    "sum": _total,
    "index": _rearranged(_indexed),
    "reshape": _rearranged(lambda node, values: values.reshape(node.option("shape"))),
    "transpose": _rearranged(_transposed),
}
