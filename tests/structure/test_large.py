"""Flows too large for a gradient to be written out: laws are found, proved and counted from their formulas."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import geoflow as gf
from geoflow.expr.build import matmul, power, subtract, total, transpose
from geoflow.expr.tree import Apply, Expr, Parameter
from geoflow.laws.differential import differentiate
from geoflow.laws.identity import judge
from geoflow.laws.law import Law
from geoflow.laws.search import find_laws
from geoflow.laws.structural import is_large, measured
from geoflow.lie.bracket import Generator
from geoflow.lie.point import draw_point
from geoflow.structure.peeling import Outline, peeled
from geoflow.structure.symmetries import Symmetries

from ..laws.checking import check, verdicts
from .checking import array, network


def wide() -> gf.Flow:
    def apply(p: Any, x: Any) -> Any:
        h = jax.nn.relu(p["W1"] @ x + p["b1"])
        return p["W3"] @ jax.nn.relu(p["W2"] @ h)

    shapes = {"W1": array(60, 50), "b1": array(60), "W2": array(70, 60), "W3": array(9, 70)}
    return network(apply, shapes, 50)


@pytest.fixture(scope="module")
def flow() -> gf.Flow:
    found = wide()
    assert is_large(found)
    return found


def test_one_law_for_every_hidden_neuron(flow: gf.Flow):
    generator = Generator.of(flow)
    places = [draw_point(generator, np.random.default_rng(1))]
    found = find_laws(generator, places, 10**6)
    assert [(str(law), law.status, law.independent, law.added) for law in found.laws] == [
        ("sum(W1**2, axis=1) + b1**2 - sum(W2**2, axis=0)", "proved", 60, 60),
        ("sum(W2**2, axis=1) - sum(W3**2, axis=0)", "proved", 70, 70),
    ]
    assert found.independent == 130


def test_a_wrong_law_is_never_proved(flow: gf.Flow):
    generator = Generator.of(flow)
    rng = np.random.default_rng(1)
    places = [draw_point(generator, rng) for _ in range(2)]
    symmetries = Symmetries.of(flow)

    def verdict(law: Expr) -> str:
        differential = differentiate(flow, [law])
        return judge(generator, differential, places, 0, symmetries=symmetries).verdict

    first = total(power(Parameter("W1", (60, 50)), 2), 1)
    second = total(power(Parameter("W2", (70, 60)), 2), 0)
    bias = power(Parameter("b1", (60,)), 2)
    assert verdict(subtract(first, second)) in ("refuted", "undecided")
    assert verdict(subtract(second, subtract(first, bias))) in ("refuted", "undecided")
    assert verdict(subtract(subtract(second, first), bias)) == "proved"


def outlines(flow: gf.Flow) -> list[tuple[Law, Outline]]:
    laws = [Law(e, flow, "proved", 0, 0) for e in Symmetries.of(flow).laws()]
    return [(law, Outline.of(law.expression)) for law in laws]


@pytest.mark.parametrize("seed", range(6))
def test_peeling_never_counts_too_many(seed: int):
    """Against the rank of gradients, for random lists of laws."""
    from geoflow.laws.independence import gradients

    rng = np.random.default_rng(seed)
    a, b, c, d = rng.integers(2, 5, 4)
    shapes = {"A": np.zeros((a, b)), "B": np.zeros((b, c)), "C": np.zeros((c, d))}
    small = gf.Flow(lambda p: p["A"] @ p["B"] @ p["C"], shapes)
    place = draw_point(Generator.of(small), rng)
    known = outlines(small)
    for _ in range(8):
        chosen = [known[k] for k in rng.permutation(len(known))[: rng.integers(1, len(known) + 1)]]
        rank = gradients(small, [law for law, _ in chosen], place).rank
        assert peeled([o for _, o in chosen]) <= rank <= sum(o.most for _, o in chosen)
        for law, outline in chosen:
            assert outline.rank <= gradients(small, [law], place).rank <= outline.most


def test_a_chain_of_layers_peels_completely():
    shapes = {"A": np.zeros((3, 4)), "B": np.zeros((4, 5)), "C": np.zeros((5, 6))}
    small = gf.Flow(lambda p: p["A"] @ p["B"] @ p["C"], shapes)
    laws = [law for law, o in outlines(small) if o.grams]
    counted = measured(laws)
    assert counted.rank == 10 + 15
    assert counted.left_out == ()


def test_a_law_that_is_listed_twice_counts_once():
    shapes = {"A": np.zeros((3, 4)), "B": np.zeros((4, 5))}
    small = gf.Flow(lambda p: p["A"] @ p["B"], shapes)
    (law, *_) = [law for law, o in outlines(small) if o.grams]
    both = Apply("stack", (law.expression, law.expression), (2, 4, 4), (("axis", 0),))
    assert Symmetries.of(small).show(both)
    assert measured([law]).rank == 10
    assert measured([law, Law(both, small, "proved", 0, 0)]).rank == 10
    a = Parameter("A", (3, 4))
    alone = Apply("stack", (law.expression, matmul(transpose(a), a)), (2, 4, 4), (("axis", 0),))
    assert not Symmetries.of(small).show(alone)


def test_entries_on_top_of_each_other_are_not_counted_twice():
    w = Parameter("W", (4, 4))
    law = subtract(total(power(w, 2), 0), total(power(w, 2), 1))
    assert Outline.of(law).rank == 0


def test_the_square_of_a_vector_by_a_transpose_is_one_number(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("geoflow.laws.structural.LARGE", 6)
    law = "law norms = u @ u.T - v @ v.T\n"
    model = check(f"model inner\nparam u[4], v[4]\nmap phi = sum(u*v)\n{law}expect complete\n")
    assert verdicts(model)["norms"] in ("proved", "probable")
    assert verdicts(model)["expect complete"] != "proved"
    u = Parameter("u", (4,))
    square = Apply("matmul", (u, Apply("transpose", (u,), (4,))), ())
    assert Outline.of(square).rank <= 1


def test_the_square_of_a_vector_by_a_transpose_is_a_law():
    law = "law norms = u @ u.T - v @ v.T\n"
    model = check(f"model inner\nparam u[2], v[2]\nmap phi = sum(u*v)\n{law}")
    assert verdicts(model) == {"norms": "proved"}
