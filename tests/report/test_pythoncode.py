"""Generated Python, imported and run: its values are those of the formula."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from geoflow.diagnostics import GeoflowBug
from geoflow.report.pythoncode import HEADING, python_functions

from .samples import BALANCE

U = np.array([[1.0, 2.0], [3.0, 5.0], [0.5, 1.0]])
V = np.array([[2.0, 1.0], [1.0, 4.0]])
X = np.array([1.0, 2.0, 4.0])
PARAMS = {"U": U, "V": V, "x": X, "W[1]": U, "W[2]": V, "lambda": X, "U_1": V}
VELOCITIES = {name: 2 * value + 1 for name, value in PARAMS.items()}
DU, DV = VELOCITIES["U"], VELOCITIES["V"]


def module_of(tmp_path, text: str, constants=None):
    """The generated module for one law."""
    law = replace(BALANCE, text=text)
    source = "\n\n".join([HEADING, *python_functions([law], PARAMS, constants)])
    file = tmp_path / "generated.py"
    file.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("generated", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "text, value",
    [
        ("U.T @ U - V.T @ V", U.T @ U - V.T @ V),
        ("W[1].T @ W[1] - W[2].T @ W[2]", U.T @ U - V.T @ V),
        ("x[0]**2 - U[1, 0]**2", -8.0),
        ("U[:, 0]", U[:, 0]),
        ("sum(U**2, axis=0) - sum(V**2, axis=0, keepdims=false)", (U**2).sum(0) - (V**2).sum(0)),
        ("norm(x)**2 - trace(V)", 15.0),
        ("log(det(U.T @ U)) - log(det(V))", np.log(np.linalg.det(U.T @ U)) - np.log(7.0)),
        ("[x[0], x[1] + 1]", [1.0, 3.0]),
        ("concat([x, [x[0]]], axis=0)", [1.0, 2.0, 4.0, 1.0]),
        ("reshape(U, [2, 3])", U.reshape(2, 3)),
        ("transpose(U, axes=(1, 0))", U.T),
        ('einsum("ij,ij->j", U, U)', (U * U).sum(0)),
        ("lambda[2] + U_1[0, 0]", 6.0),
        ("x[1]/2 - 3/4", 0.25),
    ],
)
def test_values(tmp_path, text, value):
    law = module_of(tmp_path, text).law_1
    np.testing.assert_allclose(law(PARAMS), value, rtol=1e-5)


@pytest.mark.parametrize(
    "text, value",
    [
        ("U.T @ U' - U'.T @ U", U.T @ DU - DU.T @ U),
        ("W[2].T @ W[2]'", V.T @ DV),
        ("U'[0, 1]", DU[0, 1]),
    ],
)
def test_velocities(tmp_path, text, value):
    law = module_of(tmp_path, text).law_1
    np.testing.assert_allclose(law(PARAMS, VELOCITIES), value, rtol=1e-5)


def test_time_and_constants(tmp_path):
    module = module_of(tmp_path, "exp(tau*t)*x'[0]*eta", {"tau": Fraction(1, 2), "eta": None})
    value = module.law_1(PARAMS, VELOCITIES, 2.0, eta=10.0)
    np.testing.assert_allclose(value, np.exp(1.0) * 30.0, rtol=1e-5)


def test_laws_are_numbered():
    names = [
        text.split("(")[0] for text in python_functions([BALANCE, BALANCE], PARAMS, prefix="a_")
    ]
    assert names == ["def a_law_1", "def a_law_2"]


def test_unknown_names_are_refused():
    with pytest.raises(GeoflowBug):
        list(python_functions([replace(BALANCE, text="__import__")], PARAMS))
