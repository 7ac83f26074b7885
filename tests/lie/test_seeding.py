"""Counts that begin with sparse fields are those of dense elimination."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.analysis import analyze, count, law_count
from geoflow.lie.anchored import Walk
from tests.exact.sparse.nets import NETS, mlp, product, residual


@pytest.fixture
def sparse(monkeypatch: pytest.MonkeyPatch):
    """Begin with sparse fields however small the flow is."""
    monkeypatch.setattr("geoflow.lie.seeding.SMALLEST", 1)


COUNTS = {
    "mlp": 8,
    "biases": 8,
    "leaky": 4,
    "pooled": 5,
    "averaged": 5,
    "strided": 5,
    "residual": 12,
    "product": 6,
}


@pytest.mark.parametrize("name", NETS)
def test_the_count_is_that_of_dense_elimination(name: str, monkeypatch: pytest.MonkeyPatch):
    flow = NETS[name]()
    dense = count(flow)
    monkeypatch.setattr("geoflow.lie.seeding.SMALLEST", 1)
    found = count(flow)
    assert found.upper == dense.upper == COUNTS.get(name, dense.upper)
    assert not dense.certificate.anchored
    assert found.certificate.anchored
    assert found.certificate.complete
    assert len({run.prime for run in found.certificate.runs}) > 1


@pytest.mark.parametrize(("n", "m", "r"), [(5, 4, 8), (9, 9, 4), (1, 6, 2)])
def test_products_with_brackets(n: int, m: int, r: int, sparse: None):
    expected = r * (r + 1) // 2 if r <= n + m else (n + m) * r - (n + m) * (n + m - 1) // 2
    assert count(product(n, m, r)).upper == expected


def test_a_network_of_ten_thousand_parameters():
    """Large enough by itself; nearly everything is peeled."""
    found = count(mlp((64, 64, 64, 32)))
    assert found.upper == 128
    (run, *_) = found.certificate.runs
    assert run.anchored is not None
    assert run.anchored.peeled == 10240 - 128
    assert law_count(found, 128).status == "proved"
    assert law_count(found, 0).status == "probable"


def test_a_map_of_many_coordinates_without_a_law():
    found = gf.count_laws(gf.Flow(lambda x: x**2, jax.ShapeDtypeStruct((60_000,), np.float32)))
    assert (found.upper, found.status) == (0, "proved")


def test_a_linear_stream_of_thousands_of_parameters():
    """One law a neuron, and those of the linear map that the stream is."""
    found = count(residual(16, 4, gated=False, outside=(16, 16)))
    assert found.upper == 4 * 16 + 16 * 17 // 2
    assert found.certificate.anchored


def test_bad_proposals_never_make_the_bound_wrong(sparse: None, monkeypatch: pytest.MonkeyPatch):
    """With proposals of one parameter only, random fields have to do the rest; and where they may not, the count is a
    bound that says so."""
    flow = mlp((4, 5, 3))
    whole = Walk.proposed

    def poor(self, block, index, shift, salt=0):
        return whole(self, block, np.zeros_like(index), shift, salt)

    monkeypatch.setattr(Walk, "proposed", poor)
    assert count(flow).upper == 5
    monkeypatch.setattr("geoflow.lie.closure._MOST_ADDED", 2)
    found = count(flow, memory=0)
    stopped = law_count(found, 0)
    assert found.upper > 5
    assert stopped.status == "bounded"
    assert stopped.exact
    assert "random fields leave" in stopped.reason


def test_without_memory_for_dense_elimination():
    """What sparse fields are not for is refused, as before."""
    weights = {"V": np.zeros((2, 2)), "W": np.zeros((2, 3))}
    smooth = gf.Flow.of_network(lambda p, x: p["V"] @ jnp.tanh(p["W"] @ x), weights, np.zeros(3))
    with pytest.raises(gf.DiagnosticError, match="too large"):
        gf.count_laws(smooth, memory=0)


def test_brackets_in_the_start_are_no_evidence_of_closure(sparse: None):
    """φ whose fields close only at depth 2: a start with brackets is tested by words of two."""
    weights = {"x": np.zeros(2), "y": np.zeros(2), "z": np.zeros(2), "w": np.zeros(2)}
    flow = gf.Flow(lambda p: jnp.outer(p["x"], p["y"]) + jnp.outer(p["z"], p["w"]), weights)
    assert count(flow).upper == 3


def test_facts_are_not_known_of_sparse_starts(sparse: None):
    found = analyze(mlp((3, 3, 2)))
    assert found.count.status == "proved"
    assert set(found.facts.values()) == {None}
    assert set(found.facts_status.values()) == {"undecided"}


def test_a_direct_sum_of_sparse_starts():
    """Equal products are counted once; the certificate of the sum has the sparse fields of all."""
    sizes = {"A": 150, "B": 60, "C": 150, "D": 60}
    weights = {n: np.zeros((k, 12)) for n, k in sizes.items()}
    flow = gf.Flow(lambda p: (p["A"] @ p["B"].T, p["C"] @ p["D"].T), weights)
    found = count(flow)
    assert found.upper == 2 * (12 * 13 // 2)
    (run, *_) = found.certificate.runs
    first = found.parts[0].counted.certificate.runs[0]
    assert run.anchored is not None
    assert first.anchored is not None
    assert run.anchored.generators == 2 * first.anchored.generators


def test_another_law_is_not_lost(sparse: None):
    """A branch that nothing reads has no field: its parameters are laws."""
    weights = {"A": np.zeros((3, 2)), "B": np.zeros((2, 3)), "C": np.zeros((2, 3))}

    def apply(p, x):
        h = jax.nn.relu(p["A"] @ x)
        return p["B"] @ h + 0 * (p["C"] @ h)

    dense_laws = 3 + 6
    assert count(gf.Flow.of_network(apply, weights, np.zeros(2))).upper == dense_laws
