"""Every wrong program of `tests/bad` gives exactly the code in its name, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from geoflow.codes import CODES
from geoflow.report.page import open_console
from geoflow.report.snippet import render_diagnostic
from geoflow.semantics import load

FOLDER = Path(__file__).parents[1] / "bad"
FILES = sorted(FOLDER.glob("GEO*.geo"))
WITHOUT_COMMENT = {"GEO0104_binary", "GEO0105_empty"}

# What a text alone can give; the rest needs a file system, a command line, or an engine.
FROM_TEXT = {
    code
    for code in CODES
    if code[:5] in ("GEO01", "GEO02", "GEO03", "GEO04", "GEO05")
} - {"GEO0103", "GEO0111", "GEO0112", "GEO0106", "GEO0108", "GEO0109", "GEO0506", "GEO0508", "GEO0509"}  # fmt: skip

# What the mathematics refuses, not the grammar.
MATHEMATICAL = {
    "GEO0403", "GEO0404", "GEO0406", "GEO0408", "GEO0501", "GEO0502", "GEO0503", "GEO0504", "GEO0505",
    "GEO0507",
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_wrong_program_gives_its_code(path: Path):
    models, diagnostics = load(path)
    assert models == ()
    assert [d.code for d in diagnostics] == [path.stem[:7]]
    (diagnostic,) = diagnostics
    assert diagnostic.message.endswith(".")
    assert diagnostic.severity == "error"
    if path.stem != "GEO0104_binary":
        assert diagnostic.span is not None
        assert diagnostic.span.source.name == str(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_message_is_as_it_was_read(path: Path, monkeypatch: pytest.MonkeyPatch, snapshot):
    """A changed message is read again before it is accepted."""
    monkeypatch.chdir(FOLDER)
    _, (diagnostic,) = load(path.name)
    written = io.StringIO()
    render_diagnostic(diagnostic, open_console(written))
    assert written.getvalue() == snapshot


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.stem[:7] in MATHEMATICAL], ids=lambda path: path.stem
)
def test_a_refusal_explains_the_mathematics_in_one_note(path: Path):
    _, (diagnostic,) = load(path)
    (note,) = diagnostic.notes
    assert note != diagnostic.message and len(note.split()) >= 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_first_line_says_what_was_meant(path: Path):
    if path.stem not in WITHOUT_COMMENT:
        assert path.read_text(encoding="utf-8").startswith("# meant ")


def test_every_code_that_a_text_can_give_has_a_program():
    assert {path.stem[:7] for path in FILES} == FROM_TEXT


def test_three_mistakes_are_three_reports():
    _, diagnostics = load(FOLDER / "three_mistakes.geo")
    assert [(d.code, d.span and d.span.line) for d in diagnostics] == [
        ("GEO0301", 3), ("GEO0201", 4), ("GEO0102", 5)
    ]  # fmt: skip
