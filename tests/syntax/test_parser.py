"""What parses, and what is reported where it does not: codes and places, all at once."""

from __future__ import annotations

import pytest
from lark import Lark

from geoflow.diagnostics import DiagnosticError, Source
from geoflow.syntax import tree
from geoflow.syntax.grammar import grammar_text
from geoflow.syntax.parser import parse, parse_expression

LINEAR = """\
# a two-layer linear network keeps U.T @ U - V.T @ V
model linear2

dim n = 4, r = 3, m = 5
param U[n, r], V[m, r]

map phi = U @ V.T                    # all that data and loss can see of the parameters

metric euclidean
flow order 1

law balance = U.T @ U - V.T @ V      # a claim: every entry is conserved
expect laws = r*(r + 1)/2            # a claim: exactly so many independent laws
expect complete                      # a claim: the laws above are all of them
"""

STATEMENTS = [
    "model linear2",
    'use "std/attention.geo"',
    "dim n = 3, d[0..2] = [2, 5, 1], e[l in 1..3] = 2*l",
    "const tau = 1/2, eta symbolic, c = 0.25",
    "param U[n, r] > 0, V[m, r] >= 0, x, W[l in 1..L][d[l], d[l-1]], s[1..3]",
    "input x[d[0]]",
    "input x[d[0]], tokens[T, 2] below V + 1, y",
    "let A = U @ V.T",
    "def layer(W, b, x) = W @ x + b",
    "map phi = [A @ B.T, C @ D.T]",
    "network g = W[3] @ relu(W[2] @ relu(W[1] @ x + b[1]) + b[2])",
    "metric scaled(1/10) on U, W[1]",
    "metric mirror(u -> u**4)",
    "metric fisher(full, damping = 1/10, output = gaussian) on U",
    "flow order 1",
    "flow order 2 damping 3/t",
    "flow order 2 damping tau accelerated",
    "flow adam(b1 = 0.9, b2 = 0.999)",
    "flow sign(s)",
    "decay 1/100 on U decoupled",
    "decay c coupled",
    "loss data(3)",
    "at balanced",
    "at {U = [[1, 0], [0, 1]], x = 2}",
    "control a[2]",
    "field z' = [a[0]*z[1], a[1]]",
    "gates real",
    "law angular = t**3 * (U.T @ U' - U'.T @ U)",
    "expect laws = r*(r - 1)/2 when r <= n + m and not n == 1",
    "expect laws of W, b = 3",
    "expect no laws",
    "expect complete",
    "expect commuting when 1 <= r < 3 or (n > 2 and m != 1)",
    "expect depth = 2",
    "search polynomial(2), log(coordinates), potentials",
    "verify { loss squared, logistic; data gaussian(32); time 5; trials 3; tolerance 1e-6 }",
    "verify {\n  loss squared\n  time 5\n}",
    "sweep n in 1..6, r in 1..4 when r <= n",
]


def mistakes(text: str) -> list[tuple[str, int, int]]:
    """Code, line and column of what is wrong."""
    _, diagnostics = parse(Source("text", text))
    return [(d.code, d.span.line, d.span.column) if d.span else (d.code, 0, 0) for d in diagnostics]


def test_the_grammar_has_no_collisions():
    Lark(grammar_text(), parser="lalr", start=["statement", "expression"], strict=True)


@pytest.mark.parametrize("text", STATEMENTS)
def test_every_statement_of_the_language_parses(text: str):
    file, diagnostics = parse(Source("text", text))
    assert diagnostics == ()
    assert len(file.statements) == 1
    assert file.statements[0].span.text == text


def test_a_file():
    file, diagnostics = parse(Source("linear.geo", LINEAR))
    assert diagnostics == ()
    kinds = [type(statement).__name__ for statement in file.statements]
    assert kinds == [
        "ModelLine", "Dim", "Param", "Map", "Metric", "Flow", "Law", "ExpectLaws", "ExpectProperty"
    ]  # fmt: skip
    law = file.statements[6]
    assert isinstance(law, tree.Law)
    assert (law.span.line, law.span.column) == (12, 1)
    assert law.value.span.text == "U.T @ U - V.T @ V"


def test_spans_hold_brackets():
    file, _ = parse(Source("text", "map f = (a + b) @ c"))
    (statement,) = file.statements
    assert isinstance(statement, tree.Map)
    assert statement.value.span.text == "(a + b) @ c"


def test_a_statement_goes_on_while_a_bracket_is_open():
    file, diagnostics = parse(Source("text", "map f = (a   # first\n  + b)\nlaw h = a"))
    assert diagnostics == ()
    assert len(file.statements) == 2


def test_words_are_names_where_the_grammar_wants_a_name():
    file, diagnostics = parse(Source("text", "flow order 2 damping damping\nlet order = laws + no"))
    assert diagnostics == ()
    flow = file.statements[0]
    assert isinstance(flow, tree.Flow)
    assert isinstance(flow.damping, tree.Name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("map phi = U ^ 2", [("GEO0101", 1, 13)]),
        ("map phi = U +", [("GEO0101", 1, 14)]),
        ("map phi = U V", [("GEO0101", 1, 13)]),
        ("map phi =", [("GEO0101", 1, 10)]),
        ("map = 3", [("GEO0101", 1, 5)]),
        ("laws x = 3", [("GEO0101", 1, 1)]),
        ("x = 4", [("GEO0101", 1, 1)]),
        ('__import__("os")', [("GEO0101", 1, 1)]),
        ('let a = "abc', [("GEO0101", 1, 9)]),
        ("let a = U.shape", [("GEO0101", 1, 10)]),
        ("let a = \u00a03", [("GEO0101", 1, 9)]),
        ("use layers", [("GEO0101", 1, 5)]),
        ("param U[3] < 0", [("GEO0101", 1, 12)]),
        ("param U[3] > 1", [("GEO0101", 1, 12)]),
        ("verify { time 5 trials 3 }", [("GEO0101", 1, 17)]),
        ("expect laws = 3 when n = 2", [("GEO0101", 1, 24)]),
        ("map f = [U, V", [("GEO0102", 1, 9)]),
        ("map f = U]", [("GEO0102", 1, 10)]),
        ("map f = (U]", [("GEO0102", 1, 11)]),
        ("let a = .5*U", [("GEO0107", 1, 9)]),
        ("let a = 2.*U", [("GEO0107", 1, 9)]),
        ("let a = 3x", [("GEO0107", 1, 9)]),
        ("let a = 1.5.2", [("GEO0107", 1, 9)]),
        ("let a = 0x10", [("GEO0107", 1, 9)]),
        ("param t[3]", [("GEO0205", 1, 7)]),
        ("let on = 3", [("GEO0205", 1, 5)]),
    ],
)
def test_mistakes(text: str, expected: list[tuple[str, int, int]]):
    assert mistakes(text) == expected


def test_all_mistakes_of_a_text_are_reported():
    text = "param U[3\nmap phi = U ^ 2\nlaw ok = U\nlaw = 3\nflow order two\n"
    assert mistakes(text) == [
        ("GEO0102", 1, 8), ("GEO0101", 2, 13), ("GEO0101", 4, 5), ("GEO0101", 5, 12)
    ]  # fmt: skip
    file, _ = parse(Source("text", text))
    assert [type(s).__name__ for s in file.statements] == [
        "Broken", "Broken", "Law", "Broken", "Broken"
    ]  # fmt: skip


def test_after_an_open_bracket_the_text_is_taken_up_at_the_next_statement():
    text = "verify {\n  loss squared\n  time 5\nlaw a = U +\n"
    text += "let b = [law,\n model for\nlet c = (3]\nlet d = (4"
    assert mistakes(text) == [
        ("GEO0102", 1, 8), ("GEO0101", 4, 12), ("GEO0102", 5, 9), ("GEO0102", 7, 11),
        ("GEO0102", 8, 9),
    ]  # fmt: skip


def test_a_reserved_word_is_reported_where_it_is_first_taken_for_a_name():
    assert mistakes("param on[3]\nmap f = on*on\nlet in = 3") == [
        ("GEO0205", 1, 7), ("GEO0205", 3, 5)
    ]  # fmt: skip


def test_hints_are_to_be_typed():
    def hints(text: str) -> tuple[str, ...]:
        return parse(Source("text", text))[1][0].hints

    assert hints("laws x = 3") == ("did you mean `law`?",)
    assert hints("x = 4") == ("write `let x = …` to give an expression a name",)
    assert hints("let a = .5*U") == ("write `0.5`",)
    assert hints("let a = 3x") == ("write `3*x` for a product",)
    assert "write `**`" in hints("let a = x ^ 2")[0] or "`**`" in hints("let a = x ^ 2")[0]


def test_expected_text_is_named_in_the_users_words():
    _, (diagnostic,) = parse(Source("text", "metric mirror(entropy"))
    assert diagnostic.code == "GEO0102"
    _, (diagnostic,) = parse(Source("text", "flow order"))
    assert diagnostic.message == "The statement is not complete; expected a number."
    _, (diagnostic,) = parse(Source("text", "map phi = U +"))
    assert diagnostic.message == "The statement is not complete; expected an expression."


@pytest.mark.parametrize(
    "text",
    [
        "let a = " + "(" * 5000 + "U" + ")" * 5000,
        "let a = " + "[" * 5000 + "U" + "]" * 5000,
        "let a = " + "(" * 5000,
        "let a = " + "f(" * 200 + "U" + ")" * 200,
        "let a = " + "-" * 10_000 + "U",
        "let a = U" + "**2" * 3000,
        "let a = " + " + ".join(["U"] * 10_000),
        "let a = " + "@".join(["U"] * 10_000),
        "let a = U" + ".T" * 3000,
        "let a = " + "[\n" * 5000,
    ],
    ids=lambda text: text[:20],
)
def test_nesting_has_a_limit(text: str):
    assert [code for code, _, _ in mistakes(text + "\nlet b = 3")] == ["GEO0106"]


def test_a_statement_has_a_longest_length():
    assert mistakes("let a = 1\nlet b = [" + "1, " * 50_000 + "]\nlet c = (") == [
        ("GEO0108", 2, 1), ("GEO0102", 3, 9)
    ]  # fmt: skip


def test_depth_below_the_limit_parses():
    assert mistakes("let a = " + "(" * 100 + "U" + ")" * 100) == []
    assert mistakes("let a = " + "-" * 90 + "U") == []
    assert mistakes("let a = " + " + ".join(["U"] * 900)) == []


def test_an_expression_alone():
    assert parse_expression(Source("value", "3/2")) == parse_expression(Source("", " 3 / 2 "))
    for text in ("", "3 4", "n = 3", "(", "1\n2"):
        with pytest.raises(DiagnosticError):
            parse_expression(Source("value", text))
