"""Which laws live in which flow, on one parametrization."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import geoflow as gf
from geoflow.compare import compare_flows, kept, standard_flows
from geoflow.comparison import compare_files
from geoflow.diagnostics import DiagnosticError
from geoflow.options import CheckOptions
from geoflow.results import Comparison

from .checking import BALANCE, MOMENT, factors, product, scalars

COLUMNS = [
    "gradient flow",
    "momentum",
    "gradient flow, decay",
    "decay on all but V",
    "natural gradient, full",
    "natural gradient, blocks",
]
LIVES = {
    BALANCE: ["gradient flow", "natural gradient, full"],
    f"exp(1/2*t)*{MOMENT}": ["momentum"],
    f"exp(2*t)*({BALANCE})": ["gradient flow, decay"],
    "log(det(U.T @ U)) - log(det(V.T @ V))": ["natural gradient, blocks"],
}


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare_flows(standard_flows(gf.Flow(product, factors(2, 2, 2))))


def test_counts(comparison: Comparison) -> None:
    counts = {c.name: (c.laws.lower, c.laws.upper, c.laws.status) for c in comparison.flows}
    expected = dict(zip(COLUMNS, (3, 1, 3, 0, 3, 1), strict=True))
    assert counts == {name: (k, k, "proved") for name, k in expected.items()}


def test_each_law_lives_where_it_should(comparison: Comparison) -> None:
    lives = {
        row.text: [name for name, alive in zip(COLUMNS, kept(row), strict=True) if alive]
        for row in comparison.laws
    }
    assert {text: lives[text] for text in LIVES} == LIVES
    assert set(lives) - set(LIVES) <= {"log(det(U)) - log(det(V))", "det(U)/det(V)"}


def test_a_law_is_refuted_or_cannot_be_said_elsewhere(comparison: Comparison) -> None:
    """A law with velocities cannot be said without momentum, one in t where t is no coordinate."""
    rows = {row.text: dict(zip(COLUMNS, row.verdicts, strict=True)) for row in comparison.laws}
    assert rows[BALANCE]["momentum"] == "refuted"
    assert rows[BALANCE]["gradient flow, decay"] == "refuted"
    moment = rows[f"exp(1/2*t)*{MOMENT}"]
    assert {v for name, v in moment.items() if name != "momentum"} == {None}
    decayed = rows[f"exp(2*t)*({BALANCE})"]
    assert decayed["gradient flow"] is None
    assert decayed["momentum"] == decayed["decay on all but V"] == "refuted"


def test_two_models_of_the_same_parameters() -> None:
    """One more output kills laws, and only laws."""
    params = scalars("x", "y", "z")
    few = gf.Flow(lambda p: p["x"] * p["y"] * p["z"], params)
    more = gf.Flow(lambda p: [p["x"] * p["y"] * p["z"], p["x"] * p["y"]], params)
    comparison = compare_flows({"few": few, "more": more})
    assert [c.laws.upper for c in comparison.flows] == [2, 1]
    verdicts = {row.text: row.verdicts for row in comparison.laws}
    assert verdicts["x**2 - y**2"][1] == "proved"
    assert all(v[0] == "proved" for v in verdicts.values())
    assert "refuted" in {v[1] for v in verdicts.values()}


def test_a_single_parameter_has_no_partial_decay() -> None:
    flow = gf.Flow(lambda p: p["w"] / np.sqrt(3) @ p["w"], {"w": np.zeros(2)})
    assert not [name for name in standard_flows(flow) if name.startswith("decay on")]


RELU = "param W[3, 2], V[1, 3]\ninput x[2]\nnetwork g = V @ relu(W @ x)\n"


def compared(tmp_path: Path, *texts: str, flows: bool = False) -> Comparison:
    paths = [tmp_path / f"m{k}.geo" for k in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return compare_files([str(p) for p in paths], flows, CheckOptions())


def test_a_network_is_compared_without_the_metrics_that_it_has_not(tmp_path: Path) -> None:
    comparison = compared(tmp_path, RELU, flows=True)
    assert comparison.left_out == ("natural gradient, blocks",)
    counts = {c.name: c.laws.upper for c in comparison.flows}
    assert (counts["gradient flow"], counts["natural gradient, full"], counts["momentum"]) == (
        3,
        3,
        0,
    )


def test_a_law_of_other_parameters_cannot_be_said(tmp_path: Path) -> None:
    comparison = compared(tmp_path, RELU, "param U[2, 2], V[3, 2]\nmap f = U @ V.T")
    verdicts = {row.text: row.verdicts for row in comparison.laws}
    assert verdicts["U.T @ U - V.T @ V"] == (None, "proved")
    assert verdicts["sum(W**2, axis=1) - sum(V**2, axis=0)"] == ("proved", None)


def test_a_system_written_out_has_no_standard_flows(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError, match="GEO0407"):
        compared(tmp_path, "param x, y\nfield x' = y\nfield y' = -x", flows=True)
