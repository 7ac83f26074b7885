"""Ranks at a given point: at most the generic one, and never more than a bound."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import geoflow as gf
from geoflow.lie.bracket import Generator
from geoflow.lie.special import at_rest, ranks_at

from .checking import factors, product, scalars, written_out


def exactly(values: Any) -> np.ndarray:
    """An array of fractions."""
    array = np.asarray(values)
    return np.array([Fraction(int(x)) for x in array.ravel()], dtype=object).reshape(array.shape)


def rank(flow: gf.Flow, theta: Mapping[str, Any], seed: int = 0) -> int:
    generator = Generator.of(flow)
    point = at_rest(generator, {name: exactly(value) for name, value in theta.items()})
    return ranks_at(generator, point, seed).ranks[-1]


LINEAR = gf.Flow(product, factors(2, 2, 2))
GENERIC = {"U": [[3, 1], [4, 1]], "V": [[5, 9], [2, 6]]}
ZERO = {"U": np.zeros((2, 2)), "V": np.zeros((2, 2))}
IDENTITY = {"U": np.eye(2), "V": np.eye(2)}
ONE_NEURON = {"U": [[3, 0], [4, 0]], "V": [[5, 0], [2, 0]]}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("point", "expected"),
    [
        (GENERIC, 5),
        (ZERO, 0),  # nothing moves
        (IDENTITY, 5),  # balanced, and the level set is smooth there
        (ONE_NEURON, 3),  # a dead neuron stays dead: the orbit is that of U Vᵀ with one neuron
    ],
    ids=["generic", "zero", "identity", "dead neuron"],
)
def test_orbits(point: Mapping[str, Any], expected: int, seed: int) -> None:
    found = rank(LINEAR, point, seed)
    assert found <= gf.analyze(LINEAR).certificate.rank
    assert found == expected


def test_a_generic_point_has_the_generic_rank() -> None:
    for r in (1, 2, 3):
        flow = gf.Flow(product, factors(2, r, 2))
        rng = np.random.default_rng(r)
        theta = {b.name: rng.integers(1, 10**6, b.shape) for b in flow.parameters}
        assert rank(flow, theta) == gf.analyze(flow).certificate.rank


def test_momentum_starts_at_rest() -> None:
    flow = gf.Flow(product, factors(2, 2, 2), order=2, damping=1)
    assert rank(flow, ZERO) < rank(flow, GENERIC) <= gf.analyze(flow).certificate.rank


def test_the_product_of_two_at_the_origin() -> None:
    """∇(xy) vanishes there, and nowhere else on the axes."""
    flow = gf.Flow(lambda p: p["x"] * p["y"], scalars("x", "y"))
    assert rank(flow, {"x": 0, "y": 0}) == 0
    assert rank(flow, {"x": 0, "y": 1}) == 1


@pytest.mark.parametrize("power", [1, 3, 5, 9])
def test_stagnation_is_no_proof_at_a_special_point(power: int) -> None:
    """∂x and xᵏ∂y: at x = 0 the second direction appears at depth k. What is found is a lower bound of the rank."""
    flow = written_out({"x": (), "y": ()}, {"x": "a", "y": f"b*x**{power}"}, {"a": (), "b": ()})
    generator = Generator.of(flow)
    ranks = ranks_at(generator, {"x": exactly(0), "y": exactly(0)}, 0).ranks
    assert ranks[0] == 1
    assert ranks[-1] in (1, 2)
    assert list(ranks) == sorted(ranks)
    if power <= 3:
        assert ranks == (1,) * power + (2,)
    away = ranks_at(generator, {"x": exactly(1), "y": exactly(0)}, 0)
    assert away.ranks == (2,)


def test_a_point_at_a_pole_is_refused() -> None:
    from geoflow.exact.interpreter import UnluckyPoint

    flow = gf.Flow(lambda p: p["x"] / p["y"], scalars("x", "y"))
    with pytest.raises(UnluckyPoint):
        rank(flow, {"x": 1, "y": 0})
