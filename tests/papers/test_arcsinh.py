"""U V with M⁻¹ = 1 + θ²: the potential needs arctan, so these are written in Python as well."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import geoflow as gf

from .cases import reference_cases


def potential(u: jax.Array) -> jax.Array:
    """ψ'' = 1/(1 + u²)."""
    return u * jnp.arctan(u) - jnp.log(1 + u**2) / 2


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, id=c["id"]) for c in reference_cases() if c["id"].startswith("uv_arcsinh_")],
)
def test_count(case: dict[str, Any]) -> None:
    params = {name: jnp.zeros(shape) for name, shape in zip("UV", case["shapes"], strict=True)}
    flow = gf.Flow(lambda p: p["U"] @ p["V"], params, metric=gf.Mirror(potential))
    count = gf.analyze(flow).count
    assert (count.lower, count.upper, count.status) == (case["count"], case["count"], "proved")
