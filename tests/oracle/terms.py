"""An expression written twice at once: as a text, and as a NumPy array of SymPy expressions.

Each operation is applied to both, so the two cannot drift apart; NumPy itself gives the meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from .oracle import TIME, velocity


class Level(IntEnum):
    """How tightly the outermost operation of a text binds."""

    SUM = 1
    PRODUCT = 2
    SIGN = 3
    POWER = 4
    ATOM = 5


@dataclass(frozen=True, eq=False)
class Term:
    """A text of the language with its entries."""

    text: str
    entries: Any
    level: Level = Level.ATOM

    @property
    def shape(self) -> tuple[int, ...]:
        """As in NumPy."""
        return self.entries.shape

    def at(self, level: Level) -> str:
        """The text, in brackets where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"

    def _binary(self, sign: str, other: Term, entries: Any, level: Level) -> Term:
        return Term(f"{self.at(level)} {sign} {other.at(Level(level + 1))}", array(entries), level)

    def __add__(self, other: Term) -> Term:
        return self._binary("+", other, self.entries + other.entries, Level.SUM)

    def __sub__(self, other: Term) -> Term:
        return self._binary("-", other, self.entries - other.entries, Level.SUM)

    def __mul__(self, other: Term) -> Term:
        return self._binary("*", other, self.entries * other.entries, Level.PRODUCT)

    def __truediv__(self, other: Term) -> Term:
        return self._binary("/", other, self.entries / other.entries, Level.PRODUCT)

    def __matmul__(self, other: Term) -> Term:
        return self._binary("@", other, np.matmul(self.entries, other.entries), Level.PRODUCT)

    def __neg__(self) -> Term:
        return Term(f"-{self.at(Level.SIGN)}", array(-self.entries), Level.SIGN)

    def __pow__(self, exponent: int) -> Term:
        return Term(
            f"{self.at(Level.ATOM)}**{exponent}", array(self.entries**exponent), Level.POWER
        )

    def __getitem__(self, item: int | tuple[int, ...]) -> Term:
        items = item if isinstance(item, tuple) else (item,)
        inside = ", ".join(map(str, items))
        return Term(f"{self.at(Level.ATOM)}[{inside}]", array(self.entries[items]))

    @property
    def T(self) -> Term:
        """The transpose."""
        return Term(f"{self.at(Level.ATOM)}.T", self.entries.T)

    @property
    def dot(self) -> Term:
        """The velocity of a parameter, `U'`."""
        return replace(
            self,
            text=f"{self.text}'",
            entries=array(np.vectorize(velocity, otypes=[object])(self.entries)),
        )

    def flat(self) -> tuple[Any, ...]:
        """The entries, row by row."""
        return tuple(self.entries.ravel())


def array(entries: Any) -> Any:
    """NumPy turns arrays without axes into bare objects; keep them arrays."""
    return np.asarray(entries, dtype=object)


def number(value: Fraction | int) -> Term:
    """An exact rational constant."""
    value = Fraction(value)
    exact = array(sympy.Rational(value.numerator, value.denominator))
    level = Level.ATOM if value.denominator == 1 else Level.PRODUCT
    return Term(str(value), exact, level if value >= 0 else Level.SUM)


def symbol(name: str, shape: tuple[int, ...]) -> Term:
    """A parameter: entry (i, j) of U is the symbol U_i_j."""
    entries = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        entries[place] = sympy.Symbol("_".join([name, *map(str, place)]))
    return Term(name, entries)


def call(name: str, of: Term, entries: Any, *options: str) -> Term:
    """A function of one term."""
    return Term(f"{name}({', '.join([of.text, *options])})", array(entries))


def total(term: Term, axis: int | None = None) -> Term:
    """`sum`."""
    options = () if axis is None else (f"axis={axis}",)
    return call("sum", term, np.sum(term.entries, axis=axis), *options)


def log(term: Term) -> Term:
    """`log`, entry by entry."""
    return call("log", term, np.vectorize(sympy.log, otypes=[object])(term.entries))


def product(left: Term, right: Term, kind: str) -> Term:
    """`dot` or `outer` of two vectors."""
    operation: Callable[..., Any] = {"dot": np.dot, "outer": np.outer}[kind]
    return Term(f"{kind}({left.text}, {right.text})", array(operation(left.entries, right.entries)))


def einsum(subscripts: str, *terms: Term) -> Term:
    """`einsum`, the sum over repeated letters."""
    text = ", ".join(term.text for term in terms)
    value = np.einsum(subscripts, *(term.entries for term in terms))
    return Term(f'einsum("{subscripts}", {text})', array(value))


def listed(terms: Sequence[Term]) -> Term:
    """A bracketed list of equal shapes, stacked along a new first axis."""
    text = f"[{', '.join(term.text for term in terms)}]"
    return Term(text, array(np.stack([term.entries for term in terms])))


def named(name: str, value: Fraction) -> Term:
    """A constant of the model."""
    return replace(number(value), text=name, level=Level.ATOM)


def exponential(rate: Term) -> Term:
    """exp(rate·t), the factor of laws under damping."""
    exponent = rate * Term("t", array(TIME))
    return Term(f"exp({exponent.text})", array(sympy.exp(exponent.entries.item())))
