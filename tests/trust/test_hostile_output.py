"""Texts and names of files that would be commands to what shows them: terminals, pages, tables, GitHub, notebooks."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import sys
from pathlib import Path

import pytest

from geoflow.commands.fmt import _print
from geoflow.diagnostics import Diagnostic, Source, Span
from geoflow.report.annotations import to_annotations
from geoflow.report.catalog import catalog_markdown
from geoflow.report.page import Page, open_console
from geoflow.report.visible import cell
from geoflow.results import Catalog, CatalogEntry, Report
from tests.trust.hostile import COMMANDS, geoflow

SCRIPT = "<script>alert(1)</script>"
TEXT = f"""\
# \x1b]0;title\x07\u202e {SCRIPT} `x` |a| ::error::x %0A =1+1
# count: 1 \x1b[31m<img src=x onerror=alert(1)>
# source: \x1b[2J\u202e$\\input{{/etc/passwd}}$ {SCRIPT}
model m
param x, y
map f = (x # \x1b[31m ::error::y
 *y)
law h = (-y**2 # \x1b[32m </pre>{SCRIPT}
 + x**2)
law bad = x**2 + y**2
"""
NAMES = (
    "::error::x.geo",
    "=cmd|x.geo",
    "x,y:%0A.geo",
    "<script>alert(1)<x.geo",
    "n\n::error::w.geo",
    "\u202e\x1b[2J.geo",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def obeyed(text: str) -> list[str]:
    """The lines that a terminal or GitHub would take for commands."""
    return [
        line
        for line in text.splitlines()
        if line.strip().startswith("::") or any(character in line for character in COMMANDS)
    ]


FORMATS = (
    ["check", "--no-verify"], ["check", "--no-verify", "-v"], ["check", "--no-verify", "-q"],
    ["check", "--no-verify", "--format", "concise"], ["check", "--no-verify", "--format", "json"],
    ["check", "--no-verify", "--format", "sarif"], ["laws"], ["laws", "--format", "latex"],
    ["laws", "--format", "python"], ["laws", "--format", "json"], ["catalog", "--no-run"],
    ["catalog", "--no-run", "--format", "markdown"], ["catalog", "--no-run", "--format", "json"],
)  # fmt: skip


@pytest.mark.parametrize("command", FORMATS, ids=" ".join)
def test_texts_are_no_commands(folder: Path, command: list[str]):
    (folder / "x.geo").write_text(TEXT)
    assert obeyed(geoflow(*command, "x.geo").text) == []


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files_are_no_commands(folder: Path, name: str):
    (folder / name).write_text("param x\nmap f = (x\n")
    for command in (*FORMATS, ["fmt"], ["fmt", "--check"]):
        assert obeyed(geoflow(*command, name).text) == [], command


def test_a_python_program_of_laws_is_one(folder: Path):
    """A name of a file, or a comment, adds no line to it."""
    name = "a'''\"\"\"\nimport os; os.abort()\n.geo"
    (folder / name).write_text(TEXT)
    answer = geoflow("laws", "--format", "python", f"./{name}")
    assert answer.code == 0 and "x" in answer.text
    compile(answer.text, "laws", "exec")
    assert not any(line.startswith("import os") for line in answer.text.splitlines())


# ---------------------------------------------------------------- GitHub


def test_an_annotation_is_one_command():
    for name in (*NAMES, "a,line=7::x.geo", "a\r::error::b.geo"):
        source = Source(name, "a\nb")
        message = "bad `%0A\n::error::x` \x1b[2J\u202e"
        diagnostic = Diagnostic(
            "GEO0101", message, Span(source, 0, 1), hints=("::stop-commands::x",)
        )
        text = to_annotations(Report((), (diagnostic,), 2, 0.0))
        (line,) = text.splitlines()
        assert line.startswith("::error file=") and line.count("title=") == 1
        properties = line.removeprefix("::error ").partition("::")[0]
        assert set(part.partition("=")[0] for part in properties.split(",")) == {
            "file", "line", "endLine", "col", "endColumn", "title",
        }  # fmt: skip
        assert "%250A%0A::error::x" in line
        assert not any(character in line for character in COMMANDS)


def test_a_line_of_a_page_is_no_command():
    for text in ("::error::x", "  ::error::x", "::add-mask::x"):
        out = io.StringIO()
        page = Page(open_console(out))
        page.line(text)
        page.paragraph("  ", text)
        page.columns((text,), text)
        assert obeyed(out.getvalue()) == [] and "\\x3a:" in out.getvalue()


# ---------------------------------------------------------------- pages


class Tags(html.parser.HTMLParser):
    """The tags of a page, and its attributes that run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.running: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        for key, value in attrs:
            if key.startswith("on") or (
                key in ("src", "href") and not (value or "").startswith("#")
            ):
                self.running.append(f"{key}={value}")


def tags(text: str) -> Tags:
    found = Tags()
    found.feed(text)
    return found


def test_a_page_runs_nothing_of_a_model(folder: Path):
    (folder / "x.geo").write_text(TEXT)
    (folder / "y.geo").write_text(
        "model m\nparam x, y\nmap f = x*y\nlaw h = x**2 - y**2\nlaw bad = x**2 + y**2\n"
    )
    pages = []
    for name, title in (("x.geo", f"</title>{SCRIPT}\x1b\u202e"), ("y.geo", "plain")):
        assert geoflow("report", name, "--no-verify", "-o", "p.html", "--title", title).code == 1
        pages.append((folder / "p.html").read_text(encoding="utf-8"))
    hostile, plain = map(tags, pages)
    assert hostile.found.count("script") == plain.found.count("script")
    assert "img" not in hostile.found and hostile.running == plain.running
    assert not any(character in pages[0] for character in COMMANDS)


def test_a_saved_report_runs_nothing(folder: Path):
    (folder / "x.geo").write_text("model m\nparam x, y\nmap f = x*y\nlaw h = x**2 - y**2\n")
    data = json.loads(geoflow("check", "x.geo", "--no-verify", "--format", "json").text)

    def hostile(value):
        match value:
            case dict():
                return {
                    k: v if k in ("verdict", "status", "kind", "of") else hostile(v)
                    for k, v in value.items()
                }
            case list():
                return [hostile(v) for v in value]
            case str():
                return f"{value}</title></pre>{SCRIPT}<img src=x onerror=alert(1)>\x1b\u202e"
            case _:
                return value

    for model in data["models"]:
        for key in ("file", "model", "summary", "claims", "found", "notes", "assumes", "facts"):
            model[key] = hostile(model[key])
    (folder / "x.json").write_text(json.dumps(data))
    assert geoflow("report", "x.json", "-o", "p.html").code == 0
    text = (folder / "p.html").read_text(encoding="utf-8")
    assert "img" not in tags(text).found and tags(text).found.count("script") <= 1
    assert "alert(1)" in text and SCRIPT not in text
    assert not any(character in text for character in COMMANDS)


def test_cards_of_a_notebook(folder: Path):
    from geoflow.options import CheckOptions
    from geoflow.pipeline import check_text

    report = check_text(TEXT, f"{SCRIPT}.geo", CheckOptions(verify=False, exhibit=True))
    wrong = check_text(TEXT + "law c = zz\n", f"{SCRIPT}.geo", CheckOptions(verify=False))
    shown = report._repr_html_() + wrong._repr_html_() + report.models[0].found[0].text
    assert "script" not in tags(shown).found and "img" not in tags(shown).found
    assert not any(character in shown for character in COMMANDS)


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize("text", ["=1+1", "+x", "-y**2 + x**2", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str):
    assert cell(text) == "'" + text
    assert cell("x**2 - y") == "x**2 - y" and cell("") == ""


def test_no_cell_of_a_table_is_a_formula(folder: Path):
    text = "model m\ndim n = 1\nparam x[n], y\nmap f = sum(x)*y\nlaw h = -y**2 + sum(x*x)\n"
    (folder / "x.geo").write_text(text)
    answer = geoflow(
        "sweep", "x.geo", "--over", "n=1..2", "--format", "csv", "-j", "1", "--no-cache"
    )
    steps = geoflow("discretize", "x.geo", "--format", "csv", "--step", "0.1", "--time", "0.2")
    for table in (answer, steps):
        rows = list(csv.reader(io.StringIO(table.text)))
        assert len(rows) > 1
        cells = [each for row in rows for each in row]
        assert any(each.startswith("'-y**2") for each in cells)
        assert not any(each[:1] in ("=", "+", "@", "-") for each in cells if not _number(each))


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_a_row_of_a_catalog_is_one():
    hostile = f"a|b\n| {SCRIPT} \x1b[2J `c` [d](javascript:e) ![f](g)"
    entry = CatalogEntry("m", "x.geo", hostile, hostile, hostile, hostile, (hostile,))
    text = catalog_markdown(Catalog((entry,), (), 0))
    assert len(text.splitlines()) == 3
    row = text.splitlines()[2]
    assert row.replace("\\|", "").count("|") == 8
    assert "](" not in row.replace("\\]", "").replace(f"`{row}`", "") or "`" in row
    assert not any(character in text for character in COMMANDS)


# ---------------------------------------------------------------- the formatter


def test_a_formatted_text_is_raw_for_programs_and_visible_on_a_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    text = "# \x1b[2J\u202e\nparam x\n"
    _print(text)
    assert capsys.readouterr().out == text
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _print(text)
    assert capsys.readouterr().out == "# \\x1b[2J\\u202e\nparam x\n"
