"""Searches that begin with sparse fields: what is taken over from them, and when they are given up for dense ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.exact.peeling import Rows
from geoflow.exact.sparsespace import SparseSpace
from geoflow.lie import closure
from geoflow.lie.bracket import Generator
from geoflow.lie.chance import anchored_degree
from geoflow.lie.closure import TooManyCoordinates, close
from geoflow.lie.point import draw_point, free_letter
from geoflow.lie.seeding import Start
from geoflow.results import AnchoredRows

from .flows import product, squares, zeros

NEVER = Deadline()
N = 9
SQUARES = Generator.of(squares(N))
PRODUCT = Generator.of(product(2, 2, 2))
SOME = Generator.of(gf.Flow(lambda p: p["x"][:6] ** 2, zeros(x=(N,))))  # rank 6
MADE = AnchoredRows(3, 2, 2, (0, 0))


def units(count: int, depth: int = 0) -> Callable[..., Start]:
    """A start with the first so many unit vectors, which are fields of `SQUARES`."""

    def start(generator, place, seed, deadline) -> Start:
        k = np.arange(count)
        rows = Rows.of(count, generator.flow.dimension, k, k, np.ones(count, dtype=np.int64))
        space = SparseSpace(rows, place.field.p, np.random.default_rng(0))
        return Start(space, MADE, space.rank, depth)

    return start


def counted(monkeypatch: pytest.MonkeyPatch, start: Callable[..., Start | None]) -> list[tuple]:
    """Let all searches start so; what was asked for is noted."""
    asked: list[tuple] = []

    def noted(*arguments):
        asked.append(arguments)
        return start(*arguments)

    monkeypatch.setattr(closure, "start", noted)
    return asked


def test_random_fields_complete_what_is_begun(monkeypatch: pytest.MonkeyPatch):
    asked = counted(monkeypatch, units(6))
    found = close(SQUARES, 5, NEVER).certificate
    (run,) = found.runs
    assert (run.ranks, run.anchored) == ((9,), MADE)
    assert found.anchored and found.complete
    ((generator, place, seed, deadline),) = asked
    assert (generator, seed, deadline) == (SQUARES, 5, NEVER)
    assert (place.field.p, place.integers) == (run.prime, run.point)
    assert 3 <= run.words <= 6
    degree = anchored_degree(SQUARES.degree, 6, 9, 1, run.words, 1)
    assert (run.letters, run.degree, run.sample) == (1, degree, run.prime - 1)


def test_words_as_long_as_those_of_the_start_count_and_so_do_its_denominators(
    monkeypatch: pytest.MonkeyPatch,
):
    """Fields of a network are evaluated at data: each sparse field once, a bracket of two of them twice."""
    flow = gf.Flow.of_network(lambda p, x: p["w"] * x / (1 + x * x), zeros(w=(2,)), np.zeros(2))
    generator = Generator.of(flow)
    assert generator.degree.of_denominators() > 0
    counted(monkeypatch, units(1, depth=1))
    (run,) = close(generator, 0, NEVER).certificate.runs
    drawn = 1 + run.words * run.letters + MADE.generators + 2 * MADE.brackets
    assert run.letters == 1
    assert run.degree == anchored_degree(generator.degree, 1, 2, 2, run.words, drawn)


def test_every_run_begins_anew(monkeypatch: pytest.MonkeyPatch):
    asked = counted(monkeypatch, lambda generator, *_: units(0)(generator, *_))
    found = close(PRODUCT, 0, NEVER).certificate
    assert [run.ranks for run in found.runs] == [(5,), (5,)]
    assert found.complete
    assert [arguments[1].field.p for arguments in asked] == [run.prime for run in found.runs]


def test_one_depth_without_a_gain_ends_the_search_and_one_with_a_gain_does_not(
    monkeypatch: pytest.MonkeyPatch,
):
    """Even where the start needed no brackets, words of one bracket are tried; where it did, words of two."""
    depths: list[int] = []
    words = closure.random_words

    def noted(generator, place, rng, depth, *rest):
        depths.append(depth)
        return words(generator, place, rng, depth, *rest)

    monkeypatch.setattr(closure, "random_words", noted)
    for depth in (0, 1):
        depths.clear()
        counted(monkeypatch, units(0, depth))
        assert close(PRODUCT, 0, NEVER).certificate.complete
        assert max(depths) == 2
    span = [np.zeros((0, 8), dtype=np.int64)]

    def whole(generator, place, seed, deadline) -> Start:
        """All of the span at this point."""
        rows = np.concatenate(
            [words(generator, place, np.random.default_rng(1), d, 8) for d in (0, 1)]
        )
        span.append(rows)
        owner, column = np.nonzero(rows)
        sparse = Rows.of(len(rows), 8, owner, column, rows[owner, column])
        space = SparseSpace(sparse, place.field.p, np.random.default_rng(0))
        return Start(space, MADE, space.rank, depth)

    for depth in (0, 1):
        depths.clear()
        counted(monkeypatch, whole)
        found = close(PRODUCT, 0, NEVER).certificate
        assert found.complete and found.rank == 5
        assert max(depths) == depth + 1


@pytest.mark.parametrize("given", ["draw", "at", "both"])
def test_fields_or_points_of_one_s_own_begin_with_nothing(
    given: str, monkeypatch: pytest.MonkeyPatch
):
    asked = counted(monkeypatch, units(6))

    drawn: list[int] = []

    def draw(*arguments):
        drawn.append(1)
        return free_letter(*arguments)

    def at(rng):
        return draw_point(SQUARES, rng)

    found = close(
        SQUARES,
        0,
        NEVER,
        draw=draw if given != "at" else free_letter,
        at=at if given != "draw" else None,
    ).certificate
    assert not asked
    assert bool(drawn) == (given != "at")
    assert (found.rank, found.anchored) == (9, False)


def test_a_poor_start_is_given_up_for_dense_rows_and_not_made_again(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(closure, "_MOST_ADDED", 1)
    asked = counted(monkeypatch, units(2))
    found = close(SOME, 0, NEVER).certificate
    assert len(asked) == 1
    assert [run.ranks for run in found.runs] == [(6,), (6,)]
    assert found.complete and not found.anchored


@pytest.mark.parametrize("most", [2, 4])  # after the first two words, and after all
def test_as_many_random_rows_as_are_allowed_may_be_added(
    most: int, monkeypatch: pytest.MonkeyPatch
):
    asked = counted(monkeypatch, units(2))
    monkeypatch.setattr(closure, "_MOST_ADDED", most)
    found = close(SOME, 0, NEVER).certificate
    assert (found.rank, found.anchored, found.complete, len(asked)) == (6, True, True, 2)


def test_without_memory_a_poor_start_is_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(closure, "_MOST_ADDED", 1)
    asked = counted(monkeypatch, units(2))
    found = close(SOME, 0, NEVER, memory=0).certificate
    assert len(asked) == 1
    assert found.anchored and not found.complete
    assert 2 < found.rank <= 6
    assert "random fields leave the span" in found.stopped


def test_a_good_start_needs_no_memory_and_none_at_all_is_refused(
    monkeypatch: pytest.MonkeyPatch,
):
    counted(monkeypatch, units(6))
    assert close(SQUARES, 0, NEVER, memory=0).certificate.rank == 9
    counted(monkeypatch, lambda *_: None)
    with pytest.raises(TooManyCoordinates):
        close(SQUARES, 0, NEVER, memory=0)


def test_out_of_time_a_poor_start_is_a_bound(monkeypatch: pytest.MonkeyPatch):
    asked = counted(monkeypatch, units(2))
    found = close(SOME, 0, Deadline(0.0)).certificate
    assert len(asked) == 1
    assert found.anchored and not found.complete
    assert 2 < found.rank <= 6


@dataclass
class Full:
    """A space with columns folded together, which has no room for more than it has."""

    rank: int
    room: int

    def add(self, rows: np.ndarray) -> int:
        return self.rank


def test_a_space_without_room_shows_no_stagnation(monkeypatch: pytest.MonkeyPatch):
    def start(rank: int, room: int):
        return lambda *_: Start(Full(rank, room), MADE, rank, 0)  # type: ignore[arg-type]

    counted(monkeypatch, start(6, 0))
    assert not close(SQUARES, 0, NEVER, memory=0).certificate.complete
    counted(monkeypatch, start(6, 1))
    assert close(SQUARES, 0, NEVER, memory=0).certificate.complete
    counted(monkeypatch, start(9, 0))
    assert close(SQUARES, 0, NEVER, memory=0).certificate.complete
