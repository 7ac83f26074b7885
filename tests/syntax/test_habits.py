"""What people write by habit from elsewhere: each is told what to write here, once."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from geoflow.diagnostics import Diagnostic, Source
from geoflow.syntax.foreign import STANDARD
from geoflow.syntax.parser import parse

BRACKETS = "to go on on the next line, put the expression in brackets"
COMMENT = "a comment begins with `#`, a quotient is written `/`"
OPERATOR = "an operator such as `@` or `*` is missing"


def found(text: str) -> tuple[Diagnostic, ...]:
    return parse(Source("text", text))[1]


def repaired(text: str) -> str:
    """The text with the one fix that is offered."""
    (diagnostic,) = found(text)
    assert diagnostic.fix is not None
    span = diagnostic.fix.span
    return text[: span.start] + diagnostic.fix.replacement + text[span.end :]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("law U.T @ U - V.T @ V", "write `law h = U.T @ U - V.T @ V`"),
        ("law U.T @ U = V.T @ V", "write `law h = U.T @ U - V.T @ V`"),
        ("law U.T @ U = V + 1", "write `law h = U.T @ U - (V + 1)`"),
        ("law sum(U) = 0", "write `law h = sum(U)`"),
        ("law = U", "write `law h = U`"),
        ("map U @ V.T", "write `map phi = U @ V.T`"),
        ("map phi = U @ V.T;", "no semicolon is needed at the end of a line"),
        ("param U[2]; map f = U", "write each statement on a line of its own"),
        ("law h = np.sum(U)", "write `sum(U)`"),
        ("law h = jnp.sum(U, axis=0)", "write `sum(U, axis=0)`"),
        ("law h = np.linalg.det(U.T @ U)", "write `det(U.T @ U)`"),
        ("law h = np.transpose(U)", "write `U.T`"),
        ("law h = np.matmul(U, V)", "write `U @ V`"),
        ("law h = U.sum()", "write `sum(U)`"),
        ("law h = U.sum(axis=0)", "write `sum(U, axis=0)`"),
        ("law h = 2*W[1].sum()", "write `sum(W[1])`"),
        ("law h = (U + V).sum()", "write `sum(U + V)`"),
        ("law h = U.transpose() @ U", "write `U.T`"),
        ("law h = V.t @ V", "write `V.T`"),
        ("law h = U.dot(V)", "write `U @ V`"),
        ("law h = U.shape", "functions are called as in `sum(x, axis=0)`"),
        ("expect laws == 6", "write one `=`"),
        ("law h == U", "write one `=`"),
        ("law h: U - V", "write `law h = U - V`"),
        ("law h := U - V", "write `law h = U - V`"),
        ("law h = U - V = 0", "drop `= 0`: a law is conserved, whatever its value"),
        ("law h = U - V == 0", "drop `== 0`: a law is conserved, whatever its value"),
        ("law h = U = V", "a law is one expression: write `law h = U - V`"),
        ("param U(4,3), V[4, 3]", "a shape is in square brackets: `param U[4, 3]`"),
        ("param U[4], V(n, 3)", "a shape is in square brackets: `param V[n, 3]`"),
        ("law h = [U[l] for l in range(3)]", "a range is written `0..2`, both ends included"),
        ("param W[l in range(1, n)][2]", "a range is written `1..n-1`, both ends included"),
        ("sweep n in range(3)", "a range is written `0..2`, both ends included"),
        ("map phi = U V.T", OPERATOR),
        ("law h = 2 U", OPERATOR),
        ("law h = (U) (V)", OPERATOR),
        ("// a comment", COMMENT),
        ("param U[3] // a comment", COMMENT),
        ("map phi = U // a comment", COMMENT),
        ("map phi = U\n  @ V.T", BRACKETS),
        ("map phi = U\n  ** 2", BRACKETS),
        ("map phi = U \\\n  @ V.T", BRACKETS),
        ("map phi = U @\n  V.T", BRACKETS),
        ("map phi = (U @ V)ᵀ", "write `.T`"),
        ("map phi = (U)²", "write `**2`"),
        ("Map phi = U", "did you mean `map`?"),
        ("LAW h = U", "did you mean `law`?"),
        ("At zero", "did you mean `at`?"),
        ("flow momentum 0.9", "momentum is written `flow order 2 damping …`"),
        ("flow order 2 momentum 0.9", "momentum is written `flow order 2 damping …`"),
        ("input k[3] < V", "write `input k[3] below V`"),
        ("input k[3, 2] in 0..V-1", "write `input k[3, 2] below V`"),
        ("flow order = 2", "write `flow order 1` or `flow order 2 damping …`"),
    ],
)
def test_the_hint_says_what_to_write(text: str, hint: str):
    (diagnostic,) = found(text)
    assert diagnostic.code == "GEO0101"
    assert diagnostic.hints == (hint,)


@pytest.mark.parametrize(
    ("text", "code"),
    [("flow order 2.", "GEO0107"), ("flow on", "GEO0205"), ("law h = 2U", "GEO0107")],
)
def test_what_has_a_code_of_its_own_keeps_it(text: str, code: str):
    assert [d.code for d in found(text)] == [code]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nn.relu(W @ x)", "write `relu(W @ x)`"),
        ("nn.ReLU()(W @ x)", "write `relu(W @ x)`"),
        ("jax.nn.swish(x)", "write `silu(x)`"),
        ("jnp.tanh(x)", "write `tanh(x)`"),
        ("F.softmax(x, dim=-1)", "write `softmax(x, axis=-1)`"),
        ("F.max_pool1d(x, 2)", "write `max_pool(x, 2)`"),
        ("torch.cat([a, b])", "write `concat([a, b])`"),
        ("F.t()", "write `F.T`"),
        ("F.sum()", "write `sum(F)`"),
    ],
)
def test_functions_of_other_libraries(text: str, hint: str):
    (diagnostic,) = found(f"network g = {text}")
    assert diagnostic.hints == (hint,)


def test_a_law_needs_a_name():
    (diagnostic,) = found("law U.T @ U - V.T @ V")
    assert diagnostic.message == "A law needs a name."
    assert diagnostic.span is not None
    assert diagnostic.span.text == "U.T @ U - V.T @ V"


@pytest.mark.parametrize("text", ["law h", "law h U", "law h(U) = U", "law h[1] = U"])
def test_a_law_with_a_name_is_not_said_to_lack_one(text: str):
    (diagnostic,) = found(text)
    assert "`=`" in diagnostic.message


@pytest.mark.parametrize(
    "text",
    [
        "map phi = U @ V.T;",
        "expect laws == 6",
        "law h: U - V",
        "law h := U - V",
        "law h = U - V = 0",
        "law h = [U[l] for l in range(3)]",
        "param W[l in range(1, n)][2]",
        "map phi = (U @ V)ᵀ",
        "Map phi = U",
    ],
)
def test_a_fix_repairs_the_statement(text: str):
    assert found(repaired(text)) == ()


def test_the_line_after_a_broken_one_is_told_of_where_it_has_a_mistake_of_its_own():
    text = "map phi = U @\nlaw h = U ^ 2\nparam U[2] \\\n\n= 3"
    assert [(d.span and d.span.line, d.code) for d in found(text)] == [
        (1, "GEO0101"), (2, "GEO0101"), (3, "GEO0101"), (5, "GEO0101")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "param " + "U" * 50_000 + " (",
        "map f = U" + "²" * 50_000 + "x ~",
        "law h = " + "a[" * 90 + "U.sum",
        "law h = " + "(U) " * 20_000 + ".sum()",
        "law h = [U for l in range(" + "9" * 50_000 + ")]",
        "law " + "U = " * 20_000,
    ],
    ids=range(6),
)
def test_long_texts_are_answered(text: str):
    assert found(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("import torch", "no Python"),
        ("network g = nn.Linear(2, 3)(x)", "`W @ x + b`"),
        ("network g = F.dropout(x)", "without dropout"),
        ("network g = where(x > 0, x, 0)", "`maximum(a, b)`"),
        ("def f(x): x", "`def f(x) = 2*x`"),
        ("weight_decay 0.1", "`decay 1/10`"),
        ("if x > 0: y", "no branches"),
    ],
)
def test_what_has_no_counterpart_is_told_so(text: str, part: str):
    (diagnostic,) = found(text)
    assert len(diagnostic.hints) == 1
    assert part in diagnostic.hints[0]


@pytest.mark.parametrize("file", STANDARD)
def test_functions_that_come_with_geoflow_are_all_known(file: str):
    text = files("geoflow").joinpath(file).read_text(encoding="utf-8")
    assert set(STANDARD[file]) == set(re.findall(r"^def ([a-z]\w*)", text, re.MULTILINE))
