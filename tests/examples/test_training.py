"""The training scripts of `examples/training`: laws keep their values where they must, a control does not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "training" / "digits.py"


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    spec = importlib.util.spec_from_file_location("digits", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["digits"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("network", "laws"), [("mlp", 12 + 8 + 8), ("attention", 6 + 6 + 36 + 8)])
def test_laws_along_training(digits: ModuleType, network: str, laws: int, tmp_path: Path):
    """A law a neuron, or QᵀQ − KᵀK, VᵀV − OᵀO and OOᵀ − WᵀW; under cross-entropy the sums of W too."""
    analysis, curves = digits.study(network, 40, 0.5, (0.05, 0.005), seed=0)
    assert (analysis.count.upper, analysis.count.status) == (laws, "proved")
    flow, large, small = curves.values()
    assert max(c.max() for c in flow.laws.values()) < 1e-7
    assert flow.control.max() > 1e-4 and flow.loss[-1] < flow.loss[0]

    def drift(curve) -> float:
        return max(float(c.max()) for c in curve.laws.values())

    assert drift(large) > 5 * drift(small) > 0  # of the order of the step
    linear = large.laws["sum(W3, axis=0)" if network == "mlp" else "sum(W, axis=0)"]
    assert np.max(linear) < 1e-13  # a linear law survives any step
    digits.draw(curves, network, str(tmp_path / "laws.svg"))
    assert (tmp_path / "laws.svg").stat().st_size > 10_000
