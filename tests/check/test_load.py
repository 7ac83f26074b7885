"""From text to models: what is supported, as data."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from geoflow.check import load, load_text
from geoflow.check.model import Model, Potential
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, Time, Velocity, walk

LINEAR = """\
model linear2
dim n = 4, r = 3, m = 5
param U[n, r], V[m, r]
map phi = U @ V.T
metric euclidean
flow order 1
law balance = U.T @ U - V.T @ V
expect laws = r*(r + 1)/2
expect complete
"""
MOMENTUM = """\
model linear2_momentum
dim n = 2, r = 3, m = 2
param U[n, r], V[m, r]
map phi = U @ V.T
flow order 2 damping 3/t
law angular = t**3 * (U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)
expect laws = r*(r - 1)/2
"""
NMF = """\
model nmf
dim n = 4, r = 2, m = 3
param U[n, r] > 0, V[m, r] >= 0
map phi = U @ V.T
metric mirror(entropy) on U, V
law mass = sum(U, axis=0) - sum(V, axis=0)
expect laws = r
"""
DEEP = """\
dim L = 3, d[0..L] = [2, 3, 4, 1]
param W[l in 1..L][d[l], d[l-1]]
map phi = chain(h = eye(d[0]); l in 1..L: W[l] @ h)
law balance = W[1] @ W[1].T - W[2].T @ W[2]
expect laws = 3
"""


def model(text: str, **overrides: str) -> Model:
    """The one model of a text without mistakes."""
    models, diagnostics = load_text(text, overrides=overrides)
    assert diagnostics == ()
    (only,) = models
    return only


def codes(text: str, **overrides: str) -> list[str]:
    models, diagnostics = load_text(text, overrides=overrides)
    assert bool(models) != bool(diagnostics)
    return [diagnostic.code for diagnostic in diagnostics]


def expression(
    text: str, declarations: str = "param U[4, 3], V[4, 3], x[3], s, W[l in 1..2][3, 3]"
) -> Expr:
    """The expression, as a law."""
    found = model(f"{declarations}\nmap phi = U*s\nflow order 2\nlaw h = {text}")
    return found.laws[0].expression


# ---------------------------------------------------------------- models


def test_linear():
    found = model(LINEAR)
    assert found.name == "linear2"
    assert [(p.name, p.shape, p.sign) for p in found.parameters] == [
        ("U", (4, 3), "free"), ("V", (5, 3), "free")
    ]  # fmt: skip
    assert [m.shape for m in found.maps] == [(4, 5)]
    assert found.map_text == "U @ V.T"
    assert (found.order, found.damping, found.search) == (1, None, None)
    assert [(m.kind, m.parameters, m.text) for m in found.metrics] == [
        ("euclidean", ("U", "V"), "euclidean")
    ]
    (law,) = found.laws
    assert (law.name, law.text, law.expression.shape) == ("balance", "U.T @ U - V.T @ V", (3, 3))
    assert law.span.line == 7
    assert [(e.kind, e.value, e.text) for e in found.expectations] == [
        ("laws", 6, "expect laws = r*(r + 1)/2"), ("complete", None, "expect complete")
    ]  # fmt: skip


def test_momentum():
    found = model(MOMENTUM)
    assert found.order == 2
    assert isinstance(found.damping, Apply)
    assert found.damping.operation == "div"
    kinds = {type(node) for node in walk(found.laws[0].expression)}
    assert {Time, Velocity, Parameter} <= kinds
    assert found.expectations[0].value == 3


def test_nmf():
    found = model(NMF)
    assert [p.sign for p in found.parameters] == ["positive", "positive"]
    (metric,) = found.metrics
    assert (metric.kind, metric.options) == ("mirror", {"potential": "entropy"})
    assert metric.text == "mirror(entropy) on U, V"
    assert found.laws[0].expression.shape == (2,)


def test_families_and_chains():
    found = model(DEEP)
    assert found.name == "model"
    assert [(p.name, p.shape, p.family) for p in found.parameters] == [
        ("W[1]", (3, 2), "W"), ("W[2]", (4, 3), "W"), ("W[3]", (1, 4), "W")
    ]  # fmt: skip
    assert found.maps[0].shape == (1, 2)


def test_a_parameter_is_one_node_wherever_it_is_used():
    found = model(LINEAR)
    nodes = {n for n in walk(*found.maps, found.laws[0].expression) if isinstance(n, Parameter)}
    assert {node.name for node in nodes} == {"U", "V"}
    assert len(nodes) == 2


def test_lets_are_shared_and_functions_written_out():
    text = "param x\nlet a0 = x\n" + "".join(
        f"let a{i} = a{i - 1}*a{i - 1}\n" for i in range(1, 60)
    )
    found = model(text + "def sq(y) = y*y\nmap phi = sq(a59)")
    assert len(list(walk(*found.maps))) == 61


def test_several_models_share_sizes():
    models, diagnostics = load_text(
        "dim n = 2\nmodel a\nparam U[n]\nmap f = U\nmodel b\nparam V[n, n]\nmap f = V @ V\n"
    )
    assert diagnostics == ()
    assert [(m.name, m.parameters[0].shape) for m in models] == [("a", (2,)), ("b", (2, 2))]


def test_lists_of_maps():
    found = model("param A[2, 3], B[4, 3], C[3]\nmap f = [A @ B.T, A @ C]\nmap g = C @ C")
    assert [m.shape for m in found.maps] == [(2, 4), (2,), ()]
    assert found.map_text == "[A @ B.T, A @ C, C @ C]"
    found = model("param W[l in 1..3][2]\nmap f = [W[l]*2 for l in 1..3]")
    assert [m.shape for m in found.maps] == [(2,), (2,), (2,)]
    assert found.map_text == "[W[l]*2 for l in 1..3]"


def test_constants():
    found = model(
        "const tau = 1/2, eta symbolic, c = 0.25\nparam U[2]\nmap f = U*tau\nmetric scaled(eta*c)\n"
        "flow order 2 damping 2*tau\nlaw h = tau**2*sum(U)"
    )
    assert [(c.name, c.value) for c in found.constants] == [
        ("tau", Fraction(1, 2)), ("eta", None), ("c", Fraction(1, 4))
    ]  # fmt: skip
    assert any(isinstance(n, Constant) and n.name == "tau" for n in walk(*found.maps))
    rate = found.metrics[0].options["rate"]
    assert isinstance(rate, Apply)
    assert {n.name for n in walk(rate) if isinstance(n, Constant)} == {"eta", "c"}


def test_metrics():
    found = model(
        "param U[2] > 0, V[2], W[l in 1..2][2], x\nmap f = U*V*W[1]*W[2]*x\n"
        "metric mirror(power(3)) on U\nmetric mirror(u -> u**4/12) on V, W[2]\nmetric scaled([1, 2]) on W[1]"
    )
    power, custom, scaled, rest = found.metrics
    assert power.options == {"potential": "power", "p": Fraction(3)}
    assert custom.parameters == ("V", "W[2]")
    potential = custom.options["potential"]
    assert isinstance(potential, Potential)
    assert potential.variable in set(walk(potential.body))
    assert scaled.parameters == ("W[1]",)
    assert (rest.kind, rest.parameters) == ("euclidean", ("x",))


def test_a_family_on_a_metric_means_its_members():
    found = model("param W[l in 1..2][2] > 0\nmap f = W[1]*W[2]\nmetric mirror(log_barrier) on W")
    assert found.metrics[0].parameters == ("W[1]", "W[2]")


def test_settings():
    found = model(
        LINEAR + "search polynomial(2), log(coordinates), potentials\n"
        "verify {\n  loss logistic\n  data gaussian(8); time 5\n  trials 2; tolerance 1e-7\n}\n"
    )
    assert found.search is not None
    assert [(s.kind, s.degree) for s in found.search] == [
        ("polynomial", 2), ("log", None), ("potentials", None)
    ]  # fmt: skip
    v = found.verify
    assert (v.losses, v.data, v.time, v.trials, v.tolerance) == (("logistic",), 8, 5.0, 2, 1e-7)


def test_expectations_under_conditions():
    text = "dim r = 3\nparam U[r]\nmap f = U*sum(U)\n"
    text += "expect laws = 1 when r < 3\nexpect no laws when 2 < r <= 3 and not r == 2\n"
    text += "expect laws = 2 when r > 5 or r != 3\nexpect commuting\nexpect depth = r - 1"
    found = model(text)
    assert [(e.kind, e.value) for e in found.expectations] == [
        ("laws", 0), ("commuting", None), ("depth", 2)
    ]  # fmt: skip
    assert [e.value for e in model(text, r="2").expectations] == [1, 2, None, 1]


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
        ("param U\nmap f = U\ninput x[3]\nlaw a = U*sum(x)", "0505"),
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
        ("param U\nmap f = U\nmetric fisher(full)", "0505"),
        ("param U\nmap f = U\nflow order 1 damping 3/t", "0405"),
        ("param U\nmap f = U\nflow order 2 damping U", "0405"),
        ("param U\nmap f = U\nflow order 2 damping exp(t)", "0501"),
        ("param U\nmap f = U\nflow order 2 damping [1, 2]", "0305"),
        ("param U\nmap f = U\nflow adam(b1 = 0.9)", "0505"),
        ("param U\nmap f = U\nat zero", "0505"),
        ("param U\nmap f = U\nloss cross_entropy", "0505"),
        ("param U\nmap f = U\nsweep n in 1..3", "0505"),
        ("param U\nmap f = U\nexpect laws of U = 3", "0505"),
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


# ---------------------------------------------------------------- files and overrides


def test_overrides():
    text = "dim n = 2, d[0..2] = [2, 5, 1]\nconst tau = 1/2, eta symbolic\n"
    text += "param U[n, d[1]]\nmap f = U*tau*eta"
    found = model(text, n="5", d="[2, 7, 1]", tau="3/2", eta="0.1")
    assert found.parameters[0].shape == (5, 7)
    assert [c.value for c in found.constants] == [Fraction(3, 2), Fraction(1, 10)]
    assert codes(text, n="0") == ["GEO0303"]
    assert codes(text, d="[2, 7]") == ["GEO0204"]
    for name, value in (("k", "3"), ("U", "3"), ("n", ""), ("n", "3 4"), ("n", "m"), ("n", "f(2)"),
                        ("n", "(1]"), ("d", "[[1], 2]"), ("n", "t")):  # fmt: skip
        assert codes(text, **{name: value}) == ["GEO0109"], (name, value)


def test_load_reads_files(tmp_path: Path):
    path = tmp_path / "two.geo"
    path.write_text("param U[2]\nmap f = U*sum(U)", encoding="utf-8")
    (found,), diagnostics = load(path)
    assert diagnostics == ()
    assert (found.name, found.file) == ("two", str(path))
    assert [d.code for d in load(tmp_path / "none.geo")[1]] == ["GEO0103"]
    assert [d.code for d in load(str(tmp_path))[1]] == ["GEO0103"]


def test_use(tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "layers.geo").write_text('use "sizes.geo"\ndef layer(W, x) = W @ x\n')
    (tmp_path / "lib" / "sizes.geo").write_text("dim n = 3\nconst c = 1/2\nlet half = c\n")
    text = 'use "lib/layers.geo"\nuse "lib/sizes.geo"\nmodel a\nparam W[n, n], x[n]\n'
    text += "map f = layer(W, x)*half\nmodel b\nparam x[n]\nmap f = layer(eye(n), x)"
    (tmp_path / "main.geo").write_text(text)
    models, diagnostics = load(tmp_path / "main.geo")
    assert diagnostics == ()
    assert [m.maps[0].shape for m in models] == [(3,), (3,)]
    models, diagnostics = load(tmp_path / "main.geo", {"n": "4"})
    assert [m.maps[0].shape for m in models] == [(4,), (4,)]
    assert [m.name for m in load_text(text, folder=tmp_path)[0]] == ["a", "b"]
    assert [d.code for d in load_text(text)[1]] == ["GEO0110", "GEO0110"]


def test_what_cannot_be_used(tmp_path: Path):
    inside = tmp_path / "project"
    inside.mkdir()
    (tmp_path / "outside.geo").write_text("dim n = 3\n")
    (inside / "link.geo").symlink_to(tmp_path / "outside.geo")
    (inside / "a.geo").write_text('use "b.geo"\n')
    (inside / "b.geo").write_text('use "a.geo"\n')
    (inside / "folder.geo").mkdir()
    (inside / "model.geo").write_text("param U[3]\n")
    (inside / "wrong.geo").write_text("dim n = (3\nlet a = zz\n")

    def found(name: str) -> list[str]:
        text = f'use "{name}"\nparam U[n]\nmap f = U + whatever'
        return [d.code for d in load_text(text, folder=inside)[1]]

    for name in ("none.geo", "../outside.geo", "link.geo", str(tmp_path / "outside.geo"), "a.geo",
                 "folder.geo", "std/attention.geo", "a\tb"):  # fmt: skip
        assert found(name) == ["GEO0110"], name
    assert "GEO0407" in found("model.geo")
    assert sorted(found("wrong.geo")) == ["GEO0102", "GEO0201", "GEO0201"]


def test_the_front_end_loads_no_numerics():
    code = (
        "import sys; from geoflow.check import load_text; load_text('param U\\nmap f = V');"
        "print(sorted({m.split('.')[0] for m in sys.modules}"
        " & {'jax', 'numpy', 'sympy', 'flint', 'scipy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
