"""Ranks at given points: how long is looked on, in exact numbers and in floating point."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.dynamics import Adam
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.tree import Number
from geoflow.lie.bracket import Generator
from geoflow.lie.special import SpecialRanks, at_rest, numerical_ranks_at, ranks_at
from tests.flows.checking import written_out

from .flows import product, squares, with_constants, zeros


def exactly(values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=object)
    return np.array([Fraction(x) for x in array.ravel()], dtype=object).reshape(array.shape)


def both(generator: Generator, point: dict[str, Any], seed: int = 0, deadline=Deadline()):
    """Ranks in F_p and in floats, which must be the same."""
    exact = ranks_at(generator, {n: exactly(v) for n, v in point.items()}, seed, deadline)
    floats = {n: np.asarray(v, dtype=float) for n, v in point.items()}
    close = numerical_ranks_at(generator, floats, seed, deadline)
    assert (exact.exact, close.exact) == (True, False)
    assert exact.ranks == close.ranks
    return exact.ranks


PRODUCT = Generator.of(product(2, 2, 2))
GENERIC = {"U": [[3, 1], [4, 1]], "V": [[5, 9], [2, 6]]}
IDENTITY = {"U": np.eye(2, dtype=int), "V": np.eye(2, dtype=int)}


def late(power: int) -> Generator:
    """∂x and xᵏ∂y: at x = 0 the second direction appears at depth k."""
    return Generator.of(
        written_out({"x": (), "y": ()}, {"x": "a", "y": f"b*x**{power}"}, {"a": (), "b": ()})
    )


ORIGIN = {"x": 0, "y": 0}


def test_ranks_by_depth():
    assert both(PRODUCT, GENERIC) == (4, 5)
    assert both(PRODUCT, IDENTITY) == (4, 5)
    assert both(PRODUCT, {"U": np.zeros((2, 2), int), "V": np.zeros((2, 2), int)}) == (0,)


def test_stagnation_for_four_depths_is_looked_through():
    """∂x and x⁵∂y have ranks 1, 1, 1, 1, 1, 2."""
    assert both(late(5), ORIGIN) == (1, 1, 1, 1, 1, 2)
    assert both(late(6), ORIGIN) == (1,)


def test_the_depth_is_limited():
    """(∂x + ∂u), x²∂y and u⁶∂w: the last direction would be at depth 6, which is the last to be tried."""

    def chain(power: int) -> Generator:
        return Generator.of(
            written_out(
                {"x": (), "y": (), "w": ()},
                {"x": "a", "y": "b*x**3", "w": f"c*x**{power}"},
                {"a": (), "b": (), "c": ()},
            )
        )

    origin = {"x": 0, "y": 0, "w": 0}
    assert both(chain(6), origin) == (1, 1, 1, 2, 2, 2, 3)
    assert both(chain(7), origin) == (1, 1, 1, 2)


def test_the_whole_space_ends_the_search():
    words: list[int] = []
    generator = Generator.of(squares(3))

    class Counting(Generator):
        def word(self, ring, constants, point, letters):
            words.append(len(letters))
            return super().word(ring, constants, point, letters)

    counting = Counting(**{n: getattr(generator, n) for n in generator.__dataclass_fields__})
    assert ranks_at(counting, {"x": exactly([1, 2, 3])}, 0).ranks == (3,)
    assert words == [1]


def test_out_of_time_there_is_one_depth():
    assert both(PRODUCT, GENERIC, deadline=Deadline(0.0)) == (4,)
    assert both(late(1), ORIGIN, deadline=Deadline(0.0)) == (1,)


def test_all_words_count_not_those_of_the_last_depth():
    """∂x, and y∂y at y = 1: brackets of these are 0."""
    generator = Generator.of(
        written_out({"x": (), "y": ()}, {"x": "a", "y": "0*b"}, {"a": (), "b": ()})
    )
    assert both(generator, {"x": 1, "y": 1}) == (1,)
    flow = gf.Flow(lambda p: jnp.stack([p["x"], p["x"] * p["y"] + p["z"]]), zeros(x=(), y=(), z=()))
    assert both(Generator.of(flow), {"x": 1, "y": 2, "z": 3}) == (2, 3)


def test_points_are_rational():
    flow = gf.Flow(lambda p: (3 * p["x"] - 1) ** 2 * p["y"], zeros(x=(), y=()))
    generator = Generator.of(flow)
    third = {"x": exactly(Fraction(1, 3)), "y": exactly(2)}
    assert ranks_at(generator, third, 0) == SpecialRanks((0,), True)
    assert ranks_at(generator, {**third, "x": exactly(Fraction(1, 2))}, 0).ranks == (1,)


def test_constants_and_symbolic_ones():
    """(c − 1/3)·x·y: nothing where the constant is 1/3, and something for a number that is not known."""

    def phi(c, p):
        return (3 * c["c"] - 1) * p["x"] * p["y"]

    for value, expected in ((Fraction(1, 3), 0), (Fraction(1, 2), 1), (None, 1)):
        generator = Generator.of(with_constants(phi, {"x": (), "y": ()}, {"c": value}))
        exact = ranks_at(generator, {"x": exactly(1), "y": exactly(1)}, 0)
        assert exact.ranks == (expected,)
        point = {"x": np.array(1.0), "y": np.array(1.0)}
        assert numerical_ranks_at(generator, point, 0).ranks == (expected,)


def test_a_symbolic_constant_is_one_number_for_all_fields():
    generator = Generator.of(
        with_constants(lambda c, p: p["x"] + c["c"] * p["y"], {"x": (), "y": ()}, {"c": None})
    )
    assert both(generator, {"x": 1, "y": 2}) == (1,)


def test_symbolic_constants_are_positive_in_floats():
    generator = Generator.of(
        with_constants(lambda c, p: jnp.sqrt(c["c"]) * p["x"], {"x": ()}, {"c": None})
    )
    for seed in range(5):
        assert numerical_ranks_at(generator, {"x": np.array(1.0)}, seed).ranks == (1,)


def test_drifts_count():
    """x'' = a at rest: time alone moves without a control, and v by the control."""
    generator = Generator.of(gf.Flow(lambda p: p["x"], zeros(x=()), order=2))
    point = at_rest(generator, {"x": exactly(0)})
    assert ranks_at(generator, point, 0).ranks == (2, 3)


def test_gates_are_chosen_for_every_word():
    flow = gf.Flow.of_network(
        lambda p, x: p["v"] @ jax.nn.relu(p["W"] @ x), zeros(v=(2,), W=(2, 1)), np.zeros(1)
    )
    assert both(Generator.of(flow), {"v": [1, 2], "W": [[3], [4]]}) == (2,)


def test_a_pole_and_a_root_are_refused():
    pole = Generator.of(gf.Flow(lambda p: 1 / p["x"], zeros(x=())))
    with pytest.raises(UnluckyPoint):
        ranks_at(pole, {"x": exactly(0)}, 0)
    root = Generator.of(gf.Flow(lambda p: jnp.sqrt(p["x"]), zeros(x=()), positive=["x"]))
    with pytest.raises(UnsupportedPrimitive):
        ranks_at(root, {"x": exactly(4)}, 0)
    assert numerical_ranks_at(root, {"x": np.array(4.0)}, 0) == SpecialRanks((1,), False)


def test_round_off_is_no_rank():
    """Two fields that differ by 10⁻¹² are one in floating point, and small ones are as good as large ones."""

    def phi(eps):
        return lambda p: jnp.stack([p["x"] + p["y"], p["x"] + (1 + eps) * p["y"]])

    point = {"x": np.array(1.0), "y": np.array(1.0)}
    for eps, expected in ((1e-12, 1), (5e-10, 1), (1e-3, 2)):
        flow = gf.Flow(phi(eps), zeros(x=(), y=()))
        assert numerical_ranks_at(Generator.of(flow), point, 0).ranks == (expected,)
    flow = gf.Flow(lambda p: jnp.stack([p["x"], 2.0**-20 * p["y"]]), zeros(x=(), y=()))
    assert numerical_ranks_at(Generator.of(flow), point, 0).ranks == (2,)
    only = gf.Flow(lambda p: 2.0**-28 * p["x"], zeros(x=(), y=()))
    assert numerical_ranks_at(Generator.of(only), point, 0).ranks == (1,)
    tiny = gf.Flow(lambda p: 2.0**-20 * p["x"] ** 2, zeros(x=()))
    assert numerical_ranks_at(Generator.of(tiny), {"x": np.array(1.0)}, 0).ranks == (1,)
    assert numerical_ranks_at(Generator.of(tiny), {"x": np.array(1e-9)}, 0).ranks == (0,)


def test_a_seed_says_the_words():
    drawn: list[list[float]] = []

    class Noting(Generator):
        def word(self, ring, constants, point, letters):
            drawn.append([x for letter in letters for x in letter.weight.ravel().tolist()])
            return super().word(ring, constants, point, letters)

    noting = Noting(**vars(Generator.of(squares(2))))
    for seed in (1, 1, 2):
        ranks_at(noting, {"x": exactly([1, 2])}, seed)
    for seed in (1, 1, 2):
        numerical_ranks_at(noting, {"x": np.array([1.0, 2.0])}, seed)
    for first, again, other in (drawn[:3], drawn[3:]):
        assert first == again != other


@pytest.mark.parametrize("seed", range(4))
def test_fields_that_choose_are_drawn_until_none_is_new(seed: int):
    """The greatest of forty products: each word moves one weight, and a few words chosen at random miss many."""
    flow = gf.Flow.of_network(lambda p, x: jnp.max(p["W"] * x), zeros(W=(40,)), np.zeros(40))
    assert both(Generator.of(flow), {"W": np.arange(1, 41)}, seed) == (40,)


@pytest.mark.parametrize("power", [-26, -28])
def test_brackets_may_be_much_smaller_than_fields(power: int):
    flow = gf.Flow(
        lambda p: jnp.stack([p["x"], 2.0**power * p["x"] * p["y"] + p["z"]]),
        zeros(x=(), y=(), z=()),
    )
    assert both(Generator.of(flow), {"x": 1, "y": 2, "z": 3}) == (2, 3)


def test_whole_numbers_are_read_as_floats():
    flow = gf.Flow(lambda p: p["x"] ** 2 * p["y"], zeros(x=(), y=()))
    point = {"x": np.array(2**32), "y": np.array(0)}
    assert numerical_ranks_at(Generator.of(flow), point, 0, Deadline(0.0)).ranks == (1,)


def test_at_rest():
    """Velocities are 0, t is 1, and what must be positive is 1."""
    momentum = Generator.of(product(1, 2, 1, order=2))
    theta = {"U": exactly([[1, 2]]), "V": exactly([[3, 4]])}
    point = at_rest(momentum, theta)
    assert point.keys() == {"t", "U", "V", "U'", "V'"}
    assert point["t"].shape == () and point["t"].item() == 1
    assert isinstance(point["t"].item(), Fraction)
    assert point["U'"].tolist() == [[Fraction(0)] * 2]
    assert point["U"] is theta["U"]
    adaptive = Generator.of(
        gf.Flow(
            lambda p: p["x"] * p["y"],
            zeros(x=(), y=()),
            dynamics=Adam(Number(Fraction(1)), Number(Fraction(2))),
        )
    )
    point = at_rest(adaptive, {"x": exactly(5), "y": exactly(6)})
    kinds = {b.name: (b.kind, b.positive) for b in adaptive.flow.state}
    assert {k for k, _ in kinds.values()} == {"time", "parameter", "moment"}
    for name, (kind, positive) in kinds.items():
        if kind == "moment":
            assert point[name].item() == (1 if positive else 0)
