"""Networks: inputs, tokens, gates, the shapes of layers, laws of some parameters, and what is refused."""

from __future__ import annotations

import pytest

from geoflow.expr.tree import Apply, Number, Parameter, walk
from geoflow.semantics import load_text

from .samples import NETWORK, codes, expression, model

MLP = """\
dim L = 3, d[0..L] = [2, 4, 4, 1]
param W[l in 1..L][d[l], d[l-1]], b[l in 1..L][d[l]]
input x[d[0]]
network g = W[3] @ chain(h = x; l in 1..2: relu(W[l] @ h + b[l])) + b[3]
law balance = sum(W[1]**2, axis=1) + b[1]**2 - sum(W[2]**2, axis=0)
expect laws = d[1] + d[2]
expect laws of W[1], b = 0
gates real
"""
ONE = "param U[3]\ninput x[3]\n"


def test_a_network():
    found = model(MLP)
    assert (found.network, found.gates, found.map_text[:13]) == (True, "real", "W[3] @ chain(")
    assert [(i.name, i.shape, i.classes) for i in found.inputs] == [("x", (2,), None)]
    (output,) = found.maps
    assert output.shape == (1,)
    leaves = {node.name for node in walk(output) if isinstance(node, Parameter)}
    assert leaves == {p.name for p in found.parameters} | {"x"}
    assert [p.name for p in found.parameters][:2] == ["W[1]", "W[2]"]
    assert model(MLP, d="[3, 4, 4, 2]").inputs[0].shape == (3,)


def test_all_of_it_together():
    found = model(NETWORK)
    assert [each.shape for each in found.maps] == [(3,), (2, 3), (2, 2), (3,)]
    assert found.expectations[0].of == ("W[1]", "W[2]", "g")


def test_a_model_without_a_network_has_no_data():
    found = model("param U\nmap f = U")
    assert (found.network, found.inputs, found.gates) == (False, (), "lifted")


def test_the_laws_of_some_parameters():
    of, all_of = model(MLP).expectations[::-1]
    assert (of.kind, of.of, of.value) == ("block", ("W[1]", "b[1]", "b[2]", "b[3]"), 0)
    assert of.text == "expect laws of W[1], b = 0"
    assert (all_of.kind, all_of.of) == ("laws", ())
    start = ONE + "network g = U*x\n"
    assert model(start + "expect laws of U = 3 when 1 < 0").expectations == ()
    for targets, code in (("V", "0201"), ("x", "0206"), ("U, U", "0407"), ("U[1]", "0204")):
        for when in ("", " when 1 < 0"):
            assert codes(f"{start}expect laws of {targets} = 3{when}") == [f"GEO{code}"]
    assert codes(start + "expect laws of U = 1/2") == ["GEO0206"]


def test_several_outputs_and_several_inputs():
    text = "param U[3], V[2]\ninput x[3], y[2, 3]\nnetwork f = [U*x, y @ U]\nnetwork g = V*(y @ U)"
    found = model(text)
    assert [each.shape for each in found.maps] == [(3,), (2,), (2,)]
    assert found.map_text == "[U*x, y @ U, V*(y @ U)]"
    assert [i.name for i in found.inputs] == ["x", "y"]


def test_tokens_are_one_hot():
    start = "dim T = 4, V = 6\nparam E[V, 3]\n"
    found = model(start + "input tokens[T] below V\nnetwork g = embedding(E, tokens)")
    (output,) = found.maps
    assert isinstance(output, Apply)
    assert (output.operation, output.shape) == ("matmul", (4, 3))
    assert [(i.shape, i.classes) for i in found.inputs] == [((4, 6), 6)]
    assert model(start + "input k below V\nnetwork g = embedding(E, k)").maps[0].shape == (3,)
    batch = start + "input k[2, T] below V\nnetwork g = embedding(E, k)"
    assert model(batch, V="9").maps[0].shape == (2, 4, 3)
    later = start + "input k[T] below V\nnetwork g = embedding(E, k[1:])"
    assert model(later).maps[0].shape == (3, 3)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("input k[4] below 0\nnetwork g = U*sum(k)", "0303"),
        ("input k[4] below 1/2\nnetwork g = U*sum(k)", "0303"),
        ("input k[4] below c\nnetwork g = U*sum(k)", "0201"),
        ("input k[4] below U\nnetwork g = U*sum(k)", "0305"),
        ("input k[4] below 10**8\nnetwork g = U*sum(k)", "0304"),
        ("input k[4] below 5\nnetwork g = embedding([U, U], k)", "0301"),
        ("input k[4]\nnetwork g = embedding([U, U, U, U], k)", "0208"),
        ("input k[4] below 5\nnetwork g = U[k]", "0206"),
    ],
)
def test_mistakes_with_tokens(text: str, code: str):
    assert codes("param U[3]\n" + text) == [f"GEO{code}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("input x[3]\nnetwork g = U", "0410"),
        ("network g = U", "0410"),
        ("network g = relu(U)", "0410"),
        ("input x[3]\nmap f = U*x", "0410"),
        ("input x[3]\nmap f = U", "0410"),
        ("input x[3]\nlet y = 2*x\nnetwork g = U*x\nlaw h = sum(U*y)", "0410"),
        ("input x[3]\nnetwork g = U*x\nmetric scaled(x)", "0410"),
        ("input x[3]\nnetwork g = U*x\nmetric riemannian(diag(x)) on U", "0410"),
        ("input x[3]\nnetwork g = U*x\nflow order 2 damping sum(x)", "0410"),
        ("input x[3]\nnetwork g = U*x\nat {U = x}", "0410"),
        ("input x[3]\nnetwork g = U*x\nmetric scaled(2) on x", "0206"),
        ("input x[3]\nnetwork g = U*x\nparam A[x]", "0305"),
        ("input x\nnetwork g = U*x\nparam A[x]", "0206"),
        ("input x\nnetwork g = U*x\nexpect laws = x", "0206"),
        ("input x[3]\nnetwork g = U*x\nflow order 2\nlaw h = x'", "0206"),
        ("input x[3]\nnetwork g = U*x'\nflow order 2", "0206"),
        ("input x[3]\nnetwork g = U'*x\nflow order 2", "0206"),
        ("input x[3]\nnetwork g = U*x*t", "0206"),
        ("input x[3]\nnetwork g = 2*x", "0408"),
        ("input x[3]\nnetwork g = U*x\nmap f = U", "0407"),
        ("input x[3]\ninput x[3]\nnetwork g = U*x", "0202"),
        ("input x[3], x[2]\nnetwork g = U*x", "0202"),
        ("input U[3]\nnetwork g = U", "0202"),
        ("input x[3]\nnetwork g = U*x\nnetwork g = 2*U*x", "0202"),
        ("input x[0]\nnetwork g = U*x", "0303"),
        ("input x[n]\nnetwork g = U*x", "0201"),
        ("input x[3\nnetwork g = U*x", "0102"),
        ("input x[3]\nnetwork g = U*x\ngates true", "0409"),
        ("input x[3]\nnetwork g = U*x\ngates real\ngates lifted", "0407"),
        ("map f = U\ngates real", "0407"),
        ("input x[3]\ncontrol a\nfield U' = a*x", "0407"),
        ("control a\nfield U' = a*U\ngates lifted", "0407"),
        ("map f = relu(U)", "0501"),
        ("map f = maximum(U, 2*U)", "0501"),
        ("map f = softmax(U)", "0501"),
        ("input x[3]\nnetwork g = U*x\nlaw h = relu(U)", "0501"),
        ("input x[3]\nnetwork g = U*x\nlaw h = tanh(U)", "0501"),
        ("map f = sin(U)", "0501"),
    ],
)
def test_what_is_refused(text: str, expected: str):
    assert codes("param U[3]\n" + text) == [f"GEO{expected}"]


def test_the_cure_is_named():
    def hints(text: str) -> tuple[str, ...]:
        (diagnostic,) = load_text("param U[3]\n" + text)[1]
        return diagnostic.hints

    assert hints("network g = U") == ("write `map g = …`, or declare the data with `input x[n]`",)
    assert hints("input y[3]\nnetwork g = U") == ("write `map g = …`, or use `y`",)
    assert hints("input x[3]\nmap f = U*x") == ("write `network` in place of `map`",)
    assert hints("input k below 3\nnetwork g = U[k]")[0].endswith("`embedding(E, k)`")
    (index,) = hints("input x[2]\nnetwork g = U[x]")
    assert index == "declare tokens, `input x[T] below V`, and write `embedding(E, x)`"
    assert hints("map f = U*linear(U, U)") == ('`linear` comes with `use "std/layers.geo"`',)
    assert hints("map f = sort(U)")[0].startswith("an order of values")
    assert hints("map f = U*sum(U, dim=0)") == ("write `axis`",)
    assert hints("map f = U*ReLU(U)") == ("did you mean `relu`?",)
    assert hints("map f = U*LayerNorm(U)") == ("did you mean `layer_norm`?",)


def test_what_a_map_may_have():
    """Convolutions and means are linear, and norms have roots."""
    text = "param K[2, 1, 2], U[1, 5], g[5]\nmap f = [conv1d(U, K), avg_pool(U, 2), rms_norm(U, g)]"
    assert [each.shape for each in model(text).maps] == [(2, 4), (1, 2), (1, 5)]


# ---------------------------------------------------------------- shapes

DECLARED = (
    "param A[3, 4], v[4], c[3], s, K[6, 3, 2], G[6, 1, 2], Q[2, 3, 2, 2], Z[3, 5, 6]\ninput x\n"
)


def diagnosed(text: str):
    return load_text(f"{DECLARED}network f = s*x*{text}")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("relu(A @ v)", (3,)),
        ("leaky_relu(A, c[0])", (3, 4)),
        ("maximum(A, v)", (3, 4)),
        ("softmax(Z, axis=1)", (3, 5, 6)),
        ("tril(3)", (3, 3)),
        ("conv1d(A, K)", (6, 3)),
        ("conv1d(A, K, stride=2, padding=1)", (6, 3)),
        ("conv1d([A, A], K)", (2, 6, 3)),
        ("conv1d(A, G, groups=3)", (6, 3)),
        ("conv2d(Z, Q)", (2, 4, 5)),
        ("conv2d(Z, Q, stride=2, padding=(1, 0))", (2, 3, 3)),
        ("max_pool(A, 2)", (3, 2)),
        ("max_pool(A, 3, stride=1)", (3, 2)),
        ("avg_pool(Z, (2, 3))", (3, 2, 2)),
        ("layer_norm(A, v, v)", (3, 4)),
        ("rms_norm(v, v)", (4,)),
        ("batch_norm(A, v)", (3, 4)),
        ("batch_norm([A, A], c, c)", (2, 3, 4)),
        ("ones(size(A, 0))", (3,)),
        ("ones(size(A))", (12,)),
    ],
)  # fmt: skip
def test_shapes_of_layers(text: str, shape: tuple[int, ...]):
    models, diagnostics = diagnosed(text)
    assert diagnostics == ()
    assert models[0].maps[0].shape == shape


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("maximum(A, c)", "0301", ("a 3×4 matrix", "a vector of length 3", "sizes 3 and 4")),
        ("leaky_relu(A, c)", "0301", ("a 3×4 matrix", "a vector of length 3")),
        ("softmax(s)", "0302", ("a scalar",)),
        ("softmax(A, axis=2)", "0302", ("a 3×4 matrix", "axis 2")),
        ("softmax(A, dim=0)", "0208", ("no argument `dim`",)),
        ("conv1d(v, K)", "0305", ("a vector of length 4", "a 6×3×2 array", "channels and length")),
        ("conv1d(A, A)", "0305", ("a 3×4 matrix and a 3×4 matrix", "3 axes")),
        ("conv1d(A, G)", "0301", ("a 3×4 matrix", "a 6×1×2 array", "1 channels where 3")),
        ("conv1d(A, K, groups=2)", "0301", ("2 groups",)),
        ("conv1d(A, ones((2, 3, 5)))", "0301", ("a window of 5 does not fit into 4",)),
        ("conv1d(A, K, stride=0)", "0303", ()),
        ("conv1d(A, K, padding=-1)", "0208", ()),
        ("conv1d(A, K, stride=(1, 1))", "0208", ("2 strides are given for one axis",)),
        ("conv2d(A, Q)", "0305", ("a 3×4 matrix", "a 2×3×2×2 array", "height and width")),
        ("max_pool(A, 5)", "0301", ("a window of 5",)),
        ("max_pool(A, (1, 2, 2))", "0208", ("one size or two",)),
        ("avg_pool(v, (2, 2))", "0305", ("a vector of length 4",)),
        ("max_pool(A)", "0208", ("without `k`",)),
        ("layer_norm(A, c)", "0301", ("a 3×4 matrix and a vector of length 3", "length 4 here")),
        ("layer_norm(s)", "0305", ("a scalar",)),
        ("rms_norm(A, v, A)", "0208", ("a constant number",)),
        ("rms_norm(A, v, -1)", "0208", ("a constant number",)),
        ("batch_norm(A, c)", "0301", ("a 3×4 matrix and a vector of length 3",)),
        ("tril(A)", "0305", ()),
        ("size(A, 2)", "0302", ("axis 2",)),
        ("gelu(A, approximate=true)", "0208", ("`approximate`",)),
    ],
)
def test_a_misfit_shows_the_shapes(text: str, code: str, told: tuple[str, ...]):
    _, (diagnostic,) = diagnosed(text)
    assert diagnostic.code == f"GEO{code}"
    for words in told:
        assert words in diagnostic.message


def test_constants_are_known():
    for text, wanted in (("maximum(2, 3)", 3), ("minimum(1/2, 3)*2", 1), ("abs(2 - 5)", 3),
                         ("size([1, 2, 3])", 3), ("sum(tril(3))", 6)):  # fmt: skip
        found = model(f"dim n = {text}\nparam U[n]\nmap f = U")
        assert found.parameters[0].shape == (wanted,)
    assert isinstance(expression("size(U, 1)"), Number)
