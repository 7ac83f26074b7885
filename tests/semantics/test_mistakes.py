"""What is wrong with a model: the codes, no mistake told twice, and nothing too large computed."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import pytest

from geoflow.diagnostics import Span
from geoflow.expr.tree import Apply, Number
from geoflow.semantics import load_text, messages

from .samples import codes, model

# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("param U[2]\nmap f = U\nlaw a = V\nlaw b = U @ [1, 2, 3]\nmetric foo", "0201 0301 0401"),
        ("let a = zz\nlet b = a + 1\nparam U\nmap f = U*b", "0201"),
        ("param U[zz]\nmap f = U @ V", "0201 0201"),
        ("dim n = 0\nparam U[n]\nmap f = U", "0303"),
        ("let a = b\nlet b = a\nlet c = a + c\nparam U\nmap f = U*c", "0203 0203"),
        ("param U\nmap f = U/0 + U/0", "0503"),
        ("param U[2\nmap f = U\nlaw a = Q", "0102 0201"),
        ("mpa f = U\nparam U", "0101"),
        ("param U\nmap f = U\nflow order 3\nlaw a = U'", "0405"),
        ("param U\nmap f = U\nlaw a = U' + U'\nlaw b = U'", "0404 0404"),
        ("param U, U\nmap f = U[0]", "0202"),
        ("param U\nmap f = t*U", "0206"),
        ("param U\nflow order 2\nmap f = U'", "0206"),
        ("param U\nmap f = U\nmetric scaled(U)", "0401"),
        ("param U\nmap f = U\nmetric scaled(t)", "0206"),
        ("param U\nmap f = U\nmetric scaled(0)", "0401"),
        ("param U[2]\nmap f = U\nmetric scaled([1, -1])", "0401"),
        ("param U, V\nmap f = U\nmetric mirror(u -> u*V)", "0401"),
        ("param u, V\nmap f = V\nmetric mirror(w -> u)", "0401"),
        ("param U\nmap f = U\nmetric mirror(u -> 3)", "0401"),
        ("param U\nmap f = U\nmetric mirror(power(1))", "0401"),
        ("param U\nmap f = U\nmetric mirror(power(3))", "0403"),
        ("param U\nmap f = U\nflow order 1 damping 3/t", "0405"),
        ("param U\nmap f = U\nflow order 2 damping U", "0405"),
        ("param U\nmap f = U\nflow order 2 damping exp(t)", "0501"),
        ("param U\nmap f = U\nflow order 2 damping [1, 2]", "0305"),
        ("param U\nmap f = U\nsweep n in 1..3", "0201"),
        ("param U\nmap f = U\nexpect laws = 3/2", "0206"),
        ("param U\nmap f = U\nexpect laws = 0 - 1", "0206"),
        ("param U\nmap f = U\nexpect laws = U", "0206"),
        ("param U\nmap f = U\nexpect laws = 3 when U > 0", "0206"),
        ("param U\nmap f = U\nverify { tiem 3 }", "0409"),
        ("param U\nmap f = U\nverify { time 3; time 4 }", "0409"),
        ("param U\nmap f = U\nsearch polynomial(99)", "0409"),
        ("param U\nmap f = U(2)", "0206"),
        ("param U[2]\nmap f = U'.T @ U", "0404"),
        ("param U[2]\nmap f = (U + U)'", "0206"),
        ("param U[2]\nmap f = sum", "0206"),
        ("param U[2]\nmap f = (U, U)", "0206"),
        ("param U[2]\nmap f = U[1:1]", "0302"),
        ("param U[2]\nmap f = U[0, 0]", "0302"),
        ("param U[2]\nmap f = U[::-1]", "0302"),
        ("param U[2, 3]\nmap f = [U, U.T @ U]\nlaw a = [U, U.T]", "0301"),
        ("param U[2]\nmap f = concat(U, axis=0)", "0208"),
        ("param U[2]\nmap f = concat([U, U], axis=1)", "0302"),
        ('param U[2]\nmap f = einsum("i,j->k", U, U)', "0208"),
        ('param U[2]\nmap f = einsum("ij->i", U)', "0301"),
        ("param U[2]\nmap f = einsum(U, U)", "0208"),
        ("param U[2]\nmap f = sum(U, axis=1.5)", "0206"),
        ("param U[2]\nmap f = sum(U, 0, 1, 2)", "0208"),
        ("param U[2]\nmap f = zeros(2, 3)", "0208"),
        ("param U[2]\nmap f = 2**U", "0502"),
        ("param U[2]\nmap f = U**65", "0502"),
        ("param U[2]\nmap f = U*(0 - 2)**(1/2)", "0502"),
        ("param U[2]\nmap f = U*0**(0 - 1)", "0503"),
        ("param U[2]\nmap f = U/[1, 0]", "0503"),
        ("const c = 1/2, d = 1/(c - 1/2)\nparam U[2]\nmap f = U", "0503"),
        ("const e symbolic\nparam U[2]\nmap f = U**e", "0502"),
        ("const e symbolic\nparam U[e]\nmap f = U", "0206"),
        ("param U[2]\nmap f = U*10**10**10", "0504"),
        ("param U[2]\nmap f = U*1e99999999999", "0504"),
        ("param U[2]\nlet a = " + "9" * 2000 + "\nmap f = U", "0504"),
        ("param W[l in 3..1][2]\nmap f = W", "0204"),
        ("dim d[0..2] = [1, 2]\nparam U[d[0]]\nmap f = U", "0204"),
        ("dim d[0..1] = [1, 0]\nparam U[d[0]]\nmap f = U", "0303"),
        ("param U[2]\nmap f = U\nlaw a = U\nlaw a = 2*U", "0202"),
        ("param U[2]\ndef f(x, x) = x\nmap g = U", "0202"),
        ("param U[2]\ndef f(x) = y\nmap g = f(U)", "0201"),
        ("param U[2]\ndef f(x) = x @ [1, 2, 3]\nmap g = f(U)\nlaw a = f(U)", "0301"),
        ("model a\nmodel b\nparam U\nmap f = U", "0406"),
        ("param U[2]\nmap f = U\nmap f = 2*U", "0202"),
        ("param U[2]\nmap f = W[l]", "0201"),
        ("param U[2]\nmap f = foo(U)", "0207"),
        ("param U[2]\ndef f(x) = foo(x)\nmap g = U", "0207"),
        ("param U[2], W[3\nmap f = U @ V + foo(U)", "0102 0201"),
    ],
)  # fmt: skip
def test_mistakes(text: str, expected: str):
    assert codes(text) == [f"GEO{code}" for code in expected.split()]


def test_a_shape_error_shows_both_shapes_where_they_come_from_and_what_to_write():
    _, (d,) = load_text("dim n = 4, r = 3\nparam U[n, r], V[5, r]\nmap phi = U @ V")
    assert d.message == "`U @ V` multiplies a 4×3 matrix by a 5×3 matrix."
    assert d.label == "inner sizes 3 and 5 differ"
    assert d.span is not None
    assert d.span.text == "U @ V"
    assert [(r.span.text, r.label) for r in d.related] == [
        ("U[n, r]", "`U` is a 4×3 matrix"), ("V[5, r]", "`V` is a 5×3 matrix")
    ]  # fmt: skip
    assert d.hints == ("write `U @ V.T`",)


def test_did_you_mean_only_where_one_name_is_close():
    def hints(name: str, declared: str) -> tuple[str, ...]:
        _, (d,) = load_text(f"param {declared}\nmap f = {declared.split(',')[0]}\nlaw h = {name}")
        return d.hints

    assert hints("weigth", "weight, bias") == ("did you mean `weight`?",)
    assert hints("u", "U, V") == ("did you mean `U`?",)
    assert "did you mean" not in "".join(hints("layer3", "layer1, layer2"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("param V[2]\nmap f = Vᵀ", "write `V.T`"),
        ("param θ[2]\nmap f = θ²", "write `θ**2`"),
        ("param θ[2]\nmap f = θ¹⁰", "write `θ**10`"),
        ("param U[n]\nmap f = U", "declare a size with `dim n = …`"),
        ("dim r = 2\nparam V[r], U[r, n]\nmap f = U", "declare a size with `dim n = …`"),
        (
            "param U\nmap f = U*n",
            "declare it with `dim`, `const`, `param`, `let`, or `input` where it is data",
        ),
        ("param U[2, 2]\nmap f = tr(U)", "did you mean `trace`?"),
        ("param U[4, 3]\nmap f = U\nlaw h = U.T * U", "write `U.T @ U`"),
        ("param U[4, 3], v[4]\nmap f = U\nlaw h = v * U", "write `v @ U`"),
        ("param U[4, 3]\nmap f = U\nlaw h = U.T + U", "write `U.T + U.T`"),
    ],
)
def test_the_hint_says_what_to_write(text: str, hint: str):
    _, (d,) = load_text(text)
    assert d.hints == (hint,)


def test_a_count_is_a_whole_number():
    _, (d,) = load_text("param U[2]\nmap f = U\nexpect laws = 13/2")
    told = messages.not_a_count(cast(Span, d.span), "number of laws", Fraction(13, 2))
    assert told.code == d.code == "GEO0206"
    assert told.message == "A number of laws is a whole number, zero or more, and this is 13/2."


def test_an_error_in_a_function_names_the_call():
    _, (d,) = load_text("def f(a, b) = a @ b\nparam U[2], V[3]\nmap g = f(U, V)")
    assert d.span is not None
    assert (d.span.line, d.span.text) == (1, "a @ b")
    assert [(r.span.text, r.label) for r in d.related] == [("f(U, V)", "called here")]


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("param U\nmap f = " + "(" * 5000 + "U" + ")" * 5000, "GEO0106"),
        ("param U\nmap f = " + " + ".join(["U"] * 10_000), "GEO0106"),
        (
            "param U\ndef f0(x) = x\n"
            + "".join(f"def f{i}(x) = f{i - 1}(x) + 1\n" for i in range(1, 400))
            + "map f = f399(U)",
            "GEO0106",
        ),
        (
            "param U\ndef f0(x) = x + 1\n"
            + "".join(f"def f{i}(x) = f{i - 1}(f{i - 1}(x))\n" for i in range(1, 30))
            + "map f = f29(U)\nlaw a = f29(U)",
            "GEO0304",
        ),
        ("param U\nmap f = U*sum([1 for i in 1..10**12])", "GEO0304"),
        ("param U\nmap f = chain(h = U; i in 1..10**7: h*h)", "GEO0304"),
        ("param U\nmap f = U*ones((10**4, 10**4))", "GEO0304"),
        ("param U[10**400]\nmap f = U", "GEO0304"),
        ("param W[l in 1..10**6][2]\nmap f = W[1]", "GEO0304"),
        ("param U\nmap f = U**(10**10**10)", "GEO0504"),
        ("param U\nmap f = U*2**(2**40)", "GEO0504"),
        (
            "param U\nlet a0 = 10**1000\n"
            + "".join(f"let a{i} = a{i - 1}*a{i - 1}\n" for i in range(1, 50))
            + "map f = U*a49",
            "GEO0504",
        ),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_is_too_large_is_answered_and_not_computed(text: str, expected: str):
    assert codes(text) == [expected]


def test_long_dependencies_in_any_order():
    text = "".join(f"let a{i} = a{i + 1} + 1\n" for i in range(3000)) + "let a3000 = 1\n"
    found = model(text + "param U\nmap f = U*a0")
    assert isinstance(found.maps[0], Apply)
    factor = found.maps[0].arguments[1]
    assert isinstance(factor, Number)
    assert factor.value == 3001


def test_a_list_where_a_size_is_wanted_shows_how_a_family_is_written():
    _, (found, *_) = load_text("dim d = [3, 4, 2]\nparam U\nmap phi = U")
    assert found.code == "GEO0305"
    assert found.hints == ("a family of sizes has a range: write `dim d[0..2] = [3, 4, 2]`",)
    assert codes("dim d = 3 + [1, 2]\nparam U\nmap phi = U") == ["GEO0305"]


@pytest.mark.parametrize(
    ("law", "hint"),
    [
        ("A @ A.T - B @ B.T", "`B.T @ B` has that size"),
        ("A.T @ A - eye(4)", "`A @ A.T` has that size"),
        ("A.T @ A + B.T @ B", "`A @ A.T` has that size"),
        ("A @ A.T - B @ C.T", ""),
        ("A @ A.T - (B + B) @ B.T", ""),
    ],
)
def test_a_gram_matrix_of_the_wrong_side_is_turned_round(law, hint):
    _, (found,) = load_text(f"param A[4, 3], B[2, 4], C[2, 4]\nmap phi = B @ A\nlaw h = {law}")
    assert found.code == "GEO0301" and found.hints == ((hint,) if hint else ())
