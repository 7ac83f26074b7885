"""A flow made in Python, with its count, its laws as text, and claims on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

import geoflow as gf
from geoflow.analysis import analyze, count
from geoflow.dynamics import Custom
from geoflow.expr.tree import Expr, Shape
from geoflow.laws.differential import differentiate
from geoflow.laws.identity import decide
from geoflow.parametrization import Block, MetricOn
from geoflow.results import Verdict
from geoflow.semantics import load_text


@dataclass(frozen=True)
class Case:
    """A flow, how many laws it has, those found as text, and claims that must be refuted."""

    make: Callable[[], gf.Flow]
    count: int
    laws: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    right: tuple[str, ...] = ()


def hold(case: Case) -> None:
    """The count is proved, the laws are those, each claim is judged right."""
    flow = case.make()
    analysis = analyze(flow)
    found = (analysis.count.lower, analysis.count.upper, analysis.count.status)
    assert found == (case.count, case.count, "proved")
    assert [str(law) for law in analysis.laws] == list(case.laws)
    assert all(law.status == "proved" for law in analysis.laws)
    for text in (*case.laws, *case.right):
        assert (text, verdict(flow, text)) == (text, "proved")
    for text in case.wrong:
        assert (text, verdict(flow, text)) == (text, "refuted")


def verdict(flow: gf.Flow, text: str) -> Verdict:
    """What is said of the claim that every entry of `text` is conserved."""
    counted = count(flow)
    differential = differentiate(flow, [expression(blocks(flow), text)], {})
    return decide(counted.generator, differential, counted.places, counted.seed)


def blocks(flow: gf.Flow) -> dict[str, Shape]:
    """Names and shapes of the trained parameters."""
    return {b.name: b.shape for b in flow.parameters}


def expression(shapes: dict[str, Shape], text: str) -> Expr:
    """An expression of the language in parameters, their velocities and t."""
    declared = ", ".join(n + (str(list(s)) if s else "") + " > 0" for n, s in shapes.items())
    head = f"param {declared}\nmap phi = {next(iter(shapes))}\nflow order 2 damping 1\n"
    models, diagnostics = load_text(f"{head}law claim = {text}\n", "<claim>", {})
    assert not [d for d in diagnostics if d.severity == "error"], diagnostics
    return models[0].laws[0].expression


def written_out(
    shapes: dict[str, Shape], fields: dict[str, str], controls: dict[str, Shape]
) -> gf.Flow:
    """A control-affine system from texts of its fields."""
    every = {**shapes, **controls}
    dynamics = Custom(
        {name: expression(every, text) for name, text in fields.items()}, tuple(controls.items())
    )
    parameters = tuple(Block(n, s) for n, s in shapes.items())
    metrics = (MetricOn(gf.Euclidean(), tuple(shapes)),)
    return gf.Flow.of_model(parameters, lambda c, p: (), metrics, dynamics, {}, "fields")


def factors(n: int, r: int, m: int) -> dict[str, Any]:
    """U and V of φ = U Vᵀ."""
    return {"U": np.zeros((n, r)), "V": np.zeros((m, r))}


def product(p: Any) -> Any:
    """φ = U Vᵀ."""
    return p["U"] @ p["V"].T


def scalars(*names: str) -> dict[str, Any]:
    """Parameters that are numbers."""
    return dict.fromkeys(names, np.zeros(()))


def convex(p: Any) -> list[Any]:
    """The paths of U relu(V x + b)."""
    return [jnp.einsum("kj,ji->kji", p["U"], p["V"]), p["U"] * p["b"]]


def convex_parameters(n: int, r: int, m: int) -> dict[str, Any]:
    """U ≥ 0, V and b of an input-convex network."""
    return {"U": np.zeros((n, r)), "V": np.zeros((r, m)), "b": np.zeros(r)}


BALANCE = "U.T @ U - V.T @ V"
MOMENT = "(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)"
