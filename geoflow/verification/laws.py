"""Laws as functions of a point, for integration."""

from __future__ import annotations

from collections.abc import Mapping

import jax

from geoflow.expr.degrees import degrees
from geoflow.expr.evaluate import rationals
from geoflow.expr.magnitude import magnitude
from geoflow.expr.tree import Expr, depends_on_time
from geoflow.laws.law import Law
from geoflow.laws.tokens import environment
from geoflow.verification.drift import VerifiedLaw
from geoflow.verification.polynomials import LongPolynomial
from geoflow.verification.trajectory import Point


def as_verified(law: Law, symbolic: Mapping[str, float]) -> VerifiedLaw:
    """A law with the scale of its drift, at given values of the symbolic constants."""
    exact = {**law.flow.constants, **rationals([law.expression])}
    proved = law.status == "proved"
    if (long := LongPolynomial.of(law.expression, law.flow)) is not None:
        return VerifiedLaw(str(law), long.value, long.scale, proved)
    constants = {n: float(v) if v is not None else symbolic.get(n, 1.0) for n, v in exact.items()}

    def scale(point: Point) -> jax.Array:
        return magnitude(law.expression, environment(constants, point))

    return VerifiedLaw(
        str(law),
        lambda point: law.at(point, symbolic),
        scale,
        proved,
        is_quadratic(law.expression),
    )


def is_quadratic(expression: Expr) -> bool:
    """Whether an expression is a polynomial of degree 2 at most in the state, and no function of t."""
    found = degrees(expression)
    return found is not None and max(found) <= 2 and not depends_on_time(expression)
