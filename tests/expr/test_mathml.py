"""Formulas of expressions: the shape in which they are written, with no more brackets than needed."""

from __future__ import annotations

from fractions import Fraction

import pytest

from geoflow.exhibits import Math
from geoflow.expr.build import add
from geoflow.expr.mathml import expr_math, name_math, number_math
from geoflow.expr.tree import Parameter
from geoflow.notation import equations
from geoflow.semantics import load_text
from geoflow.semantics.model import Model

MODEL = """\
const tau = 1/2
param U[2, 2], V[2, 2], W[l in 1..2][2, 2], x
map phi = [U @ V, W[1] @ W[2], x*U]
flow order 2 damping tau
law h = {}
"""
SIGNS = {"msup": "^", "msub": "_", "mfrac": "/", "mover": "'"}


def flat(math: Math | None) -> str:
    """A formula in a line, every two-part element in brackets of its own."""
    assert math is not None
    if isinstance(math.content, str):
        return math.content.replace("\u2062", "").replace("\u2061", "")
    parts = [flat(part) for part in math.content]
    if math.tag == "msqrt":
        return f"√{{{''.join(parts)}}}"
    if math.tag in SIGNS:
        return f"{{{SIGNS[math.tag].join(parts)}}}"
    return "".join(parts)


def model(text: str) -> Model:
    (loaded,), found = load_text(text, "test.geo", {})
    assert not found, found
    return loaded


@pytest.mark.parametrize(
    ("law", "formula"),
    [
        ("U.T @ U - V @ V.T", "{U^⊤}U−V{V^⊤}"),
        ("(U + V).T @ U'", "{(U+V)^⊤}{U'˙}"),
        ("U - (V - U)", "U−(V−U)"),
        ("-(x - 1)*2", "−(x−1)·2"),
        ("x*(U + V)", "x(U+V)"),
        ("U*V", "U⊙V"),
        ("U**2", "{U^∘2}"),
        ("x**(1/2)", "{x^{1/2}}"),
        ("(x + 1)**2", "{(x+1)^2}"),
        ("(x**2)**3", "{({x^2})^3}"),
        ("x/(1 + tau)", "{x/1+τ}"),
        ("exp(tau*t)*x", "{e^τt}x"),
        ("sqrt(x)", "√{x}"),
        ("log(x**2)", "log({x^2})"),
        ("trace(U)", "tr(U)"),
        ("sum(U**2)", "∑{U^∘2}"),
        ("det(W[1])", "det({W_1})"),
        ("inv(U)", "{U^−1}"),
        ("U[0, 1]", "{U_0,1}"),
        ("[x, 2*x]", "[x,2x]"),
    ],
)
def test_formula(law, formula):
    assert flat(expr_math(model(MODEL.format(law)).laws[0].expression)) == formula


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("U", "U"),
        ("W[1]", "{W_1}"),
        ("W12", "{W_12}"),
        ("tau", "τ"),
        ("lambda", "λ"),
        ("Sigma", "Σ"),
        ("w(U)", "{w_U}"),
        ("layers.0.weight", "layers.0.weight"),
        ("θ", "θ"),
    ],
)
def test_name(name, formula):
    assert flat(name_math(name)) == formula


def test_numbers():
    assert [flat(number_math(Fraction(v))) for v in ("3", "-3", "1/2", "-1/2")] == [
        "3", "−3", "{1/2}", "−{1/2}",
    ]  # fmt: skip


def test_what_nobody_can_read_is_no_formula():
    tree = Parameter("x", ())
    for _ in range(12):
        tree = add(tree, tree)
    assert expr_math(tree) is None


FLOWS = {
    "flow order 1": "{θ'˙}={J^⊤}a",
    "flow order 2 damping 3/t": "{θ'¨}+{3/t}{θ'˙}={J^⊤}a",
    "flow order 2 damping 0": "{θ'¨}={J^⊤}a",
    "metric scaled(1/10) on U\nflow order 1": "{θ'˙}={M^−1}{J^⊤}a",
    "flow order 1\ndecay 1/10 on U, V": "{θ'˙}={J^⊤}a−cθ",
    "flow order 1\ndecay 1/10 on U, V coupled": "{θ'˙}=({J^⊤}a−cθ)",
    "flow rmsprop(b2 = 1/10)": "{θ'˙}={g/w}",
}


@pytest.mark.parametrize("flow", FLOWS)
def test_flow(flow):
    lines = equations(model(f"param U[2, 2], V[2, 2]\nmap phi = U @ V\n{flow}\n"))
    assert flat(next(e.math for e in lines if e.what == "flow")) == FLOWS[flow]


def test_every_line_of_a_model():
    text = "param x > 0, y > 0, U[2, 3]\nmap phi = [x*y, U[0, 0]]\nmetric mirror(entropy) on x, y\n"
    lines = {e.what: flat(e.math) for e in equations(model(text))}
    assert lines["parameters"] == "x,y∈{ℝ_>0},U∈{ℝ^2×3}"
    assert lines["metric on x, y"] == "{M_x,y}={∇^2}ψ,ψ(u)=ulog(u)−u"
    assert lines["metric on U"] == "{M_U}=I"
    assert "any loss" in lines["where"]


def test_a_system_written_out():
    lines = equations(model("param x, p\nfield x' = p\nfield p' = -4*x\n"))
    assert [flat(e.math) for e in lines] == ["x,p∈ℝ", "{x'˙}=p", "{p'˙}=−4x"]


def test_a_network():
    lines = equations(model("param W[1, 2]\ninput x[2]\nnetwork g = W @ relu(x)\n"))
    assert flat(lines[2].math) == "{g_θ}(x)=Wrelu(x)"
