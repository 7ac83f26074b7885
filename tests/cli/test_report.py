"""`geoflow report`: the page, the exit codes, the refusals."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geoflow.cli import app

RUNNER = CliRunner()
GOOD = "param x, y\nmap phi = x*y\nlaw h = x**2 - y**2\nexpect complete\n"
FALSE = GOOD.replace("x**2 - y**2", "x**2 + y**2").replace("expect complete\n", "")
WRONG = "param x\nmap phi = x*z\n"


def called(*words: object) -> tuple[int, str]:
    result = RUNNER.invoke(app, ["report", *map(str, words)])
    return result.exit_code, result.output


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (FALSE, 1)])
def test_page_and_exit_code(tmp_path: Path, text: str, code: int) -> None:
    source, page = tmp_path / "m.geo", tmp_path / "m.html"
    source.write_text(text)
    found, told = called(source, "--no-verify", "-o", page, "--title", "A <title>")
    assert (found, "claim" in told) == (code, True)
    written = page.read_text()
    assert "A &lt;title&gt;" in written and "<math" in written
    command = f"report {source} -o {page} --no-verify --title"
    assert command in written


def test_command_of_the_page_makes_the_page(tmp_path: Path) -> None:
    source, page = tmp_path / "a b.geo", tmp_path / "m.html"
    source.write_text("dim n = 2\n" + GOOD)
    called(source, "-o", page, "-D", "n=3", "--seed", "7", "--timeout", "50", "--no-verify")
    first = page.read_text()
    command = first.split("<pre><code>")[1].split("</code>")[0].replace("&#39;", "'")
    words = shlex.split(command)
    assert words[:2] == ["geoflow", "report"] and "n=3" in words
    RUNNER.invoke(app, words[1:])
    assert page.read_text() == first


def test_folder(tmp_path: Path) -> None:
    for name, text in (("a", GOOD), ("b", FALSE)):
        (tmp_path / f"{name}.geo").write_text(text)
    page = tmp_path / "all.html"
    assert called(tmp_path, "-o", page, "--no-verify")[0] == 1
    written = page.read_text()
    assert 'href="#model-2"' in written and written.count("Source <small>") == 2


def test_wrong_model_writes_no_page(tmp_path: Path) -> None:
    source, page = tmp_path / "m.geo", tmp_path / "m.html"
    source.write_text(WRONG)
    code, told = called(source, "-o", page)
    assert code == 2 and "GEO0201" in told and not page.exists()


@pytest.mark.parametrize("target", ["page.pdf", "nowhere/page.html"])
def test_a_page_that_cannot_be_written(tmp_path: Path, target: str) -> None:
    source = tmp_path / "m.geo"
    source.write_text(GOOD)
    assert called(source, "-o", tmp_path / target)[0] == 2


def test_saved_report(tmp_path: Path) -> None:
    source, saved, page = (tmp_path / f"m.{end}" for end in ("geo", "json", "html"))
    source.write_text(FALSE)
    checked = RUNNER.invoke(app, ["check", str(source), "--no-verify", "--format", "json"])
    saved.write_text(checked.stdout)
    assert called(saved, "-o", page)[0] == 1
    assert "refuted" in page.read_text()
    saved.write_text(json.dumps({"schema": 1}))
    code, told = called(saved, "-o", page)
    assert code == 2 and "no report of geoflow" in told


def test_sweep(tmp_path: Path) -> None:
    source, page = tmp_path / "m.geo", tmp_path / "m.html"
    source.write_text("dim n = 1, r = 1\nparam U[n, r], V[n, r]\nmap phi = U @ V.T\n")
    words = ["--over", "n=1..2", "--over", "r=1..2", "--rank-only", "--no-cache", "--jobs", "1"]
    out = tmp_path / "rows.jsonl"
    result = RUNNER.invoke(
        app, ["sweep", str(source), *words, "--out", str(out), "--report", str(page)]
    )
    assert result.exit_code == 0, result.output
    assert 'class="heat"' in page.read_text() and "~3" in page.read_text()
    refused = RUNNER.invoke(app, ["sweep", str(source), *words, "--report", str(tmp_path / "x")])
    assert refused.exit_code == 2
