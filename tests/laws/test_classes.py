"""Polynomial laws by classes and orbits: against the whole nullspace, and what is not taken on trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations_with_replacement
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from geoflow.deadline import Deadline
from geoflow.exact import linalg
from geoflow.flow import Flow
from geoflow.laws.classes import classes_of, monomials_up_to, number_of_monomials, orbits_of
from geoflow.laws.collected import Collected, Span
from geoflow.laws.factors import TimeFactor
from geoflow.laws.grading import trivial
from geoflow.laws.polynomialfield import polynomial_field
from geoflow.laws.polynomiallaws import FieldSymmetries, Polynomial, Search, _ranks
from geoflow.laws.relabelling import labels_of
from geoflow.lie.bracket import Generator
from geoflow.lie.point import ModularPoint, draw_point

from .checking import check, verdicts

PRIME = 67108859
ONE = TimeFactor(None, None)


def _flow(phi: Callable[..., Any], **shapes: tuple[int, ...]) -> Flow:
    return Flow(phi, {name: np.zeros(shape) for name, shape in shapes.items()})


def _product(p: dict[str, Any]) -> Any:
    return p["U"] @ p["V"].T


def _monomial_map(seed: int) -> Flow:
    """Random monomials of five parameters."""
    rng = np.random.default_rng(seed)
    exponents = rng.integers(0, 3, (int(rng.integers(1, 4)), 5))
    exponents[0] += 1

    def phi(p: dict[str, Any]) -> Any:
        return [
            jnp.prod(jnp.stack([p["x"][k] ** int(e) for k, e in enumerate(row)]))
            for row in exponents
        ]

    return _flow(phi, x=(5,))


MODELS: dict[str, tuple[Flow, int]] = {
    "two layers": (_flow(_product, U=(2, 2), V=(2, 2)), 4),
    "three layers": (_flow(lambda p: p["A"] @ p["B"] @ p["C"], A=(1, 2), B=(2, 2), C=(2, 1)), 3),
    "harmonic": (_flow(lambda p: p["x"] ** 4 - 6 * p["x"] ** 2 * p["y"] ** 2 + p["y"] ** 4, x=(2,), y=(2,)), 4),
    "no signs": (_flow(lambda p: p["x"] + p["x"] * p["y"] + p["y"] ** 2, x=(2,), y=(2,)), 3),
    "translation": (_flow(lambda p: (p["x"] - p["y"]) ** 2 + p["z"], x=(2,), y=(2,), z=(2,)), 3),
    "tensor": (_flow(lambda p: jnp.einsum("ik,jk,lk->ijl", p["u"], p["v"], p["w"]), u=(2, 2), v=(1, 2), w=(2, 2)), 3),
    **{f"monomials {k}": (_monomial_map(k), 4) for k in range(10)},
}  # fmt: skip


def _symmetries(flow: Flow) -> tuple[FieldSymmetries, ModularPoint]:
    generator = Generator.of(flow)
    place = draw_point(generator, np.random.default_rng(1))
    found = FieldSymmetries.of(generator, place, None, 0)
    assert found is not None
    return found, place


def _candidates(symmetries: FieldSymmetries, degree: int) -> list[Polynomial]:
    return [
        law
        for k in range(1, degree + 1)
        for orbit in Search(symmetries, k).orbits()
        for laws in orbit
        for law in laws
    ]


def _vectors(laws: list[Polynomial], dimension: int, degree: int) -> np.ndarray:
    names = [
        tuple(int(k) for k in m if k < dimension)
        for m in monomials_up_to(range(dimension), dimension, degree)
    ]
    at = {name: k for k, name in enumerate(names)}
    rows = np.zeros((len(laws), len(names)), dtype=np.int64)
    for row, law in zip(rows, laws, strict=True):
        for monomial, x in law.items():
            row[at[monomial]] = x % PRIME
    return rows


@pytest.mark.parametrize("name", MODELS)
def test_classes_and_orbits_find_the_whole_nullspace(name: str):
    flow, degree = MODELS[name]
    reduced, _ = _symmetries(flow)
    whole = replace(reduced, grading=trivial(flow.dimension), orders=())
    few, all_ = (_candidates(s, degree) for s in (reduced, whole))
    assert all(reduced.field.conserves(law) for law in few)
    rows = [_vectors(laws, flow.dimension, degree) for laws in (few, all_)]
    rank = linalg.rank(rows[1], PRIME)
    assert linalg.rank(rows[0], PRIME) == rank
    assert linalg.rank(np.concatenate(rows), PRIME) == rank


def test_a_class_is_small():
    symmetries, _ = _symmetries(_flow(_product, U=(4, 3), V=(4, 3)))
    classes = classes_of(symmetries.grading, range(24), 24, 2)
    orbits = orbits_of(classes, symmetries.grading, symmetries.orders)
    assert int(classes.sizes.sum()) == 300  # of degree 2 alone: the fields are homogeneous
    assert int(classes.sizes.max()) == 8  # a column of U and the same of V
    assert len(orbits.first) < 12
    assert int(orbits.lengths.sum()) == len(classes)


def test_signs_that_do_more_than_relabel_the_controls_are_none():
    symmetries, _ = _symmetries(_flow(lambda p: p["x"] + p["x"] ** 2, x=(2,)))
    assert not symmetries.grading.parity.any()


def test_an_index_that_means_something_is_no_label():
    weights = jnp.arange(1.0, 4.0)
    plain = Generator.of(_flow(lambda p: p["U"] @ p["V"].T, U=(2, 3), V=(2, 3)))
    marked = Generator.of(_flow(lambda p: (p["U"] * weights) @ p["V"].T, U=(2, 3), V=(2, 3)))
    labels = [
        {label.size for label in labels_of(g, draw_point(g, np.random.default_rng(0)), 0)}
        for g in (plain, marked)
    ]
    assert labels == [{2, 3}, {2}]


def test_a_permutation_that_is_no_symmetry_makes_no_law():
    """Copies are proved: a wrong permutation costs candidates, never a wrong law."""
    flow = _flow(lambda p: [p["u"][k] * p["v"][k] ** (k + 1) for k in range(3)], u=(3,), v=(3,))
    symmetries, place = _symmetries(flow)
    wrong = replace(symmetries, orders=(np.array([1, 2, 0, 4, 5, 3]),))
    holds = [wrong.field.conserves(law) for law in _candidates(wrong, 2)]
    assert sorted(holds) == [False, False, True]
    collected = Collected(wrong.generator, [place, place], 0, Deadline())
    collected.take_polynomials(Search(wrong, 2), ONE, 6)
    assert [held.judgement.verdict for held in collected.laws] == ["proved"]
    assert len(_candidates(symmetries, 2)) == 3


def test_a_wrong_law_is_not_conserved():
    field = polynomial_field(Generator.of(_flow(_product, U=(2, 1), V=(2, 1))))
    assert field is not None
    assert field.conserves({(0, 0): 1, (1, 1): 1, (2, 2): -1, (3, 3): -1})
    assert not field.conserves({(0, 0): 1, (1, 1): 1, (2, 2): -1, (3, 3): 1})
    assert not field.conserves({(0, 0): 1, (1, 1): 1, (2, 2): -1})


def test_a_limit_is_stated():
    symmetries, _ = _symmetries(_flow(_product, U=(3, 2), V=(3, 2)))
    search = Search(symmetries, 4, work=10**4)
    list(search.orbits())
    done, whole = (int(n) for n in search.statement.split(": ")[1].split(" ")[:3:2])
    assert 0 < done < whole
    complete = Search(symmetries, 4)
    list(complete.orbits())
    assert complete.statement == "polynomials of degree 4"


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_monomials_are_all_there_are(degree: int):
    rows = monomials_up_to([0, 2, 5], 6, degree)
    wanted = {m for d in range(1, degree + 1) for m in combinations_with_replacement([0, 2, 5], d)}
    assert {tuple(int(k) for k in row if k != 6) for row in rows} == wanted
    assert len(rows) == len(wanted) == number_of_monomials(3, degree)


def test_ranks_of_many_matrices_are_those_of_each():
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 3, (200, 5, 4)) * rng.integers(0, 2, (200, 5, 1))
    rows[:, :, 3] = (rows[:, :, 0] + rows[:, :, 1]) % PRIME
    assert _ranks(rows, PRIME).tolist() == [linalg.rank(m, PRIME) for m in rows]


def test_a_span_grows_as_the_rank_does():
    rng = np.random.default_rng(4)
    rows = rng.integers(0, PRIME, (6, 9)) @ np.eye(9, dtype=np.int64)
    rows = np.concatenate([rows, rows[:3] + rows[3:], rng.integers(0, 2, (4, 9))]) % PRIME
    span = Span(9, PRIME)
    for k in range(len(rows)):
        wanted = linalg.rank(rows[: k + 1], PRIME)
        assert span.raised(rows[k : k + 1]) == wanted
        span.add(rows[k : k + 1])
        assert span.rank == wanted


HARMONIC = "param x[6], y[6]\nmap phi = x**4 - 6*x**2*y**2 + y**4\n"
CUBICS = """param a[4], b[4], c[4], d[4]
control e[4]
control f[4]
control h[4]
field a' = 3*h*a + e*b
field b' = h*b + 3*f*a + 2*e*c
field c' = 2*f*b + 3*e*d - h*c
field d' = f*c - 3*h*d
"""
DISCRIMINANT = "b**2*c**2 - 4*a*c**3 - 4*b**3*d + 18*a*b*c*d - 27*a**2*d**2"
FLAT = "param w[36]\nmap phi = reshape(w[:18], [6, 3]) @ reshape(w[18:], [6, 3]).T\n"
MOMENTUM = FLAT + "flow order 2 damping 1/2\n"


@pytest.mark.parametrize(
    "text, law, wrong, count",
    [
        (HARMONIC, "x**3*y - x*y**3", "x**3*y - 2*x*y**3", 6),
        (CUBICS, DISCRIMINANT, DISCRIMINANT.replace("18", "17"), 4),
        (FLAT, "w[0]*w[1] + w[3]*w[4] + w[6]*w[7] + w[9]*w[10] + w[12]*w[13] + w[15]*w[16] - w[18]*w[19]"
         " - w[21]*w[22] - w[24]*w[25] - w[27]*w[28] - w[30]*w[31] - w[33]*w[34]", "w[0]*w[1] - w[18]*w[19]", 6),
    ],
)  # fmt: skip
def test_laws_of_many_monomials_are_found(text: str, law: str, wrong: str, count: int):
    """Far more monomials than one nullspace could take, or no matrix form."""
    model = check(f"{text}law right = {law}\nlaw wrong = {wrong}\nexpect laws = {count}\n")
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (count, count, "proved")
    assert sum(f.status == "proved" for f in model.found) >= count
    assert verdicts(model) == {
        "right": "proved",
        "wrong": "refuted",
        f"expect laws = {count}": "proved",
    }


def test_time_factors_go_with_classes():
    model = check(MOMENTUM)
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (3, 3, "proved")
    assert all(law.text.startswith("exp(1/2*t)*") for law in model.found)


@pytest.mark.parametrize("scale, verdict", [("", "proved"), ("2*", "refuted")])
def test_many_variables_expand_sparsely(scale: str, verdict: str):
    text = f"param U[12, 6], V[12, 6]\nmap phi = U @ V.T\nlaw claimed = U.T @ U - {scale}V.T @ V\n"
    assert verdicts(check(text)) == {"claimed": verdict}


def test_matrix_terms_that_do_not_fit_are_named(monkeypatch: pytest.MonkeyPatch):
    text = "param A[1, 3], B[3, 3], C[3, 1]\nmap phi = A @ B @ C\n"
    monkeypatch.setattr("geoflow.laws.search._MOST_ENTRIES", 8)
    notes = " ".join(check(text).notes)
    assert "matrix forms but 6 very large, products of" in notes
    monkeypatch.undo()
    assert "very large" not in " ".join(check(text).notes)
