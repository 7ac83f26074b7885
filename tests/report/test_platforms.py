"""`check --format github` and `--format sarif`: escaped, valid, nothing lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from geoflow.cli import app
from geoflow.diagnostics import Diagnostic, Fix, Source, Span
from geoflow.report.annotations import to_annotations
from geoflow.report.sarif import to_sarif
from geoflow.results import Report

from . import samples

# published with the standard, from the package @microsoft/jest-sarif
SCHEMA = json.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
RUNNER = CliRunner()
REPORTS = {**samples.REPORTS, "errors": samples.ERRORS}


def validate(log: object) -> None:
    jsonschema.Draft4Validator(SCHEMA).validate(log)


def report(*diagnostics: Diagnostic) -> Report:
    return Report((), diagnostics, 2, 0.1)


@pytest.mark.parametrize("name", REPORTS)
def test_a_log_is_valid(name: str):
    log = to_sarif(REPORTS[name], "1.2.3")
    validate(json.loads(json.dumps(log, allow_nan=False)))
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    found = [(d.code, d.severity) for d in REPORTS[name].diagnostics]
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == found
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])


def test_the_schema_refuses_what_is_wrong():
    log = to_sarif(samples.ERRORS, "1")
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        validate(log)


def test_a_fix_says_what_to_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    source = Source(str(tmp_path / "a b" / "θ.geo"), "let a = 𝒳 + bb\n")
    span = Span(source, 12, 14)
    wrong = Diagnostic("GEO0201", "`bb` is not declared.", span, fix=Fix(span, "b"))
    log = to_sarif(report(wrong), "1")
    validate(log)
    (result,) = log["runs"][0]["results"]
    (change,) = result["fixes"][0]["artifactChanges"]
    place = {"uri": "a%20b/%CE%B8.geo", "uriBaseId": "%SRCROOT%"}
    region = {"startLine": 1, "startColumn": 13, "endLine": 1, "endColumn": 15}
    assert change["artifactLocation"] == place
    assert change["replacements"] == [{"deletedRegion": region, "insertedContent": {"text": "b"}}]


def test_annotations_are_escaped():
    source = Source("a,b:100%.geo", "let a = b\n")
    wrong = Diagnostic(
        "GEO0201", "50% of `b`,\nor ::error::", Span(source, 8, 9), hints=("write `c`",)
    )
    (line,) = to_annotations(report(wrong)).splitlines()
    assert line == (
        "::error file=a%2Cb%3A100%25.geo,line=1,endLine=1,col=9,endColumn=10,"
        "title=GEO0201%3A unknown name::50%25 of `b`,%0Aor ::error::%0Ahint: write `c`"
    )


def test_every_finding_is_one_annotation():
    lines = to_annotations(samples.ERRORS).splitlines()
    assert len(lines) == len(samples.ERRORS.diagnostics)
    form = r"::(error|warning|notice) ([a-zA-Z]+=[^,:\r\n]*,?)+::.+"
    assert all(re.fullmatch(form, line) for line in lines), lines


def test_a_refuted_claim_in_both_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("xy.geo").write_text("param x, y\nmap phi = x*y\nlaw h = x**2 + y**2\n")
    call = ["check", "xy.geo", "--no-verify", "--format"]
    result = RUNNER.invoke(app, [*call, "github"])
    assert result.exit_code == 1
    assert result.stdout.startswith("::warning file=xy.geo,line=3,endLine=3,col=")
    result = RUNNER.invoke(app, [*call, "sarif"])
    assert result.exit_code == 1
    log = json.loads(result.stdout)
    validate(log)
    (run,) = log["runs"]
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]
    assert [r["ruleId"] for r in run["results"]] == ["GEO0601"]


def test_a_true_claim_gives_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("xy.geo").write_text("param x, y\nmap phi = x*y\nlaw h = x**2 - y**2\n")
    result = RUNNER.invoke(app, ["check", "xy.geo", "--no-verify", "--format", "github"])
    assert (result.exit_code, result.stdout) == (0, "")
