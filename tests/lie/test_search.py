"""The search for the rank: what it takes for evidence, when it stops, and how it recovers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.polynomials import Polynomials, TooLarge
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.lie import closure
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.closure import TooManyCoordinates, close
from geoflow.lie.point import ModularPoint, draw_point, free_letter, random_words, whole_point
from geoflow.memory import in_words
from geoflow.results import BallRun

from .flows import integers, product, squares, with_constants, zeros

PRODUCT = Generator.of(product(2, 2, 2))
NEVER = Deadline()
PAST = Deadline(0.0)


def sequence(*places: Callable[[np.random.Generator], ModularPoint]):
    """One place after the other, the last one again and again; with how many were asked for."""
    asked: list[int] = []

    def at(rng: np.random.Generator) -> ModularPoint:
        asked.append(len(asked))
        return places[min(len(asked), len(places)) - 1](rng)

    return at, asked


def anywhere(generator: Generator) -> Callable[[np.random.Generator], ModularPoint]:
    return lambda rng: draw_point(generator, rng)


ZERO = integers(PRODUCT, U=np.zeros((2, 2)), V=np.zeros((2, 2)))


# --- evidence


def test_the_error_bound_is_that_of_the_runs_multiplied():
    """The degree of a run counts a minor of the words of each depth and the word that added nothing."""
    certificate = close(PRODUCT, 0, NEVER).certificate
    assert certificate.ranks == (4, 5)
    word = PRODUCT.degree.of_word
    degree = 4 * word(1) + word(2) + word(3) + PRODUCT.degree.of_denominators()
    for run in certificate.runs:
        assert (run.degree, run.sample, run.letters) == (degree, run.prime - 1, 3)
    assert certificate.degree == degree
    a, b = (run.prime - 1 for run in certificate.runs)
    assert certificate.error_bound == float(Fraction(degree, a) * Fraction(degree, b))


def test_data_are_drawn_for_every_letter_and_may_all_meet_a_pole():
    flow = (
        gf.Flow.of_network(lambda p, x: p["w"] * x / (1 + x), zeros(w=(), v=()) | {}, np.zeros(()))
        if False
        else gf.Flow.of_network(
            lambda p, x: p["v"] * p["w"] * x / (1 + x * x), zeros(w=(), v=()), np.zeros(())
        )
    )
    generator = Generator.of(flow)
    run, *_ = close(generator, 0, NEVER).certificate.runs
    poles = generator.degree.of_denominators()
    assert poles > 0
    linear = Generator.of(gf.Flow(lambda p: p["x"] / p["y"], zeros(x=(), y=())))
    own, *_ = close(linear, 0, NEVER).certificate.runs
    assert own.ranks == (1,)
    degree = linear.degree
    assert own.degree == degree.of_word(1) + degree.of_word(2) + degree.of_denominators()
    word = generator.degree.of_word
    depths = [word(k + 1) for k in range(len(run.ranks))]
    gains = np.diff([0, *run.ranks])
    minor = sum(int(g) * w for g, w in zip(gains, depths, strict=True)) + word(len(run.ranks) + 1)
    assert run.degree == minor + (1 + run.words * run.letters) * poles


def test_a_bound_says_nothing_more_than_certainty_of_error(monkeypatch: pytest.MonkeyPatch):
    """Where the degree is beyond the sample set, the bound of a run is 1."""
    steep = replace(PRODUCT, degree=replace(PRODUCT.degree, numerator=2**40))
    assert close(steep, 0, NEVER).certificate.error_bound == 1.0


def test_points_that_are_given_bound_no_error():
    place = integers(PRODUCT, U=[[3, 1], [4, 1]], V=[[5, 9], [2, 6]])
    found = close(PRODUCT, 0, NEVER, at=place).certificate
    assert found.ranks == (4, 5)
    assert found.error_bound == 1.0


def test_runs_below_the_greatest_rank_are_no_evidence():
    at, _ = sequence(ZERO, anywhere(PRODUCT))
    found = close(PRODUCT, 0, NEVER, at=at).certificate
    _, second, third = found.runs
    bound = Fraction(second.degree, second.sample) * Fraction(third.degree, third.sample)
    assert found.error_bound == float(bound)
    assert found.degree == second.degree
    assert not found.disagreeing


def over(prime: int) -> Callable[[np.random.Generator], ModularPoint]:
    """Points over one prime."""

    def at(rng: np.random.Generator) -> ModularPoint:
        whole = {n: rng.integers(1, prime, (1, 1, 2, 2)) for n in ("U", "V")}
        return whole_point(PRODUCT, PrimeField(prime), whole)

    return at


P, Q = 67108859, 67108819


def test_two_runs_over_one_prime_are_not_two(monkeypatch: pytest.MonkeyPatch):
    at, asked = sequence(over(P), over(P), over(P), over(Q))
    found = close(PRODUCT, 0, NEVER, at=at).certificate
    assert [run.prime for run in found.runs] == [P, Q]
    assert (found.complete, found.disagreeing, len(asked)) == (True, False, 4)
    at, asked = sequence(over(P))
    found = close(PRODUCT, 0, NEVER, at=at).certificate
    assert {run.prime for run in found.runs} == {P}
    assert (found.complete, found.disagreeing) == (False, True)
    assert len(asked) == 6 + 8


def test_the_whole_space_needs_no_second_point_and_has_no_error():
    found = close(Generator.of(squares(3)), 0, NEVER).certificate
    assert len(found.runs) == 1
    assert (found.rank, found.error_bound, found.complete) == (3, 0.0, True)
    assert found.disagreeing is False
    assert found.closed_by == "the vector fields span the whole tangent space"


def test_fields_that_choose_give_no_error_bound():
    """The greatest of several values chooses one: the fields are no irreducible family."""
    flow = gf.Flow.of_network(
        lambda p, x: jnp.max(p["W"] @ x) * p["v"], zeros(W=(2, 2), v=()), np.zeros(2)
    )
    found = close(Generator.of(flow), 0, NEVER).certificate
    assert found.rank < found.dimension
    assert found.complete
    assert found.error_bound is None


def test_an_estimate_gives_no_error_bound():
    flow = gf.Flow(lambda p: jnp.exp(p["x"]) * p["y"], zeros(x=(), y=()))
    found = close(Generator.of(flow), 0, NEVER).certificate
    assert found.estimated
    assert found.error_bound is None
    assert found.balls is not None and found.balls.rank == 1


# --- points and primes


def test_the_closure_is_at_the_point_of_its_best_run():
    at, asked = sequence(ZERO, anywhere(PRODUCT))
    found = close(PRODUCT, 0, NEVER, at=at)
    assert [run.ranks[-1] for run in found.certificate.runs] == [0, 5, 5]
    assert len(asked) == 3
    assert found.certificate.complete
    assert found.point.integers == found.certificate.runs[1].point


def test_two_runs_agree_and_no_more_are_made():
    found = close(PRODUCT, 0, NEVER)
    assert len(found.certificate.runs) == closure.AGREEING_RUNS == 2
    assert found.point.integers == found.certificate.runs[0].point
    first, second = found.certificate.runs
    assert first.prime != second.prime
    assert first.point != second.point


def test_runs_that_never_agree_are_given_up():
    """Points with one coordinate more each time: the ranks rise, and the search says that it is not complete."""
    generator = Generator.of(squares(9))
    places = [integers(generator, x=[1] * k + [0] * (9 - k)) for k in range(1, 9)]
    at, asked = sequence(*places)
    found = close(generator, 0, NEVER, at=at).certificate
    assert [run.ranks[-1] for run in found.runs] == list(range(1, len(asked) + 1))
    assert len(asked) == 6
    assert (found.complete, found.disagreeing) == (False, True)
    assert (found.rank, found.closed_by) == (6, "")


@pytest.mark.parametrize("allowed", [0, 3])
def test_unlucky_points_are_left_for_others_so_many_times(
    allowed: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(closure, "_MOST_UNLUCKY", allowed)

    def at_a_pole(rng: np.random.Generator) -> ModularPoint:
        return replace(draw_point(generator, rng), point={"x": np.zeros((1, 1), dtype=np.int64)})

    generator = Generator.of(gf.Flow(lambda p: 1 / p["x"], zeros(x=())))
    at, asked = sequence(*[at_a_pole] * allowed, anywhere(generator))
    assert close(generator, 0, NEVER, at=at).certificate.rank == 1
    assert len(asked) == allowed + 1
    at, asked = sequence(*[at_a_pole] * (allowed + 1), anywhere(generator))
    with pytest.raises(UnluckyPoint):
        close(generator, 0, NEVER, at=at)
    assert len(asked) == allowed + 1


def test_where_roots_are_taken_all_points_are_near_one():
    """The verdict is for an open set."""
    flow = gf.Flow(lambda p: jnp.sqrt(p["x"]) * p["y"], zeros(x=(), y=()), positive=["x"])
    first, second = close(Generator.of(flow), 0, NEVER).certificate.runs
    assert first.point != second.point
    assert all(abs(a - b) <= 2**10 for a, b in zip(first.point, second.point, strict=True))


def test_a_seed_says_everything():
    first, again, other = (close(PRODUCT, seed, NEVER).certificate for seed in (4, 4, 5))
    assert first == again
    assert first.seed == 4
    assert first.runs[0].point != other.runs[0].point
    assert first.ranks == other.ranks


# --- stopping


def test_the_words_are_hardly_more_than_the_coordinates():
    """One word without a gain ends a depth."""
    for n, r, m in ((2, 2, 2), (1, 5, 3)):
        generator = Generator.of(product(n, r, m))
        for run in close(generator, 0, NEVER).certificate.runs:
            assert run.words <= generator.flow.dimension + len(run.ranks)


def test_all_words_are_counted(monkeypatch: pytest.MonkeyPatch):
    rows: list[int] = []

    def noted(*arguments):
        found = random_words(*arguments)
        rows.append(len(found))
        return found

    monkeypatch.setattr(closure, "random_words", noted)
    found = close(PRODUCT, 0, NEVER).certificate
    assert sum(run.words for run in found.runs) == sum(rows)
    assert min(run.words for run in found.runs) > 0


def test_a_depth_is_exhausted_before_the_next():
    """Three new directions, of which two words at a time find two."""
    assert close(Generator.of(product(2, 3, 3)), 0, NEVER).certificate.ranks == (6, 9)


def test_a_family_that_is_not_irreducible_has_more_patience():
    """A choice between two: nearly all words have the same choice here, and the search goes on until some have not."""
    rare = 0.05

    def draw(generator: Generator, place: ModularPoint, rng: np.random.Generator, batch: int):
        letter = free_letter(generator, place, rng, batch)
        often = (rng.random((1, batch, 1)) < rare).astype(np.int64)
        return Letter(letter.weight, tuple(c * often for c in letter.controls))

    generator = Generator.of(squares(4))
    hasty = close(replace(generator), 0, NEVER)
    assert hasty.certificate.rank == 4
    ranks = [close(generator, seed, NEVER, draw=draw).certificate.rank for seed in range(4)]
    assert min(ranks) >= 3


def test_out_of_time_there_is_a_rank_and_no_claim_that_it_is_all():
    found = close(PRODUCT, 0, PAST).certificate
    assert (found.complete, found.disagreeing, found.late) == (False, False, True)
    assert found.stopped == "the time ran out before the rank stagnated"
    assert len(found.runs) == 1
    assert found.ranks == (4,)  # of the gradients; none of the brackets that were not tried
    assert found.closed_by == ""


@dataclass(frozen=True)
class Soon(Deadline):
    """A time that is over when it has been asked for so often."""

    often: int = 0
    asked: list[int] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        self.asked.append(1)
        return len(self.asked) > self.often


def test_whenever_the_time_is_over_the_ranks_are_those_that_were_reached(
    monkeypatch: pytest.MonkeyPatch,
):
    """Two words at a time: the third new direction of brackets is found in a second batch."""
    monkeypatch.setattr(closure.elimination, "BATCH", 2)
    generator = Generator.of(product(2, 3, 3))
    seen = set()
    for often in range(1, 9):
        found = close(generator, 0, Soon(often=often)).certificate
        assert list(found.ranks) == sorted(set(found.ranks))
        assert not found.complete
        seen.add(found.ranks)
    assert {(4,), (6,), (6, 8)} <= seen


def test_a_search_that_goes_too_deep_is_not_complete(monkeypatch: pytest.MonkeyPatch):
    """(∂x, x⁵∂y, ∂z…) would need more brackets than are allowed."""
    monkeypatch.setattr(closure, "_MOST_DEPTH", 1)
    found = close(PRODUCT, 0, NEVER).certificate
    assert found.ranks == (4,)
    assert (found.complete, found.disagreeing, found.late) == (False, False, False)
    assert found.stopped == "the rank still grows at the greatest depth of brackets"
    monkeypatch.setattr(closure, "_MOST_DEPTH", 3)
    assert close(PRODUCT, 0, NEVER).certificate.complete


def test_what_is_complete_in_time_is_not_late():
    """One batch of fields spans everything, whatever the time."""
    flow = gf.Flow(lambda p: p["x"], zeros(x=(3,)))
    found = close(Generator.of(flow), 0, PAST).certificate
    assert found.complete and found.late is False and found.stopped == ""


def test_a_state_that_fits_is_counted_and_a_larger_one_refused():
    needed = closure.elimination.memory(8)
    assert close(PRODUCT, 0, NEVER, memory=needed).certificate.rank == 5
    with pytest.raises(TooManyCoordinates) as caught:
        close(PRODUCT, 0, NEVER, memory=needed - 1)
    assert caught.value.dimension == 8
    assert caught.value.args == (8, needed - 1)
    assert "no sparse fields were found for a state of 8 coordinates" in caught.value.message
    assert f"at most {in_words(needed - 1)} are used" in caught.value.message


def test_what_is_refused_says_what_it_needs():
    refused = TooManyCoordinates(60_000, 3 * 2**30)
    assert "60,000 coordinates" in refused.message
    assert "would take 15.5 GiB of memory" in refused.message
    assert "at most 3 GiB are used" in refused.message
    assert 15.4 < refused.gib < 15.7
    assert refused.gib * 2**30 >= closure.elimination.memory(60_000)


# --- balls


def test_balls_prove_what_was_estimated_and_no_more(monkeypatch: pytest.MonkeyPatch):
    """The certificate's rank is that of the balls, whatever the estimate; a lower one closes nothing."""
    flow = gf.Flow(lambda p: jnp.exp(p["x"]), zeros(x=(3,)))
    generator = Generator.of(flow)
    assert close(generator, 0, NEVER).certificate.closed_by
    asked = []

    def fewer(generator, ranks, seed, deadline):
        asked.append((tuple(ranks), seed, deadline))
        return BallRun(ranks[-1] - 1, 128, ())

    monkeypatch.setattr(closure, "certify", fewer)
    found = close(generator, 3, NEVER).certificate
    assert asked == [((3,), 3, NEVER)]
    assert (found.rank, found.estimate, found.closed_by) == (2, 3, "")
    monkeypatch.setattr(closure, "certify", lambda *_: None)
    assert not close(generator, 0, NEVER).certificate.exact


def test_flows_mod_p_need_no_balls(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(closure, "certify", None)
    found = close(PRODUCT, 0, NEVER).certificate
    assert found.balls is None
    assert found.exact


# --- closed by identity


def reason(generator: Generator, seed: int = 0) -> str:
    return close(generator, seed, NEVER).certificate.closed_by


ONE = "all fields are multiples of one, so they are closed under brackets"


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        (gf.Flow(lambda p: p["x"] * p["y"], zeros(x=(), y=())), f"φ is a scalar: {ONE}"),
        (gf.Flow(lambda p: p["x"] * p["y"], zeros(x=(1,), y=())), f"φ is a scalar: {ONE}"),
        (
            gf.Flow(
                lambda p: jnp.stack(
                    [p["x"] * p["y"], (p["x"] * p["y"]) ** 3 / (1 + p["x"] * p["y"])]
                ),
                zeros(u=(), x=(), y=()),
            ),
            f"any two fields are parallel, which an expansion over Q shows: {ONE}",
        ),
        (product(2, 2, 2), ""),
    ],
    ids=["scalar", "one entry", "parallel", "rank 5"],
)
def test_why_the_algebra_is_closed(flow: gf.Flow, why: str):
    assert reason(Generator.of(flow)) == why


def test_one_control_is_enough_whatever_the_outputs():
    def phi(p):
        return jnp.stack([p["x"] * p["y"], p["x"] ** 2 + p["z"]])

    flow = gf.Flow(phi, zeros(x=(), y=(), z=()), loss=gf.CrossEntropy())
    assert flow.cotangent_size == 1
    assert reason(Generator.of(flow)) == f"there is one control: {ONE}"
    pair = gf.Flow(lambda p: [p["x"] * p["y"], p["z"]], zeros(x=(), y=(), z=()))
    assert reason(Generator.of(pair)) == ""


def test_constants_are_no_obstacle_to_parallel_fields():
    def phi(c, p):
        y = p["x"] * p["y"]
        return jnp.stack([c["c"] * y, c["third"] * y * y])

    flow = with_constants(phi, {"x": (), "y": ()}, {"c": None, "third": Fraction(1, 3)})
    assert "parallel" in reason(Generator.of(flow))


@pytest.mark.parametrize("error", [TooLarge(), UnluckyPoint(), UnsupportedPrimitive("sqrt")])
def test_an_expansion_that_fails_closes_nothing(error: Exception):
    class Failing(Generator):
        def __call__(self, ring, constants, point, letter):
            if isinstance(ring, Polynomials):
                raise error
            return super().__call__(ring, constants, point, letter)

    def phi(p):
        y = p["x"] * p["y"]
        return jnp.stack([y, y * y])

    generator = Generator.of(gf.Flow(phi, zeros(x=(), y=())))
    assert reason(Failing(**vars(generator))) == ""


def test_what_the_fields_take_for_granted_is_in_the_certificate():
    class Doubtful(gf.Euclidean):
        @property
        def doubts(self) -> tuple[str, ...]:
            return ("this metric is what it seems: probable",)

    flow = gf.Flow(lambda p: p["x"] * p["y"], zeros(x=(), y=()), metric=Doubtful())
    found = close(Generator.of(flow), 0, NEVER).certificate
    assert found.assumed is True
    assert not found.exact
    assert close(PRODUCT, 0, NEVER).certificate.assumed is False


def test_a_rank_of_one_alone_closes_nothing():
    """At a point or over a prime where the rank is 1 by accident, an expansion shows that it is not."""
    two = Generator.of(gf.Flow(lambda p: jnp.stack([p["x"] * p["y"], p["x"]]), zeros(x=(), y=())))
    place = integers(two, x=0, y=5)  # (5, 0) and (1, 0)
    found = close(two, 0, NEVER, at=place).certificate
    assert found.ranks[0] == 1
    assert "parallel" not in found.closed_by
    rooted = gf.Flow(
        lambda p: jnp.stack([jnp.sqrt(p["x"]), p["x"]]), zeros(x=(), y=()), positive=["x"]
    )
    assert reason(Generator.of(rooted)) == ""


def test_estimates_are_never_parallel_by_expansion():
    flow = gf.Flow(lambda p: jnp.stack([jnp.exp(p["x"]), p["x"]]), zeros(x=(), y=()))
    found = close(Generator.of(flow), 0, NEVER).certificate
    assert (found.rank, found.closed_by) == (1, "")


def test_gates_choose_between_fields():
    flow = gf.Flow.of_network(
        lambda p, x: p["u"] * jax.nn.relu(p["w"] * x),
        zeros(w=(), u=()),
        np.zeros(()),
        loss=gf.FewData(1),
    )
    generator = Generator.of(flow)
    assert (flow.cotangent_size, len(generator.program.gates)) == (1, 1)
    found = close(generator, 0, NEVER).certificate
    assert (found.rank, found.closed_by) == (1, "")


def test_a_drift_is_no_multiple_of_the_controlled_fields():
    """x² with decay at x = 0, where nothing but time moves."""
    generator = Generator.of(gf.Flow(lambda p: p["x"] ** 2, zeros(x=()), decay=1))
    found = close(generator, 0, NEVER, at=integers(generator, t=1, x=0)).certificate
    assert (found.rank, found.closed_by) == (1, "")


def test_large_states_are_not_expanded(monkeypatch: pytest.MonkeyPatch):
    def phi(p):
        y = p["x"] * p["y"]
        return jnp.stack([y, y * y])

    generator = Generator.of(gf.Flow(phi, zeros(x=(), y=())))
    monkeypatch.setattr(closure, "_EXPANDABLE", 2)
    assert "parallel" in reason(generator)
    monkeypatch.setattr(closure, "_EXPANDABLE", 1)
    assert reason(generator) == ""
