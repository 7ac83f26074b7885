"""The figure of a verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from geoflow.report.figures import plot_laws
from geoflow.results import VerifySettings
from geoflow.verification import trajectories

from .flows import BALANCE, LINEAR


@dataclass(frozen=True)
class Sample:
    """Curves made by hand: many laws, one of them exactly constant."""

    run: str = "trial 1 (squared)"
    times: np.ndarray = field(default_factory=lambda: np.linspace(0, 2, 50))
    control: np.ndarray = field(default_factory=lambda: np.linspace(0, -0.3, 50))
    tolerance: float = 1e-6

    @property
    def laws(self) -> dict[str, np.ndarray]:
        noise = np.random.default_rng(0).standard_normal((9, 50, 3)) * 1e-13
        return {f"W[{k}]_$1 law": n * (k > 0) for k, n in enumerate(noise)}


def test_curves_of_a_trajectory_show_law_and_control(tmp_path: Path) -> None:
    settings = VerifySettings(losses=("logistic",), data=16, trials=1)
    curves = trajectories(LINEAR, [BALANCE], settings, seed=0)
    assert curves is not None
    assert curves.times.shape == curves.control.shape
    assert curves.laws[BALANCE.text].shape == (len(curves.times), 4)
    assert np.max(np.abs(curves.laws[BALANCE.text])) < 1e-8 < np.max(np.abs(curves.control))
    plot_laws(tmp_path / "laws.png", curves, "linear2")
    assert (tmp_path / "laws.png").read_bytes().startswith(b"\x89PNG")


def test_an_svg_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    for path in (first, second):
        plot_laws(path, Sample(), "many laws")
    assert first.read_bytes() == second.read_bytes()
    assert b"<svg" in first.read_bytes()


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a figure ends in \.png, \.svg, \.pdf, got 'laws\.txt'"):
        plot_laws(tmp_path / "laws.txt", Sample())
