"""Matrices and potentials that are no metric are refused, with the point; where one is a metric is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import pytest

import geoflow as gf
from geoflow.diagnostics import Diagnostic
from geoflow.metric import Mirror, NoMetric, Riemannian
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.results import ModelReport

from .checking import expression, scalars

EXACT = CheckOptions(verify=False)
HEAD = "const c symbolic\nparam x, y\nmap phi = x*y\n"


def checked(metric: str, head: str = HEAD) -> tuple[Sequence[Diagnostic], Sequence[ModelReport]]:
    report = check_text(f"{head}metric {metric}\n", "<test>", EXACT)
    assert report.exit_code == (2 if report.diagnostics else 0)
    return report.diagnostics, report.models


NONE = {
    "riemannian([[1 + x**2, 3], [2, 1 + y**2]])": "M[0,1] = 3 but M[1,0] = 2 at x = 1, y = 2",
    "riemannian([[1, x/3], [x/4, 1]])": "M[0,1] = 1/3 but M[1,0] = 1/4 at x = 1",
    "riemannian([[2, c], [2*c, 2]])": "M[0,1] = 1 but M[1,0] = 2 at c = 1",
    "riemannian([[1, sqrt(1 + x**2)], [1, 1]])": "M[0,1] = 1.41421 but M[1,0] = 1 at x = 1",
    "riemannian([[x**2, x*y], [x*y, y**2]])": "M = [[1, 2], [2, 4]] at x = 1, y = 2",
    "riemannian(-diag([x**2, 1 + y**2]))": "M = [[-1, 0], [0, -5]] at x = 1, y = 2",
    "riemannian([[1, 2], [3, 20]])": "M[0,1] = 2 but M[1,0] = 3",
    "riemannian([[1, 2], [2, 1]])": "M[0,0]*M[1,1] - M[0,1]**2 = -3 is not positive",
    "mirror(u -> -u**4)": "ψ'' = -12 at u = 1",
}


@pytest.mark.parametrize("metric", NONE)
def test_no_metric(metric: str) -> None:
    (diagnostic,), models = checked(metric)
    assert models == ()
    assert (diagnostic.code, diagnostic.severity) == ("GEO0401", "error")
    assert diagnostic.notes == (NONE[metric],)
    assert diagnostic.message.endswith(".") and diagnostic.span is not None
    assert diagnostic.span.line == 4


def test_an_affine_potential_is_none() -> None:
    (diagnostic,), _ = checked("mirror(u -> 3*u + 1)")
    assert diagnostic.code == "GEO0401"
    assert "its second derivative is 0" in diagnostic.message


def test_the_asymmetry_of_one_metric_among_two_is_at_its_own_line() -> None:
    lines = "riemannian(eye(1)) on y\nmetric riemannian([[1, x[0]], [0, 1]]) on x"
    (diagnostic,), _ = checked(lines, "param x[2], y\nmap phi = x*y\n")
    assert diagnostic.span is not None and diagnostic.span.line == 4


# what stands in `assumes` beside the loss class and the generic point
WHERE = {
    "riemannian(diag([1 + x**2, 1 + y**2]))": (),
    "riemannian([[2, x], [x, 1 + x**2]])": (),
    "mirror(u -> u**4)": (),
    "riemannian(diag([x, y]))": (
        "where the metric is positive definite, as at x = 1, y = 2, but not at x = 7, y = -3",
    ),
    "riemannian(diag([x**2, -1 - y**2]))": (
        "the metric is indefinite at every point tried, as at x = 1, y = 2: no Riemannian metric",
    ),
    "mirror(u -> u**3)": (
        "where the potential `u -> u**3` is convex, as at u = 1, but not at u = -3",
    ),
}


@pytest.mark.parametrize("metric", WHERE)
def test_where_it_is_a_metric(metric: str) -> None:
    diagnostics, (report,) = checked(metric)
    assert not diagnostics
    assert report.assumes[2:] == WHERE[metric]


def test_positive_parameters_need_no_condition() -> None:
    for metric in ("riemannian(diag([x, y]))", "mirror(u -> u**3)"):
        _, (report,) = checked(metric, "param x > 0, y > 0\nmap phi = x*y\n")
        assert report.assumes[2:] == ()


def test_a_metric_that_is_none_is_an_error_of_a_python_flow() -> None:
    def phi(p: Any) -> Any:
        return p["x"] * p["y"]

    skew = Riemannian(expression({"x": (), "y": ()}, "[[1, x], [y, 1]]"), {})
    with pytest.raises(NoMetric, match=r"M\[0,1\] = 1 but M\[1,0\] = 2"):
        gf.Flow(phi, scalars("x", "y"), metric=skew)
    with pytest.raises(ValueError, match="concave"):
        gf.Flow(phi, scalars("x", "y"), metric=Mirror(lambda u: -jnp.exp(u)))
