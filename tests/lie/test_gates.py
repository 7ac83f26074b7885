"""Gates at a point: what compares greater is 1, in every order of magnitude, and ties are left out."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoflow.exact.floats import Floats
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.rationals import Rationals
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.gates import real_gates
from tests.networks.nets import network

from .flows import product


@cache
def of(name: str) -> Generator:
    """Networks whose gates compare values with 0 or with each other, over one axis or two, or what gates give."""
    shapes: dict[str, Any] = {"w": (3,)}
    data: dict[str, Any] = {"x": (3,)}
    functions = {
        "relu": lambda t: jnp.sum(jax.nn.relu(t["w"] * t["x"])),
        "maximum": lambda t: jnp.maximum(t["w"][0] * t["x"][0], t["w"][1] * t["x"][1]),
        "greatest": lambda t: jnp.max(t["w"] * t["x"]),
        "row": lambda t: jnp.sum(jnp.max(t["w"] * t["x"], axis=1)),
        "column": lambda t: jnp.sum(jnp.max(t["w"] * t["x"], axis=0)),
        "both": lambda t: jnp.max(t["w"] * t["x"]),
        "deep": lambda t: jax.nn.relu(t["w"][0] * jax.nn.relu(t["w"][1] * t["x"][1]) - t["w"][2]),
        "two": lambda t: jax.nn.relu(t["w"][0] * t["x"][0]) + jnp.abs(t["w"][1] * t["x"][1]),
    }
    if name in ("row", "column", "both"):
        shapes, data = {"w": (2, 3)}, {"x": (2, 3)}
    return Generator.of(network(functions[name], shapes, data))


def decided(name: str, w: Any, data: Any) -> Letter:
    """The letter with the gates at w for a batch of data, the cotangents 1, 2, …"""
    generator = of(name)
    x = np.asarray(data, dtype=float)
    batch = len(x)
    own = [x[None], np.arange(1.0, batch + 1).reshape(1, batch)]
    gates = [np.full((1, batch, *c.shape), 9.0) for c in generator.controls[2:]]
    letter = Letter(np.arange(10.0, 10.0 + batch).reshape(1, batch), (*own, *gates))
    place = {"w": np.asarray(w, dtype=float)[None, None]}
    return real_gates(generator, Floats(), {}, place, letter)


def gate(letter: Letter, k: int = 0) -> list[Any]:
    return letter.controls[2 + k][0].tolist()


def test_a_gate_is_one_where_its_value_is_positive():
    found = decided("relu", [1, -1, 2], [[1, 1, 1], [-1, 1, -1], [-3, -4, 5]])
    assert gate(found) == [[1, 0, 1], [0, 0, 0], [0, 1, 1]]
    assert found.weight.tolist() == [[10, 11, 12]]
    assert found.controls[1].tolist() == [[1, 2, 3]]
    assert found.controls[0].tolist() == [[[1, 1, 1], [-1, 1, -1], [-3, -4, 5]]]


def test_gates_are_whole_numbers():
    for name in ("relu", "greatest"):
        found = decided(name, [1, -1, 2], [[1, 1, 1]])
        assert found.controls[2].dtype == np.int64


@pytest.mark.parametrize("name", ["relu", "maximum", "greatest"])
def test_gates_of_rational_numbers_are_those_of_floats(name: str):
    """Ties too: here they are exact."""
    w, x = np.array([1, -2, 3]), np.array([[1, 2, 0], [-2, 1, 5], [1, 1, 1], [2, -2, 5]])
    generator, ring = of(name), Rationals()
    gates = tuple(np.zeros((1, 4, *c.shape), dtype=np.int64) for c in generator.controls[2:])
    letter = Letter(np.ones((1, 4)), (x[None], np.arange(1, 5).reshape(1, 4), *gates))
    exact = Letter(letter.weight, tuple(map(ring.literal, letter.controls)))
    found = real_gates(generator, ring, {}, {"w": ring.literal(w[None, None])}, exact)
    assert gate(found) == gate(decided(name, w, x))
    kept = [int(c.numer()) for c in found.controls[1].ravel()]
    assert kept == decided(name, w, x).controls[1].ravel().tolist()


def test_only_what_is_compared_is_evaluated():
    """Rational numbers have no exponentials; no gate depends on one here."""
    flow = network(
        lambda t: jnp.sum(jax.nn.relu(t["w"] * t["x"])) * jnp.exp(t["v"]),
        {"w": (2,), "v": ()},
        {"x": (2,)},
    )
    generator, ring = Generator.of(flow), Rationals()
    controls = (np.array([[[3, -4]]]), np.ones((1, 1), int), np.zeros((1, 1, 2), int))
    letter = Letter(ring.literal(np.ones((1, 1), int)), tuple(map(ring.literal, controls)))
    place = {
        n: ring.literal(v) for n, v in (("w", np.array([[[5, 6]]])), ("v", np.ones((1, 1), int)))
    }
    assert gate(real_gates(generator, ring, {}, place, letter)) == [[1, 0]]


def test_a_gate_compares_two_values():
    found = decided("maximum", [1, 1, 1], [[1, 2, 0], [3, 2, 0], [-1, -2, 0]])
    first = gate(found)
    assert first in ([0, 1, 1], [1, 0, 0])


def test_ties_are_left_out_with_all_that_belongs_to_them():
    found = decided("maximum", [1, 1, 1], [[1, 1, 0], [3, 2, 0], [0, 0, 0], [5, 6, 0]])
    assert found.controls[0].tolist() == [[[3, 2, 0], [5, 6, 0]]]
    assert found.controls[1].tolist() == [[2, 4]]
    assert found.weight.tolist() == [[11, 13]]
    assert len(gate(found)) == 2
    found = decided("relu", [1, 1, 1], [[1, 0, 1], [1, 2, 3]])
    assert found.controls[1].tolist() == [[2]]


def test_one_of_several_gates_that_ties_is_enough():
    found = decided("two", [1, 1, 1], [[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    assert found.controls[1].tolist() == [[3]]


def test_where_all_tie_there_is_no_datum():
    with pytest.raises(UnluckyPoint):
        decided("relu", [1, 0, 1], [[1, 2, 3], [4, 5, 6]])


def test_a_choice_is_a_single_one_at_the_greatest():
    found = decided("greatest", [1, 1, 1], [[1, 2, 3], [5, 4, -9], [0, 1, 0]])
    assert gate(found) == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert decided("greatest", [1, 1, 1], [[1, 3, 3], [5, 4, 4]]).controls[1].tolist() == [[2]]


X = [[[1, 2, 3], [9, 8, 7]], [[4, 6, 5], [-1, -3, -2]]]


def test_a_choice_is_over_its_axes_alone():
    ones = np.ones((2, 3))
    assert gate(decided("row", ones, X)) == [
        [[0, 0, 1], [1, 0, 0]],
        [[0, 1, 0], [1, 0, 0]],
    ]
    assert gate(decided("column", ones, X)) == [
        [[0, 0, 0], [1, 1, 1]],
        [[1, 1, 1], [0, 0, 0]],
    ]
    assert gate(decided("both", ones, X)) == [
        [[0, 0, 0], [1, 0, 0]],
        [[0, 1, 0], [0, 0, 0]],
    ]


def test_a_tie_in_one_row_is_enough():
    tied = [[[1, 1, 0], [1, 2, 3]], [[3, 2, 1], [1, 2, 3]]]
    assert decided("row", np.ones((2, 3)), tied).controls[1].tolist() == [[2]]


def test_gates_read_by_gates():
    """The outer one sees the inner one as it is, not as it was in the letter."""
    found = decided("deep", [2, 1, 3], [[0, 2, 0], [0, 1, 0], [0, -2, 0]])
    inner, outer = gate(found, 0), gate(found, 1)
    assert inner == [1, 1, 0]
    assert outer == [1, 0, 0]


def test_a_flow_without_gates_keeps_its_letter():
    generator = Generator.of(product(1, 1, 1))
    letter = Letter(np.ones((1, 2)), (np.ones((1, 2, 1, 1)),))
    assert real_gates(generator, Floats(), {}, {}, letter) is letter


def test_what_is_not_batched_is_repeated():
    generator = of("relu")
    letter = Letter(
        np.ones((1, 1)),
        (np.array([[[1.0, 1, 1], [-1, 1, -1]]]), np.ones((1, 1)), np.zeros((1, 1, 3))),
    )
    place = {"w": np.array([[[1.0, -1, 2]]])}
    found = real_gates(generator, Floats(), {}, place, letter)
    assert found.weight.shape == (1, 2)
    assert [c.shape[:2] for c in found.controls] == [(1, 2)] * 3
