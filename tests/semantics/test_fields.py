"""Systems written out: states, controls, fields."""

from __future__ import annotations

import pytest

from geoflow.expr.tree import Parameter, Time, walk
from geoflow.semantics import load_text

from .samples import UNICYCLE, codes, model


def test_a_system_written_out():
    found = model(UNICYCLE)
    assert (found.maps, found.map_text, found.metrics, found.order) == ((), "", (), 1)
    assert found.controls == (("a", (2,)),)
    assert [(f.parameter, f.expression.shape) for f in found.fields] == [
        ("x", ()), ("y", ()), ("u", ())
    ]  # fmt: skip
    assert found.fields[1].span.line == 5
    nodes = {n for f in found.fields for n in walk(f.expression) if isinstance(n, Parameter)}
    assert sorted(node.name for node in nodes) == ["a", "u"]


def test_families_and_several_controls():
    found = model(
        "param w[l in 1..2][2]\ncontrol a\ncontrol B[2, 2]\n"
        "field w[2]' = B @ w[1]\nfield w[1]' = a*w[2]\nat {w = [1, 1]}\nlaw h = sum(w[1])"
    )
    assert found.controls == (("a", ()), ("B", (2, 2)))
    assert [f.parameter for f in found.fields] == ["w[2]", "w[1]"]
    assert found.at is not None


def test_no_controls_and_the_time():
    found = model("param x\nfield x' = -2*t*x\nlaw h = exp(t**2)*x")
    assert found.controls == ()
    assert any(isinstance(node, Time) for node in walk(found.fields[0].expression))
    assert codes("param x\nfield x' = -2*x\nlaw h = exp(t)*x") == ["GEO0206"]


@pytest.mark.parametrize(
    "field",
    ["a*z", "sum(a)*z", "z - a/(1 + z**2)", "z**2*a[0] - (a - z)", "[a[1]*z[0], 3]", "a @ z * z",
     "outer(a, z) @ z", "concat([a[:1], z[1:]])", "reshape(a, (1, 2))[0]", "mean([a, z], axis=0)",
     "einsum('ij,j->i', outer(z, z), a)".replace("'", '"'), "inv(eye(2)*(1 + z @ z)) @ a"],
)  # fmt: skip
def test_affine_fields(field: str):
    assert model(f"param z[2]\ncontrol a[2]\nfield z' = {field}").fields


@pytest.mark.parametrize(
    "field",
    ["a*a", "a**2", "z/a", "a*(z - a)", "sqrt(a)", "prod(a)*z", "norm(a)*z", "a @ a * z",
     "kron(a, a)[:2]", "inv(outer(a, a) + eye(2)) @ z", "a**-1", "sum(a)*z*a[0]"],
)  # fmt: skip
def test_fields_that_are_not_affine(field: str):
    assert codes(f"param z[2]\ncontrol a[2]\nfield z' = {field}") == ["GEO0405"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("param x, y\nfield x' = y", "0406"),
        ("param x\ncontrol a", "0406"),
        ("param x\nfield x' = 1\nfield x' = 2", "0407"),
        ("param x\nfield y' = 1", "0201"),
        ("dim n = 1\nparam x\nfield n' = 1", "0206"),
        ("param x\ncontrol a\nfield a' = 1", "0206"),
        ("param w[l in 1..2]\nfield w' = 1", "0204"),
        ("param w[l in 1..2]\nfield w[3]' = 1", "0204"),
        ("param x[2]\nfield x' = 1", "0301"),
        ("param x\nfield x' = x @ x", "0305"),
        ("param x\nfield x' = exp(x)", "0501"),
        ("param x\nfield x' = x'", "0404"),
        ("param x\nfield x' = x\nlaw h = x'", "0404"),
        ("param x, a\ncontrol a\nfield x' = x", "0202"),
        ("param x\ncontrol a[0]\nfield x' = x", "0303"),
        ("param x\ncontrol a[10**8]\nfield x' = x", "0304"),
        ("param x\ncontrol a\nfield x' = a\nlaw h = a*x", "0206"),
        ("param x\ncontrol a\nlet b = 2*a\nfield x' = b\nlaw h = b*x", "0206"),
        ("param x\ncontrol a\nfield x' = a\nat {x = a}", "0206"),
        ("param x\ncontrol a\nmap f = a*x", "0407"),
        ("param x\nmap f = x\ncontrol a", "0407"),
        ("param x\nfield x' = x\nmap f = x", "0407"),
        ("param x\nfield x' = x\nmetric scaled(2)\nflow order 1\ndecay 1\nloss any",
         "0407 0407 0407 0407"),
        ("param x\nfield x' = x\nflow sign(1)", "0407"),
        ("param x\nfield x' = x\ninput y", "0407"),
        ("param x\nfield x = x", "0101"),
    ],
)  # fmt: skip
def test_mistakes(text: str, expected: str):
    assert codes(text) == [f"GEO{code}" for code in expected.split()]


def test_a_state_without_a_field_is_named():
    _, (d,) = load_text("param x, w[l in 1..2]\nfield w[1]' = x")
    assert d.message == "There is no field for `x`, `w[2]`."
    assert d.hints == ("write `field x' = …`",)


def test_what_is_not_affine_is_marked():
    _, (d,) = load_text("param z\ncontrol a\nfield z' = z + 3*(a*a)*z")
    assert d.span is not None
    assert d.span.text in ("a*a", "(a*a)")
