"""Polynomials and thresholds in the words of the language, as short as they get."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from geoflow.diagnostics import Source
from geoflow.sweep.branches import Piece, Threshold
from geoflow.sweep.fitting import Polynomial
from geoflow.syntax import printer
from geoflow.syntax.parser import parse_expression

_MINUS = 3  # characters that a sign in front is worth
_SUM = "together"  # stands for a sum of sizes while a polynomial is written


def polynomial_text(
    polynomial: Polynomial, names: Sequence[str], conditions: Sequence[Threshold] = ()
) -> str:
    """A polynomial in named sizes; sums of sizes in its conditions may be factors of it."""
    symbols = [sympy.Symbol(f"size{i}") for i in range(len(names))]
    whole = sympy.Add(
        *(
            sympy.Rational(c.numerator, c.denominator)
            * sympy.Mul(*(s**k for s, k in zip(symbols, e, strict=True)))
            for e, c in polynomial.coefficients.items()
        )
    )
    written = {_spell(form, names) for form in _forms(whole, symbols)}
    for weights in _sums(conditions, len(names)):
        written |= {_spell(form, names, weights) for form in _in_sum(whole, symbols, weights)}
    return min(written, key=lambda text: (len(text) + _MINUS * text.startswith("-"), text))


class _Printer(StrPrinter):
    """Sums begin with what is added, not with what is taken away."""

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        terms = sorted(expr.args, key=lambda a: (a.could_extract_minus_sign(), a.is_number))
        text = ""
        for term in terms:
            sign, size = (" - ", -term) if term.could_extract_minus_sign() else (" + ", term)
            text += sign + self.parenthesize(size, PRECEDENCE["Add"] + 1)
        return text[3:] if text.startswith(" + ") else f"-{text[3:]}"


def _turned(expression: Any) -> Any:
    """A product with no sign in front, where one of its differences can take it."""
    if not (isinstance(expression, sympy.Mul) and expression.could_extract_minus_sign()):
        return expression
    for factor in expression.args:
        signs = {term.could_extract_minus_sign() for term in factor.args}
        if isinstance(factor, sympy.Add) and len(signs) == 2:
            others = [a for a in expression.args if a is not factor]
            number, *rest = others if others[0].is_number else [sympy.Integer(1), *others]
            turned = sympy.Add(*(-term for term in factor.args))
            signless = [] if number == -1 else [-number]
            return sympy.Mul(*signless, *rest, turned, evaluate=False)
    return expression


def _forms(expression: Any, symbols: Sequence[Any]) -> Iterator[Any]:
    """Ways to write an expression."""
    yield expression
    yield sympy.factor(expression)
    yield _turned(sympy.factor(expression))
    for symbol in symbols:
        collected = sympy.Poly(expression, symbol).all_coeffs() if expression.has(symbol) else []
        degree = len(collected) - 1
        yield (
            sympy.Add(
                *(sympy.factor(c) * symbol ** (degree - i) for i, c in enumerate(collected)),
            )
            if collected
            else expression
        )


def _sums(conditions: Sequence[Threshold], count: int) -> Iterator[tuple[int, ...]]:
    """Sums of sizes that a formula may be simple in: those of the conditions, and plain pairs."""
    for condition in conditions:
        for side in (1, -1):
            weights = tuple(max(side * w, 0) for w in condition.weights)
            if sum(w > 0 for w in weights) > 1:
                common = math.gcd(*weights)
                yield tuple(w // common for w in weights)
    for i, j in itertools.combinations(range(count), 2):
        yield tuple(int(k in (i, j)) for k in range(count))


def _in_sum(expression: Any, symbols: Sequence[Any], weights: tuple[int, ...]) -> Iterator[Any]:
    """The expression written in a sum of sizes, if the sizes of the sum stand in it only so."""
    summed = [(s, w) for s, w in zip(symbols, weights, strict=True) if w]
    (first, weight), *rest = summed
    together = sympy.Symbol(_SUM)
    inner = sympy.Add(*(s * w for s, w in rest))
    replaced = sympy.expand(expression.subs(first, (together - inner) / weight))
    if not any(replaced.has(s) for s, _ in summed):
        yield from _forms(replaced, [together, *symbols])


def _spell(expression: Any, names: Sequence[str], weights: tuple[int, ...] | None = None) -> str:
    """The text of an expression in the language, with no bracket too many."""
    text = _Printer().doprint(expression)
    if weights is not None:
        text = re.sub(rf"\b{_SUM}\b", f"({_linear(weights, names)})", text)
    text = re.sub(r"\bsize(\d+)\b", lambda m: names[int(m[1])], text)
    return printer.text(parse_expression(Source("formula", text)))


def condition_text(piece: Piece, names: Sequence[str]) -> str:
    """The conditions of a piece, joined by `and`; empty where there is none."""
    return " and ".join(_threshold(condition, names) for condition in piece.conditions)


def _threshold(threshold: Threshold, names: Sequence[str]) -> str:
    left = tuple(max(w, 0) for w in threshold.weights)
    right = tuple(max(-w, 0) for w in threshold.weights)
    symbol, bound = (">" if threshold.beyond else "<="), threshold.bound
    if not any(right):
        return f"{_linear(left, names)} {symbol} {bound}"
    shift = "" if bound == 0 else f" {'+' if bound > 0 else '-'} {abs(bound)}"
    return f"{_linear(left, names)} {symbol} {_linear(right, names)}{shift}"


def _linear(weights: Sequence[int], names: Sequence[str]) -> str:
    common = math.gcd(*weights)
    terms = [
        name if w == common else f"{w // common}*{name}"
        for w, name in zip(weights, names, strict=True)
        if w
    ]
    text = " + ".join(terms)
    if common == 1:
        return text
    return f"{common}*({text})" if len(terms) > 1 else f"{common}*{text}"
