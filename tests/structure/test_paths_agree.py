"""Small random flows by every path that large ones take: dense rows, sparse fields, summands, laws read off φ."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.analysis import Counted, count, search
from geoflow.laws.independence import gradients

from .checking import array, holds

NEVER = 10**9
PATHS = {
    "dense": (NEVER, NEVER),
    "sparse": (NEVER, 0),
    "apart": (0, NEVER),
    "apart and sparse": (0, 0),
}
ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": jax.nn.relu,
    "linear": lambda v: v,
    "leaky": lambda v: jax.nn.leaky_relu(v, 0.25),
    "square": lambda v: v**2,
    "squared relu": lambda v: jax.nn.relu(v) ** 2,
    "abs": jnp.abs,
    "clip": lambda v: jnp.clip(v, -1, 1),
}
Made = tuple[Callable[..., Any], dict[str, tuple[int, ...]], tuple[int, ...] | None]


def deep(draw: random.Random) -> Made:
    """Layers with biases here and there, and skips where widths allow."""
    widths = [draw.randint(1, 3) for _ in range(draw.randint(3, 4))]
    biased = [draw.random() < 0.4 for _ in widths[1:]]
    activation = ACTIVATIONS[draw.choice(sorted(ACTIVATIONS))]
    skips = draw.random() < 0.3
    shapes: dict[str, tuple[int, ...]] = {}
    for k, (n, m) in enumerate(itertools.pairwise(widths)):
        shapes[f"W{k}"] = (m, n)
        if biased[k]:
            shapes[f"b{k}"] = (m,)

    def apply(p: Any, x: Any) -> Any:
        for k, bias in enumerate(biased):
            z = p[f"W{k}"] @ x + (p[f"b{k}"] if bias else 0.0)
            z = activation(z) if k < len(biased) - 1 else z
            x = z + x if skips and z.shape == x.shape else z
        return x

    return apply, shapes, (widths[0],)


def beside(draw: random.Random) -> Made:
    """Two or three blocks with outputs of their own, some equal, perhaps with a factor in common."""
    first = [draw.randint(1, 3) for _ in range(3)]
    sizes = [first if draw.random() < 0.6 else [draw.randint(1, 3) for _ in range(3)] for _ in "ab"]
    factors = [draw.choice([1.0, 1.0, 2.0]) for _ in sizes]
    activation = ACTIVATIONS[draw.choice(sorted(ACTIVATIONS))]
    shared, linear = draw.random() < 0.2, draw.random() < 0.4
    shapes: dict[str, tuple[int, ...]] = {"g": ()} if shared else {}
    for k, (a, h, b) in enumerate(sizes):
        shapes |= {f"V{k}": (a, h), f"W{k}": (h, b)}

    def apply(p: Any, x: Any = None) -> Any:
        found = []
        for k, (_, _, b) in enumerate(sizes):
            inner = p[f"W{k}"] if x is None else activation(p[f"W{k}"] @ x[:b])
            found.append((factors[k] * p[f"V{k}"] @ inner) * (p["g"] if shared else 1.0))
        return jnp.concatenate([y.ravel() for y in found])

    return apply, shapes, None if linear else (3,)


def pooled(draw: random.Random) -> Made:
    """A greatest of two, then a layer."""
    c, o = draw.randint(1, 3), draw.randint(1, 3)
    activation = ACTIVATIONS[draw.choice(["relu", "linear", "square"])]
    biased = draw.random() < 0.5
    shapes = {"W": (2 * c, 3), "V": (o, c)} | ({"b": (2 * c,)} if biased else {})

    def apply(p: Any, x: Any) -> Any:
        h = p["W"] @ x + (p["b"] if biased else 0.0)
        return p["V"] @ activation(jnp.max(h.reshape(c, 2), axis=1))

    return apply, shapes, (3,)


def scored(draw: random.Random) -> Made:
    """Attention without a softmax."""
    d, k = draw.randint(2, 3), draw.randint(1, 2)
    gate = draw.choice([jax.nn.relu, jnp.abs, lambda v: v])
    shapes = dict.fromkeys("QKV", (d, k)) | {"O": (k, d)}

    def apply(p: Any, x: Any) -> Any:
        return gate((x @ p["Q"]) @ (x @ p["K"]).T) @ (x @ p["V"]) @ p["O"]

    return apply, shapes, (2, d)


def entrywise(draw: random.Random) -> Made:
    """Monomials in scalars and vectors."""
    names = [f"u{k}" for k in range(draw.randint(2, 5))]
    shapes = {n: draw.choice([(), (3,)]) for n in names}
    chosen = [draw.sample(names, draw.randint(1, len(names))) for _ in range(draw.randint(1, 3))]
    chosen.append([n for n in names if not any(n in c for c in chosen)])
    powers = [[draw.choice([1, 1, 2, -1]) for _ in c] for c in chosen]

    def apply(p: Any, x: Any = None) -> Any:
        pairs = (zip(c, e, strict=True) for c, e in zip(chosen, powers, strict=True) if c)
        return [
            jnp.prod(jnp.stack(jnp.broadcast_arrays(*[p[n] ** e for n, e in c])), 0) for c in pairs
        ]

    return apply, shapes, None


FAMILIES = (deep, beside, pooled, scored, entrywise)


def drawn(seed: int) -> gf.Flow:
    """A flow from a seed."""
    draw = random.Random(seed)
    apply, shapes, x = FAMILIES[seed % len(FAMILIES)](draw)
    arguments: dict[str, Any] = {}
    if draw.random() < 0.2:
        arguments["metric"] = {n: gf.Scaled(draw.choice([1, 2])) for n in shapes}
    if x is not None and draw.random() < 0.15:
        arguments["loss"] = gf.CrossEntropy()
    params = {n: array(*shape) for n, shape in shapes.items()}
    if x is None:
        return gf.Flow(apply, params, **arguments)
    return gf.Flow.of_network(apply, params, array(*x), **arguments)


def counted(flow: gf.Flow, path: str, patch: pytest.MonkeyPatch) -> Counted:
    worth, smallest = PATHS[path]
    patch.setattr("geoflow.analysis._WORTH", worth)
    patch.setattr("geoflow.lie.seeding.SMALLEST", smallest)
    return count(flow, 1)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 6, 8, 10, 11, 15, 16, 21, 25])
def test_all_paths_agree(seed: int, monkeypatch: pytest.MonkeyPatch):
    flow = drawn(seed)
    found = {path: counted(flow, path, monkeypatch) for path in PATHS}
    assert len({c.upper for c in found.values()}) == 1, {p: c.upper for p, c in found.items()}
    monkeypatch.setattr("geoflow.laws.structural.LARGE", 0)
    shown = search(found["apart and sparse"])
    laws = list(shown.laws)
    assert all(law.status == "proved" and holds(flow, law.expression) for law in laws)
    rank = gradients(flow, laws, found["dense"].places[0]).rank
    assert shown.independent <= rank <= found["dense"].upper


def test_each_path_is_taken(monkeypatch: pytest.MonkeyPatch):
    """So that agreement says something."""
    flow = drawn(1)
    found = {path: counted(flow, path, monkeypatch) for path in PATHS}
    assert [bool(c.parts) for c in found.values()] == [False, False, True, True]
    anchored = [c.certificate.runs[0].anchored is not None for c in found.values()]
    assert anchored == [False, True, False, True]


def test_the_absolute_value_has_the_gates_of_its_derivative():
    def apply(p: Any, x: Any) -> Any:
        return p["V"] @ jnp.abs(p["U"] @ jnp.abs(p["W"] @ x) + p["b"])

    shapes = {"W": array(2, 2), "U": array(2, 2), "b": array(2), "V": array(2, 2)}
    flow = gf.Flow.of_network(apply, shapes, array(2))
    found = gf.analyze(flow)
    assert (found.count.upper, found.count.status) == (4, "proved")
    assert np.sum([law.added for law in found.laws]) == 4


def test_where_few_data_are_not_zero_a_division_may_fail(monkeypatch: pytest.MonkeyPatch):
    def apply(p: Any, x: Any) -> Any:
        return p["V"] @ (p["W"] @ x**-2)

    shapes = {"W": array(3, 2), "V": array(2, 3)}
    flow = gf.Flow.of_network(apply, shapes, array(2))
    found = {path: counted(flow, path, monkeypatch).upper for path in PATHS}
    assert set(found.values()) == {6}


def test_a_summand_without_data_may_have_gates(monkeypatch: pytest.MonkeyPatch):
    def apply(p: Any, x: Any) -> Any:
        return [p["W"] @ x, jnp.maximum(p["u"], p["v"])]

    flow = gf.Flow.of_network(apply, {"W": array(2, 2), "u": array(2), "v": array(2)}, array(2))
    assert len({counted(flow, path, monkeypatch).upper for path in PATHS}) == 1
