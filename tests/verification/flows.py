"""Flows and laws that several tests integrate."""

from __future__ import annotations

from fractions import Fraction

import jax.numpy as jnp

from geoflow.flow import Flow
from geoflow.metric import Mirror
from geoflow.verification import VerifiedLaw

FACTORS = {"U": jnp.zeros((3, 2)), "V": jnp.zeros((2, 2))}


def product(point):
    """φ = UVᵀ."""
    return point["U"] @ point["V"].T


def gram_law(sign, text, proved=True):
    """UᵀU + sign VᵀV."""

    def gram(u, v, sign):
        return u.T @ u + sign * (v.T @ v)

    return VerifiedLaw(
        text,
        lambda p: gram(p["U"], p["V"], sign),
        lambda p: gram(jnp.abs(p["U"]), jnp.abs(p["V"]), 1.0),
        proved,
    )


def angular_law(rate, text, proved=True):
    """exp(rate t) (UᵀU' − U'ᵀU + VᵀV' − V'ᵀV)."""

    def moment(p, sign, of):
        half = of(p["U"]).T @ of(p["U'"]) + of(p["V"]).T @ of(p["V'"])
        return jnp.exp(rate * p["t"]) * (half + sign * half.T)

    return VerifiedLaw(
        text,
        lambda p: moment(p, -1.0, lambda x: x),
        lambda p: moment(p, 1.0, jnp.abs),
        proved,
    )


BALANCE = gram_law(-1.0, "U.T @ U - V.T @ V")
WRONG = gram_law(1.0, "U.T @ U + V.T @ V", proved=False)
MASS = VerifiedLaw(
    "sum(U, axis=0) - sum(V, axis=0)",
    lambda p: jnp.sum(p["U"], axis=0) - jnp.sum(p["V"], axis=0),
    lambda p: jnp.sum(p["U"], axis=0) + jnp.sum(p["V"], axis=0),
    True,
)

LINEAR = Flow(product, FACTORS)
HEAVY_BALL = Flow(product, FACTORS, order=2, damping=Fraction(1, 2))
NMF = Flow(product, FACTORS, metric=Mirror("entropy"))
