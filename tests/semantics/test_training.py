"""How a model is trained: flows, metrics, decay, classes of losses, points."""

from __future__ import annotations

from fractions import Fraction

import pytest

from geoflow.expr.tree import Constant, Expr, Number, Parameter, Time, walk
from geoflow.semantics import load_text
from geoflow.semantics.model import Model

from .samples import LINEAR, MOMENTUM, NMF, TRAINED, codes, model

TWO = "param U[2, 3], V[4, 3]\nmap phi = U @ V.T\n"
POSITIVE = "param U[2, 3] > 0, V[4, 3] > 0\nmap phi = U @ V.T\n"
FAMILY = "param W[l in 1..3][2, 2], s\nmap phi = s*(W[3] @ W[2] @ W[1])\n"


def value(expr: object) -> Fraction:
    assert isinstance(expr, Number)
    return expr.value


def names(expr: object) -> set[str]:
    """The constants and parameters in an expression."""
    assert isinstance(expr, Expr)
    return {n.name for n in walk(expr) if isinstance(n, Constant | Parameter)}


@pytest.mark.parametrize("text", [LINEAR, MOMENTUM, NMF])
def test_what_is_not_said_has_the_plainest_meaning(text: str):
    found = model(text)
    assert (found.accelerated, found.flow_kind, found.flow_options) == (False, "order", {})
    assert (found.decay, found.loss, found.loss_points, found.at) == ((), "any", None, None)
    assert (found.controls, found.fields) == ((), ())


def test_all_of_it_together():
    found = model(TRAINED)
    assert [m.kind for m in found.metrics] == ["mirror", "fisher", "riemannian"]
    assert (found.accelerated, found.loss, found.loss_points) == (True, "data", 3)
    assert [d.parameters for d in found.decay] == [("U", "W[1]", "W[2]"), ("V",)]


# ---------------------------------------------------------------- flows


def test_order_two_without_a_damping_has_none():
    found = model(TWO + "flow order 2\n")
    assert found.order == 2
    assert value(found.damping) == 0
    assert model(TWO + "flow order 1\n").damping is None


def test_accelerated():
    text = POSITIVE + "flow order 2 damping 3/t accelerated\n"
    found = model(text + "metric mirror(entropy) on U\n")
    assert found.accelerated and found.order == 2
    assert codes(text) == ["GEO0405"]
    assert codes(text + "metric scaled(2) on U") == ["GEO0405"]
    assert codes(text + "metric mirror(entropie) on U") == ["GEO0401"]
    assert codes(POSITIVE + "metric mirror(entropy)\nflow order 1 accelerated") == ["GEO0405"]


def test_adaptive_flows():
    found = model("const c symbolic\n" + TWO + "flow adam(b2 = c/2, b1 = 0.1)\n")
    assert (found.flow_kind, found.order, found.damping) == ("adam", 1, None)
    assert value(found.flow_options["b1"]) == Fraction(1, 10)
    assert names(found.flow_options["b2"]) == {"c"}
    found = model(TWO + "flow rmsprop(b2 = 1)\nmetric euclidean on U\n")
    assert (found.flow_kind, list(found.flow_options)) == ("rmsprop", ["b2"])
    found = model("dim s = 2\n" + TWO + "flow sign(s + 1)\n")
    assert (found.flow_kind, found.flow_options) == ("sign", {"power": 3})
    assert model("param x, y\nmap f = x*y\nflow sign(0)").flow_options == {"power": 0}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flow adam", "0405"),
        ("flow adam(1/10, 1/10)", "0405"),
        ("flow adam(b1 = 1, b1 = 1, b2 = 1)", "0405"),
        ("flow adam(b1 = 1, b2 = 1, b3 = 1)", "0405"),
        ("flow adam(b1 = 1, b2 = 0)", "0405"),
        ("flow adam(b1 = 1, b2 = -c)", "0405"),
        ("flow adam(b1 = 1, b2 = t)", "0206"),
        ("flow adam(b1 = 1, b2 = sum(U))", "0405"),
        ("flow adam(b1 = 1, b2 = [1, 2])", "0305"),
        ("flow adam(b1 = 1, b2 = zz)", "0201"),
        ("flow adm(b1 = 1, b2 = 1)", "0405"),
        ("flow sign", "0405"),
        ("flow sign(1/2)", "0405"),
        ("flow sign(-1)", "0405"),
        ("flow sign(65)", "0405"),
        ("flow sign(e)", "0206"),
        ("flow sign(2)", "0505"),
        ("flow sign(1)\nflow order 1", "0407"),
        ("flow sign(1)\ndecay 1/10", "0405"),
        ("flow sign(1)\nmetric scaled(2)", "0405"),
        ("flow sign(1)\nmetric fisher(full) on U", "0405"),
        ("flow sign(1)\nlaw h = U'", "0405"),
        ("flow sign(1)\nlaw h = t*U", "0206"),
    ],
)
def test_mistakes_in_adaptive_flows(line: str, expected: str):
    assert codes("const c = 1/2, e symbolic\n" + TWO + line) == [f"GEO{expected}"]


def test_a_law_may_depend_on_the_time_where_the_flow_does():
    law = "law h = exp(2*t)*sum(U**2)\n"
    for line in ("flow adam(b1 = 1, b2 = 1)", "flow rmsprop(b2 = 1)", "decay 1", "flow order 2"):
        found = model(TWO + line + "\n" + law)
        assert any(isinstance(node, Time) for node in walk(found.laws[0].expression))
    for line in ("flow sign(1)", "flow order 1", "metric scaled(2)"):
        assert codes(TWO + line + "\n" + law) == ["GEO0206"]


# ---------------------------------------------------------------- metrics


def test_fisher():
    found = model("const c symbolic\n" + TWO + "metric fisher(full) on U\nmetric fisher on V\n")
    plain = {"kind": "full", "damping": None, "output": "gaussian"}
    assert [(m.kind, m.parameters) for m in found.metrics] == [
        ("fisher", ("U",)), ("fisher", ("V",))
    ]  # fmt: skip
    assert [m.options for m in found.metrics] == [plain, plain]
    assert found.metrics[0].text == "fisher(full) on U"
    text = "metric fisher(output = poisson, blocks, damping = c + 1)\n"
    (metric,) = model("const c symbolic\n" + TWO + text).metrics
    assert (metric.parameters, metric.options["kind"]) == (("U", "V"), "blocks")
    assert metric.options["output"] == "poisson"
    assert names(metric.options["damping"]) == {"c"}
    (metric,) = model(TWO + "metric fisher(diagonal, damping = 0, output = categorical)").metrics
    assert metric.options == {"kind": "diagonal", "damping": None, "output": "categorical"}


def test_riemannian():
    text = "const c = 2\nparam U[2], V[1, 2], w\nmap phi = [U*w, V]\n"
    found = model(text + "metric riemannian(diag(concat([1 + U**2, c*V[0]**2 + w**2]))) on V, U\n")
    metric, rest = found.metrics
    assert (metric.kind, metric.parameters) == ("riemannian", ("V", "U"))
    matrix = metric.options["matrix"]
    assert isinstance(matrix, Expr)
    assert matrix.shape == (4, 4)
    assert names(matrix) == {"U", "V", "w", "c"}
    assert (rest.kind, rest.parameters) == ("euclidean", ("w",))
    assert model(text + "metric riemannian([[2]]) on w").metrics[0].parameters == ("w",)


def test_a_matrix_of_the_wrong_size_is_told_the_right_one():
    _, (d,) = load_text(TWO + "metric riemannian(eye(12)) on U")
    assert d.code == "GEO0301"
    assert "`U` is a 6×6 matrix" in d.message and "a 12×12 matrix" in d.message


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("metric fisher(diag)", "0401"),
        ("metric fisher(full, blocks)", "0401"),
        ("metric fisher(full, kind = blocks)", "0401"),
        ("metric fisher(damping = -1)", "0401"),
        ("metric fisher(damping = U[0, 0])", "0401"),
        ("metric fisher(damping = t)", "0206"),
        ("metric fisher(damping = [1, 2])", "0305"),
        ("metric fisher(output = gauss)", "0401"),
        ("metric fisher(output = 3)", "0401"),
        ("metric riemannian", "0401"),
        ("metric riemannian(u -> u)", "0401"),
        ("metric riemannian(2)", "0301"),
        ("metric riemannian(t*eye(18))", "0206"),
        ("metric riemannian(exp(V[0, 0])*eye(6)) on U", "0501"),
        ("metric riemannian(eye(6)*U) on U", "0301"),
        ("metric riemannian(-eye(6)) on U", "0401"),
        ("metric riemannian(zeros((6, 6))) on U", "0401"),
        ("metric riemannian(ones((6, 6))) on U", "0401"),
        ("metric riemannian(eye(6)) on U\nmetric fisher on U", "0402"),
        ("metric fisherr", "0401"),
    ],
)
def test_mistakes_in_metrics(line: str, expected: str):
    assert codes(TWO + line) == [f"GEO{expected}"]


def test_categorical_outputs_need_classes():
    line = "metric fisher(output = categorical)\n"
    assert model(TWO + line).metrics
    assert codes("param u, v\nmap f = u*v\n" + line) == ["GEO0401"]
    assert codes("param u[1], v\nmap f = u*v\n" + line) == ["GEO0401"]
    assert codes("param u[2], v\nmap f = [u*v, v]\n" + line) == ["GEO0401"]


# ---------------------------------------------------------------- decay


def test_decay():
    found = model("const c symbolic\n" + FAMILY + "decay c on W[2], s\ndecay 1/10 on W[1], W[3]\n")
    first, second = found.decay
    assert (first.parameters, second.parameters) == (("W[2]", "s"), ("W[1]", "W[3]"))
    assert names(first.rate) == {"c"}
    assert value(second.rate) == Fraction(1, 10)
    assert not first.coupled and not second.coupled
    assert first.text == "decay c on W[2], s"
    assert first.span.line == 4
    assert model(FAMILY + "decay 1 coupled").decay[0].coupled
    for coupling in ("coupled", "decoupled"):
        (decay,) = model(FAMILY + f"flow order 2 damping 1\ndecay 0 {coupling}").decay
        assert decay.coupled == (coupling == "coupled")
        assert decay.parameters == ("W[1]", "W[2]", "W[3]", "s")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("decay U[0, 0]", "0405"),
        ("decay -1/10", "0405"),
        ("decay t", "0206"),
        ("decay [1, 2]", "0305"),
        ("decay 1 on Q", "0201"),
        ("decay 1 on c", "0206"),
        ("decay 1 on U, U", "0407"),
        ("decay 1 on U\ndecay 2 on U", "0407"),
        ("decay 1\ndecay 2 on U", "0407"),
        ("flow order 2\ndecay 1", "0405"),
        ("decay 1 on U\ndecay 1 on V coupled", "0405"),
        ("flow order 3\ndecay 1", "0405"),
    ],
)
def test_mistakes_in_decay(lines: str, expected: str):
    assert codes("const c = 2\n" + TWO + lines) == [f"GEO{expected}"]


# ---------------------------------------------------------------- losses and points


def test_losses():
    def loss(line: str) -> tuple[str, int | None]:
        found = model("dim k = 3\n" + TWO + line)
        return found.loss, found.loss_points

    assert loss("loss any") == ("any", None)
    assert loss("loss cross_entropy") == ("cross_entropy", None)
    assert loss("loss data(k - 1)") == ("data", 2)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loss all", "0409"),
        ("loss data", "0409"),
        ("loss data(0)", "0409"),
        ("loss data(3/2)", "0409"),
        ("loss data(k = 3)", "0409"),
        ("loss data(U)", "0305"),
        ("loss any(3)", "0409"),
        ("loss any\nloss cross_entropy", "0407"),
    ],
)
def test_mistakes_in_losses(line: str, expected: str):
    assert codes(TWO + line) == [f"GEO{expected}"]


def test_cross_entropy_needs_classes():
    assert codes("param u, v\nmap f = u*v\nloss cross_entropy") == ["GEO0409"]
    assert codes("param u[2], v\nmap f = [u*v, v]\nloss cross_entropy") == ["GEO0409"]
    assert codes("param u[2], v\nmap f = u @ V\nloss cross_entropy") == ["GEO0201"]


def at(found: Model) -> tuple[str, dict[str, tuple[int, ...]]]:
    assert found.at is not None
    return found.at.kind, {name: expr.shape for name, expr in found.at.values.items()}


def test_points():
    assert model(TWO + "at generic").at is None
    assert at(model(TWO + "at zero")) == ("zero", {})
    assert at(model(POSITIVE + "at balanced")) == ("balanced", {})
    found = model("const c symbolic\n" + FAMILY + "at {W[2] = [[1, c], [0, 1]], s = 1/2, "
                  "W[1] = eye(2), W[3] = zeros((2, 2))}")  # fmt: skip
    assert at(found) == ("point", {"W[2]": (2, 2), "s": (), "W[1]": (2, 2), "W[3]": (2, 2)})
    found = model(FAMILY + "at {W = eye(2), s = 1}")
    assert at(found)[1] == {"W[1]": (2, 2), "W[2]": (2, 2), "W[3]": (2, 2), "s": ()}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("at somewhere", "0409"),
        ("at zero", "0409"),
        ("at balanced\nat generic", "0407"),
        ("at {U = ones((2, 3)), V = ones((4, 3))}\nat generic", "0407"),
        ("at {U = ones((2, 3))}", "0206"),
        ("at {U = ones((2, 3)), V = V}", "0409"),
        ("at {U = ones((2, 3)), V = t*ones((4, 3))}", "0206"),
        ("at {U = ones((2, 3)), V = ones((3, 4))}", "0301"),
        ("at {U = ones((2, 3)), V = 1}", "0301"),
        ("at {U = ones((2, 3)), V = -ones((4, 3))}", "0409"),
        ("at {U = ones((2, 3)), V = zeros((4, 3))}", "0409"),
        ("at {U = ones((2, 3)), V = ones((4, 3)), U = ones((2, 3))}", "0407"),
        ("at {U = ones((2, 3)), V = ones((4, 3)), Q = 1}", "0201"),
        ("at {U = ones((2, 3)), V[1] = ones((4, 3))}", "0204"),
        ("at {U = ones((2, 2)), V = ones((4, 2))}", "0301 0301"),
    ],
)
def test_mistakes_in_points(line: str, expected: str):
    assert codes(POSITIVE + line) == [f"GEO{code}" for code in expected.split()]


def test_a_point_that_is_not_whole_names_what_is_left_out():
    _, (d,) = load_text(FAMILY + "at {W[2] = eye(2)}")
    assert d.message == "This point has no value for `W[1]`, `W[3]` and `s`."
