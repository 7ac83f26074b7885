"""JSON for other programs: the published schema, the documented keys, no number that JSON lacks."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest

from geoflow.report.machine import dumps, plain, to_json

from .samples import DIAGNOSTICS, ERRORS, LINEAR, REPORTS, report_of

SCHEMA = json.loads((files("geoflow.report") / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
ALL = {**REPORTS, "errors": ERRORS}


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ALL)
def test_validates(name):
    VALIDATOR.validate(json.loads(dumps(to_json(ALL[name]))))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"exit_code": 7},
        {"models": [{}]},
        {"diagnostics": [{"code": "E1"}]},
    ],
)
def test_schema_refuses(change):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(to_json(REPORTS["proved"]) | change)


def test_schema_refuses_models_beside_errors():
    data = to_json(ERRORS) | {"models": to_json(REPORTS["proved"])["models"]}
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(data)


@pytest.mark.parametrize("name", ["proved", "refuted", "errors"])
def test_json(name, snapshot):
    assert dumps(to_json(ALL[name])) == snapshot


def test_documented_keys():
    """The example of the documentation, key by key."""
    model = to_json(REPORTS["proved"])["models"][0]
    assert model["laws"] | {"lower": 6, "upper": 6, "status": "proved"} == model["laws"]
    law, laws, complete = model["claims"]
    assert (
        law.items()
        >= {
            "kind": "law",
            "name": "balance",
            "line": 12,
            "verdict": "proved",
            "detail": "6 independent entries",
        }.items()
    )
    assert laws.items() >= {"kind": "laws", "line": 13, "verdict": "proved", "expected": 6}.items()
    assert complete.items() >= {"kind": "complete", "line": 14, "verdict": "proved"}.items()
    assert model["verify"].items() >= {"moved": 2.4, "control_drift": 0.7, "trials": 3}.items()
    assert model["facts"] == {"involutive": False, "commuting": False, "depth": 1, "kernel": 9}


def test_diagnostic_columns():
    shapes = to_json(ERRORS)["diagnostics"][list(DIAGNOSTICS).index("shapes")]
    assert [shapes[k] for k in ("line", "column", "end_line", "end_column")] == [6, 9, 6, 14]


def test_numbers_without_json_become_null():
    verify = to_json(REPORTS["unusable"])["models"][0]["verify"]
    assert verify["max_drift"] is None and verify["control_drift"] is None
    assert plain((1.5, float("-inf"), {"a": float("nan")})) == [1.5, None, {"a": None}]


def test_an_expected_zero_is_kept():
    claim = replace(LINEAR.claims[1], expected=0, drift=0.0)
    data = to_json(report_of(replace(LINEAR, claims=(claim,))))["models"][0]["claims"][0]
    assert data["expected"] == 0 and data["drift"] == 0.0


def test_text_is_ascii_and_survives():
    text = dumps(to_json(report_of(replace(LINEAR, file="a\udc80.geo"))))
    assert text.isascii()
    model = json.loads(text)["models"][0]
    assert model["summary"] == LINEAR.summary and model["file"] == r"a\udc80.geo"


def test_the_summary_of_a_certificate_has_no_points():
    summary = to_json(REPORTS["proved"])["models"][0]["certificate"]
    assert summary["rank"] == 21 and "point" not in summary["runs"][0]
