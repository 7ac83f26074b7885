"""What the catalog reads from comments, what it says of an entry, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geoflow.catalog import check_catalog, read_catalog, shipped
from geoflow.cli import app
from geoflow.options import CheckOptions
from geoflow.report.catalog import catalog_markdown, count_of, status_of

RUNNER = CliRunner()
BODY = "param u[2], v[2]\nmap phi = u @ v\nlaw h = u[0]**2 - v[0]**2\nexpect laws = 3\n"
HEAD = "# Products\n# count: 2*n - 1\n# source: computed here\n"


def written(folder: Path, text: str) -> list[str]:
    path = folder / "mine.geo"
    path.write_text(text)
    return [str(path)]


def test_the_shipped_blocks_are_entries():
    files = sorted(map(str, shipped().glob("*.geo")))
    catalog = read_catalog(files)
    assert catalog.diagnostics == ()
    assert {entry.file for entry in catalog.entries} == {Path(f).name for f in files}
    assert all(e.title and e.formula and e.source and e.network for e in catalog.entries)
    names = [entry.name for entry in catalog.entries]
    assert len(names) == len(set(names)) > 30


def test_comments_above_a_model_come_before_those_of_the_head(tmp_path: Path):
    text = (
        "# Two models\n# source: the head\n# count: the head's\ndim n = 2\n\n"
        "# count: own\nmodel first\nparam u[n], v[n]\nmap phi = u @ v\n"
        "# source: own\nmodel second\nparam u[n]\nmap phi = u @ u\n"
        "# count: somewhere\n\nmodel third\nparam u[n]\nmap phi = u @ u\n"
    )
    entries = read_catalog(written(tmp_path, text)).entries
    assert [(e.name, e.title, e.formula, e.source) for e in entries] == [
        ("first", "Two models", "own", "the head"),
        ("second", "Two models", "the head's", "own"),
        ("third", "Two models", "the head's", "the head"),
    ]


@pytest.mark.parametrize("name", ["count", "source"])
@pytest.mark.parametrize("instead", ["", "# {}:\n", "# {} 3\n"])
def test_a_missing_comment_is_an_error_with_a_cure(tmp_path: Path, name: str, instead: str):
    lines = [line for line in HEAD.splitlines() if not line.startswith(f"# {name}")]
    text = "\n".join(lines) + "\n" + instead.format(name) + "model m\n" + BODY
    catalog = read_catalog(written(tmp_path, text))
    (found,) = catalog.diagnostics
    assert (found.code, catalog.exit_code, catalog.entries) == ("GEO0111", 2, ())
    assert f"`# {name}: " in found.hints[0]
    assert found.span is not None and found.span.text == "model m"


def test_mistakes_of_a_file_are_its_own(tmp_path: Path):
    catalog = check_catalog(written(tmp_path, HEAD + "param u\nmap phi = w\n"), CheckOptions())
    assert ([d.code for d in catalog.diagnostics], catalog.exit_code) == (["GEO0201"], 2)


def test_status(tmp_path: Path):
    paths = written(tmp_path, HEAD + BODY)
    options = CheckOptions(verify=False)
    (entry,) = check_catalog(paths, options).entries
    assert (status_of(entry), count_of(entry)) == ("proved", "3")
    (listed,) = read_catalog(paths).entries
    assert (status_of(listed), count_of(listed)) == ("", "")
    paths = written(tmp_path, HEAD + BODY.replace("laws = 3", "laws = 2"))
    catalog = check_catalog(paths, options)
    assert (status_of(catalog.entries[0]), catalog.exit_code) == ("fails", 1)


def test_markdown_has_a_row_an_entry(tmp_path: Path):
    text = HEAD.replace("computed here", "a | b") + BODY
    rows = catalog_markdown(read_catalog(written(tmp_path, text))).splitlines()
    cells = "| mine | `φ = u @ v` | 2\\*n - 1 |  | `u[0]**2 - v[0]**2` |  | a \\| b |"
    assert rows[2:] == [cells]
    assert len(rows[0].split("|")) == len(rows[1].split("|")) == 9


def test_the_command(tmp_path: Path):
    (path,) = written(tmp_path, HEAD + BODY)
    for target in (path, str(tmp_path)):
        result = RUNNER.invoke(app, ["catalog", target])
        assert result.exit_code == 0, result.output
        assert "3 laws, proved   2*n - 1" in result.output
    found = json.loads(RUNNER.invoke(app, ["catalog", path, "--format", "json"]).output)
    assert found["entries"][0]["found"]["claims"][1] == {
        "text": "expect laws = 3",
        "verdict": "proved",
    }
    written(tmp_path, HEAD + BODY.replace("laws = 3", "laws = 2"))
    wrong = RUNNER.invoke(app, ["catalog", path])
    assert wrong.exit_code == 1
    assert "fails" in wrong.output and "GEO0602" in wrong.output
    written(tmp_path, BODY)
    for form in ("text", "markdown", "json"):
        refused = RUNNER.invoke(app, ["catalog", path, "--no-run", "--format", form])
        assert refused.exit_code == 2
        assert "GEO0111" in refused.output


def test_a_folder_without_files_is_refused(tmp_path: Path):
    assert RUNNER.invoke(app, ["catalog", str(tmp_path)]).exit_code == 2


def test_the_shipped_catalog_is_listed():
    result = RUNNER.invoke(app, ["catalog", "--no-run", "--format", "json"])
    assert result.exit_code == 0
    entries = json.loads(result.output)["entries"]
    assert {"mlp", "attention_head", "transformer_block"} <= {e["name"] for e in entries}
    assert all(e["status"] is None and e["found"] is None for e in entries)
