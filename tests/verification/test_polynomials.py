"""Long polynomials as arrays have the values and scales of their expressions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import geoflow as gf
from geoflow.expr.evaluate import rationals
from geoflow.expr.magnitude import magnitude
from geoflow.laws.tokens import environment
from geoflow.verification.polynomials import LongPolynomial


def _phi(p):  # type: ignore[no-untyped-def]
    w = p["w"]
    return w[:14].reshape(7, 2) @ w[14:].reshape(7, 2).T


def test_values_and_scales_are_those_of_the_law():
    flow = gf.Flow(_phi, {"w": np.zeros(28)})
    rng = np.random.default_rng(0)
    laws = gf.analyze(flow).laws
    assert len(laws) == 3
    for law in laws:
        long = LongPolynomial.of(law.expression, flow)
        assert long is not None
        point: dict[str, Any] = {"w": rng.normal(size=28)}
        constants = {n: float(v) for n, v in rationals([law.expression]).items()}
        wanted = magnitude(law.expression, environment(constants, point))
        assert float(long.value(point)) == pytest.approx(float(law.at(point)), rel=1e-12)
        assert float(long.scale(point)) == pytest.approx(float(wanted), rel=1e-12)


def test_other_laws_are_left_as_they_are():
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": np.zeros((2, 2)), "V": np.zeros((2, 2))})
    (law,) = gf.analyze(flow).laws
    assert LongPolynomial.of(law.expression, flow) is None
