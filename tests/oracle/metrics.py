"""Diagonal metrics, each with its text, its inverse and the quantity that rescaling balances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from .terms import Term, log, number


@dataclass(frozen=True)
class Metric:
    """At an entry u: `inverse` is M⁻¹, `dual` is ψ' with ψ'' = M, `balance` a B with B' = 2Mu."""

    text: str
    inverse: Callable[[Any], Any]
    dual: Callable[[Term], Term]
    balance: Callable[[Term], Term]
    positive: bool = False


def scaled(rate: Fraction) -> Metric:
    """A learning rate: M⁻¹ = rate."""
    exact = sympy.Rational(rate.numerator, rate.denominator)
    return Metric(
        f"scaled({rate})",
        lambda u: exact,
        lambda u: u / number(rate),
        lambda u: u**2 / number(rate),
    )


def power(p: int) -> Metric:
    """ψ = Σ uᵖ/(p(p-1)), so that M = u^(p-2)."""
    return Metric(
        f"mirror(power({p}))",
        lambda u: u ** (2 - p),
        lambda u: u ** (p - 1) / number(p - 1),
        lambda u: number(Fraction(2, p)) * u**p,
        positive=p % 2 == 1,
    )


EUCLIDEAN = Metric("euclidean", lambda u: sympy.Integer(1), lambda u: u, lambda u: u**2)
SLOW, FAST = scaled(Fraction(2, 3)), scaled(Fraction(5))
ENTROPY = Metric("mirror(entropy)", lambda u: u, log, lambda u: number(2) * u, positive=True)
LOG_BARRIER = Metric(
    "mirror(log_barrier)",
    lambda u: u**2,
    lambda u: -number(1) / u,
    lambda u: number(2) * log(u),
    positive=True,
)
QUARTIC = Metric(
    "mirror(u -> u**4/12 + u**2/2)",
    lambda u: 1 / (1 + u**2),
    lambda u: u + u**3 / number(3),
    lambda u: u**2 + number(Fraction(1, 2)) * u**4,
)

FLAT_METRICS = (EUCLIDEAN, SLOW, FAST)
METRICS = (*FLAT_METRICS, ENTROPY, LOG_BARRIER, QUARTIC, power(3), power(4))
