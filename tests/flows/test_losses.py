"""Smaller classes of losses keep more laws; quotients of minors where the factor is wide."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.lossclass import CrossEntropy, FewData, LossClass

from .checking import BALANCE, Case, factors, hold, product, scalars, verdict

GRAM = "W1 @ W1.T - W2.T @ W2"


def classifier(c: int, r: int, m: int, **options: Any) -> Callable[[], gf.Flow]:
    """Logits W2 W1 x, one row a datum, classes along the last axis."""
    params = {"W2": np.zeros((c, r)), "W1": np.zeros((r, m))}
    return lambda: gf.Flow(lambda p: (p["W2"] @ p["W1"]).T, params, **options)


def entropic(widths: tuple[int, int, int], count: int, sums: str) -> tuple[Case, Case]:
    any_loss = count - widths[1]
    return (
        Case(classifier(*widths), any_loss, (GRAM,), (sums,)),
        Case(
            classifier(*widths, loss=CrossEntropy()),
            count,
            (GRAM, sums),
            ("sum(W1)", "sum(W2, axis=1)", f"sum(W1)*{sums}", "W2[0] + W2[1]"),
            (f"({sums})**2",),
        ),
    )


CLASSIFIERS = {
    "3,1,2": entropic((3, 1, 2), 2, "sum(W2)"),
    "3,2,2": entropic((3, 2, 2), 5, "sum(W2, axis=0)"),
    "3,2,3": entropic((3, 2, 3), 5, "sum(W2, axis=0)"),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_cross_entropy_keeps_the_sums_of_the_last_layer(name: str) -> None:
    for case in CLASSIFIERS[name]:
        hold(case)


def test_cross_entropy_under_momentum() -> None:
    flow = classifier(3, 2, 2, loss=CrossEntropy(), order=2, damping=1)
    moment = "W1 @ W1'.T - W1' @ W1.T + W2.T @ W2' - W2'.T @ W2"
    hold(
        Case(
            flow,
            5,
            (
                f"exp(t)*({moment})",
                "exp(t)*sum(W2', axis=0)",
                "sum(W2', axis=0) + sum(W2, axis=0)",
            ),
            (
                "sum(W2, axis=0)",
                "sum(W2', axis=0)",
                f"{moment}",
                "sum(W2', axis=0) - sum(W2, axis=0)",
            ),
        )
    )


def test_two_logits_are_one_block() -> None:
    """φ = [x, y]: the cotangent class is no product over the outputs."""
    flow = gf.Flow(lambda p: jnp.stack([p["x"], p["y"]]), scalars("x", "y"), loss=CrossEntropy())
    hold(Case(lambda: flow, 1, ("x + y",), ("x", "x - y")))


def few(k: int, n: int, r: int, m: int) -> gf.Flow:
    return gf.Flow(product, factors(n, r, m), loss=FewData(k))


@pytest.mark.parametrize(("k", "count"), [(1, 7), (2, 3), (4, 3)])
def test_few_data(k: int, count: int) -> None:
    flow = few(k, 2, 2, 2)
    assert gf.count_laws(flow).upper == count
    assert verdict(flow, BALANCE) == "proved"
    assert verdict(flow, "U.T @ U + V.T @ V") == "refuted"


def test_one_datum_has_a_proved_count() -> None:
    count = gf.analyze(few(1, 2, 1, 2)).count
    assert (count.lower, count.upper, count.status) == (3, 3, "proved")


def test_no_datum_hides_an_entry() -> None:
    """φ = [uv, wz] on one datum with the cotangent (0, 1) would keep u and v."""
    for seed in range(300):
        few = FewData(1, seed)
        assert all(np.all(x) for x in few.cotangent(((), (2,)), (jnp.ones(1),)))
        assert all(np.all(x) for x in few.inputs([((3,), False)]))


@pytest.mark.parametrize("seed", [0, 1])
def test_the_data_are_drawn_from_the_seed(seed: int) -> None:
    flow = gf.Flow(product, factors(2, 1, 2), loss=FewData(1, seed))
    laws = gf.find_laws(flow)
    assert all(verdict(flow, str(law)) == "proved" for law in laws)
    other = gf.Flow(product, factors(2, 1, 2), loss=FewData(1, seed + 2))
    assert {verdict(other, str(law)) for law in laws} == {"proved", "refuted"}


CLASSES: list[LossClass] = [CrossEntropy(), FewData(2, 3)]


@pytest.mark.parametrize("loss", CLASSES, ids=lambda loss: type(loss).__name__)
def test_projected_cotangents_are_in_the_class(loss: LossClass) -> None:
    """The class is a linear space: what is projected solves for free controls exactly."""
    shapes = ((2, 3),)
    free = sum(int(np.prod(s)) for s in loss.free(shapes))
    (shape,) = loss.free(shapes)
    units = np.eye(free).reshape(free, *shape)
    basis = np.stack([np.ravel(loss.cotangent(shapes, (jnp.asarray(u),))[0]) for u in units])
    rng = np.random.default_rng(5)
    (found,) = loss.project(shapes, (jnp.asarray(rng.normal(size=(2, 3))),))
    together = np.vstack([basis, np.ravel(found)])
    assert np.linalg.matrix_rank(together, tol=1e-4) == np.linalg.matrix_rank(basis) == free


@pytest.mark.parametrize(("n", "r", "count"), [(1, 3, 2), (2, 3, 2), (2, 4, 4), (3, 4, 3)])
def test_quotients_of_minors(n: int, r: int, count: int) -> None:
    """φ = UUᵀ with U wide: the row space is conserved, in Plücker coordinates."""
    flow = gf.Flow(lambda p: p["U"] @ p["U"].T, {"U": np.zeros((n, r))})
    analysis = gf.analyze(flow)
    found = analysis.count
    assert (found.lower, found.upper, found.status) == (count, count, "proved")
    assert count == n * (r - n) and comb(r, n) > count
    assert {law.kind for law in analysis.laws} == {"rational"}
    assert all(verdict(flow, str(law)) == "proved" for law in analysis.laws)
    if n == 2:
        minors = "det(U[:, 0:2])/det(U[:, 1:3])"
        assert verdict(flow, minors) == "proved"
        assert verdict(flow, minors.replace("/", "*")) == "refuted"
        assert verdict(flow, "det(U[:, 0:2])") == "refuted"
