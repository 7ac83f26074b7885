"""The count at a given initialization, beside the generic one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize

from geoflow.analysis import Counted
from geoflow.deadline import Deadline
from geoflow.laws.law import Law
from geoflow.lie.special import at_rest, numerical_ranks_at, ranks_at
from geoflow.results import SpecialCount


class NoBalancedPoint(Exception):
    """The laws found have no common zero that the search reaches."""


def count_at(
    counted: Counted, name: str, theta: Mapping[str, np.ndarray], deadline: Deadline = Deadline()
) -> SpecialCount:
    """The count on the orbit through rational parameters (arrays of `Fraction`), at rest.

    Raises:
        UnluckyPoint, UnsupportedPrimitive: the flow is not defined there, or takes square roots.
    """
    point = at_rest(counted.generator, theta)
    found = ranks_at(counted.generator, point, counted.seed, deadline)
    return _special(counted, name, found.ranks, found.exact)


def count_balanced(
    counted: Counted, laws: Sequence[Law], deadline: Deadline = Deadline()
) -> SpecialCount:
    """The count at a seeded common zero of the polynomial laws, in floating point.

    Raises:
        NoBalancedPoint: there are no polynomial laws, or no zero is found.
    """
    polynomial = [law for law in laws if law.kind in ("polynomial", "time-dependent")]
    if not polynomial:
        raise NoBalancedPoint
    blocks = [b for b in counted.flow.state if b.kind == "parameter"]
    ends = np.cumsum([b.size for b in blocks])[:-1]
    rng = np.random.default_rng([counted.seed, 0x62616C])
    rest = {
        b.name: np.asarray(v, dtype=np.float64)
        for b, v in zip(
            counted.flow.state, at_rest(counted.generator, _ones(blocks)).values(), strict=True
        )
    }

    def point(flat: Any) -> dict[str, Any]:
        parts = zip(blocks, jnp.split(flat, ends), strict=True)
        return {**rest, **{b.name: p.reshape(b.shape) for b, p in parts}}

    def values(flat: Any) -> jax.Array:
        return jnp.concatenate([jnp.ravel(law.at(point(flat))) for law in polynomial])

    with jax.enable_x64(True):
        compiled = jax.jit(values)
        slope = jax.jit(jax.jacfwd(values))
        start = rng.standard_normal(sum(b.size for b in blocks))
        solved = scipy.optimize.least_squares(
            lambda x: np.asarray(compiled(x)),
            start,
            jac=lambda x: np.asarray(slope(x)),  # pyright: ignore[reportArgumentType]
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        )
        place = {n: np.asarray(v) for n, v in point(jnp.asarray(solved.x)).items()}
    if np.max(np.abs(solved.fun)) > 1e-9 or np.linalg.norm(solved.x) < 1e-3:
        raise NoBalancedPoint
    found = numerical_ranks_at(counted.generator, place, counted.seed, deadline)
    return _special(counted, "a balanced point", found.ranks, found.exact)


def _ones(blocks: Sequence[Any]) -> dict[str, np.ndarray]:
    return {b.name: np.ones(b.shape) for b in blocks}


def _special(counted: Counted, name: str, ranks: tuple[int, ...], exact: bool) -> SpecialCount:
    """The rank there is at most the generic one, so the codimension at least the generic count."""
    generic = counted.certificate.rank
    found = min(ranks[-1], generic)  # the rank at a point is at most the generic one
    ranks = (*ranks[:-1], found)
    return SpecialCount(name, ranks, counted.upper, counted.flow.dimension - found, generic, exact)
