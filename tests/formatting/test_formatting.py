"""The canonical layout: meaning unchanged, comments kept, a fixed point, and what it looks like."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.diagnostics import DiagnosticError, Source
from geoflow.formatting import format_text
from geoflow.formatting.tokens import tokens
from geoflow.semantics import load_text
from geoflow.syntax import printer
from geoflow.syntax.parser import parse

from ..syntax import trees

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted([*ROOT.glob("examples/**/*.geo"), *ROOT.glob("geoflow/std/*.geo")])


def formatted(text: str, width: int = 100) -> str:
    return format_text(Source("model.geo", text), width)


def comments(text: str) -> list[str]:
    return re.findall(r"# ?(c\d+)", text)


def verify(text: str, width: int) -> str:
    """The canonical text, which says the same, is canonical itself, and has the comments."""
    before, problems = parse(Source("model.geo", text))
    assert not problems, text
    result = formatted(text, width)
    after, problems = parse(Source("model.geo", result))
    assert not problems, result
    assert after == before, result
    assert formatted(result, width) == result, result
    assert not re.search(r"[ \t]$", result, re.M), result
    return result


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_canonical(path: Path):
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", range(3))
def test_examples_written_otherwise_come_back(path: Path, seed: int):
    chance = random.Random(seed)
    text = path.read_text(encoding="utf-8")
    file, _ = parse(Source(path.name, text))
    written = "".join(scattered(statement.span, chance) for statement in file.statements)
    plain = "".join(s.span.text + "\n" for s in file.statements)
    result = verify(written, 100)
    assert comments(result) == comments(written)
    stripped = "\n".join(re.sub(r" *# c\d+$", "", line) for line in result.splitlines())
    bare, problems = parse(Source(path.name, stripped))
    assert not problems and bare == parse(Source(path.name, plain))[0]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(trees.files, st.integers(0, 10**6), st.sampled_from([1, 20, 40, 100]))
def test_any_text_keeps_its_meaning_and_its_comments(file, seed, width):
    chance = random.Random(seed)
    printed = Source("printed", printer.text(file))
    parsed, _ = parse(printed)
    written = "".join(scattered(statement.span, chance) for statement in parsed.statements)
    again, problems = parse(Source("model.geo", written))
    if problems or again != parsed:  # a word at the start of a line that begins a statement
        written = printed.text
    result = verify(written, width)
    assert sorted(comments(result)) == sorted(comments(written)), (written, result)


def scattered(span, chance: random.Random) -> str:
    """A statement with other blanks, and with line ends and comments where brackets are open."""
    parts: list[str] = []
    depth, number = 0, chance.randrange(1000) * 1000
    for token in tokens(span):
        if parts and depth:
            number += 1
            parts.append(
                chance.choice([" ", "  ", "\n", f"# c{number}\n", f"\n\n# c{number}\n \t"])
            )
        elif parts:
            parts.append(chance.choice([" ", "\t "]))
        depth += (token.text in "([{") - (token.text in ")]}")
        parts.append(token.text)
    text = "".join(parts)
    before = chance.choice(["", "\n\n\n", f"#c{number}\n", "  "])
    return before + text + chance.choice(["\n", f"# c{number}9\n", "  \n"])


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("map phi=U@V.T", "map phi = U @ V.T\n"),
        ("law  a=(U.T@U-V.T@V)", "law a = U.T @ U - V.T @ V\n"),
        ("law a = (x+y)*z - -x**-2", "law a = (x + y)*z - -x**-2\n"),
        ("law a = A@B*c/2", "law a = A @ B * c / 2\n"),
        ("law a = (A*b)@c", "law a = (A*b) @ c\n"),
        ("law a = sum(U,axis = 0,)", "law a = sum(U, axis=0)\n"),
        ("law a = (x ,)", "law a = (x,)\n"),
        ("law a = x[1 : , 2*k+1]", "law a = x[1:, 2*k+1]\n"),
        ("param W[l in 1 .. L-1][d[ l ],d[l - 1]]>0", "param W[l in 1..L-1][d[l], d[l-1]] > 0\n"),
        ("law a=chain(h=x;l in 1..3:W[l]@h)", "law a = chain(h = x; l in 1..3: W[l] @ h)\n"),
        ("metric mirror( u->u**4 )on U,V", "metric mirror(u -> u**4) on U, V\n"),
        ("expect laws=r*( r+1 )/2 when r<=n and not(n==2)",
         "expect laws = r*(r + 1)/2 when r <= n and not (n == 2)\n"),
        ("verify{loss squared,logistic\ndata gaussian(4);}",
         "verify { loss squared, logistic; data gaussian(4) }\n"),
        ("at{U=[[1,0]],V=2}", "at {U = [[1, 0]], V = 2}\n"),
        ("decay(a+b)on U", "decay (a + b) on U\n"),
        ("field x'=-y", "field x' = -y\n"),
        ("#note\n\n\n\nparam x#here", "# note\n\nparam x  # here\n"),
        ("param x\n#about b\nmodel b\nparam y", "param x\n\n# about b\nmodel b\nparam y\n"),
        ("\n\n  param x  \r\n\n\n", "param x\n"),
    ],
)  # fmt: skip
def test_canonical_layout(written: str, canonical: str):
    assert formatted(written) == canonical


def test_comments_in_a_row_stand_below_each_other():
    text = "param x # a\nparam long_name # b\n\nparam z # c\n"
    assert formatted(text) == "param x          # a\nparam long_name  # b\n\nparam z  # c\n"


def test_a_wide_sum_is_put_in_brackets_and_taken_out_again():
    wide = "law a = first_long_name**2 - second_long_name**2 + third\n"
    broken = "law a = (\n    first_long_name**2\n    - second_long_name**2\n    + third\n)\n"
    assert formatted(wide, 40) == broken
    assert formatted(broken, 100) == wide


def test_a_product_is_broken_in_its_last_brackets():
    text = "law a = exp(t)*(first_long_name - second_long_name)\n"
    broken = "law a = exp(t)*(\n    first_long_name\n    - second_long_name\n)\n"
    assert formatted(text, 40) == broken
    assert formatted(broken, 40) == broken
    assert formatted(broken, 100) == text


def test_a_wide_list_is_broken_with_its_comments():
    text = "map phi = [U @ V, # first\n V @ U # second\n ]\n"
    expected = "map phi = [\n    U @ V,  # first\n    V @ U,  # second\n]\n"
    assert formatted(text) == expected


def test_a_wrong_text_is_refused_with_its_mistakes():
    with pytest.raises(DiagnosticError) as caught:
        formatted("param x\nmap phi = (x\n")
    assert [d.code for d in caught.value.diagnostics] == ["GEO0102"]


def test_a_text_that_is_only_wrong_in_meaning_is_formatted():
    text = "model a\nmap phi=y\n"
    assert load_text(text)[1]
    assert formatted(text) == "model a\nmap phi = y\n"


def test_a_long_statement_takes_no_recursion():
    text = "law a = " + " + ".join(["b"] * 900) + "\n"
    result = formatted(text)
    assert result.count("\n") == 902
    assert formatted(result) == result
