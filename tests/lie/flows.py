"""Small flows, and points of one's own choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import jax.numpy as jnp
import numpy as np

import geoflow as gf
from geoflow.dynamics.gradient import Gradient
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.lie.bracket import Generator
from geoflow.lie.point import ModularPoint, whole_point
from geoflow.parametrization import Block, Datum, MetricOn

Shapes = Mapping[str, tuple[int, ...]]


def zeros(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Parameters."""
    return {n: np.zeros(s) for n, s in shapes.items()}


def product(n: int, r: int, m: int, **options: Any) -> gf.Flow:
    """φ = U Vᵀ."""
    return gf.Flow(lambda p: p["U"] @ p["V"].T, zeros(U=(n, r), V=(m, r)), **options)


def squares(n: int) -> gf.Flow:
    """φ = x² entry by entry: at a point with k coordinates that are not 0 the rank is k."""
    return gf.Flow(lambda p: p["x"] ** 2, zeros(x=(n,)))


def with_constants(
    function: Callable[[Mapping[str, Any], Mapping[str, Any]], Any],
    shapes: Shapes,
    constants: Mapping[str, Fraction | None],
    data: Shapes | None = None,
) -> gf.Flow:
    """A map of (constants, values); a constant None is symbolic."""

    def phi(c: Any, p: Any) -> tuple[Any, ...]:
        return (jnp.asarray(function(c, p)),)

    return gf.Flow.of_model(
        tuple(Block(n, s) for n, s in shapes.items()),
        phi,
        (MetricOn(gf.Euclidean(), tuple(shapes)),),
        Gradient(),
        constants,
        "φ",
        data=tuple(Datum(n, s) for n, s in (data or {}).items()),
    )


def integers(generator: Generator, **values: Any) -> Callable[..., ModularPoint]:
    """The point with these integers, over a prime of the random generator that is given."""

    def at(rng: np.random.Generator) -> ModularPoint:
        whole = {n: np.asarray(v, dtype=np.int64)[None, None] for n, v in values.items()}
        return whole_point(generator, PrimeField(draw_prime(rng)), whole)

    return at
