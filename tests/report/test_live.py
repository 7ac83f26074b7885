"""The observer of a check: what it prints when, and to which stream."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from geoflow.report import live
from geoflow.report.page import open_console

from .samples import LINEAR, MODELS, UNVERIFIED

REFUTED = MODELS["refuted"]


def consoles(terminal: bool) -> tuple[io.StringIO, Console, io.StringIO, Console]:
    """Two consoles and the files behind them."""
    out, err = io.StringIO(), io.StringIO()
    error_console = Console(file=err, force_terminal=terminal, width=100, color_system=None)
    return out, open_console(out), err, error_console


def test_verdict_comes_before_verification():
    out, out_console, _, err_console = consoles(terminal=False)
    with live.LiveReport(out_console, err_console, stream=True) as observer:
        observer.counted(UNVERIFIED)
        early = out.getvalue()
        observer.verified(LINEAR)
    assert "6, exactly" in early and "verified" not in early
    assert "largest drift" in out.getvalue()
    assert observer.shown == {(LINEAR.file, LINEAR.model)}


def test_blocks_are_kept_apart_when_one_is_never_verified():
    out, out_console, _, err_console = consoles(terminal=False)
    with live.LiveReport(out_console, err_console, stream=True) as observer:
        observer.counted(UNVERIFIED)
        observer.counted(REFUTED)
    assert out.getvalue().count("\n\nlinear2") == 1
    assert out.getvalue().endswith("\n\n")


def test_nothing_is_printed_early_into_a_pipe():
    out, out_console, err, err_console = consoles(terminal=False)
    with live.LiveReport(out_console, err_console, stream=False) as observer:
        observer.stage("counting")
        observer.counted(UNVERIFIED)
        observer.verified(LINEAR)
    assert out.getvalue() == err.getvalue() == "" and not observer.shown


@pytest.mark.parametrize("patience, seen", [(-1.0, True), (1e9, False)])
def test_stages_show_on_a_terminal_after_a_while(monkeypatch, patience, seen):
    monkeypatch.setattr(live, "PATIENCE", patience)
    out, out_console, err, err_console = consoles(terminal=True)
    with live.LiveReport(out_console, err_console, stream=True) as observer:
        observer.stage("counting", "[red]rank 5\x1b[2J")
    assert (r"counting [red]rank 5\x1b[2J" in err.getvalue()) == seen
    assert out.getvalue() == ""
