"""Laws as functions of a point, for integration."""

from __future__ import annotations

from collections.abc import Mapping

import jax

from geoflow.expr.evaluate import rationals
from geoflow.expr.magnitude import magnitude
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

    return VerifiedLaw(str(law), lambda point: law.at(point, symbolic), scale, proved)
