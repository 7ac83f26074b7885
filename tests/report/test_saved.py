"""Reports that were saved as JSON are read back, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from geoflow.report.machine import dumps, to_json
from geoflow.report.saved import NotAReport, read_report
from geoflow.report.terminal import render_full
from geoflow.report.web.document import report_page

from .pages import AGAIN, real_report
from .samples import ERRORS, LINEAR, MODELS, report_of
from .test_live import consoles


def without_points(model):
    if model.certificate is None:
        return model
    runs = tuple(replace(run, point=()) for run in model.certificate.runs)
    return replace(model, certificate=replace(model.certificate, runs=runs), exhibit=None)


@pytest.mark.parametrize("name", [n for n in MODELS if n != "unusable"])
def test_what_is_written_is_read(name):
    model = MODELS[name]
    report = report_of(model)
    read = read_report(dumps(to_json(report)))
    assert read.models == (without_points(model),)
    assert (read.exit_code, read.seconds) == (report.exit_code, report.seconds)


def test_same_page_from_a_saved_report():
    report = report_of(*MODELS.values(), exit_code=1)
    assert report_page(read_report(dumps(to_json(report))), AGAIN) == report_page(report, AGAIN)


def test_a_real_report():
    report = real_report()
    read = read_report(dumps(to_json(report)))
    assert read.models[0].claims == report.models[0].claims
    assert read.models[0].certificate is not None
    out, console, _, _ = consoles(terminal=False)
    render_full(read, console)
    assert "1 refuted" in out.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("laws"),
        lambda m: m.update(file=3),
        lambda m: m.update(laws={"lower": 1, "upper": "6", "status": "proved"}),
        lambda m: m.update(laws={"lower": 1, "upper": 6, "status": "certain"}),
        lambda m: m.update(claims="all"),
        lambda m: m.update(dimension=True),
        lambda m: m["certificate"].update(runs=[{"prime": "p"}]),
    ],
)
def test_what_was_changed_is_refused(change):
    data = to_json(report_of(LINEAR))
    change(data["models"][0])
    with pytest.raises(NotAReport):
        read_report(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2, "models": []}', "model x"])
def test_another_file_is_refused(text):
    with pytest.raises(NotAReport):
        read_report(text)


def test_errors_are_no_report():
    with pytest.raises(NotAReport, match="no model"):
        read_report(dumps(to_json(ERRORS)))
