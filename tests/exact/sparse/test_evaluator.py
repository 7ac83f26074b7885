"""Sparse arithmetic gives what dense arithmetic gives, entry by entry."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.exact.sparse.layout import Layout
from geoflow.exact.sparse.values import TooDense
from geoflow.lie.anchored import Demand, Proposal, Walk
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.point import ModularPoint, draw_point
from geoflow.lie.seeding import start
from geoflow.lie.sparse_words import SparseFields
from tests.exact.sparse.nets import NETS, mlp

BATCH = 6


def random_proposal(generator: Generator, rng: np.random.Generator, most: int = 3) -> Proposal:
    """A few places of each control on."""
    on = []
    for control in generator.controls:
        size = math.prod(control.shape)
        picks = [np.sort(rng.permutation(size)[: rng.integers(0, most + 1)]) for _ in range(BATCH)]
        batch = np.repeat(np.arange(BATCH), [len(p) for p in picks])
        on.append(Demand(batch, np.concatenate(picks).astype(np.int64)))
    return Proposal(BATCH, tuple(on))


def dense_letter(fields: SparseFields, proposal: Proposal) -> Letter:
    """The same controls as dense arrays."""
    controls = []
    for control, value in zip(fields.generator.controls, fields.controls(proposal), strict=True):
        entries = value.entries()
        array = np.zeros((BATCH, math.prod(control.shape)), dtype=np.int64)
        array[entries.batch, entries.index] = entries.values
        controls.append(array.reshape(1, BATCH, *control.shape))
    return Letter(np.zeros((1, BATCH), dtype=np.int64), tuple(controls))


def both(
    generator: Generator, place: ModularPoint, proposals: list[Proposal]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows by sparse and by dense arithmetic. The same seed makes the same controls."""
    layout = Layout(generator.program)
    rows = SparseFields(generator, layout, place, 0).rows(proposals)
    sparse = np.zeros((BATCH, generator.flow.dimension), dtype=np.int64)
    sparse[rows.owner, rows.columns] = rows.values
    again = SparseFields(generator, layout, place, 0)
    letters = [dense_letter(again, p) for p in proposals]
    value = generator.word(place.field, place.constants, place.point, letters)
    return sparse, generator.rows(value, BATCH)


@pytest.mark.parametrize("name", NETS)
def test_fields_and_brackets_on_random_supports(name: str):
    generator = Generator.of(NETS[name]())
    rng = np.random.default_rng(3)
    place = draw_point(generator, rng)
    nonzero = 0
    for depth in (0, 0, 1):
        sparse, dense = both(
            generator, place, [random_proposal(generator, rng) for _ in range(depth + 1)]
        )
        np.testing.assert_array_equal(sparse, dense)
        nonzero += np.count_nonzero(dense)
    assert nonzero


def test_brackets_of_two_letters_inside():
    generator = Generator.of(NETS["product"]())
    rng = np.random.default_rng(5)
    place = draw_point(generator, rng)
    sparse, dense = both(generator, place, [random_proposal(generator, rng, 8) for _ in range(3)])
    np.testing.assert_array_equal(sparse, dense)
    assert np.count_nonzero(dense)


@pytest.mark.parametrize("name", NETS)
def test_a_walk_makes_a_field_that_is_not_zero_at_its_parameter(name: str):
    """On a path that the network has; where several products are on, they seldom cancel."""
    generator = Generator.of(NETS[name]())
    rng = np.random.default_rng(0)
    place = draw_point(generator, rng)
    walk = Walk(generator, place, rng)
    fields = SparseFields(generator, walk.layout, place, 0)
    column = 0
    for k, output in fields.outputs:
        size = fields.sizes[k]
        proposal = walk.proposed(output, np.arange(size), np.zeros(size, dtype=np.int64))
        rows = fields.rows([proposal])
        own = rows.columns == column + rows.owner
        assert np.count_nonzero(own) >= 0.9 * size
        column += size


def test_one_path_through_each_weight():
    """A field of a perceptron without biases has one entry a layer."""
    generator = Generator.of(mlp((6, 5, 4, 3)))
    rng = np.random.default_rng(0)
    place = draw_point(generator, rng)
    walk = Walk(generator, place, rng)
    fields = SparseFields(generator, walk.layout, place, 0)
    for k, output in fields.outputs:
        size = fields.sizes[k]
        rows = fields.rows([walk.proposed(output, np.arange(size), np.zeros(size, dtype=int))])
        assert set(np.diff(rows.starts)) == {3}


def test_what_is_dense_by_nature_is_refused_or_left_to_dense_elimination(
    monkeypatch: pytest.MonkeyPatch,
):
    generator = Generator.of(NETS["product"]())
    rng = np.random.default_rng(0)
    place = draw_point(generator, rng)
    monkeypatch.setattr("geoflow.exact.sparse.values.MOST_ENTRIES", 2)
    with pytest.raises(TooDense):
        both(generator, place, [random_proposal(generator, rng, 8)])


def test_primitives_without_a_sparse_rule_are_evaluated_densely():
    flow = gf.Flow(
        lambda p: jnp.cumsum(p["u"] * p["v"]) / (1 + jnp.sum(p["u"] ** 2)),
        {"u": np.zeros(4), "v": np.zeros(4)},
    )
    generator = Generator.of(flow)
    rng = np.random.default_rng(1)
    place = draw_point(generator, rng)
    sparse, dense = both(generator, place, [random_proposal(generator, rng) for _ in range(2)])
    np.testing.assert_array_equal(sparse, dense)


def test_no_sparse_start_with_a_drift_or_without_a_value_mod_p(monkeypatch: pytest.MonkeyPatch):
    from geoflow.deadline import Deadline

    monkeypatch.setattr("geoflow.lie.seeding.SMALLEST", 1)
    weights = {"U": np.zeros((3, 2)), "V": np.zeros((3, 2))}
    momentum = gf.Flow(lambda p: p["U"] @ p["V"].T, weights, order=2)
    smooth = gf.Flow.of_network(lambda p, x: p["V"] @ jnp.tanh(p["U"].T @ x), weights, np.zeros(3))
    for flow in (momentum, smooth):
        generator = Generator.of(flow)
        place = draw_point(generator, np.random.default_rng(0))
        assert start(generator, place, 0, Deadline()) is None
