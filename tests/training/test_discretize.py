"""Laws at finite steps: slopes, survivors, data, the command."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import geoflow as gf
from geoflow.cli import app
from geoflow.training.descent import Data
from geoflow.training.survival import stepped_identity

LINEAR = "model linear\nparam U[3, 2], V[2, 2]\nmap phi = U @ V.T\n"
PRODUCT = """model product
param u[2], v[2]
map phi = dot(u, v)
law kept = (u[0] + v[0])/(u[1] + v[1])
"""
NETWORK = """model network
param W[5, 4], V[3, 5]
input x[4]
network g = V @ relu(W @ x)
loss cross_entropy
"""


def _linear() -> gf.Flow:
    return gf.loads(LINEAR).flow()


def test_drift_of_sgd_is_of_the_order_of_the_step() -> None:
    found = gf.discretize(_linear(), (1e-2, 1e-3), time=0.5)
    (slope,) = found.slopes
    assert slope.slope == pytest.approx(1.0, abs=0.1)
    assert not found.survives(0) and found.laws[0].exact == ""
    assert [run.steps for run in found.runs] == [50, 500]
    assert all(run.control > 1e-3 for run in found.runs)


def test_momentum_drifts_with_the_step_and_adam_does_not_care() -> None:
    momentum = gf.discretize(_linear(), (1e-2, 1e-3), "momentum", momentum=(0.0, 0.5), time=0.5)
    assert momentum.momenta == (0.0, 0.5)
    assert all(s.slope == pytest.approx(1.0, abs=0.2) for s in momentum.slopes)
    adam = gf.discretize(_linear(), (1e-2, 1e-3), "adam", time=0.5)
    assert min(run.drifts[0] for run in adam.runs) > 1e-3
    assert abs(adam.slopes[0].slope or 0.0) < 0.5


def test_a_ratio_survives_every_step_and_says_why() -> None:
    flow = gf.loads(PRODUCT).flow()
    ratio = gf.check_law(flow, "(u[0] + v[0])/(u[1] + v[1])").law
    square = gf.check_law(flow, "u[0]**2 - v[0]**2").law
    found = gf.discretize(flow, (1e-1, 1e-2), laws=[ratio, square])
    assert found.survives(0) and "expanded over Q" in found.laws[0].exact
    assert not found.survives(1) and found.laws[1].exact == ""
    assert stepped_identity(flow, ratio) and not stepped_identity(flow, square)
    # with momentum the identity says nothing
    assert gf.discretize(flow, (1e-1,), "momentum", laws=[ratio]).laws[0].exact == ""


def _data() -> Data:
    rng = np.random.default_rng(0)
    return Data({"x": rng.standard_normal((20, 4))}, rng.integers(0, 3, 20), "drawn")


def test_a_network_on_data() -> None:
    found = gf.discretize(gf.loads(NETWORK).flow(), (1e-1, 1e-2), data=_data())
    assert (found.loss, found.data) == ("cross-entropy", "drawn")
    by_text = dict(zip((law.text for law in found.laws), range(len(found.laws)), strict=True))
    column = by_text["sum(V, axis=0)"]
    assert found.survives(column) and found.laws[column].exact.startswith("linear")
    others = [k for k in by_text.values() if k != column]
    assert others and not any(found.survives(k) for k in others)


def test_diverging_runs_say_nothing() -> None:
    found = gf.discretize(_linear(), (50.0, 40.0), time=5000.0)
    assert all(run.diverged for run in found.runs)
    assert not found.survives(0) and found.slopes[0].slope is None
    assert any("diverges" in note for note in found.notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": (0.0,)}, "positive"),
        ({"steps": ()}, "positive"),
        ({"optimizer": "lion"}, "sgd, momentum or adam"),
        ({"optimizer": "momentum", "momentum": (1.0,)}, "1 excluded"),
        ({"time": -1.0}, "time"),
        ({"steps": (1e-9,)}, "larger ones"),
        ({"data": _data()}, "a map of the parameters"),
    ],
)
def test_refusals(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gf.discretize(_linear(), **arguments)


@pytest.mark.parametrize(
    ("inputs", "y", "message"),
    [
        ({"z": np.zeros((2, 4))}, np.zeros(2, int), "hold no 'x'"),
        ({"x": np.zeros((2, 5))}, np.zeros(2, int), "is needed"),
        ({"x": np.zeros((2, 4))}, np.array([0, 3]), "holds classes"),
        ({"x": np.zeros((2, 4))}, np.zeros((2, 2)), "is needed"),
    ],
)
def test_data_that_do_not_fit(inputs: dict[str, Any], y: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gf.discretize(gf.loads(NETWORK).flow(), (0.1,), data=Data(inputs, y))


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["discretize", *arguments])


def test_command(tmp_path: Path) -> None:
    path, figure = tmp_path / "product.geo", tmp_path / "drift.svg"
    path.write_text(PRODUCT)
    result = _run(str(path), "--step", "1e-1,1e-2", "--plot", str(figure))
    assert result.exit_code == 0, result.output
    assert "survives every step size" in result.output and "seed 0" in result.output
    assert figure.read_text().lstrip().startswith("<?xml")
    rows = list(csv.DictReader(io.StringIO(_run(str(path), "--format", "csv").stdout)))
    assert {row["step"] for row in rows} == {"0.1", "0.01", "0.001"}
    data = json.loads(_run(str(path), "--step", "1e-1,1e-2", "--format", "json").stdout)
    assert data["laws"][0]["survives"] and not data["laws"][1]["survives"]
    assert data["seed"] == 0 and len(data["runs"]) == 2


def test_command_on_data(tmp_path: Path) -> None:
    path, data = tmp_path / "network.geo", tmp_path / "data.npz"
    path.write_text(NETWORK)
    np.savez(data, x=_data().inputs["x"], y=_data().y)
    result = _run(str(path), "--data", str(data), "--step", "1e-1,1e-2")
    assert result.exit_code == 0 and "cross-entropy" in result.stdout
    assert _run(str(path), "--data", str(tmp_path / "no.npz")).exit_code == 2


def test_mistakes_end_with_code_2(tmp_path: Path) -> None:
    path = tmp_path / "linear.geo"
    path.write_text(LINEAR)
    assert _run(str(path), "--step", "much").exit_code == 2
    assert _run(str(path), "--step", "-1").exit_code == 2
    assert _run(str(path), "--plot", "drift.doc").exit_code == 2
    path.write_text("param U[2]\nmap phi = W\n")
    result = _run(str(path))
    assert result.exit_code == 2 and "GEO0201" in result.output
