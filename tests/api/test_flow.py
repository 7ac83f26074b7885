"""`gf.Flow` on every kind of pytree and metric, and what it says of wrong arguments."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.diagnostics import DiagnosticError


class Pair(NamedTuple):
    U: Any
    V: Any


SHAPES = jnp.zeros((2, 2)), jnp.zeros((1, 2))
TREES = {
    "dict": ({"U": SHAPES[0], "V": SHAPES[1]}, lambda p: p["U"] @ p["V"].T, "U.T @ U - V.T @ V"),
    "nested": (
        {"a": {"weight": SHAPES[0]}, "b": {"weight": SHAPES[1]}},
        lambda p: p["a"]["weight"] @ p["b"]["weight"].T,
        "a.weight.T @ a.weight - b.weight.T @ b.weight",
    ),
    "list": (
        list(SHAPES),
        lambda p: p[0] @ p[1].T,
        "theta[0].T @ theta[0] - theta[1].T @ theta[1]",
    ),
    "tuple": (
        SHAPES,
        lambda p: p[0] @ p[1].T,
        "theta[0].T @ theta[0] - theta[1].T @ theta[1]",
    ),
    "layers": (
        {"layers": list(SHAPES)},
        lambda p: p["layers"][0] @ p["layers"][1].T,
        "layers.0.T @ layers.0 - layers.1.T @ layers.1",
    ),
    "named tuple": (Pair(*SHAPES), lambda p: p.U @ p.V.T, "U.T @ U - V.T @ V"),
    "shapes": (
        Pair(*(jax.ShapeDtypeStruct(x.shape, jnp.float16) for x in SHAPES)),
        lambda p: p.U @ p.V.T,
        "U.T @ U - V.T @ V",
    ),
    "integers": (
        Pair(*(np.zeros(x.shape, np.int32) for x in SHAPES)),
        lambda p: p.U @ p.V.T,
        "U.T @ U - V.T @ V",
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_pytrees(name: str):
    params, phi, law = TREES[name]
    result = gf.analyze(gf.Flow(phi, params))
    assert [str(h) for h in result.laws] == [law]
    assert (result.count.lower, result.count.upper, result.count.status) == (3, 3, "proved")
    example = jax.tree.map(lambda x: jnp.ones(x.shape), params)
    assert result.laws[0].jax()(example).shape == (2, 2)


def test_a_bare_array_and_numbers():
    assert [str(h) for h in gf.find_laws(gf.Flow(lambda x: x[0] * x[1], np.zeros(2)))] == [
        "theta[0]**2 - theta[1]**2"
    ]
    assert [
        str(h) for h in gf.find_laws(gf.Flow(lambda p: p["a"] * p["b"], {"a": 1.0, "b": 2}))
    ] == ["a**2 - b**2"]


def test_outputs_may_be_pytrees():
    flow = gf.Flow(
        lambda p: {"u": p["x"] * p["y"], "v": [p["z"]]}, dict.fromkeys("xyz", np.zeros(()))
    )
    assert flow.cotangents == ((), ())
    assert gf.analyze(flow).count.upper == 1


METRICS = {
    "entropy": (gf.Mirror("entropy"), "x - y"),
    "barrier": (gf.Mirror("log_barrier"), "log(x) - log(y)"),
    "cube": (gf.Mirror("power", 3), "x**3 - y**3"),
    "root": (gf.Mirror("power", Fraction(1, 2)), "x**(1/2) - y**(1/2)"),
    "function": (gf.Mirror(lambda u: u**4), "x**4 - y**4"),
    "by name": ({"x": gf.Mirror("entropy")}, "2*x - y**2"),
    "euclidean": (gf.Euclidean(), "x**2 - y**2"),
    "none": (None, "x**2 - y**2"),
}


@pytest.mark.parametrize("name", METRICS)
def test_metrics(name: str):
    metric, law = METRICS[name]
    flow = gf.Flow(lambda p: p["x"] * p["y"], dict.fromkeys("xy", np.ones(())), metric=metric)
    result = gf.analyze(flow)
    assert [(str(h), h.status) for h in result.laws] == [(law, "proved")]


def test_a_prefix_of_names_has_a_metric():
    params = {"layer": {"w": np.ones(()), "b": np.ones(())}, "layered": np.ones(())}
    metric = {"layer": gf.Mirror("entropy")}
    flow = gf.Flow(
        lambda p: p["layer"]["w"] * p["layered"] + p["layer"]["b"], params, metric=metric
    )
    assert {m.metric.text: set(m.parameters) for m in flow.parametrization.metrics} == {
        "entropy mirror": {"layer.w", "layer.b"},
        "Euclidean": {"layered"},
    }


def test_a_potential_with_arctan_is_exact():
    """ψ'' = 1/(1 + u²): the arctangent itself is never evaluated."""
    metric = gf.Mirror(lambda u: u * jnp.arctan(u) - jnp.log(1 + u * u) / 2)
    flow = gf.Flow(lambda p: p["x"] * p["y"], dict.fromkeys("xy", np.ones(())), metric=metric)
    result = gf.analyze(flow)
    assert [(str(h), h.status) for h in result.laws] == [
        ("log(x**2 + 1) - log(y**2 + 1)", "proved")
    ]


def test_damping_in_every_form():
    def flow(damping):
        return gf.Flow(lambda x: x @ x, jnp.zeros(2), order=2, damping=damping)

    factors = {
        str(gf.find_laws(flow(d))[0]).split("(outer")[0].removesuffix("*")
        for d in (Fraction(1, 3), lambda t: 3 / t, 2, None, lambda t: t)
    }
    assert factors >= {"exp(1/3*t)", "t**3", "exp(2*t)"}
    assert len(factors) == 5


WRONG_ORDER: dict[str, Any] = {"order": 3}
WRONG_METRIC: dict[str, Any] = {"metric": "entropy"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gf.Mirror("entropi"), "entropi"),
        (lambda: gf.Mirror("power"), "needs p"),
        (lambda: gf.Mirror("power", 1), "entropy"),
        (lambda: gf.Mirror("power", Fraction(1, 3)), "half"),
        (lambda: gf.Flow(lambda p: p, {}), "no arrays"),
        (lambda: gf.Flow(lambda x: x, np.zeros(2, bool)), "bool"),
        (lambda: gf.Flow(lambda x: x, np.zeros(2, complex)), "complex"),
        (lambda: gf.Flow(lambda x: x, np.zeros(2), **WRONG_ORDER), "order must be 1 or 2"),
        (lambda: gf.Flow(lambda x: x, np.zeros(2), damping=1), "order=2"),
        (lambda: gf.Flow(lambda x: x, np.zeros(2), order=2, damping="3/t"), "number or a function"),
        (lambda: gf.Flow(lambda x: x, np.zeros(2), metric={"W": gf.Euclidean()}), "'W'"),
        (lambda: gf.Flow(lambda x: x, np.zeros(2), **WRONG_METRIC), "Mirror"),
        (lambda: gf.Flow(lambda x: x, np.zeros(2), positive=["W"]), "'W'"),
        (lambda: gf.Flow(lambda x: 1j * x, np.zeros(2)), "complex"),
        (
            lambda: gf.Flow(lambda x: x, np.zeros(2), order=2, damping=lambda t: jnp.maximum(t, 1)),
            "rational function of t",
        ),
    ],
)
def test_wrong_arguments_are_told(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_unsupported_primitive_is_named_with_its_line():
    flow = gf.Flow(lambda x: jnp.sort(x), np.zeros(3))
    for verb in (gf.count_laws, gf.analyze, gf.find_laws):
        with pytest.raises(DiagnosticError) as raised:
            verb(flow)
        (diagnostic,) = raised.value.diagnostics
        assert diagnostic.code == "GEO0508"
        assert "`sort`" in diagnostic.message
        assert "test_flow.py:" in diagnostic.message
    assert isinstance(raised.value, Exception)


def test_a_map_defined_nowhere_is_told():
    with pytest.raises(DiagnosticError, match="not defined"):
        gf.count_laws(gf.Flow(lambda x: x / (x - x), np.zeros(2)))


def test_what_is_no_flow_no_path_and_no_law_is_named() -> None:
    flow = gf.Flow(lambda p: p["U"] @ p["U"].T, {"U": np.zeros((2, 2))})
    for call in (gf.analyze, gf.count_laws, gf.find_laws):
        with pytest.raises(TypeError, match="a flow is wanted"):
            call({"U": 1})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`analyze`"):
        gf.check(flow)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a law of your own"):
        gf.verify(flow, ["U"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="example input is missing"):
        gf.Flow.of_network(lambda p, x: p["U"] @ x, {"U": np.zeros((2, 2))})


def test_an_analysis_is_printed_as_its_count_and_laws() -> None:
    flow = gf.Flow(lambda p: p["u"] * p["v"], {"u": np.zeros(2), "v": np.zeros(2)})
    assert str(gf.analyze(flow)) == "2 independent laws, proved\n  u**2 - v**2  (2 independent)"


def test_a_flow_is_printed_as_its_summary() -> None:
    flow = gf.Flow(lambda p: p["U"] @ p["V"], {"U": np.zeros((3, 2)), "V": np.zeros((2, 2))})
    assert str(flow) == flow.summary()
    assert "10 parameters" in str(flow) and "Parametrization(" not in str(flow)


def test_a_refusal_says_its_cure() -> None:
    flow = gf.Flow(lambda p: jnp.sort(p["u"]), {"u": np.zeros(2)})
    with pytest.raises(DiagnosticError, match=r"`sort`[^\n]*\n  hint: .*jnp\.maximum"):
        gf.analyze(flow)
