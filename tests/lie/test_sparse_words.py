"""Controls of sparse fields, fields taken in chunks, and brackets that vanish."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline, OutOfTime
from geoflow.exact.peeling import Rows
from geoflow.exact.sparse.layout import Layout
from geoflow.exact.sparse.values import OneHot, Space, TooDense, Value
from geoflow.lie import sparse_words
from geoflow.lie.anchored import Demand, Proposal
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.point import draw_point
from geoflow.lie.sparse_words import SparseFields
from geoflow.parametrization import Control
from tests.exact.sparse.nets import NETS, mlp, product

PLACES = [(0, 0), (0, 3), (1, 1), (1, 2), (2, 5), (3, 4)]  # generator, position


def fields_of(flow: gf.Flow) -> SparseFields:
    generator = Generator.of(flow)
    place = draw_point(generator, np.random.default_rng(0))
    return SparseFields(generator, Layout(generator.program), place, 0)


def demand(places: Sequence[tuple[int, int]]) -> Demand:
    return Demand(*np.array(places, dtype=np.int64).reshape(-1, 2).T)


def array(value: Value, count: int) -> np.ndarray:
    """[generators, positions], after a look at how the value is kept."""
    e = value.entries()
    assert {e.batch.dtype, e.index.dtype, e.values.dtype} == {np.dtype(np.int64)}
    out = np.zeros((count, value.size), dtype=np.int64)
    out[e.batch, e.index] = e.values
    batch, index = (x.reshape(-1) for x in np.indices(out.shape))
    assert value.at(batch, index).tolist() == out.reshape(-1).tolist()
    return out


def full(fields: SparseFields, count: int) -> Proposal:
    """Everything on."""
    sizes = [math.prod(c.shape) for c in fields.generator.controls]
    return Proposal(count, tuple(demand(list(np.ndindex(count, s))) for s in sizes))


def random_proposal(fields: SparseFields, count: int, rng: np.random.Generator) -> Proposal:
    sizes = [math.prod(c.shape) for c in fields.generator.controls]
    on = (np.argwhere(rng.random((count, s)) < 0.6) for s in sizes)
    return Proposal(count, tuple(demand([(int(b), int(k)) for b, k in x]) for x in on))


# --- controls


@pytest.mark.parametrize(
    ("control", "groups"),
    [
        (Control((2, 3), "onehot"), [[0, 1, 2], [3, 4, 5]]),
        (Control((3, 2), "onehot"), [[0, 1], [2, 3], [4, 5]]),
        (Control((6,), "onehot"), [[0, 1, 2, 3, 4, 5]]),
        (Control((1, 3, 2), "choice", (1,)), [[0, 2, 4], [1, 3, 5]]),
        (Control((2, 3, 1), "choice", (0, 2)), [[0, 3], [1, 4], [2, 5]]),
        (Control((2, 1, 3), "choice", (0, 2)), [[0, 1, 2, 3, 4, 5]]),
    ],
)
def test_a_single_one_where_it_is_wished(control: Control, groups: list[list[int]]):
    """At the first of several wishes in one group; at the first place without any."""
    value = fields_of(mlp((2, 2, 2)))._control(Space(101, 5), control, demand(PLACES))
    assert isinstance(value, OneHot) and type(value.chosen.size) is int
    kept = (value.group, value.member, value.chosen.batch, value.chosen.index)
    assert {x.dtype for x in kept} == {np.dtype(np.int64)}
    expected = np.zeros((5, 6), dtype=np.int64)
    for generator in range(5):
        wishes = [position for b, position in PLACES if b == generator]
        for group in groups:
            expected[generator, next((w for w in wishes if w in group), group[0])] = 1
    assert array(value, 5).tolist() == expected.tolist()


def test_other_controls_are_any_numbers_but_zero():
    fields = fields_of(mlp((2, 2, 2)))
    places = [(0, k) for k in range(200)]
    for kind in ("cotangent", "real", "gate"):
        value = fields._control(Space(5, 2), Control((10, 20), kind), demand(places))
        first, second = array(value, 2)
        assert set(first.tolist()) == {1, 2, 3, 4} and not second.any()


def test_gates_are_open_where_they_are_squared():
    """One choice in a flow, and no gate of it may take any value but 0 and 1."""
    fields = fields_of(NETS["pooled"]())
    assert not fields.generator.free_gates
    for control, value in zip(
        fields.generator.controls, fields.controls(full(fields, 2)), strict=True
    ):
        found = set(array(value, 2).reshape(-1).tolist())
        match control.kind:
            case "gate":
                assert found == {1}
            case "choice":
                assert found == {0, 1}
            case _:
                assert len(found) >= 4 and 0 not in found


# --- the same as dense arithmetic


def looked_up() -> gf.Flow:
    params = {"E": np.zeros((4, 2)), "U": np.zeros((3, 2))}
    return gf.Flow.of_network(
        lambda p, i: p["U"] @ p["E"][i].sum(0), params, jnp.zeros(2, jnp.int32)
    )


def constant() -> gf.Flow:
    model = gf.loads(
        """
        const c symbolic
        const d symbolic
        param U[3, 2], V[4, 2]
        map phi = c*U @ V.T + d
        metric scaled(d) on U
        """
    )
    return model.flow()


def shifted() -> gf.Flow:
    """A constant added to data."""
    model = gf.loads(
        """
        const c symbolic
        param u, v
        input x
        network g = [u*v*(x + c), v]
        """
    )
    return model.flow()


FLOWS = {"looked_up": looked_up, "constant": constant, "shifted": shifted, "pooled": NETS["pooled"]}


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_rows_are_those_of_dense_arithmetic(name: str, depth: int):
    fields, again = (fields_of(FLOWS[name]()) for _ in range(2))
    generator, count = fields.generator, 9
    rng = np.random.default_rng(depth)
    proposals = [random_proposal(fields, count, rng) for _ in range(depth + 1)]
    rows = fields.rows(proposals)
    letters = []
    for proposal in proposals:  # the same seed makes the same numbers
        values = zip(generator.controls, again.controls(proposal), strict=True)
        arrays = tuple(array(v, count).reshape(1, count, *c.shape) for c, v in values)
        letters.append(Letter(np.zeros((1, count), dtype=np.int64), arrays))
    place = fields.place
    dense = generator.rows(
        generator.word(place.field, place.constants, place.point, letters), count
    )
    sparse = np.zeros((count, generator.flow.dimension), dtype=np.int64)
    sparse[rows.owner, rows.columns] = rows.values
    assert np.array_equal(sparse, dense) and dense.any()
    assert rows.width == generator.flow.dimension and rows.count == count


def test_brackets_of_constant_fields_have_no_entries():
    flow = gf.Flow(lambda p: p["x"], {"x": np.zeros(3)})
    fields = fields_of(flow)
    assert fields.rows([full(fields, 2)]).starts.tolist() == [0, 3, 6]
    rows = fields.rows([full(fields, 2), full(fields, 2)])
    assert rows.starts.tolist() == [0, 0, 0] and rows.width == 3
    assert not len(rows.values) and {rows.columns.dtype, rows.values.dtype} == {np.dtype(np.int64)}


# --- chunks


def place_of(rows: Rows) -> tuple[list[int], list[int], int]:
    return rows.starts.tolist(), rows.columns.tolist(), rows.width


def test_no_fields_are_no_rows():
    fields = fields_of(product(3, 2, 2))
    rows = fields.rows([Proposal(0, (demand([]),))])
    assert place_of(rows) == ([0], [], 10)
    assert {rows.columns.dtype, rows.values.dtype} == {np.dtype(np.int64)}


@pytest.mark.parametrize("most", [1, 2, 3, 7, 8])
def test_rows_in_chunks_are_those_of_the_whole(most: int, monkeypatch: pytest.MonkeyPatch):
    flow = product(3, 2, 2)
    rng = np.random.default_rng(1)
    whole = fields_of(flow)
    proposals = [random_proposal(whole, 7, rng) for _ in range(2)]
    monkeypatch.setattr(sparse_words, "CHUNK", most)
    parts = fields_of(flow)
    taken: list[int] = []
    one = parts._word_rows
    monkeypatch.setattr(
        parts, "_word_rows", lambda letters: taken.append(letters[0].count) or one(letters)
    )
    for letters in (proposals[:1], proposals):
        taken.clear()
        assert place_of(parts.rows(letters)) == place_of(whole.rows(letters))
        assert sum(taken) == 7 and taken[:-1] == [most] * (len(taken) - 1) and taken[-1] <= most


@pytest.mark.parametrize(
    ("most", "tried"),
    [
        (8, [9, 4, 5, 4, 4, 4, 4, 1]),
        (4, [9, 4, 5, 2, 3, *[2] * 8, 1]),
        (2, [9, 4, 2, 2, 5, 2, 3, 1, 2, *[1] * 17]),
        (1, [9, 4, 2, 1, 1, 2, 1, 1, 5, 2, 1, 1, 3, 1, 2, 1, 1, *[1] * 17]),
    ],
)
def test_halves_where_too_dense(most: int, tried: list[int], monkeypatch: pytest.MonkeyPatch):
    """And what comes later is taken in smaller chunks."""
    flow = product(3, 2, 2)
    whole, parts = fields_of(flow), fields_of(flow)
    letters = [random_proposal(whole, 26, np.random.default_rng(1))]
    parts._step = 9
    taken: list[int] = []
    one = parts._word_rows

    def limited(letters: list[Proposal]) -> Rows:
        taken.append(letters[0].count)
        if taken[-1] > most:
            raise TooDense
        return one(letters)

    monkeypatch.setattr(parts, "_word_rows", limited)
    assert place_of(parts.rows(letters)) == place_of(whole.rows(letters))
    assert taken == tried


def test_one_that_is_too_dense_is_refused(monkeypatch: pytest.MonkeyPatch):
    fields = fields_of(product(3, 2, 2))

    def refused(letters: list[Proposal]) -> Rows:
        raise TooDense

    monkeypatch.setattr(fields, "_word_rows", refused)
    with pytest.raises(TooDense):
        fields.rows([full(fields, 4)])


def test_no_field_is_finished_after_the_deadline():
    made = fields_of(product(3, 2, 2))
    fields = SparseFields(made.generator, made.layout, made.place, 0, Deadline(0.0))
    with pytest.raises(OutOfTime):
        fields.rows([full(made, 2)])
