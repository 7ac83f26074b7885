"""From text to models: what is supported, as data."""

from __future__ import annotations

from fractions import Fraction

from geoflow.expr.tree import Apply, Constant, Parameter, Time, Velocity, walk
from geoflow.semantics import load_text
from geoflow.semantics.model import Potential

from .samples import DEEP, LINEAR, MOMENTUM, NMF, codes, model

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
        "metric mirror(power(3)) on U\nmetric mirror(u -> u**4/12) on V, W[2]\n"
        "metric scaled([1, 2]) on W[1]"
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
    never = "param U\nmap f = U\nexpect laws = 1/2 when 1 > 2"
    assert model(never).expectations == ()
    assert codes(never + "\nexpect laws = zz when 1 > 2") == ["GEO0201"]
