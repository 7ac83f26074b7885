"""Upper bounds of the number of independent entries: never below the number, and sharp where that is cheap."""

from __future__ import annotations

import pytest

import geoflow as gf
from geoflow.laws.span import most_independent

from ..flows.checking import blocks, expression

FLOW = gf.Flow(lambda p: p["x"] * p["y"] * p["z"], {"x": 1.0, "y": 1.0, "z": 1.0})


@pytest.mark.parametrize(
    ("texts", "number"),
    [
        (["x + y", "(x + y)**2"], 1),
        (["x + y", "x*y", "x**3 + y**3"], 2),
        (["x/y", "y/x", "x**2/y**2 + z"], 2),
        (["x/y", "y/z", "x/z"], 2),
        (["x + y", "2*x + 2*y + 3"], 1),
        (["x", "y", "z", "x*y*z"], 3),
        (["x**2 + y", "x + y**2"], 2),
        (["exp(x)", "exp(2*x)"], 1),
        ([], 0),
    ],
)
def test_the_rank_of_the_jacobian(texts: list[str], number: int):
    laws = [expression(blocks(FLOW), text) for text in texts]
    assert most_independent(FLOW, laws, {}) == number


def test_a_bound_that_is_low_enough_is_not_improved():
    laws = [expression(blocks(FLOW), text) for text in ("x + y", "(x + y)**2")]
    assert most_independent(FLOW, laws, {}, enough=2) == 2


def test_what_has_no_polynomial_counts_in_full():
    laws = [expression(blocks(FLOW), text) for text in ("log(x)", "2*log(x)", "x")]
    assert most_independent(FLOW, laws, {}) == 3
