"""One function in four arithmetics at one rational point."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import flint
import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.interpreter import run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import Program, trace
from geoflow.exact.quotient import Quotient
from geoflow.exact.rationals import Rationals

PRIME = 67108859
Shape = tuple[int, ...]
# what the names of scalar functions mean in doubles
FUNCTIONS = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "log1p": math.log1p,
    "tanh": math.tanh,
    "logistic": lambda x: 1 / (1 + math.exp(-x)),
    "erf": math.erf,
    "sin": math.sin,
    "cos": math.cos,
    "atan": math.atan,
    "root_pi": lambda x: math.sqrt(math.pi),
}


def program_of(function: Callable[..., Any], *shapes: Shape) -> Program:
    return trace(function, *(jax.ShapeDtypeStruct(s, np.float64) for s in shapes))


def random_point(rng: np.random.Generator, shapes: Sequence[Shape]) -> list[np.ndarray]:
    """Arrays of fractions k/4 without zero: exact as floats."""
    return [rng.choice([-7, -5, -3, -2, -1, 1, 2, 3, 5, 9], s) / 4 for s in shapes]


def in_floats(function: Callable[..., Any], point: Sequence[np.ndarray]) -> list[np.ndarray]:
    with jax.enable_x64(True):
        return [np.asarray(x) for x in jax.tree.leaves(function(*map(jnp.asarray, point)))]


def in_rationals(program: Program, point: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Values as `fractions.Fraction`."""
    ring = Rationals()
    values = run(program, ring, [ring.literal(x[None, None]) for x in point])
    return [
        np.vectorize(as_fraction, otypes=[object])(np.broadcast_to(v.reshape(v.shape[2:]), s))
        for v, s in zip(values, program.output_shapes, strict=True)
    ]


def in_prime_field(program: Program, point: Sequence[np.ndarray], prime: int) -> list[np.ndarray]:
    ring = PrimeField(prime)
    values = run(program, ring, [ring.literal(x)[None, None] for x in point])
    return [
        np.broadcast_to(v.reshape(v.shape[2:]), s)
        for v, s in zip(values, program.output_shapes, strict=True)
    ]


def in_polynomials(program: Program, point: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Expanded over Q, then evaluated at the point."""
    ring, variables = Polynomials.in_shapes(program.input_shapes)
    place = [rational(Fraction(float(x))) for array in point for x in array.ravel()]

    def value(x: Any) -> Fraction:
        if isinstance(x, Quotient):
            return value(x.numerator) / value(x.denominator)
        return as_fraction(x(*place)) if place else as_fraction(x.leading_coefficient())

    values = run(program, ring, variables)
    return [
        np.vectorize(value, otypes=[object])(np.broadcast_to(v.reshape(v.shape[2:]), s))
        for v, s in zip(values, program.output_shapes, strict=True)
    ]


def rational(value: Fraction) -> flint.fmpq:
    return flint.fmpq(value.numerator, value.denominator)


def as_fraction(value: Any) -> Fraction:
    value = flint.fmpq(value)
    return Fraction(int(value.p), int(value.q))


def in_doubles(values: Any) -> np.ndarray:
    """Numbers of FLINT, rounded."""
    return np.vectorize(lambda x: float(as_fraction(x)), otypes=[float])(values)


def residue(value: Fraction, prime: int) -> int:
    return value.numerator * pow(value.denominator, -1, prime) % prime
