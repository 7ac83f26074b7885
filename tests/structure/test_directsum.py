"""Flows that fall apart: counts add, and only where they do."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.analysis import Counted, count, law_count
from geoflow.lower.model import lower
from geoflow.metric.fisher import Fisher
from geoflow.semantics import load_text
from geoflow.structure.directsum import summands

from ..laws.checking import check, verdicts
from .checking import array, holds, network

HEADS = """model heads
dim H = 3, n = 5, r = 3
param Q[h in 1..H][n, r], K[h in 1..H][n, r], A[2, 8], B[8, 3]
map phi = [Q[1] @ K[1].T, Q[2] @ K[2].T, Q[3] @ K[3].T, A @ B]
"""


def scalars(*names: str) -> dict[str, float]:
    return dict.fromkeys(names, 0.0)


def products(p: Any) -> list[Any]:
    return [p["x"] * p["y"], p["z"] * p["w"]]


def test_parameters_that_never_meet():
    parts = summands(gf.Flow(products, scalars("x", "y", "z", "w")))
    assert {frozenset(s.names) for s in parts} == {frozenset("xy"), frozenset("zw")}
    assert {s.like for s in parts} == {0}
    stacked = gf.Flow(lambda p: jnp.stack(products(p)), scalars("x", "y", "z", "w"))
    assert len(summands(stacked)) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        {"order": 2, "damping": 1},  # both share the time
        {"decay": 1},
        {"loss": gf.CrossEntropy()},  # both are classes of one output
        {"loss": gf.FewData(2)},
        {"metric": Fisher("blocks")},
    ],
)
def test_flows_that_do_not_fall_apart(arguments: dict[str, Any]):
    try:
        flow = gf.Flow(lambda p: jnp.stack(products(p)), scalars("x", "y", "z", "w"), **arguments)
    except ValueError:
        flow = gf.Flow(products, scalars("x", "y", "z", "w"), **{**arguments, "coupled": False})
    assert summands(flow) == ()


def test_one_shared_parameter_holds_it_together():
    flow = gf.Flow(lambda p: [p["x"] * p["y"], p["z"] * p["y"]], scalars("x", "y", "z"))
    assert summands(flow) == ()


def test_equal_is_shown_by_the_programs():
    def apply(p: Any, x: Any) -> list[Any]:
        relu = jax.nn.relu
        return [
            p["A"] @ relu(p["B"] @ x),
            p["C"] @ relu(p["D"] @ x),
            p["E"] @ relu(p["F"] @ x) + 1.0,
            p["G"] @ relu(p["H"] @ x) + 2.0,
        ]

    shapes = {n: array(2, 3) for n in "ACEG"} | {n: array(3, 2) for n in "BDFH"}
    parts = summands(network(apply, shapes, 2))
    assert [s.like for s in parts] == [0, 0, 2, 3]
    rated = gf.Flow.of_network(
        apply, shapes, array(2), metric={"A": gf.Scaled(2)} | {n: gf.Euclidean() for n in "BCDEFGH"}
    )
    assert [s.like for s in summands(rated)] == [0, 1, 2, 3]


def test_different_potentials_are_different_blocks(monkeypatch: pytest.MonkeyPatch):
    """Two functions without a label are written alike."""
    monkeypatch.setattr("geoflow.analysis._WORTH", 0)
    quartic, sextic = (gf.Mirror(f) for f in (lambda u: u**4 + u**2, lambda u: u**6 + u**2))
    metric = {"x": quartic, "y": quartic, "z": sextic, "w": sextic}
    flow = gf.Flow(products, scalars("x", "y", "z", "w"), metric=metric)
    assert [s.like for s in summands(flow)] == [0, 1]
    laws = gf.analyze(flow).laws
    assert len(laws) == 2
    assert all(law.status == "proved" and holds(flow, law.expression) for law in laws)
    same = gf.Flow(products, scalars("x", "y", "z", "w"), metric=gf.Mirror(lambda u: u**4 + u**2))
    assert [s.like for s in summands(same)] == [0, 0]


def test_the_count_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch):
    def apply(p: Any, x: Any) -> list[Any]:
        return [p[f"V{k}"] @ jax.nn.relu(p[f"W{k}"] @ x + p[f"b{k}"]) for k in range(3)]

    shapes = {f"V{k}": array(2, 3 + k // 2) for k in range(3)}
    shapes |= {f"W{k}": array(3 + k // 2, 4) for k in range(3)}
    shapes |= {f"b{k}": array(3 + k // 2) for k in range(3)}
    flow = network(apply, shapes, 4)
    apart = count(flow)
    assert [s.count for s in apart.certificate.summands] == [2, 1]
    monkeypatch.setattr("geoflow.analysis._WORTH", 10**6)
    whole = count(flow)
    assert whole.certificate.summands == ()
    assert whole.upper == apart.upper == 10
    assert whole.certificate.ranks[-1] == apart.certificate.ranks[-1]


def test_claims_of_a_sum():
    model = check(
        HEADS
        + "law heads = [Q[h].T @ Q[h] - K[h].T @ K[h] for h in 1..H]\n"
        + "law first = Q[1].T @ Q[1] - K[1].T @ K[1]\n"
        + "law wrong = Q[1].T @ Q[1] - K[2].T @ K[2]\n"
        + "law sides = Q[2] @ Q[2].T - K[2] @ K[2].T\n"
        + "law inner = A.T @ A - B @ B.T\n"
        + "expect laws = 48\nexpect complete\n"
    )
    assert verdicts(model) == {
        "heads": "proved",
        "first": "proved",
        "wrong": "refuted",
        "sides": "refuted",
        "inner": "proved",
        "expect laws = 48": "proved",
        "expect complete": "proved",
    }
    assert model.laws.status == "proved"
    assert "a direct sum: 3 equal blocks of 30 parameters, one of 40 parameters" in model.notes
    (wrong,) = [c for c in model.claims if c.name == "sides"]
    assert any("Q[2]" in line for line in wrong.witness)


def test_a_wrong_number_and_an_incomplete_list_are_refuted():
    model = check(
        HEADS + "law first = Q[1].T @ Q[1] - K[1].T @ K[1]\nexpect laws = 44\nexpect complete\n"
    )
    assert verdicts(model) == {
        "first": "proved",
        "expect laws = 44": "refuted",
        "expect complete": "refuted",
    }


def test_facts_of_the_whole(monkeypatch: pytest.MonkeyPatch):
    shapes = {n: np.zeros((6, 2)) for n in "QKVO"} | {n: np.zeros(8) for n in "uv"}

    def phi(p: Any) -> list[Any]:
        return [p["Q"] @ p["K"].T, p["V"] @ p["O"].T, p["u"] * p["v"]]

    apart = gf.analyze(gf.Flow(phi, shapes))
    monkeypatch.setattr("geoflow.analysis._WORTH", 10**6)
    whole = gf.analyze(gf.Flow(phi, shapes))
    assert apart.facts == whole.facts
    assert (apart.count.lower, apart.count.upper) == (whole.count.lower, whole.count.upper)
    assert apart.count.status == whole.count.status == "proved"


def test_the_sum_of_counts_is_what_the_rank_alone_says():
    shapes = {n: np.zeros((6, 3)) for n in "QKVO"}
    flow = gf.Flow(lambda p: [p["Q"] @ p["K"].T, p["V"] @ p["O"].T], shapes)
    alone = law_count(count(flow), proved=0)
    assert (alone.upper, alone.status) == (12, "probable")


def test_a_sum_that_is_large_is_refuted_by_proofs_alone(monkeypatch: pytest.MonkeyPatch):
    """A factor that vanishes mod all primes in use hides a law from every rank at a point."""
    monkeypatch.setattr("geoflow.analysis._WORTH", 0)
    monkeypatch.setattr(
        "geoflow.laws.structural.LARGE", 3
    )  # the sum is large, its summands are not
    text = "model m\nparam x, y, z, w\nmap phi = [x*y, 3*z*w]\nlaw a = {0}*x**2 - {0}*y**2\n"
    seen: list[Counted] = []

    def watched(*arguments: Any) -> Counted:
        seen.append(count(*arguments))
        return seen[-1]

    monkeypatch.setattr("geoflow.analysis.count", watched)
    assert verdicts(check(text.format(1) + "expect complete\n"))["expect complete"] == "refuted"
    (whole,) = [c for c in seen if c.parts]
    homes = [whole, *(part.counted for part in whole.parts)]
    hidden = math.prod({place.field.p for c in homes for place in c.places})
    claims = verdicts(check(text.format(hidden) + "law b = z**2 - w**2\nexpect complete\n"))
    assert claims["a"] == claims["b"] == "proved"
    assert claims["expect complete"] == "probably refuted"


def test_lists_of_laws_of_a_large_sum_are_shown_summand_by_summand():
    text = """dim H = 3
param Q[h in 1..H][12, 4], K[h in 1..H][12, 4]
map phi = [[Q[h] @ K[h].T for h in 1..H]]
law heads = [Q[h].T @ Q[h] - K[h].T @ K[h] for h in 1..H]
law wrong = [Q[h].T @ Q[h] + (2*h - 5)*K[h].T @ K[h] for h in 1..H]
"""
    (model,), _ = load_text(text)
    counted = count(lower(model))
    assert len(counted.parts) == 3
    right, wrong = (claim.expression for claim in model.laws)
    assert counted.symmetries.show(right)
    assert not counted.symmetries.show(wrong)
