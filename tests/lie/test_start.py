"""How a count begins with sparse fields: each kind once, all that are proposed, and brackets of fields that meet."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow import analysis
from geoflow.deadline import Deadline, OutOfTime
from geoflow.exact.peeling import Rows
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.sparse.values import TooDense
from geoflow.lie import seeding
from geoflow.lie.anchored import Demand, Proposal
from geoflow.lie.bracket import Generator
from geoflow.lie.point import draw_point
from geoflow.lie.seeding import _Meeting, _Seeding, start
from tests.exact.sparse.nets import NETS, mlp, product

NEVER = Deadline()


def seeding_of(flow: gf.Flow, seed: int = 0, deadline: Deadline = NEVER) -> _Seeding:
    generator = Generator.of(flow)
    return _Seeding(generator, draw_point(generator, np.random.default_rng(seed)), seed, deadline)


def started(flow: gf.Flow, monkeypatch: pytest.MonkeyPatch, deadline: Deadline = NEVER):
    monkeypatch.setattr(seeding, "SMALLEST", flow.dimension)
    generator = Generator.of(flow)
    return start(generator, draw_point(generator, np.random.default_rng(0)), 0, deadline)


def rows_of(owner: list[int], columns: list[int], count: int, width: int) -> Rows:
    values = np.ones(len(owner), dtype=np.int64)
    owners, places = (np.array(x, dtype=np.int64) for x in (owner, columns))
    return Rows.of(count, width, owners, places, values)


# --- which fields are new


def test_fields_are_numbered_among_their_equals():
    made = seeding_of(mlp((2, 2, 2)))
    marks = np.array([7, 3, 7, 9, 3, 7], dtype=np.uint64)
    numbers, fresh = made._numbered(marks)
    assert numbers.tolist() == [0, 0, 1, 0, 1, 2] and numbers.dtype == np.int64
    assert fresh.tolist() == [0, 1, 3]


def test_fields_that_were_there_are_not_new():
    made = seeding_of(mlp((2, 2, 2)))
    made.seen = np.array([3, 8], dtype=np.uint64)
    numbers, fresh = made._numbered(np.array([9, 3, 1, 8, 3, 8, 9], dtype=np.uint64))
    assert fresh.tolist() == [0, 2]
    assert numbers.tolist() == [0, 1, 0, 1, 2, 2, 1]
    made.seen = np.array([5], dtype=np.uint64)
    numbers, fresh = made._numbered(np.array([9, 5, 1], dtype=np.uint64))
    assert numbers.tolist() == [0, 1, 0] and fresh.tolist() == [0, 2]
    numbers, fresh = made._numbered(np.zeros(0, dtype=np.uint64))
    assert not len(numbers) and not len(fresh)


def test_every_coordinate_is_a_place_once():
    flow = NETS["biases"]()
    made = seeding_of(flow)
    places = made._everywhere()
    assert places.shape == (flow.dimension, 2)
    names = sorted(b.name for b in flow.state)
    sizes = Counter(names[block] for block in places[:, 0])
    assert sizes == {b.name: math.prod(b.shape) for b in flow.state}
    for block in range(len(names)):
        mine = places[places[:, 0] == block][:, 1]
        assert mine.tolist() == list(range(sizes[names[block]]))


def test_what_is_entered_is_kept_once():
    made = seeding_of(product(3, 2, 2))
    places = made._everywhere()
    still = np.zeros(len(places), dtype=np.int64)
    numbers = made._enter(places, still)
    new = np.count_nonzero(numbers == 0)
    assert 0 < new < len(places)
    assert made.rows.count == new == sum(p.count for p in made.proposals) == len(made.seen)
    assert made.rows.width == 10
    marks = np.concatenate([p.signature() for p in made.proposals])
    assert made.seen.dtype == np.uint64 and made.seen.tolist() == sorted(marks.tolist())
    again = made._enter(places, still)
    assert np.all(again > 0) and np.all(again - numbers <= 1)
    assert made.rows.count == new
    assert made.seen.tolist() == sorted(set(made.seen.tolist()))


def test_blocks_of_one_entry_are_entered_too():
    """All three are anchors of the one field of a scalar φ."""
    flow = gf.Flow(lambda p: p["x"] * p["y"] * p["z"], dict.fromkeys("xyz", np.zeros(())))
    made = seeding_of(flow)
    places = made._everywhere()
    assert made._enter(places, np.zeros(3, dtype=np.int64)).tolist() == [0, 1, 1]
    assert made.rows.count == 1


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    whole, parts = (seeding_of(product(4, 3, 2)) for _ in range(2))
    places = whole._everywhere()
    still = np.zeros(len(places), dtype=np.int64)
    whole._enter(places, still)
    monkeypatch.setattr(seeding, "CHUNK", 3)
    parts._enter(places, still)
    assert parts.rows.count == whole.rows.count
    assert np.array_equal(parts.rows.columns, whole.rows.columns)
    assert np.array_equal(parts.seen, whole.seen)


def test_without_a_salt_all_choices_are_shifted():
    said, unsaid, salted = (seeding_of(product(4, 3, 2)) for _ in range(3))
    places = said._everywhere()
    shift = np.arange(len(places))
    said._enter(places, shift, 0)
    unsaid._enter(places, shift)
    salted._enter(places, shift, 1)
    assert np.array_equal(said.seen, unsaid.seen)
    assert not np.array_equal(salted.seen, unsaid.seen)


def test_too_many_entries_are_given_up(monkeypatch: pytest.MonkeyPatch):
    made = seeding_of(mlp((2, 2, 2)))
    places = made._everywhere()
    still = np.zeros(len(places), dtype=np.int64)
    made._enter(places, still)
    entries = len(made.rows.columns)
    for most, enough in ((entries, True), (entries - 1, False)):
        monkeypatch.setattr(seeding, "_MOST_ENTRIES", most)
        other = seeding_of(mlp((2, 2, 2)))
        if enough:
            other._enter(places, still)
        else:
            with pytest.raises(TooDense):
                other._enter(places, still)


@pytest.mark.parametrize("name", ["product", "mlp"])
def test_letters_are_fields_by_number(name: str):
    made = seeding_of(NETS[name]())
    places = made._everywhere()
    made._enter(places, np.zeros(len(places), dtype=np.int64))
    assert len(made.proposals) > 1
    count = sum(p.count for p in made.proposals)
    marks = np.concatenate([p.signature() for p in made.proposals])
    for numbers in (np.arange(count), np.arange(count)[::-1], np.array([count - 1, 0, 0, 1])):
        assert np.array_equal(made._letters(numbers).signature(), marks[numbers])


# --- brackets


def test_rows_meet_in_a_column():
    """Rows 0 and 2 in column 1, 1 and 2 and 3 in column 4; row 4 meets none."""
    rows = rows_of([0, 0, 1, 2, 2, 3, 4], [0, 1, 4, 1, 4, 4, 5], 5, 6)
    names = np.array([10, 11, 12, 13, 14])
    meeting = _Meeting((rows, names))
    expected = {(10, 12), (11, 12), (11, 13), (12, 13)}
    rng = np.random.default_rng(0)
    found = set()
    for count in (1, 2, 40):
        pairs = meeting.pairs(count, rng)
        listed = [tuple(p) for p in pairs.tolist()]
        assert len(listed) == len(set(listed)) <= count
        found |= set(listed)
    assert found == expected


def test_rows_meet_in_the_first_column():
    rows = rows_of([0, 1, 1], [0, 0, 1], 2, 2)
    pairs = _Meeting((rows, np.array([4, 7]))).pairs(3, np.random.default_rng(0))
    assert pairs.tolist() == [[4, 7]]


def test_rows_that_do_not_meet_make_no_pairs():
    rng = np.random.default_rng(0)
    alone = rows_of([0, 1], [0, 1], 2, 2)
    none = rows_of([], [], 0, 2)
    for rows in (alone, none):
        assert _Meeting((rows, np.arange(rows.count))).pairs(9, rng).shape == (0, 2)


def test_inner_fields_share_all_their_parameters():
    """Row 3 has a column to itself."""
    made = seeding_of(mlp((2, 2, 2)))
    made.rows = rows_of([0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 0, 1, 1, 2], 4, 3)
    rows, numbers = made._inner()
    assert numbers.tolist() == [0, 1, 2]
    assert rows.columns.tolist() == [0, 1, 0, 1, 0, 1]
    made.rows = rows_of([], [], 0, 3)
    assert made._inner()[1].tolist() == []


# --- the start as a whole


def test_a_start_has_the_rank_of_all_words_of_depth_one():
    """Of a product the fields alone are not all: pairs of them span the rest."""
    flow = product(3, 3, 4)
    made = seeding_of(flow)
    found = made.start()
    assert found.space.rank == 24 - 4 * 5 // 2
    assert found.run.generators == sum(p.count for p in made.proposals)
    assert found.run.peeled == found.space.peeled and found.run.core == found.space.core


def test_depth_says_whether_brackets_were_needed():
    deep = seeding_of(product(2, 2, 6)).start()
    assert deep.depth == 1 and deep.short < deep.space.rank and deep.run.brackets > 0
    flat = seeding_of(mlp((3, 4, 2))).start()
    assert flat.depth == 0 and flat.short == flat.space.rank == 20 - 4


def test_out_of_time_there_is_what_was_found(monkeypatch: pytest.MonkeyPatch):
    """Whenever it is: in the first fields, the variants, the samples of them, or the brackets."""
    whole = seeding_of(product(2, 2, 6)).start()
    ranks, generators, brackets = [], [], []
    for allowed in range(100):
        made = seeding_of(product(2, 2, 6))
        calls = iter(range(allowed))
        rows = made.fields.rows

        def until(letters: list[Proposal], calls=calls, rows=rows) -> Rows:
            if next(calls, None) is None:
                raise OutOfTime
            return rows(letters)

        monkeypatch.setattr(made.fields, "rows", until)
        late = made.start()
        ranks.append(late.space.rank)
        generators.append(late.run.generators)
        brackets.append(late.run.brackets)
        assert late.run.generators == made.rows.count >= late.short
        assert late.depth == (late.space.rank > late.short)
        if next(calls, None) is not None:  # it came to its end
            break
    assert ranks == sorted(ranks) and generators == sorted(generators)
    assert brackets == sorted(brackets)
    assert (ranks[0], generators[0], brackets[0]) == (0, 0, 0)
    end = (whole.space.rank, whole.run.generators, whole.run.brackets)
    assert (ranks[-1], generators[-1], brackets[-1]) == end
    assert len(set(ranks)) > 3


def test_after_the_deadline_nothing_is_begun(monkeypatch: pytest.MonkeyPatch):
    late = started(product(2, 2, 6), monkeypatch, Deadline(0.0))
    assert late is not None
    assert (late.space.rank, late.depth, late.run.generators, late.run.brackets) == (0, 0, 0, 0)


def test_a_count_says_that_the_time_ran_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seeding, "SMALLEST", 1)
    flow = product(2, 2, 6)
    certificate = analysis.count(flow, 0, Deadline(0.0)).certificate
    assert certificate.late and not certificate.complete and certificate.anchored
    assert certificate.stopped == "the time ran out before the rank stagnated"
    assert 0 < certificate.rank <= analysis.count(flow).certificate.rank


def test_all_brackets_tried_are_counted(monkeypatch: pytest.MonkeyPatch):
    tried = []
    pairs = _Meeting.pairs

    def counted(self, count, rng):
        tried.append(pairs(self, count, rng))
        return tried[-1]

    monkeypatch.setattr(_Meeting, "pairs", counted)
    found = seeding_of(product(6, 6, 9)).start()
    assert len(tried) > 1 and found.run.brackets == sum(map(len, tried))


def test_a_round_that_adds_nothing_is_the_last():
    """The fields of a network alone span all but its laws."""
    found = seeding_of(mlp((3, 4, 2))).start()
    assert found.depth == 0 and 0 < found.run.brackets <= seeding._PROBES


@pytest.mark.parametrize("name", NETS)
def test_a_start_is_no_more_than_dense_rank(name: str, monkeypatch: pytest.MonkeyPatch):
    flow = NETS[name]()
    found = started(flow, monkeypatch)
    assert found is not None
    assert found.short <= found.space.rank <= flow.dimension - gf.count_laws(flow).upper


def test_what_it_is_not_for(monkeypatch: pytest.MonkeyPatch):
    flow = mlp((3, 4, 2))
    assert started(flow, monkeypatch) is not None
    generator = Generator.of(flow)
    place = draw_point(generator, np.random.default_rng(0))
    monkeypatch.setattr(seeding, "SMALLEST", flow.dimension + 1)
    assert start(generator, place, 0, NEVER) is None
    monkeypatch.setattr(seeding, "SMALLEST", 1)
    for error in (TooDense(), UnsupportedPrimitive("sin", "")):

        def fails(self, error=error):
            raise error

        monkeypatch.setattr(_Seeding, "start", fails)
        assert start(generator, place, 0, NEVER) is None


def test_neither_drifts_nor_estimates(monkeypatch: pytest.MonkeyPatch):
    weights = {"U": np.zeros((3, 2)), "V": np.zeros((3, 2))}
    momentum = gf.Flow(lambda p: p["U"] @ p["V"].T, weights, order=2)
    smooth = gf.Flow.of_network(lambda p, x: p["V"] @ jnp.tanh(p["U"].T @ x), weights, np.zeros(3))
    monkeypatch.setattr(_Seeding, "start", lambda self: pytest.fail("it was begun"))
    for flow in (momentum, smooth):
        assert started(flow, monkeypatch) is None


def test_the_seed_makes_the_start():
    first, again, other = (seeding_of(product(3, 3, 4), seed).start() for seed in (0, 0, 1))
    assert first.run == again.run
    assert first.space.rank == again.space.rank == other.space.rank


def test_proposals_of_a_whole_and_of_its_parts():
    on = (Demand(np.array([0, 0, 2]), np.array([1, 3, 0])), Demand(np.array([1]), np.array([2])))
    whole = Proposal(3, on)
    marks = whole.signature()
    assert len(set(marks.tolist())) == 3
    for pair in combinations(range(3), 2):
        assert np.array_equal(whole.taken(np.array(pair)).signature(), marks[list(pair)])
        assert np.array_equal(whole.picked(np.array(pair[::-1])).signature(), marks[[*pair[::-1]]])
