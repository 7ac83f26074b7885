"""The definitions that come with geoflow, against plain JAX; and what `use` makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.semantics import load, load_text
from geoflow.semantics.model import Model
from geoflow.syntax.parser import parse
from geoflow.syntax.printer import text
from geoflow.syntax.source import read

FOLDER = Path(__file__).parents[2] / "geoflow" / "std"
FILES = sorted(FOLDER.glob("*.geo"))
HEAD = 'use "std/attention.geo"\nuse "std/layers.geo"\n'
DECLARED = """\
param Q[3, 4], K[3, 4], V[3, 4], O[3, 4]
param Qs[2, 3, 4], Ks[2, 3, 4], Vs[2, 3, 4], Os[2, 3, 4], Qg[2, 3, 3, 4], Og[2, 3, 3, 4]
param A[5, 3], a[5], B[2, 5], b[2], C[5, 3], D[3, 5], e[3]
input X[4, 3]
"""
P = dict[str, jax.Array]


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def network(body: str) -> Model:
    models, diagnostics = load_text(f"{HEAD}{DECLARED}network f = {body}")
    assert diagnostics == (), [d.message for d in diagnostics]
    return models[0]


def values(found: Model) -> tuple[P, np.ndarray]:
    draw = np.random.default_rng(0)
    declared = (*found.parameters, *found.inputs)
    at = {each.name: jnp.asarray(draw.standard_normal(each.shape)) for each in declared}
    exact = {name: float(number) for name, number in rationals(found.maps).items()}
    (out,) = evaluate(found.maps, Environment(exact, at))
    return at, np.asarray(out)


# ---------------------------------------------------------------- references


def head(
    *arrays: jax.Array, mask: bool = False, turn: Callable[[jax.Array], jax.Array] = lambda y: y
) -> jax.Array:
    query, key, to_value, to_output, X = arrays
    scores = turn(X @ query) @ turn(X @ key).T / jnp.sqrt(query.shape[1])
    if mask:
        scores = jnp.where(jnp.tril(jnp.ones(scores.shape)) > 0, scores, -jnp.inf)
    return jax.nn.softmax(scores, axis=-1) @ X @ to_value @ to_output.T


def turned(y: jax.Array) -> jax.Array:
    """Rotary positions with complex numbers."""
    planes = np.array([complex(1, 1 / (b + 2)) for b in range(y.shape[1] // 2)])
    angles = 2 * np.angle(planes)
    pairs = np.asarray(y[:, ::2]) + 1j * np.asarray(y[:, 1::2])
    pairs = pairs * np.exp(1j * np.arange(len(y))[:, None] * angles)
    return jnp.asarray(np.stack([pairs.real, pairs.imag], axis=2).reshape(y.shape))


def heads(p: P, mask: bool) -> jax.Array:
    each = zip(p["Qs"], p["Ks"], p["Vs"], p["Os"], strict=True)
    return sum((head(*one, p["X"], mask=mask) for one in each), jnp.zeros(()))


def groups(p: P) -> jax.Array:
    return sum(
        (head(p["Qg"][g, h], p["Ks"][g], p["Vs"][g], p["Og"][g, h], p["X"])
         for g in range(2) for h in range(3)),
        jnp.zeros(()),
    )  # fmt: skip


def mlp(p: P, activation: Callable[[jax.Array], jax.Array]) -> jax.Array:
    return activation(p["X"] @ p["A"].T + p["a"]) @ p["B"].T + p["b"]


def gated(p: P, gate: Callable[[jax.Array], jax.Array]) -> jax.Array:
    return (gate(p["X"] @ p["A"].T) * (p["X"] @ p["C"].T)) @ p["B"].T


QKVO = ("Q", "K", "V", "O", "X")
CASES: list[tuple[str, Callable[[P], jax.Array]]] = [
    ("attention(Q, K, V, O, X)", lambda p: head(*(p[n] for n in QKVO))),
    ("causal_attention(Q, K, V, O, X)", lambda p: head(*(p[n] for n in QKVO), mask=True)),
    ("linear_attention(Q, K, V, O, X)",
     lambda p: p["X"] @ p["Q"] @ (p["X"] @ p["K"]).T @ p["X"] @ p["V"] @ p["O"].T),
    ("multi_head(Qs, Ks, Vs, Os, X)", lambda p: heads(p, False)),
    ("causal_multi_head(Qs, Ks, Vs, Os, X)", lambda p: heads(p, True)),
    ("grouped_query(Qg, Ks, Vs, Og, X)", groups),
    ("Q @ rotary(X @ Q).T", lambda p: p["Q"] @ turned(p["X"] @ p["Q"]).T),
    ("rotary_attention(Q, K, V, O, X)", lambda p: head(*(p[n] for n in QKVO), turn=turned)),
    ("causal_softmax(X @ Q)",
     lambda p: jax.nn.softmax(jnp.where(jnp.tri(4) > 0, p["X"] @ p["Q"], -jnp.inf), axis=-1)),
    ("linear(A, X)", lambda p: p["X"] @ p["A"].T),
    ("affine(A, a, X[0])", lambda p: p["A"] @ p["X"][0] + p["a"]),
    ("mlp(A, a, B, b, X)", lambda p: mlp(p, jax.nn.relu)),
    ("mlp_gelu(A, a, B, b, X)", lambda p: mlp(p, lambda z: jax.nn.gelu(z, approximate=False))),
    ("glu(A, C, B, X)", lambda p: gated(p, jax.nn.sigmoid)),
    ("swiglu(A, C, B, X)", lambda p: gated(p, jax.nn.silu)),
    ("geglu(A, C, B, X)", lambda p: gated(p, lambda z: jax.nn.gelu(z, approximate=False))),
    ("bilinear(A, C, B, X)", lambda p: gated(p, lambda z: z)),
    ("residual(A, D, X)", lambda p: p["X"] + jax.nn.relu(p["X"] @ p["A"].T) @ p["D"].T),
    ("residual_mlp(A, a, D, e, X)",
     lambda p: p["X"] + jax.nn.relu(p["X"] @ p["A"].T + p["a"]) @ p["D"].T + p["e"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reference"), CASES, ids=[body for body, _ in CASES])
def test_values(body: str, reference: Callable[[P], jax.Array]):
    at, out = values(network(body))
    np.testing.assert_allclose(out, reference(at), rtol=1e-12, atol=1e-13)


def test_every_definition_is_tested():
    defined = {line[4 : line.index("(")] for f in FILES for line in f.read_text().splitlines()
               if line.startswith("def ")}  # fmt: skip
    public = {name for name in defined if not name.startswith("_")}
    assert public == {body.replace("Q @ ", "").split("(")[0] for body, _ in CASES}


def test_rotations_are_exact():
    found = network("rotary_attention(Q, K, V, O, X)")
    assert {"3/5", "4/5"} <= rationals(found.maps).keys()
    assert all(math.isfinite(float(v)) for v in rationals(found.maps).values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_hold_definitions_only(path: Path):
    file, diagnostics = parse(read(path, path.name))
    assert diagnostics == ()
    assert all(text(statement).startswith("def ") for statement in file.statements)


# ---------------------------------------------------------------- use


def test_they_are_used_from_files_and_texts(tmp_path: Path):
    body = 'use "std/layers.geo"\nparam W[2, 3]\ninput x[3]\nnetwork f = linear(W, x)\n'
    (tmp_path / "main.geo").write_text(body)
    for models, diagnostics in (load(tmp_path / "main.geo"), load_text(body)):
        assert diagnostics == ()
        assert models[0].maps[0].shape == (2,)


def test_a_file_of_ones_own_may_use_them(tmp_path: Path):
    (tmp_path / "mine.geo").write_text(
        'use "std/layers.geo"\ndef twice(W, x) = linear(W, linear(W, x))\n'
    )
    body = 'use "mine.geo"\nuse "std/layers.geo"\nparam W[3, 3]\ninput x[3]\n'
    (found,), diagnostics = load_text(body + "network f = twice(W, x)", folder=tmp_path)
    assert diagnostics == () and found.maps[0].shape == (3,)


def test_a_folder_of_ones_own_may_have_their_name(tmp_path: Path):
    (tmp_path / "std").mkdir()
    (tmp_path / "std" / "layers.geo").write_text("def triple(x) = 3*x\n")
    body = "param W[3]\nmap f = triple(W)"
    assert load_text('use "./std/layers.geo"\n' + body, folder=tmp_path)[1] == ()
    (theirs,) = load_text('use "std/layers.geo"\n' + body, folder=tmp_path)[1]
    assert theirs.code == "GEO0207"


def test_what_geoflow_does_not_have():
    (d,) = load_text('use "std/atention.geo"\nparam U\nmap f = U')[1]
    assert (d.code, d.hints) == ("GEO0110", ('did you mean `use "std/attention.geo"`?',))
    (d,) = load_text('use "std/optimizers.geo"\nparam U\nmap f = U')[1]
    assert d.hints == ("there are `std/attention.geo`, `std/layers.geo`",)
    for name in ("std/", "std/../layers.geo", "std//etc/passwd", "std/sub/layers.geo", "std/."):
        assert [d.code for d in load_text(f'use "{name}"\nparam U\nmap f = U')[1]] == ["GEO0110"]


def test_a_mistake_is_shown_in_the_file_and_at_the_call():
    body = 'use "std/layers.geo"\nparam W[2, 3]\ninput x[4]\nnetwork f = linear(W, x)\n'
    (d,) = load_text(body)[1]
    assert d.span is not None
    assert (d.code, d.span.source.name, d.span.text) == ("GEO0301", "std/layers.geo", "x @ W.T")
    call = d.related[-1]
    assert (call.span.source.name, call.span.text, call.label) == (
        "<text>",
        "linear(W, x)",
        "called here",
    )


def test_a_name_of_theirs_is_taken():
    (d,) = load_text('use "std/layers.geo"\nparam U\ndef mlp(x) = x\nmap f = mlp(U)')[1]
    assert d.code == "GEO0202"
    assert d.related[0].span.source.name == "std/layers.geo"
