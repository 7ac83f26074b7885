"""Laws of one's own, written as text for a flow made in Python."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf


def _flow(**arguments: object) -> gf.Flow:
    params = {"U": np.zeros((3, 2)), "V": np.zeros((2, 2))}
    return gf.Flow(lambda p: p["U"] @ p["V"].T, params, **arguments)  # pyright: ignore


def test_true_law() -> None:
    found = gf.check_law(_flow(), "U.T @ U - V.T @ V")
    assert (found.verdict, found.holds, found.law.independent) == ("proved", True, 3)
    value = found.law.jax()({"U": jnp.ones((3, 2)), "V": jnp.ones((2, 2))})
    assert np.allclose(value, 1.0)


def test_false_law_has_a_witness() -> None:
    found = gf.check_law(_flow(), "U.T @ U + V.T @ V")
    assert found.verdict == "refuted" and not found.holds
    assert any("derivative" in line or "d/dt" in line for line in found.witness)
    (decided,) = gf.verify(_flow(), [found.law], settings=gf.VerifySettings(trials=1)).collocation
    assert not decided.kept and decided.drift == pytest.approx(decided.halved, rel=0.1)


def test_names_that_the_language_cannot_write() -> None:
    params = {"layers": [{"weight": jnp.ones((2, 3))}, {"weight": jnp.ones((1, 2))}]}
    flow = gf.Flow.of_network(
        lambda p, x: p["layers"][1]["weight"] @ jax.nn.relu(p["layers"][0]["weight"] @ x),
        params,
        jnp.ones(3),
    )
    text = "sum(layers.0.weight**2, axis=1) - sum(layers.1.weight**2, axis=0)"
    found = gf.check_law(flow, text)
    assert found.verdict == "proved" and str(found.law) == text
    assert not gf.check_law(flow, text.replace("-", "+")).holds


def test_momentum_knows_velocity_and_time() -> None:
    flow = _flow(order=2, damping=1)
    assert gf.check_law(flow, "exp(t) * (U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)").holds
    assert not gf.check_law(flow, "exp(t) * (U.T @ U' - U'.T @ U - V.T @ V' + V'.T @ V)").holds


def test_decay_knows_time() -> None:
    assert gf.check_law(_flow(decay=1), "exp(2*t) * (U.T @ U - V.T @ V)").holds
    assert not gf.check_law(_flow(decay=1), "exp(t) * (U.T @ U - V.T @ V)").holds


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("U.T @ U - W.T @ W", "GEO0201", 11),
        ("U.T @ U - V @ V.T @ U", "GEO0301", 11),
        ("U.T @ (U", "GEO0102", 7),
        ("U'.T @ U", "GEO0404", 1),
        ("x\nmodel other", "GEO0101", None),
    ],
)
def test_mistakes_point_at_the_text(text: str, code: str, column: int | None) -> None:
    with pytest.raises(gf.DiagnosticError) as caught:
        gf.check_law(_flow(), text)
    found = caught.value.diagnostics[0]
    assert found.code == code
    if column is not None:
        assert found.span is not None and found.span.column == column


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="is a text"):
        gf.check_law(_flow(), lambda p: p)  # pyright: ignore[reportArgumentType]


def test_a_law_ends_with_its_text() -> None:
    with pytest.raises(gf.DiagnosticError):
        gf.check_law(_flow(), "U.T @ U - V.T @ V\rlaw more = U")


def test_an_unknown_name_is_answered_with_the_parameters_of_the_flow() -> None:
    with pytest.raises(gf.DiagnosticError) as caught:
        gf.check_law(_flow(), "sum(W**2)")
    (found,) = caught.value.diagnostics
    assert found.hints == ("the parameters of the flow: `U`, `V`",)
    with pytest.raises(gf.DiagnosticError) as caught:
        gf.check_law(_flow(), "sum(u**2)")
    assert caught.value.diagnostics[0].hints == ("did you mean `U`?",)
