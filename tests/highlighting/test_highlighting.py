"""The Pygments lexer and the TextMate grammar against the grammar of the language and its trees."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pygments.token import Comment, Keyword, Name, Number, String, _TokenType

from geoflow.diagnostics import Source
from geoflow.formatting.tokens import tokens
from geoflow.highlighting import GeoLexer
from geoflow.semantics.signatures import FUNCTIONS
from geoflow.syntax import tree
from geoflow.syntax.grammar import keywords
from geoflow.syntax.parser import parse

from .textmate import Grammar

ROOT = Path(__file__).parents[2]
TEXTMATE = ROOT / "grammar/vscode/syntaxes/geo.tmLanguage.json"
EXAMPLES = sorted([*ROOT.glob("examples/**/*.geo"), *ROOT.glob("geoflow/std/*.geo")])
GRAMMAR = Grammar(json.loads(TEXTMATE.read_text(encoding="utf-8")))
# words that are names in one place and keywords in another; statements that go on
TRAPS = """\
# keywords: law map
model order  # no law
dim laws = 3, depth = 2
const symbolic = 2, eta symbolic
param law[laws], model[depth, laws], complete, damping, T, no[2] > 0
let and = sum(law)
def below(not, x) = not*x + [
    law
    for l in 1..2
]
map phi = [law*complete, model @ law, damping]
flow order 2 damping damping*t/2
decay eta on law, model coupled
law of = exp(t) * (law - law.T)  # t
verify {
    loss squared
    data gaussian(4); time 2
}
expect laws of law = depth*(depth - 1) when (laws < 3 or not depth == 2) and laws > 1
expect no laws
expect complete when laws == 3
sweep laws in 1..3, depth in 1..2 when not (laws == 2 and depth == 2)
"""


def words(text: str) -> Iterator[tuple[int, str, bool]]:
    """The words of a text, where they are, and whether they are keywords there."""
    file, problems = parse(Source("", text))
    assert not problems
    for statement in file.statements:
        names: set[int] = set()
        waiting: list[tree.Node] = [statement]
        while waiting:
            node = waiting.pop()
            waiting += tree.parts(node)
            if isinstance(node, tree.Name):
                names.add(node.span.start + re.search(r"\w", node.span.text).start())  # type: ignore[union-attr]
        for token in tokens(statement.span):
            if token.kind == "name":
                yield token.start, token.text, token.start not in names


def pygments(text: str) -> dict[int, tuple[str, _TokenType]]:
    return {at: (value, kind) for at, kind, value in GeoLexer().get_tokens_unprocessed(text)}


def textmate(text: str) -> dict[int, tuple[str, str]]:
    return {at: (value, " ".join(scopes)) for at, value, scopes in GRAMMAR.tokens(text)}


@pytest.mark.parametrize("text", [p.read_text(encoding="utf-8") for p in EXAMPLES] + [TRAPS],
                         ids=[*(path.stem for path in EXAMPLES), "traps"])  # fmt: skip
def test_keywords_are_those_of_the_tree(text: str):
    coloured, scoped = pygments(text), textmate(text)
    for at, word, keyword in words(text):
        value, kind = coloured[at]
        assert value == word
        assert (kind in Keyword or kind is Name.Builtin.Pseudo) == keyword, (word, at, kind)
        value, scopes = scoped[at]
        assert value == word
        language = "keyword." in scopes or "variable.language" in scopes
        assert language == keyword, (word, at, scopes)


def test_the_trap_is_a_text_of_the_language():
    assert parse(Source("", TRAPS))[1] == ()
    assert any(keyword for _, word, keyword in words(TRAPS) if word == "laws")
    assert any(not keyword for _, word, keyword in words(TRAPS) if word == "laws")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_nothing_is_lost_and_nothing_unknown(path: Path):
    text = path.read_text(encoding="utf-8")
    found = list(GeoLexer().get_tokens_unprocessed(text))
    assert "".join(value for _, _, value in found) == text
    assert not [
        value for _, kind, value in found if "Error" in str(kind) or str(kind) == "Token.Text"
    ]
    plain = [value for _, value, scopes in GRAMMAR.tokens(text) if not scopes and value.strip()]
    assert plain == []


def test_comments_numbers_strings_functions():
    text = 'law θ1 = sum(x, axis=0)*1.5e-3 + einsum("ij->i", 𝒳)  # sum "x"\n'
    coloured, scoped = pygments(text), textmate(text)
    at = text.index
    kinds = {"sum": Name.Builtin, "1.5e-3": Number, '"ij->i"': String, "θ1": Name, "𝒳": Name}
    for word, kind in kinds.items():
        assert coloured[at(word)] == (word, kind)
    assert coloured[at("# sum")] == ('# sum "x"', Comment.Single)
    scopes = {"sum": "support.function", "1.5e-3": "constant.numeric", '"ij->i"': "string.quoted",
              "𝒳": "variable.other", '# sum "x"': "comment.line"}  # fmt: skip
    for word, scope in scopes.items():
        value, found = scoped[at(word)]
        assert value == word and found.startswith(scope)


@pytest.mark.parametrize("broken", ["map phi = (x +\n", "map phi = sum([x, [y\n", "verify {\n"])
def test_a_bracket_left_open_ends_at_the_next_statement(broken: str):
    text = f"{broken}law h = x\n"
    at = text.index("law")
    assert pygments(text)[at] == ("law", Keyword)
    assert textmate(text)[at] == ("law", "keyword.control.geo")


def test_every_keyword_of_the_grammar_occurs_in_both():
    patterns = re.findall(r"[^\W\d]\w*", TEXTMATE.read_text(encoding="utf-8"))
    assert keywords() - set(patterns) == set()
    assert keywords() <= {word for word in keywords() if _is_keyword(word)}
    assert set(FUNCTIONS) <= set(patterns)


def _is_keyword(word: str) -> bool:
    """Whether both colour a word as one of the language somewhere in a statement that has it."""
    lines = [f"{word} x\n", *(f"{first} {word} x\n" for first in ("expect", "flow", "decay x"))]
    lines += [f"expect {word} laws\n", f"expect laws {word} x\n", f"decay x {word}\n"]
    lines += [f"flow order 2 {word} x\n", f"flow order 2 {word}\n", f"const x {word}\n"]
    lines += [f"input x {word} 2\n", f"sweep x {word} y\n", f"law h = {word}\n"]
    for line in lines:
        at = line.index(word)
        kind, scopes = pygments(line)[at][1], textmate(line)[at][1]
        if (kind in Keyword or kind is Name.Builtin.Pseudo) and re.match(
            "keyword|variable.l", scopes
        ):
            return True
    return False


def test_pygments_finds_the_lexer():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["entry-points"]["pygments.lexers"]["geo"].partition(":")
    assert getattr(import_module(module), name) is GeoLexer
    assert "geo" in GeoLexer.aliases and "*.geo" in GeoLexer.filenames
