"""The values of constant expressions: of numbers and named constants, of scalar arithmetic on them,
of lists and sums.

An expression keeps its names (`3*tau` is printed as such in a law); its value is known besides, and
serves for sizes, exponents, indices, expected numbers, and to find a division by zero.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from geoflow.expr.tree import Apply, Constant, Expr, Number
from geoflow.semantics import arithmetic

Entries = tuple[Fraction, ...]
_MOST_KNOWN = 4096  # entries of a constant array whose values are kept


class Known:
    """What is known of the values of one model's expressions."""

    def __init__(self) -> None:
        self._entries: dict[Expr, Entries] = {}

    def entries(self, expr: Expr) -> Entries | None:
        """The entries of a constant array in row-major order, where they are known."""
        return (expr.value,) if isinstance(expr, Number) else self._entries.get(expr)

    def declare(self, expr: Constant | Apply, entries: Entries) -> None:
        """Remember the entries of an expression."""
        self._entries[expr] = entries

    def compute(
        self, operation: str, arguments: tuple[Expr, ...], options: Mapping[str, Any]
    ) -> Entries | None:
        """The entries of an operation on constants. Raises `TooLarge` or `DivisionByZero`."""
        if operation in _MADE:
            return _MADE[operation](options)
        known = [self.entries(argument) for argument in arguments]
        values = [entries for entries in known if entries is not None]
        if len(values) < len(known) or not values:
            return None
        return _entries(operation, arguments, values, options)


def literal(expr: Expr) -> bool:
    """A number, or a list of numbers: nothing that has a name to be kept."""
    if isinstance(expr, Apply):
        return expr.operation == "stack" and all(literal(argument) for argument in expr.arguments)
    return isinstance(expr, Number)


def work(entries: Entries) -> int:
    """How many steps it takes to compute with these entries: more for long numbers."""
    bits = sum(e.numerator.bit_length() + e.denominator.bit_length() for e in entries)
    return len(entries) // 4 + bits // 64


def _square(entry: Callable[[int, int], bool]) -> Callable[[Mapping[str, Any]], Entries | None]:
    def entries(options: Mapping[str, Any]) -> Entries | None:
        n = options["size"]
        if n * n > _MOST_KNOWN:
            return None
        return tuple(Fraction(int(entry(i, j))) for i in range(n) for j in range(n))

    return entries


def _filled(value: int) -> Callable[[Mapping[str, Any]], Entries | None]:
    def entries(options: Mapping[str, Any]) -> Entries | None:
        size = math.prod(options["shape"])
        return (Fraction(value),) * size if size <= _MOST_KNOWN else None

    return entries


_MADE = {
    "eye": _square(operator.eq),
    "tril": _square(operator.ge),
    "zeros": _filled(0),
    "ones": _filled(1),
}


def _entries(
    operation: str,
    args: tuple[Expr, ...],
    values: list[Entries],
    options: Mapping[str, Any],
) -> Entries | None:
    scalars = not any(argument.shape for argument in args)
    if operation == "stack" and sum(map(len, values)) <= _MOST_KNOWN and options["axis"] == 0:
        return tuple(entry for entries in values for entry in entries)
    if operation == "neg":
        return tuple(-entry for entry in values[0])
    if operation == "abs":
        return tuple(abs(entry) for entry in values[0])
    if operation in arithmetic.OPERATIONS and scalars:
        return (arithmetic.OPERATIONS[operation](values[0][0], values[1][0]),)
    if operation in ("pow", "sqrt") and scalars:
        result = arithmetic.power(values[0][0], options.get("exponent", Fraction(1, 2)))
        return None if result is None else (result,)
    if operation in ("sum", "prod", "mean") and options.get("axis") is None:
        if operation == "prod":
            product = Fraction(1)
            for entry in values[0]:
                product = arithmetic.limited(product * entry)
            return (product,)
        total = Fraction(0)
        for entry in values[0]:
            total = arithmetic.limited(total + entry)
        return (total if operation == "sum" else total / len(values[0]),)
    if operation == "index" and len(args[0].shape) == 1 and isinstance(options["items"][0], int):
        return (values[0][options["items"][0]],)
    return None
