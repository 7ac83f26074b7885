"""What people see, pinned by snapshots, and what must hold whatever the wording."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from geoflow.diagnostics import Diagnostic, Source, Span
from geoflow.report.page import open_console
from geoflow.report.snippet import clip_line, render_diagnostic
from geoflow.report.terminal import (
    render_concise,
    render_full,
    render_model,
    render_quiet,
    render_verification,
)
from geoflow.report.visible import visible, width

from .samples import DIAGNOSTICS, ERRORS, HOSTILE, LINEAR, MODELS, REPORTS, UNVERIFIED, report_of


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def printed(render, *arguments, ascii_only: bool = False, **options) -> str:
    """What a renderer prints on a plain console."""
    if ascii_only:
        file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        render(*arguments, open_console(file), **options)
        file.seek(0)
        return file.read()
    text = io.StringIO()
    render(*arguments, open_console(text), **options)
    return text.getvalue()


@pytest.mark.parametrize("name", REPORTS)
def test_full(name, snapshot):
    assert printed(render_full, REPORTS[name]) == snapshot


@pytest.mark.parametrize("name", REPORTS)
def test_quiet_and_concise(name, snapshot):
    assert printed(render_quiet, REPORTS[name]) + printed(render_concise, REPORTS[name]) == snapshot


def test_verbose(snapshot):
    assert printed(render_full, REPORTS["proved"], verbose=True) == snapshot


def test_several_models(snapshot):
    report = report_of(LINEAR, MODELS["refuted"], exit_code=1)
    assert printed(render_full, report) == snapshot


@pytest.mark.parametrize("name", DIAGNOSTICS)
def test_diagnostic(name, snapshot):
    assert printed(render_diagnostic, DIAGNOSTICS[name]) == snapshot


@pytest.mark.parametrize("name", DIAGNOSTICS)
def test_diagnostic_in_ascii(name, snapshot):
    text = printed(render_diagnostic, DIAGNOSTICS[name], ascii_only=True)
    assert text.isascii()
    assert text == snapshot


def test_full_in_ascii(snapshot):
    text = printed(render_full, REPORTS["proved"], ascii_only=True)
    assert text.isascii()
    assert text == snapshot


def test_concise_errors(snapshot):
    assert printed(render_concise, ERRORS) == snapshot


def test_model_then_verification_says_what_full_says():
    apart = printed(render_model, UNVERIFIED) + printed(render_verification, LINEAR)
    assert "largest drift 1.3e-10 over 3 trials" in apart
    assert "drift" not in printed(render_model, UNVERIFIED)
    assert printed(render_verification, UNVERIFIED) == ""


@pytest.mark.parametrize("name", ["probable", "bounded", "refuted"])
def test_only_what_is_proved_is_ticked(name):
    claims = MODELS[name].claims
    for line in printed(render_model, MODELS[name]).splitlines():
        if "✓" in line:
            assert any(c.verdict == "proved" and c.text in line for c in claims), line


def test_unsettled_count_is_no_success():
    text = printed(render_full, REPORTS["bounded"])
    assert "at least 12, at most 15 (not settled)" in text
    assert "exactly" not in text and "all hold" not in text and "✓" not in text
    assert "1 count not settled" in text.splitlines()[-1]


def test_more_laws_than_formulas():
    assert "7 laws, formulas for 6" in printed(render_full, REPORTS["more_than_formulas"])


def test_claim_is_told_once():
    """A diagnostic about a claim that the block shows is not repeated below it."""
    source = Source("examples/linear.geo", "\n" * 11 + "law wrong = U.T @ U + V.T @ V\n")
    finding = Diagnostic(
        "GEO0601", "not conserved", Span(source, 11, 20), severity="warning", notes=("again",)
    )
    elsewhere = Diagnostic("GEO0801", "drifts", Span(source, 0, 1), severity="warning")
    report = report_of(MODELS["refuted"], exit_code=1)
    told = printed(render_full, type(report)(report.models, (finding, elsewhere), 1, 0.9))
    assert "again" not in told and "drifts" in told
    assert told.count("GEO0601") == 1


@pytest.mark.parametrize("text", ["full", "diagnostic"])
def test_colour_says_nothing_that_text_does_not(text, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    render, data = {
        "full": (render_full, REPORTS["refuted"]),
        "diagnostic": (render_diagnostic, DIAGNOSTICS["shapes"]),
    }[text]
    file = io.StringIO()
    render(data, Console(file=file, force_terminal=True, width=120, color_system="256"))
    assert "\x1b[" in file.getvalue()
    assert re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()) == printed(render, data)


def test_no_color_sends_no_escape(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    file = Terminal()
    render_full(REPORTS["refuted"], open_console(file))
    assert "✗" in file.getvalue() and "\x1b" not in file.getvalue()


def test_terminal_gets_colour(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    file = Terminal()
    render_full(REPORTS["refuted"], open_console(file))
    assert "\x1b[" in file.getvalue()


@pytest.mark.parametrize("choice, escapes", [("always", True), ("never", False)])
def test_colour_by_choice(choice, escapes, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    file = io.StringIO()
    render_full(REPORTS["refuted"], open_console(file, choice))
    assert ("\x1b[" in file.getvalue()) == escapes


def test_terminal_escapes_in_source_and_names_are_shown_not_sent():
    shown = printed(render_diagnostic, DIAGNOSTICS["hostile"])
    report = report_of(
        type(LINEAR)(**{**LINEAR.__dict__, "model": HOSTILE.name, "summary": "\x1b]0;title\x07"})
    )
    for text in (shown, printed(render_full, report), printed(render_concise, ERRORS)):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert r"\x1b[2J" in shown and r"\u202e" in shown and r"\x00" in shown


@pytest.mark.parametrize(
    "text, shown, spelled",
    [
        ("φ → R⁴ˣ⁵", "φ → R⁴ˣ⁵", "phi -> R^(4x5)"),
        ("V G⁻ᵀ", "V G⁻ᵀ", "V G^(-T)"),
        ("Δé漢", "Δé漢", r"Deltae\u6f22"),
        ("a\tb\r\x7f", r"a\tb\r\x7f", r"a\tb\r\x7f"),
        ("\udc80", r"\udc80", r"\udc80"),
        ("\u2028\u200b", r"\u2028\u200b", r"\u2028\u200b"),
    ],
)
def test_visible(text, shown, spelled):
    assert visible(text) == shown
    assert visible(text, ascii_only=True) == spelled
    assert visible(shown) == shown


@pytest.mark.parametrize("focus", [0, 1, 500, 998, 999])
@pytest.mark.parametrize("unit", ["ab", "漢", "\x1b", "e\u0301"])
def test_long_lines_are_cut_around_the_caret(unit, focus):
    line = (unit * 1000)[:1000]
    clip = clip_line(line, focus, 60)
    assert width(clip.shown) <= 60
    cell = clip.cell(focus)
    assert 0 <= cell < 60
    piece = visible(line[focus])
    assert clip.shown.encode() and piece in clip.shown


def test_caret_stands_below_its_text():
    """Tabs and wide characters before it shift the caret with the text."""
    lines = printed(render_diagnostic, DIAGNOSTICS["wide_and_tab"]).splitlines()
    source = next(line for line in lines if "let" in line)
    carets = next(line for line in lines if "^^^" in line)
    assert width(source[: source.index("xyz")]) == carets.index("^^^")
