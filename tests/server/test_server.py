"""The parts of the server by themselves: columns, words of the language, what is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol.types import Position

from geoflow.diagnostics import Source
from geoflow.semantics import claims, flows, geometry, load_text, matrices, potentials
from geoflow.semantics.reading import survey
from geoflow.semantics.signatures import FUNCTIONS as SIGNATURES
from geoflow.server import words
from geoflow.server.completion import complete
from geoflow.server.positions import offset, position, units
from geoflow.syntax.grammar import keywords
from geoflow.syntax.layout import STATEMENT_WORDS

ENCODINGS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


@pytest.mark.parametrize(
    ("text", "utf8", "utf16", "utf32"),
    [("", 0, 0, 0), ("ab", 2, 2, 2), ("θ", 2, 1, 1), ("𝒳", 4, 2, 1), ("é𝒳θ", 8, 4, 3)],
)
def test_units(text: str, utf8: int, utf16: int, utf32: int):
    found = [units(text, encoding) for encoding in ENCODINGS]
    assert found == [utf8, utf16, utf32]


@settings(deadline=None, derandomize=True)
@given(st.text("aθ𝒳é\n"), st.sampled_from(list(ENCODINGS)), st.data())
def test_places_go_there_and_back(text: str, encoding: str, data: st.DataObject):
    source = Source("", text)
    at = data.draw(st.integers(0, len(text)))
    there = position(source, at, encoding)
    line = text[:at].rpartition("\n")[2]
    width = len("a".encode(ENCODINGS[encoding]))
    assert there == Position(
        text.count("\n", 0, at), len(line.encode(ENCODINGS[encoding])) // width
    )
    assert offset(source, there, encoding) == at


def test_places_beyond_a_line_and_inside_a_pair():
    source = Source("", "𝒳a\nb")
    assert offset(source, Position(0, 1)) == 0  # the second half of a pair
    assert offset(source, Position(0, 99)) == 2
    assert offset(source, Position(9, 0)) == 4


def test_every_word_of_the_language_is_explained():
    assert set(words.STATEMENTS) == STATEMENT_WORDS
    assert set(words.STATEMENTS) | set(words.WITHIN) == keywords()
    assert set(words.FUNCTIONS) == set(SIGNATURES)


def test_the_options_are_those_of_the_language():
    assert set(words.OPTIONS["metric"]) == set(geometry._METRICS)
    assert set(words.OPTIONS["mirror"]) == set(potentials._POTENTIALS)
    assert set(words.OPTIONS["flow"]) == set(flows._ADAPTIVE)
    assert set(words.OPTIONS["verify"]) == set(claims._SETTINGS)
    assert set(words.OPTIONS["verify loss"]) == set(claims._LOSSES)
    assert set(words.OPTIONS["output"]) == set(matrices._OUTPUTS)
    assert set(matrices._KINDS) < set(words.OPTIONS["fisher"])
    lines = {
        "loss": ("any", "cross_entropy", "data(2)"),
        "at": ("generic", "zero", "balanced"),
        "search": ("polynomial(2)", "darboux(2)", "log(coordinates)", "potentials"),
    }
    for word, written in lines.items():
        assert set(words.OPTIONS[word]) == {each.partition("(")[0] for each in written}
        for each in written:
            assert load_text(f"param x[2, 2]\nmap phi = x @ x\n{word} {each}\n")[1] == ()
    assert load_text("param x[2]\nmap phi = x\nloss other\n")[1]


def test_what_is_completed_is_declared_somewhere():
    text = "param x[2]\nmap phi = x\nlaw h = "
    offered = {each.word for each in complete(survey(text), len(text))}
    assert "x" in offered and "phi" not in offered
    for word in sorted(offered & set(SIGNATURES)):
        codes = {d.code for d in load_text(f"{text}{word}(x)\n")[1]}
        assert "GEO0207" not in codes, word


def test_looking_at_a_text_imports_neither_jax_nor_sympy():
    code = (
        "import sys\n"
        "from geoflow.server.server import build\n"
        "server = build('1')\n"
        "document = server.documents.look('file:///m.geo', 'param x\\nmap phi = y\\n')\n"
        "assert [d.code for d in document.survey.diagnostics] == ['GEO0201']\n"
        "assert not {'jax', 'sympy', 'numpy', 'diffrax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_pygls_the_command_says_what_to_install():
    code = (
        "import sys\n"
        "sys.modules['pygls'] = None\n"
        "sys.modules['pygls.lsp.server'] = None\n"
        "sys.argv = ['geoflow', 'lsp']\n"
        "from geoflow.cli import main\n"
        "main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 2 and "pip install 'geoflow[lsp]'" in result.stderr
