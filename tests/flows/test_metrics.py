"""Natural gradients and metrics written out."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import geoflow as gf
from geoflow.expr.tree import Constant, Number, Shape
from geoflow.lossclass import AnyLoss, CrossEntropy, LossClass
from geoflow.metric import Fisher, Metric, Riemannian, Scaled

from .checking import BALANCE, Case, expression, factors, hold, product, scalars, verdict

THREE = Number(Fraction(3))
ANY = AnyLoss()


def natural(n: int, r: int, m: int, metric: Metric) -> Callable[[], gf.Flow]:
    return lambda: gf.Flow(product, factors(n, r, m), metric=metric)


def deep(widths: tuple[int, int, int, int], metric: Metric) -> Callable[[], gf.Flow]:
    a, b, c, d = widths
    params = {"A": np.zeros((a, b)), "B": np.zeros((b, c)), "C": np.zeros((c, d))}
    return lambda: gf.Flow(lambda p: p["A"] @ p["B"] @ p["C"], params, metric=metric)


def written(
    phi: Callable[[Any], Any], shapes: dict[str, Shape], matrix: str
) -> Callable[[], gf.Flow]:
    """A flow under the metric of this matrix."""
    params = {name: np.zeros(shape) for name, shape in shapes.items()}
    return lambda: gf.Flow(phi, params, metric=Riemannian(expression(shapes, matrix), {}))


SYMBOLIC = Fisher("blocks", damping=Constant("lam"), known={"lam": None})
DETS = "log(det(U.T @ U)) - log(det(V.T @ V))"
ENTROPIC = "sum(U, axis=0) - sum(V, axis=0)"
FISHER = {
    "full 2,2,2": Case(natural(2, 2, 2, Fisher("full")), 3, (BALANCE,), (DETS, ENTROPIC)),
    "full 2,3,2": Case(natural(2, 3, 2, Fisher("full")), 6, (BALANCE,), ("U.T @ U - 2*V.T @ V",)),
    "full damped": Case(
        natural(2, 2, 2, Fisher("full", damping=THREE)), 3, (BALANCE,), ("U.T @ U + V.T @ V",)
    ),
    "full bernoulli": Case(
        natural(2, 1, 2, Fisher("full", output="bernoulli")), 1, (BALANCE,), (ENTROPIC,)
    ),
    "blocks 2,1,2": Case(
        natural(2, 1, 2, Fisher("blocks")),
        1,
        ("log(sum(U**2)) - log(sum(V**2))",),
        (BALANCE, "log(sum(U**2)) - 2*log(sum(V**2))"),
        ("sum(U**2)/sum(V**2)",),
    ),
    "blocks 2,2,2": Case(
        natural(2, 2, 2, Fisher("blocks")),
        1,
        (DETS,),
        (BALANCE, "log(det(U.T @ U)) + log(det(V.T @ V))", "log(sum(U**2)) - log(sum(V**2))"),
        ("det(U)/det(V)", "det(U.T @ U)/det(V.T @ V)"),
    ),
    "blocks 3,2,2": Case(natural(3, 2, 2, Fisher("blocks")), 1, (DETS,), (BALANCE,)),
    "blocks damped": Case(
        natural(2, 2, 2, Fisher("blocks", damping=THREE)),
        1,
        ("log(det(U.T @ U + 3*eye(2))) - log(det(V.T @ V + 3*eye(2)))",),
        (DETS, BALANCE, "log(det(U.T @ U + 2*eye(2))) - log(det(V.T @ V + 2*eye(2)))"),
    ),
    "diagonal": Case(
        natural(2, 2, 2, Fisher("diagonal")),
        2,
        ("log(sum(U**2, axis=0)) - log(sum(V**2, axis=0))",),
        (BALANCE, DETS, "log(sum(U**2, axis=1)) - log(sum(V**2, axis=1))"),
    ),
    "diagonal damped": Case(
        natural(2, 2, 2, Fisher("diagonal", damping=THREE)),
        2,
        ("log(sum(U**2, axis=0) + 3) - log(sum(V**2, axis=0) + 3)",),
        ("log(sum(U**2, axis=0)) - log(sum(V**2, axis=0))",),
    ),
    "deep 2,2,2,2": Case(
        deep((2, 2, 2, 2), Fisher("blocks")),
        2,
        ("log(det(A.T @ A)) - log(det(C.T @ C))", "log(det(B.T @ B)) - log(det(C.T @ C))"),
        ("A.T @ A - B @ B.T", "log(det(A.T @ A)) - 2*log(det(C.T @ C))"),
    ),
    "deep 3,1,1,3": Case(
        deep((3, 1, 1, 3), Fisher("blocks")),
        2,
        ("log(sum(A**2)) - log(sum(C**2))", "log(sum(B**2)) - log(sum(C**2))"),
        ("A.T @ A - B @ B.T",),
    ),
    "deep damped 2,2,2,2": Case(
        deep((2, 2, 2, 2), Fisher("blocks", damping=THREE)),
        0,
        wrong=("log(det(A.T @ A + 3*eye(2))) - log(det(C.T @ C + 3*eye(2)))",),
    ),
}


@pytest.mark.parametrize("name", FISHER)
def test_natural_gradient(name: str) -> None:
    hold(FISHER[name])


def test_a_symbolic_damping_stays_in_the_law() -> None:
    analysis = gf.analyze(natural(2, 2, 2, SYMBOLIC)())
    law = "log(det(U.T @ U + lam*eye(2))) - log(det(V.T @ V + lam*eye(2)))"
    assert [(str(h), h.status) for h in analysis.laws] == [(law, "proved")]
    assert "with lam outside a proper algebraic set of values" in analysis.assumes


X3, XY = {"x": (3,)}, {"x": (), "y": ()}
# a scalar map has a proved count, whatever formulas are found
WRITTEN = {
    "constant": Case(
        written(lambda p: p["x"] * p["y"], XY, "[[2, 1], [1, 3]]"),
        1,
        wrong=("x**2 - y**2", "2*x**2 - 3*y**2"),
    ),
    "by position": Case(
        written(lambda p: p["x"] * p["y"], XY, "[[1/(1 + x**2), 0], [0, 1/(1 + y**2)]]"),
        1,
        ("(x**2 + 1)/(y**2 + 1)",),
        wrong=("x**2 - y**2", "log(1 + x**2) + log(1 + y**2)", "log(1 + x**2) - log(2 + y**2)"),
        right=("log(1 + x**2) - log(1 + y**2)", "(1 + x**2)/(1 + y**2)"),
    ),
    "by position, a vector": Case(
        written(lambda p: p["x"][0] * p["x"][1] * p["x"][2], X3, "diag(1/(1 + x**2))"),
        2,
        ("(x[0]**2 + 1)/(x[2]**2 + 1)", "(x[1]**2 + 1)/(x[2]**2 + 1)"),
        wrong=("x[0]**2 - x[1]**2", "log(1 + x[0]**2) - 2*log(1 + x[1]**2)"),
        right=("log(1 + x[0]**2) - log(1 + x[1:]**2)",),
    ),
    "coupled": Case(
        written(lambda p: p["x"] * p["y"], XY, "[[1 + y**2, 0], [0, 1 + x**2]]"),
        1,
        ("(x**2 + 1)/(y**2 + 1)",),
        wrong=("x**2 - y**2",),
        right=("log(1 + x**2) - log(1 + y**2)",),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_written_out(name: str) -> None:
    hold(WRITTEN[name])


def test_a_rate_for_each_weight_keeps_one_law_a_column() -> None:
    rates = "[[2, 3], [5, 7]]", "[[11, 13], [17, 19]]"
    first, second = (Scaled(expression({"U": (2, 2)}, text), {}) for text in rates)
    law = "sum(U**2/{}, axis=0) - sum(V**2/{}, axis=0)"
    hold(
        Case(
            lambda: gf.Flow(product, factors(2, 2, 2), metric={"U": first, "V": second}),
            2,
            (law.format(*rates),),
            (
                BALANCE,
                law.format(*rates[::-1]),
                law.format("[[2, 3], [5, 7]]", "[[11, 13], [17, 23]]"),
            ),
        )
    )


def test_equal_rates_are_no_rates() -> None:
    rate = Scaled(expression({"U": ()}, "1/3"), {})
    analysis = gf.analyze(gf.Flow(lambda p: p["x"] * p["y"], scalars("x", "y"), metric=rate))
    assert [str(h) for h in analysis.laws] == ["x**2 - y**2"]


def classifier(metric: Any, loss: LossClass = ANY) -> gf.Flow:
    """Logits with classes along the last axis."""
    params = {"W2": np.zeros((3, 1)), "W1": np.zeros((1, 2))}
    return gf.Flow(lambda p: (p["W2"] @ p["W1"]).T, params, metric=metric, loss=loss)


def test_a_singular_output_fisher_restricts_the_cotangents() -> None:
    categorical = classifier(Fisher("full", output="categorical"))
    hold(Case(lambda: categorical, 2, ("W1 @ W1.T - W2.T @ W2", "sum(W2)"), ("sum(W1)",)))
    damped = classifier(Fisher("full", damping=THREE, output="categorical"))
    hold(Case(lambda: damped, 1, ("W1 @ W1.T - W2.T @ W2",), ("sum(W2)",)))


def test_a_full_fisher_metric_mixes_a_smaller_class_of_cotangents() -> None:
    """(JJᵀ + cI)⁻¹ does not map the cotangents that sum to 0 to themselves."""
    mixing = classifier(Fisher("full", damping=THREE), CrossEntropy())
    assert verdict(mixing, "sum(W2)") == "refuted"
    assert verdict(mixing, "W1 @ W1.T - W2.T @ W2") == "proved"
    keeping = classifier(Fisher("full", damping=THREE, output="categorical"), CrossEntropy())
    assert verdict(keeping, "sum(W2)") == "proved"


@pytest.mark.parametrize("metric", [Fisher("full"), Fisher("full", damping=THREE)])
def test_a_full_fisher_metric_on_some_parameters_is_no_range_argument(metric: Fisher) -> None:
    flow = gf.Flow(product, factors(2, 1, 2), metric={"U": metric})
    assert verdict(flow, BALANCE) == "refuted"
    whole = gf.Flow(product, factors(2, 1, 2), metric=metric)
    assert verdict(whole, BALANCE) == "proved"
