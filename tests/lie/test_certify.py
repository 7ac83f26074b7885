"""Ranks proved in balls: never above the true one, at the point that is named, the best of a few attempts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import flint
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.lie import certify as module
from geoflow.lie.bracket import Generator
from geoflow.lie.certify import certify
from geoflow.results import BallRun

from .flows import with_constants, zeros

NEVER = Deadline()
PAST = Deadline(0.0)

BENT = Generator.of(
    gf.Flow(
        lambda p: jnp.stack([jnp.exp(p["x"]), p["x"] * p["y"] + p["z"]]), zeros(x=(), y=(), z=())
    )
)  # two gradients, and ∂y by a bracket
TWICE = Generator.of(
    gf.Flow(
        lambda p: jnp.stack(
            [p["z"] * jnp.log(p["x"] * p["y"]), p["z"] * (jnp.log(p["x"]) + jnp.log(p["y"]))]
        ),
        zeros(x=(), y=(), z=()),
        positive=["x", "y"],
    )
)  # one function, written in two ways
EXPS = Generator.of(gf.Flow(lambda p: jnp.exp(p["x"]), zeros(x=(3,))))


def found(generator: Generator, ranks: Sequence[int], seed: int = 0) -> BallRun:
    run = certify(generator, ranks, seed, NEVER)
    assert run is not None
    return run


def test_gradients_alone_and_with_brackets():
    assert found(BENT, (2,)).rank == 2
    assert found(BENT, (2, 3)).rank == 3
    assert found(BENT, (1, 1, 3)).rank == 3


@pytest.mark.parametrize("seed", range(3))
def test_an_estimate_that_is_too_large_is_not_proved(seed: int):
    """Brackets of one function with itself are 0, of which round-off leaves a little in every direction."""
    assert found(TWICE, (2,), seed).rank == 1
    assert found(TWICE, (2, 3), seed).rank == 1


def test_no_more_is_proved_than_was_estimated():
    assert found(EXPS, (3,)).rank == 3
    assert found(EXPS, (1,)).rank == 1


@pytest.mark.parametrize(("generator", "ranks"), [(BENT, (2, 3)), (TWICE, (1,)), (EXPS, (3,))])
def test_the_point_is_one_of_sixteenths_where_the_flow_is_defined(
    generator: Generator, ranks: tuple[int, ...]
):
    runs = [found(generator, ranks, seed) for seed in range(6)]
    values = np.array([run.point for run in runs]) * 16
    assert np.array_equal(values, np.rint(values))
    assert np.all(values != 0) and np.all(abs(values) < 32)
    positive = np.concatenate([[b.positive] * b.size for b in generator.flow.state])
    assert np.all(values[:, positive] > 0)
    assert np.all(positive) or np.any(values[:, ~positive] < 0)
    assert len(set(map(tuple, values.tolist()))) > 1


def test_a_seed_says_the_point():
    first, again, other = (found(BENT, (2, 3), seed) for seed in (1, 1, 2))
    assert first == again
    assert first.point != other.point
    assert first.rank == other.rank


def test_symbolic_constants_are_positive_numbers(monkeypatch: pytest.MonkeyPatch):
    """log c is real at the first point that is tried, and no bracket moves c: the fields of a scalar stay parallel."""
    monkeypatch.setattr(module, "_POINTS", 1)
    generator = Generator.of(
        with_constants(lambda c, p: p["x"] * (2 + jnp.log(c["c"])), {"x": ()}, {"c": None})
    )
    for seed in range(5):
        assert found(generator, (1,), seed).rank == 1
    scalar = with_constants(
        lambda c, p: p["y"] * jnp.exp(c["c"] * p["x"]), {"x": (), "y": ()}, {"c": None}
    )
    assert found(Generator.of(scalar), (1, 2)).rank == 1


def test_brackets_may_be_smaller_than_fields_by_any_factor():
    def phi(p):
        return jnp.stack([jnp.exp(p["x"]), 2.0**-40 * p["x"] * p["y"] + p["z"]])

    assert found(Generator.of(gf.Flow(phi, zeros(x=(), y=(), z=()))), (2, 3)).rank == 3


def test_constants_are_exact():
    """exp(x/3)³ − exp(x) is 0 for no other number than 1/3."""

    def phi(c, p):
        return jnp.stack([p["y"] * (jnp.exp(c["third"] * p["x"]) ** 3 - jnp.exp(p["x"])), p["x"]])

    shapes = {"x": (), "y": ()}
    third = Generator.of(with_constants(phi, shapes, {"third": Fraction(1, 3)}))
    assert found(third, (2,)).rank == 1
    near = Generator.of(with_constants(phi, shapes, {"third": Fraction(1, 3) + Fraction(1, 100)}))
    assert found(near, (2,)).rank == 2


def test_what_vanishes_or_overflows_proves_nothing():
    zero = Generator.of(gf.Flow(lambda p: 0 * jnp.exp(p["x"]), zeros(x=())))
    assert certify(zero, (1,), 0, NEVER) is None
    huge = Generator.of(gf.Flow(lambda p: jnp.exp(20000 * p["x"]), zeros(x=()), positive=["x"]))
    assert certify(huge, (1,), 0, NEVER) is None


def test_gates_and_data_are_drawn_for_every_word():
    flow = gf.Flow.of_network(
        lambda p, x: p["V"] @ jnp.tanh(p["W"] @ x), zeros(V=(1, 2), W=(2, 1)), np.zeros(1)
    )
    assert found(Generator.of(flow), (4,)).rank == 4


def test_a_drift_has_weights_and_choices_are_drawn():
    """x'' = a·eˣ moves time, place and velocity. Of two weights the greater product moves its own."""
    momentum = Generator.of(gf.Flow(lambda p: jnp.exp(p["x"]), zeros(x=()), order=2))
    assert found(momentum, (2, 3)).rank == 3
    flow = gf.Flow.of_network(
        lambda p, x: jnp.tanh(jnp.max(p["w"] * x)), zeros(w=(2,)), np.zeros(2)
    )
    assert found(Generator.of(flow), (2,)).rank == 2


def test_many_words_are_drawn_for_large_ranks():
    wide = Generator.of(gf.Flow(lambda p: jnp.exp(p["x"]), zeros(x=(26,))))
    assert found(wide, (26,)).rank == 26


def test_sixteenths_of_both_signs():
    drawn = module._dyadic(np.random.default_rng(0), (2000,)) * 16
    assert set(drawn.tolist()) == set(range(-31, 32)) - {0}
    positive = module._dyadic(np.random.default_rng(0), (2000,), True) * 16
    assert set(positive.tolist()) == set(range(1, 32))


# --- attempts

Attempt = Callable[[], BallRun | None]


def scripted(monkeypatch: pytest.MonkeyPatch, *outcomes: object) -> list[object]:
    """Let attempts have these outcomes, or raise them; what was asked for is noted."""
    asked: list[object] = []

    def attempt(generator, ranks, rng):
        outcome = outcomes[len(asked)]
        asked.append((generator, tuple(ranks), rng))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(module, "_attempt", attempt)
    return asked


def of(rank: int) -> BallRun:
    return BallRun(rank, 128, (float(rank),))


@pytest.mark.parametrize(
    "error", [UnluckyPoint(), UnsupportedPrimitive("sqrt"), np.linalg.LinAlgError()]
)
def test_another_point_is_tried_after_a_bad_one(error: Exception, monkeypatch: pytest.MonkeyPatch):
    asked = scripted(monkeypatch, error, None, of(3))
    assert certify(BENT, (2, 3), 0, NEVER) == of(3)
    assert len(asked) == 3
    scripted(monkeypatch, error, error, error)
    assert certify(BENT, (2, 3), 0, NEVER) is None


def test_the_best_of_three_points_counts(monkeypatch: pytest.MonkeyPatch):
    scripted(monkeypatch, of(1), of(2), of(1), of(3))
    assert certify(BENT, (2, 3), 0, NEVER) == of(2)
    first = BallRun(2, 128, ())
    scripted(monkeypatch, first, of(2), of(2))
    assert certify(BENT, (2, 3), 0, NEVER) is first


def test_the_estimate_is_enough(monkeypatch: pytest.MonkeyPatch):
    asked = scripted(monkeypatch, of(1), of(3), of(3))
    assert certify(BENT, (2, 3), 0, NEVER) == of(3)
    assert len(asked) == 2
    (generator, ranks, rng), (_, _, same) = asked  # type: ignore[misc]
    assert generator is BENT
    assert ranks == (2, 3)
    assert rng is same


def test_out_of_time_the_first_rank_is_enough_and_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    asked = scripted(monkeypatch, None, of(1), of(3))
    assert certify(BENT, (2, 3), 0, PAST) == of(1)
    assert len(asked) == 2


# --- precision


def test_more_bits_where_few_decide_nothing(monkeypatch: pytest.MonkeyPatch):
    precisions: list[int] = []
    decided = module.full_rank

    def wide(a: np.ndarray) -> bool:
        precisions.append(flint.ctx.prec)
        return len(precisions) > 1 and decided(a)

    monkeypatch.setattr(module, "full_rank", wide)
    assert found(BENT, (2, 3)).precision == 384
    assert precisions == [128, 384]
    monkeypatch.setattr(module, "full_rank", lambda a: False)
    assert certify(BENT, (2, 3), 0, NEVER) is None


def test_the_submatrix_is_square_and_of_the_rank(monkeypatch: pytest.MonkeyPatch):
    """It is of the words and columns that were chosen in floating point, in balls."""
    seen: list[np.ndarray] = []
    decided = module.full_rank

    def spied(a: np.ndarray) -> bool:
        seen.append(a)
        return decided(a)

    monkeypatch.setattr(module, "full_rank", spied)
    assert found(BENT, (2, 3)).precision == 128
    (matrix,) = seen
    assert matrix.shape == (3, 3)
    assert all(isinstance(x, flint.arb) for x in matrix.flat)
