"""Counts with real gates: integer points, the gates of the network there, and the least count of several sets."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.lie import real as module
from geoflow.lie.bracket import Generator
from geoflow.lie.closure import TooManyCoordinates, close
from geoflow.lie.real import count_real
from geoflow.memory import MOST_MEMORY
from geoflow.results import Certificate, RankRun

from .flows import with_constants, zeros


@cache
def collinear() -> Generator:
    """1-3-1 without bias: three neurons on two half lines."""
    weights = zeros(V=(1, 3), W=(3, 1))
    return Generator.of(
        gf.Flow.of_network(lambda p, x: p["V"] @ jax.nn.relu(p["W"] @ x), weights, np.zeros(1))
    )


@cache
def biased() -> Generator:
    weights = zeros(V=(1, 2), W=(2, 2), b=(2,))
    return Generator.of(
        gf.Flow.of_network(
            lambda p, x: p["V"] @ jax.nn.relu(p["W"] @ x + p["b"]), weights, np.zeros(2)
        )
    )


@cache
def positive() -> Generator:
    weights = zeros(v=(2,), w=(2,))
    return Generator.of(
        gf.Flow.of_network(
            lambda p, x: p["v"] @ jax.nn.relu(p["w"] * x), weights, np.zeros(()), positive=["w"]
        )
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CANDIDATES", 6)
    monkeypatch.setattr(module, "_STEPS", 6)
    monkeypatch.setattr(module, "_OTHERS", 2)


@pytest.mark.usefixtures("quick")
def test_a_network_has_more_laws_than_its_lifting():
    """Rows of the first layer are collinear: four laws, and not three."""
    found = count_real(collinear(), 0)
    assert found.upper == 4
    assert found.ranks[-1] == 6 - found.upper
    assert found.gates == 3
    assert found.upper == min(found.counts)
    assert found.counts == tuple(sorted(found.counts))


@pytest.mark.usefixtures("quick")
def test_gates_switch_at_the_point():
    found = count_real(biased(), 0)
    assert (found.upper, found.switching, found.gates) == (2, 2, 2)
    point = {n: np.array(v, dtype=object) for n, v in found.point.items()}
    assert {n: v.shape for n, v in point.items()} == {"V": (1, 2), "W": (2, 2), "b": (2,)}
    values = [int(x) for v in point.values() for x in v.ravel()]
    assert all(isinstance(x, int) for x in np.concatenate([v.ravel() for v in point.values()]))
    assert 0 not in values
    assert any(x < 0 for x in values) and any(x > 0 for x in values)
    assert max(map(abs, values)) >= 2**35


@pytest.mark.usefixtures("quick")
def test_positive_parameters_stay_so_and_then_gates_do_not_switch_apart():
    """x > 0 turns both neurons on, x < 0 both off: φ is vᵀw, with three laws."""
    found = count_real(positive(), 1)
    assert found.upper == 3
    assert all(x > 0 for x in found.point["w"])  # type: ignore[union-attr]


@pytest.mark.usefixtures("quick")
def test_a_seed_says_everything():
    assert count_real(collinear(), 3) == count_real(collinear(), 3)
    assert count_real(collinear(), 3).point != count_real(collinear(), 4).point


@pytest.mark.parametrize(
    "flow",
    [
        gf.Flow(lambda p: jnp.exp(p["x"]), zeros(x=())),
        gf.Flow(lambda p: jnp.sqrt(p["x"]), zeros(x=()), positive=["x"]),
        with_constants(lambda c, p: c["c"] * p["x"], {"x": ()}, {"c": None}),
    ],
    ids=["exp", "root", "symbolic"],
)
def test_what_has_no_order_is_refused(flow: gf.Flow):
    with pytest.raises(UnsupportedPrimitive, match="real gates beside roots"):
        count_real(Generator.of(flow), 0)


# --- which point counts


def scripted(monkeypatch: pytest.MonkeyPatch, *ranks: int | None) -> list[Any]:
    """Let candidates have these ranks, or no datum without ties."""
    asked: list[Any] = []

    def closure(generator, candidate, seed, deadline, memory):
        rank = ranks[len(asked)]
        asked.append((candidate, seed, deadline))
        if rank is None:
            raise UnluckyPoint
        run = RankRun(7, (1, rank), 1, ())
        return Certificate(6, (run,), seed, 1, None)

    monkeypatch.setattr(module, "_closure", closure)
    return asked


@pytest.mark.usefixtures("quick")
def test_the_greatest_rank_counts_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch):
    asked = scripted(monkeypatch, 2, 4, 3)
    found = count_real(collinear(), 5)
    assert (found.upper, found.ranks, found.counts) == (2, (1, 4), (2, 3, 4))
    assert len(asked) == 3  # the best one, and two others
    first, second, third = (candidate for candidate, *_ in asked)
    assert found.point["W"] == second.whole["W"][0, 0].tolist()
    assert found.switching == second.switching
    assert first.score >= max(second.score, third.score)
    assert {seed for _, seed, _ in asked} == {5}


@pytest.mark.usefixtures("quick")
def test_of_points_with_one_count_the_first_is_shown(monkeypatch: pytest.MonkeyPatch):
    asked = scripted(monkeypatch, 4, 4, 4)
    found = count_real(collinear(), 0)
    assert found.counts == (2,)
    assert found.point["W"] == asked[0][0].whole["W"][0, 0].tolist()


@pytest.mark.usefixtures("quick")
def test_points_without_data_are_left_out(monkeypatch: pytest.MonkeyPatch):
    scripted(monkeypatch, None, 4, None)
    assert count_real(collinear(), 0).counts == (2,)
    scripted(monkeypatch, None, None, None)
    with pytest.raises(UnluckyPoint):
        count_real(collinear(), 0)


@pytest.mark.usefixtures("quick")
def test_out_of_time_one_point_is_enough_and_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    past = Deadline(0.0)
    asked = scripted(monkeypatch, None, 2, 4)
    assert count_real(collinear(), 0, past).counts == (4,)
    assert [deadline for *_, deadline in asked] == [past, past]


# --- candidates


def whole(generator: Generator, **values: Any) -> dict[str, np.ndarray]:
    return {n: np.array(v, dtype=object)[None, None] for n, v in values.items()}


def test_how_many_gates_switch_and_how_evenly():
    """Half of all inputs turn a neuron without bias on; a large bias keeps it as it is."""
    rng = np.random.default_rng(0)
    big = 2**80
    generator = biased()

    def candidate(b: list[int]):
        place = whole(generator, V=[[1, 1]], W=[[1, 2], [3, -1]], b=b)
        return module._candidate(generator, rng, place)

    both, one, none = candidate([1, 1]), candidate([1, big]), candidate([-big, big])
    assert [c.switching for c in (both, one, none)] == [2, 1, 0]
    assert both.evenness > one.evenness > none.evenness == 0
    assert both.evenness == pytest.approx(2 * np.sqrt(0.5), rel=0.1)
    assert both.score == (both.switching, both.evenness)
    assert both.score > one.score > none.score


def test_a_point_at_which_all_ties_is_the_worst():
    generator = collinear()
    place = whole(generator, V=[[1, 1, 1]], W=[[0], [1], [1]])
    found = module._candidate(generator, np.random.default_rng(0), place)
    assert found.score == (-1, 0.0)
    assert found.whole is place


def test_gates_that_hardly_switch_do_not_count(monkeypatch: pytest.MonkeyPatch):
    generator = collinear()
    place = whole(generator, V=[[1, 1, 1]], W=[[1], [1], [-1]])
    monkeypatch.setattr(module, "_SWITCHES", 0.6)  # more than half is impossible
    found = module._candidate(generator, np.random.default_rng(0), place)
    assert found.switching == 0
    assert found.evenness > 0


def test_points_are_integers_of_forty_bits_and_biases_of_more():
    rng = np.random.default_rng(0)
    drawn = [module._draw(biased(), rng) for _ in range(40)]
    sizes = {n: [max(abs(int(x)) for x in d[n].ravel()) for d in drawn] for n in ("V", "W", "b")}
    assert max(sizes["W"] + sizes["V"]) < 2**40
    assert min(sizes["W"]) > 2**30
    assert 2**90 < max(sizes["b"]) < 2**100
    assert min(sizes["b"]) < 2**41
    assert {d["W"].shape for d in drawn} == {(1, 1, 2, 2)}
    every = [int(x) for d in drawn for v in d.values() for x in v.ravel()]
    assert 0 not in every
    assert any(x < 0 for x in every) and any(x > 0 for x in every)
    assert all(int(x) > 0 for _ in range(9) for x in module._draw(positive(), rng)["w"].ravel())


def test_integers_have_so_many_bits():
    rng = np.random.default_rng(0)
    for bits in (20, 40, 41, 100):
        found = [int(x) for x in module._integers(rng, (200,), bits)]
        assert all(isinstance(x, int) for x in found)
        top = max(bits, 40)
        assert 2 ** (top - 2) < max(map(abs, found)) < 2**top
        assert min(found) < 0 < max(found)
        assert all(x % 2 ** (top - 40) == 0 for x in found)


def test_time_is_positive():
    flow = gf.Flow.of_network(
        lambda p, x: p["v"] * jax.nn.relu(p["w"] * x), zeros(v=(), w=()), np.zeros(()), order=2
    )
    rng = np.random.default_rng(0)
    assert all(module._draw(Generator.of(flow), rng)["t"].item() > 0 for _ in range(8))


def test_a_search_never_makes_it_worse_and_mostly_better():
    generator = biased()
    rng = np.random.default_rng(1)
    big = 2**80
    place = whole(generator, V=[[1, 1]], W=[[1, 2], [3, -1]], b=[-big, big])
    start = module._candidate(generator, rng, place)
    better = module._improved(generator, rng, start)
    assert start.switching == 0
    assert better.switching == 2
    assert module._improved(generator, rng, better).score >= better.score


def test_a_search_changes_some_entries_of_one_block_at_a_time(monkeypatch: pytest.MonkeyPatch):
    generator = biased()
    rng = np.random.default_rng(1)
    place = whole(generator, V=[[1, 1]], W=[[1, 2], [3, -1]], b=[5, 7])
    seen: list[dict[str, np.ndarray]] = []

    def looked(generator, rng, found):
        seen.append(found)
        return module._Candidate(found, -1, 0.0)

    monkeypatch.setattr(module, "_candidate", looked)
    monkeypatch.setattr(module, "_STEPS", 60)
    best = module._Candidate(place, 0, 0.0)
    assert module._improved(generator, rng, best) is best
    assert len(seen) == 60
    changed = [{n for n in place if not np.array_equal(place[n], s[n])} for s in seen]
    assert set.union(*changed) == {"V", "W", "b"}
    assert all(len(c) <= 1 for c in changed)
    parts = [np.mean(place["W"] != s["W"]) for s, c in zip(seen, changed, strict=True) if "W" in c]
    assert min(parts) < 0.5 < max(parts)


def test_data_are_integers_of_very_different_sizes():
    rng = np.random.default_rng(0)
    data, cotangent, gates = module._data(biased(), rng, 400)
    assert (data.shape, cotangent.shape, gates.shape) == ((1, 400, 2), (1, 400, 1), (1, 400, 2))
    sizes = np.array([max(abs(int(x)) for x in row) for row in data[0]])
    assert all(isinstance(x, int) for x in data.ravel())
    assert sizes.min() < 2**12 and sizes.max() > 2**36
    assert sizes.max() < 2**43
    assert min(data.ravel()) < 0 < max(data.ravel())
    ratios = np.array([abs(int(a)) + 1 for a, _ in data[0]]) / (sizes + 1)
    assert np.median(ratios) > 0.1  # one size a datum


def test_rationals_of_any_size():
    found = module._exact(np.array([[2**90, -3]], dtype=object))
    assert found.shape == (1, 2)
    assert found[0, 0] == flint.fmpq(2**90) and found[0, 1] == -3
    assert module._exact(np.zeros((2, 0), dtype=object)).shape == (2, 0)


# --- closures


def test_the_closure_is_at_the_candidate_with_its_gates():
    """All neurons on the same side: φ is V W, one number, and 5 laws; on two sides two numbers and 4."""
    for w, rank in (([[3], [4], [5]], 1), ([[3], [-4], [5]], 2)):
        generator = collinear()
        place = whole(generator, V=[[6, 7, 8]], W=w)
        candidate = module._Candidate(place, 0, 0.0)
        found = module._closure(generator, candidate, 2, Deadline(), MOST_MEMORY)
        assert found.rank == rank
        assert found.seed == 2
        assert found.complete
        assert {run.point for run in found.runs} == {(6, 7, 8, *(x for (x,) in w))}
        assert len({run.prime for run in found.runs}) == 2
        assert found.error_bound is None  # gates that are not free are no irreducible family
    stopped = module._closure(generator, candidate, 2, Deadline(0.0), MOST_MEMORY)
    assert not stopped.complete


@pytest.mark.parametrize(("c", "rank"), [(Fraction(1, 3), 2), (Fraction(1), 1)])
def test_constants_are_those_of_the_flow(c: Fraction, rank: int):
    """relu(v·x) + relu((2c − 1)·w·x) at v, w > 0: two half lines where c < 1/2, else one."""
    flow = with_constants(
        lambda c, p: jax.nn.relu(p["v"] * p["x"]) + jax.nn.relu((2 * c["c"] - 1) * p["w"] * p["x"]),
        {"v": (), "w": ()},
        {"c": c},
        {"x": ()},
    )
    generator = Generator.of(flow)
    place = whole(generator, v=3, w=5)
    candidate = module._candidate(generator, np.random.default_rng(0), place)
    assert candidate.switching == 2
    assert module._closure(generator, candidate, 0, Deadline(), MOST_MEMORY).rank == rank


def test_the_drift_moves_too():
    """Momentum: without its drift only velocities move, with it time and parameters do."""
    flow = gf.Flow.of_network(
        lambda p, x: p["v"] * jax.nn.relu(p["w"] * x), zeros(v=(), w=()), np.zeros(()), order=2
    )
    generator = Generator.of(flow)
    values = {"t": 2, "v": 3, "w": 5, "v'": 7, "w'": 11}
    candidate = module._Candidate(whole(generator, **values), 0, 0.0)
    found = module._closure(generator, candidate, 0, Deadline(), MOST_MEMORY)
    assert found.dimension == 5
    assert found.rank == close(generator, 0, Deadline()).certificate.rank > 2


def test_more_memory_than_there_is_is_not_taken():
    generator = collinear()
    place = whole(generator, V=[[6, 7, 8]], W=[[3], [4], [5]])
    with pytest.raises(TooManyCoordinates):
        module._closure(generator, module._Candidate(place, 0, 0.0), 0, Deadline(), 1)
