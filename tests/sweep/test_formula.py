"""Formulas from counts: right on sizes they never saw, and none where there is none."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from geoflow.rows import Formula, Sizes
from geoflow.semantics import load_text
from geoflow.sweep.discovery import discover
from geoflow.sweep.sweep import Sweep, SweepOptions

from .families import LINEAR, MOMENTUM, opened


def counts(count: Callable[..., int], **ranges: range) -> dict[Sizes, int]:
    return {
        tuple(zip(ranges, values, strict=True)): count(*values)
        for values in itertools.product(*ranges.values())
    }


def predicted(formula: Formula, sizes: Sizes) -> int | None:
    """What the statements of a formula expect at some sizes, read as the language reads them."""
    dims = ", ".join(f"{name} = {value}" for name, value in sizes)
    text = f"dim {dims}\nparam u\nmap phi = u\n" + "\n".join(formula.claims)
    (model,), diagnostics = load_text(text, "<test>")
    assert not diagnostics
    (expectation,) = model.expectations  # exactly one branch stands at each size
    return expectation.value


def two_layer(n: int, m: int, r: int) -> int:
    k = min(r, n + m)
    return k * (k + 1) // 2 + (r - k) * k


def momentum(n: int, m: int, r: int) -> int:
    k = 2 * (n + m)
    return r * (r - 1) // 2 if r <= k else k * r - k * (k + 1) // 2


@pytest.mark.parametrize(
    ("count", "ranges", "unseen"),
    [
        (two_layer, {"n": 4, "m": 4, "r": 8}, [(7, 2, 5), (7, 2, 9), (7, 2, 10), (6, 6, 30)]),
        (lambda r: r * (r + 1) // 2, {"r": 6}, [(20,)]),
        (lambda n, m: min(n, m), {"n": 6, "m": 6}, [(9, 20), (20, 9)]),
        (lambda n: 0, {"n": 5}, [(50,)]),
        (lambda n, m: n**3 + n * m, {"n": 6, "m": 6}, [(9, 11)]),
        pytest.param(
            lambda n, m, r: min(n, m, r),
            {"n": 5, "m": 5, "r": 5},
            [(9, 8, 7), (7, 8, 9), (9, 7, 8)],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_formulas_are_right_on_sizes_they_never_saw(count, ranges, unseen):
    ranges = {name: range(1, top + 1) for name, top in ranges.items()}
    formula = discover(counts(count, **ranges))
    assert formula is not None and formula.verified > 0
    assert formula.exceptions == ()
    for values in unseen:
        assert predicted(formula, tuple(zip(ranges, values, strict=True))) == count(*values)


def test_the_two_branches_are_written_as_a_person_would():
    ranges = {"n": range(1, 6), "m": range(1, 6), "r": range(1, 13)}
    formula = discover(counts(two_layer, **ranges))
    assert formula is not None
    first, second = formula.branches
    assert (first.laws, first.when) == ("r*(r + 1)/2", "r <= n + m")
    assert second.when == "r > n + m" and "n + m" in second.laws
    assert formula.fitted + formula.verified == 5 * 5 * 12


def test_an_exception_is_listed():
    ranges = {"n": range(1, 7), "m": range(1, 7)}
    formula = discover(counts(lambda n, m: 9 if n == m == 1 else n * m, **ranges))
    assert formula is not None
    assert formula.exceptions == (((("n", 1), ("m", 1)), 9),)
    assert predicted(formula, (("n", 1), ("m", 1))) == 9
    assert predicted(formula, (("n", 1), ("m", 5))) == 5


@pytest.mark.parametrize(
    "found",
    [
        counts(lambda n, m: (n * 7919 + m * 104729) % 17, n=range(1, 8), m=range(1, 8)),
        counts(lambda n: 2**n, n=range(1, 9)),
        counts(lambda n: n, n=range(1, 4)),  # three sizes tell nothing
        counts(two_layer, n=range(1, 3), m=range(1, 3), r=range(1, 7)),  # nor do two of n and m
        {},
    ],
)
def test_no_formula_is_made_up(found):
    assert discover(found) is None


def swept(text: str) -> dict[Sizes, int]:
    sweep = Sweep(opened(text), SweepOptions(rank_only=True))
    return {m.sizes: o.count for m, o in sweep.run() if o.count is not None}


def test_two_layer_linear_network():
    found = swept(LINEAR + "sweep n in 1..3, m in 1..3, r in 1..7")
    formula = discover(found)
    assert formula is not None
    for n, m, r in [(5, 2, 6), (5, 2, 9), (6, 1, 8), (2, 7, 12)]:
        assert predicted(formula, (("n", n), ("m", m), ("r", r))) == two_layer(n, m, r)


def test_two_layer_linear_network_with_momentum():
    """At n = 2, m = 1 the count changes its form beyond r = 2*(n + m)."""
    formula = discover(swept(MOMENTUM + "sweep r in 1..14"))
    assert formula is not None and len(formula.branches) == 2
    for r in (5, 6, 7, 8, 20, 30):
        assert predicted(formula, (("r", r),)) == momentum(2, 1, r)
