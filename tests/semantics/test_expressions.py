"""Expressions: their shapes, their options, the exact value of what is constant."""

from __future__ import annotations

from fractions import Fraction

import pytest

from geoflow.expr.tree import Apply, Number

from .samples import expression, model

# ---------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("U.T @ V", (3, 3)),
        ("U @ x", (4,)),
        ("x @ x", ()),
        ("x @ W[1]", (3,)),
        ("U + x", (4, 3)),
        ("U*s", (4, 3)),
        ("U**2", (4, 3)),
        ("U[0]", (3,)),
        ("U[-1, 1:]", (2,)),
        ("U[:, 0]", (4,)),
        ("U[::2]", (2, 3)),
        ("W[2][0, 2]", ()),
        ("sum(U)", ()),
        ("sum(U, axis=0)", (3,)),
        ("sum(U, 1)", (4,)),
        ("sum(U, axis=(0, 1), keepdims=True)", (1, 1)),
        ("mean(U, axis=-1)", (4,)),
        ("norm(U, axis=1)", (4,)),
        ("trace(W[1]) + det(W[1])", ()),
        ("inv(W[1])", (3, 3)),
        ("diag(x)", (3, 3)),
        ("outer(x, x)", (3, 3)),
        ("kron(U, x)", (4, 9)),
        ("dot(x, x)", ()),
        ('einsum("ij,kj->ik", U, V)', (4, 4)),
        ('einsum("ij,kj", U, V)', (4, 4)),
        ("reshape(U, (2, -1))", (2, 6)),
        ("transpose(U)", (3, 4)),
        ("transpose(U, (1, 0))", (3, 4)),
        ("concat([U, V], axis=1)", (4, 6)),
        ("concat([x, [1, 2]])", (5,)),
        ("stack([x, x], axis=1)", (3, 2)),
        ("[x, 2*x]", (2, 3)),
        ("[sum(W[l]) for l in 1..2]", (2,)),
        ("chain(h = x; l in 1..2: W[l] @ h)", (3,)),
        ("eye(3) + zeros((3, 3)) + ones([3, 3])", (3, 3)),
        ("log(exp(s)) + sqrt(norm(U))", ()),
        ("t*U'", (4, 3)),
        ("W[1]'", (3, 3)),
        ("U.T' if s else s", None),
    ],
)  # fmt: skip
def test_shapes_of_expressions(text: str, shape: tuple[int, ...] | None):
    if shape is None:
        with pytest.raises(AssertionError):
            expression(text)
    else:
        assert expression(text).shape == shape


def test_options_are_resolved():
    def options(text: str) -> dict[str, object]:
        found = expression(text)
        assert isinstance(found, Apply)
        return dict(found.options)

    assert options("sum(U, axis=-1)") == {"axis": 1, "keepdims": False}
    assert options("sum(U, axis=(-1, 0))") == {"axis": (1, 0), "keepdims": False}
    assert options("U[-1, ::2]") == {"items": (3, (0, 3, 2))}
    assert options("U[1:]") == {"items": ((1, 4, 1), (0, 3, 1))}
    assert options("reshape(U, (-1, 2))") == {"shape": (6, 2)}
    assert options("concat([U, V], axis=-1)") == {"axis": 1}
    assert options("stack([U, V], axis=-1)") == {"axis": 2}
    assert options('einsum("ij, kj", U, V)') == {"subscripts": "ij,kj->ik"}
    assert options("U**(1/2)") == {"exponent": Fraction(1, 2)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2**10 - 1", Fraction(1023)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("1e-3", Fraction(1, 1000)),
        ("-7/2", Fraction(-7, 2)),
        ("4**(1/2)", Fraction(2)),
        ("(4/9)**(-1/2)", Fraction(3, 2)),
        ("sum([i*i for i in 1..4])", Fraction(30)),
        ("prod([2, 3, 4])", Fraction(24)),
        ("[5, 6, 7][1]", Fraction(6)),
        ("(-1)**(10**30)", Fraction(1)),
        ("0**0", Fraction(1)),
    ],
)
def test_numbers_are_exact(text: str, value: Fraction):
    found = expression(text)
    assert isinstance(found, Number)
    assert found.value == value


def test_a_power_zero_is_one():
    found = expression("U**0")
    assert isinstance(found, Apply)
    assert (found.operation, found.shape) == ("ones", (4, 3))


def test_local_names_hide_others():
    text = "param x[2], l\ndef f(x) = x*x\nlet a = [l for l in 1..2]\nmap phi = f(l)*x*a"
    assert model(text).maps[0].shape == (2,)
