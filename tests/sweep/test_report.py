"""What a sweep prints: the table, CSV, JSON by its schema, the figure; and what the command refuses."""

from __future__ import annotations

import csv
import io
import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console
from typer.testing import CliRunner

from geoflow.cli import app
from geoflow.report.family import render_sweep, sweep_csv, sweep_data
from geoflow.report.heatmap import draw_sweep
from geoflow.results import LawCount
from geoflow.rows import Branch, Failure, Formula, Outcome, Row, RowClaim, SweepReport

from .families import LINEAR

SCHEMA = json.loads((files("geoflow.report") / "sweep_schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
GOOD = RowClaim("laws", "expect laws = r", "proved", 1, "1")
BAD = RowClaim("laws", "expect laws = r", "refuted", 2, "there are 3, exactly")
REPORT = SweepReport(
    "f.geo",
    "lin",
    ("laws", "r"),
    (
        Row((("laws", 1), ("r", 1)), Outcome(LawCount(1, 1, "proved"), (GOOD,), seconds=0.1)),
        Row((("laws", 1), ("r", 2)), Outcome(LawCount(3, 3, "proved"), (BAD,))),
        Row((("laws", 2), ("r", 1)), Outcome(LawCount(0, 4, "bounded"), cut=1.0)),
        Row((("laws", 2), ("r", 3)), Outcome(None, failure=Failure("GEO0301", "Shapes differ."))),
        Row((("laws", 3), ("r", 2)), Outcome(LawCount(0, 5, "probable", 1e-9))),
    ),
    Formula((Branch("r**2", "r <= 2"), Branch("2*r", "r > 2")), 4, 2),
    1,
    0.5,
    ("a note",),
)


def text(report: SweepReport) -> str:
    out = io.StringIO()
    render_sweep(report, Console(file=out, width=100, color_system=None))
    return out.getvalue()


def test_the_table_has_every_row_and_every_absence():
    lines = [line.split() for line in text(REPORT).splitlines()]
    assert ["laws", "r", "=", "1", "2", "3"] in lines
    assert ["1", "1", "3✗", "·"] in lines
    assert ["2", "0–4", "·", "!"] in lines
    assert ["3", "·", "~5", "·"] in lines


def test_the_summary_names_the_first_failure_and_says_what_a_formula_is_worth():
    shown = " ".join(text(REPORT).split())
    assert "refuted at 1 of 2 sizes, first at laws = 1, r = 2: there are 3, exactly" in shown
    assert "fitted on 4 sizes, verified on 2 others; no proof beyond them" in shown
    assert "laws = 2, r = 3: Shapes differ. (GEO0301)" in shown and "a note" in shown


def test_csv_has_a_line_a_model():
    head, *lines = csv.reader(io.StringIO(sweep_csv(REPORT)))
    assert head[:5] == ["laws", "r", "lower", "upper", "status"]
    assert [line[:5] for line in lines][1:4] == [
        ["1", "2", "3", "3", "proved"],
        ["2", "1", "0", "4", "bounded"],
        ["2", "3", "", "", ""],
    ]


def test_json_follows_its_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    data = json.loads(json.dumps(sweep_data(REPORT)))
    VALIDATOR.validate(data)
    assert data["formula"] == "r**2 when r <= 2; 2*r when r > 2"
    assert data["rows"][1]["r"] == 2 and data["rows"][1]["sizes"] == {"laws": 1, "r": 2}
    assert data["rows"][1]["laws"]["upper"] == 3  # a size of this name hides nothing


@pytest.mark.parametrize("change", [{"schema": 2}, {"rows": [{"r": 1}]}, {"formula": 3}])
def test_the_schema_refuses(change):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(json.loads(json.dumps(sweep_data(REPORT) | change)))


@pytest.mark.parametrize("name", ["a.svg", "a.png"])
def test_the_figure_is_the_same_each_time(tmp_path, name):
    assert draw_sweep(str(tmp_path / name), REPORT) == ()
    first = (tmp_path / name).read_bytes()
    draw_sweep(str(tmp_path / name), REPORT)
    assert first == (tmp_path / name).read_bytes() and len(first) > 1000


# ---------------------------------------------------------------- the command


def run(folder: Path, text: str, *options: str):
    (folder / "m.geo").write_text(text)
    env = {"GEOFLOW_CACHE": str(folder / "cache")}
    return CliRunner().invoke(
        app, ["sweep", str(folder / "m.geo"), "--rank-only", "--jobs", "1", *options], env=env
    )


SIX = ("--over", "r=1..14", "-D", "n=4", "-D", "m=2")


def test_the_command_finds_the_formula_and_holds_the_claim(tmp_path):
    text = LINEAR + "expect laws = r*(r + 1)/2 when r <= 6"
    result = run(tmp_path, text, *SIX, "--format", "json")
    data = json.loads(result.stdout)
    VALIDATOR.validate(data)
    assert result.exit_code == 0 and data["names"] == ["r"]
    first, second = data["discovery"]["branches"]
    assert (first["laws"], second["laws"]) == ("r*(r + 1)/2", "6*r - 15")
    assert first["when"] in ("r <= 5", "r <= 6")  # where both are 15, and 21
    again = run(tmp_path, text, *SIX, "--format", "json")
    assert json.loads(again.stdout)["reused"] == 14
    alone = run(tmp_path, text, *SIX, "--format", "json", "--no-cache")
    assert json.loads(alone.stdout)["reused"] == 0


def test_a_wrong_claim_is_exit_code_1(tmp_path):
    result = run(tmp_path, LINEAR + "expect laws = r*(r + 1)/2", "--over", "r=1..4")
    assert result.exit_code == 1 and "first at r = 4" in " ".join(result.stdout.split())


def test_a_file_of_rows_is_not_overwritten(tmp_path):
    rows = tmp_path / "rows.jsonl"
    options = ("--over", "r=1..2", "--out", str(rows))
    assert run(tmp_path, LINEAR, *options).exit_code == 0
    kept = rows.read_bytes()
    assert kept.count(b"\n") == 2
    refused = run(tmp_path, LINEAR, *options)
    assert refused.exit_code == 2 and rows.read_bytes() == kept
    assert run(tmp_path, LINEAR, *options, "--resume").exit_code == 0
    assert rows.read_bytes() == kept


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "no size to sweep"),
        (("--over", "r"), "NAME=VALUE"),
        (("--over", "r=4"), "gives no range"),
        (("--over", "r=1..2", "--plot", "a.txt"), ".svg"),
        (("--over", "r=1..2", "--model", "other"), "no model 'other'"),
        (("--over", "r=1..2", "--timeout", "0"), "positive"),
    ],
)
def test_wrong_calls_are_refused(tmp_path, options, said):
    result = run(tmp_path, LINEAR, *options)
    assert result.exit_code == 2 and said in result.output


def test_one_of_several_models_is_named(tmp_path):
    text = LINEAR + LINEAR.replace("lin", "two")
    assert run(tmp_path, text, "--over", "r=1..2").exit_code == 2
    chosen = run(tmp_path, text, "--over", "r=1..2", "--model", "two", "--format", "json")
    assert json.loads(chosen.stdout)["model"] == "two"
