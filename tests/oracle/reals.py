"""The oracle for roots and functions: symbolic brackets, ranks and identities at random points in 60 digits.

All points are positive, and so is every radicand that is drawn: the same open set as geoflow's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath
import sympy

from .closing import Closed, GaveUp, plain_bracket
from .system import Column, System

DIGITS = 60
SMALL = mpmath.mpf(10) ** -30
MOST_OPERATIONS = 20_000
POINTS = 2


class RealSpan:
    """The span over the functions, seen at several points."""

    def __init__(self, points: Sequence[Sequence[Any]], symbols: Sequence[Any]) -> None:
        self.points, self.symbols = points, symbols
        self.at: list[dict[int, list[Any]]] = [{} for _ in points]

    def add(self, column: Column) -> bool:
        """Add a field; true if it was independent of the earlier ones."""
        evaluated = values(column, self.symbols, self.points)
        answers = {self._add(rows, row) for rows, row in zip(self.at, evaluated, strict=True)}
        if len(answers) == 2:
            raise GaveUp("one of the points is special")
        return answers.pop()

    @staticmethod
    def _add(rows: dict[int, list[Any]], row: list[Any]) -> bool:
        norm = max(map(abs, row))
        if norm < SMALL:
            return False
        left = [x / norm for x in row]
        for pivot, known in rows.items():
            factor = left[pivot]
            left = [a - factor * b for a, b in zip(left, known, strict=True)]
        pivot = max(range(len(left)), key=lambda i: abs(left[i]))
        if abs(left[pivot]) < SMALL:
            return False
        rows[pivot] = [x / left[pivot] for x in left]
        return True


def values(entries: Sequence[Any], symbols: Sequence[Any], points: Sequence[Sequence[Any]]) -> Any:
    """Entries at points."""
    if sum(int(sympy.count_ops(e)) for e in entries) > MOST_OPERATIONS:
        raise GaveUp("large expressions")
    function = sympy.lambdify(list(symbols), list(entries), modules="mpmath", cse=True)
    with mpmath.workdps(DIGITS):
        return [[mpmath.mpmathify(v) for v in function(*point)] for point in points]


@dataclass(frozen=True)
class Reals:
    """The same questions as `closing.Exact`, in real numbers."""

    system: System
    seed: int = 0

    @cached_property
    def symbols(self) -> tuple[Any, ...]:
        """The state and the symbolic constants."""
        return (*self.system.state, *self.system.symbolic)

    @cached_property
    def points(self) -> list[list[Any]]:
        """Random positive numbers."""
        source = random.Random(f"reals {self.seed}")
        with mpmath.workdps(DIGITS):
            return [
                [mpmath.mpf(source.randint(10**6, 3 * 10**6)) / 10**6 for _ in self.symbols]
                for _ in range(POINTS)
            ]

    @cached_property
    def closed(self) -> Closed:
        """The Lie algebra of all fields."""
        return self.close(self.system.fields)

    def close(self, fields: Sequence[Column]) -> Closed:
        """Level by level, as in `closing`."""
        span = RealSpan(self.points, self.symbols)
        with mpmath.workdps(DIGITS):
            generators = [f for f in fields if any(v != 0 for v in f) and span.add(f)]
            basis, new = list(generators), list(generators)
            ranks = [len(basis)]
            while new and ranks[-1] < len(self.system.state):
                found = []
                for y in new:
                    for x in generators:
                        if x is y or len(basis) + len(found) == len(self.system.state):
                            continue
                        made = tuple(plain_bracket(x, y, self.system.state))
                        if span.add(made):
                            found.append(made)
                if not found:
                    break
                basis += found
                ranks.append(len(basis))
                new = found
        return Closed(tuple(ranks), tuple(basis))

    @property
    def count(self) -> int:
        """The number of independent laws."""
        return len(self.system.state) - self.closed.rank

    def block(self, symbols: Sequence[Any]) -> int:
        """How many laws read these coordinates alone."""
        held = set(symbols)
        free = [
            tuple(sympy.Integer(int(other is x)) for other in self.system.state)
            for x in self.system.state
            if x not in held
        ]
        return len(self.system.state) - self.close([*self.system.fields, *free]).rank

    @cached_property
    def commuting(self) -> bool:
        """Whether the controlled fields commute."""
        fields = self.system.controlled
        return all(
            self.vanishes(entry)
            for k, x in enumerate(fields)
            for y in fields[:k]
            for entry in plain_bracket(x, y, self.system.state)
        )

    @cached_property
    def kernel(self) -> int:
        """dim ker ∂φ/∂θ."""
        own = self.system.parameters
        span = RealSpan(self.points, self.symbols)
        with mpmath.workdps(DIGITS):
            rank = sum(span.add(tuple(sympy.diff(f, x) for x in own)) for f in self.system.outputs)
        return len(own) - rank

    def vanishes(self, expression: Any) -> bool:
        """Whether an expression is zero at the points, beside the size of its terms."""
        terms = sympy.Add.make_args(expression)
        with mpmath.workdps(DIGITS):
            for at in values(terms, self.symbols, self.points):
                if abs(mpmath.fsum(at)) > SMALL * max(map(abs, at)):
                    return False
        return True

    def independent(self, laws: Sequence[Any]) -> int:
        """The rank of the gradients."""
        span = RealSpan(self.points, self.symbols)
        with mpmath.workdps(DIGITS):
            return sum(
                span.add(tuple(sympy.diff(law, z) for z in self.system.state)) for law in laws
            )

    def is_law(self, law: Any) -> bool:
        """Whether every field annihilates it."""
        gradient = [sympy.diff(law, z) for z in self.system.state]
        for column in self.system.fields:
            products = [a * b for a, b in zip(column, gradient, strict=True) if a != 0 and b != 0]
            if products and not self.vanishes(sympy.Add(*products, evaluate=False)):
                return False
        return True
