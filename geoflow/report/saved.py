"""A report read back from the JSON of `check --format json`."""

from __future__ import annotations

from typing import Any

from geoflow.report.machine import SCHEMA
from geoflow.results import ModelReport, Report
from geoflow.stored import NotStored, read_as, read_dataclass, read_json, read_list


class NotAReport(ValueError):
    """The text is no JSON, or not that of a report of this version."""


def read_report(text: str) -> Report:
    """The report, as far as JSON holds it: no points of certificates, no source, no trajectories.

    Raises:
        NotAReport: a key is missing, or a value of another type.
    """
    try:
        return _report(read_json(text))
    except NotStored as error:
        raise NotAReport(str(error)) from None


def _report(data: Any) -> Report:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or "models" not in data:
        raise NotAReport(f'it has no "schema": {SCHEMA} and no "models"')
    models = tuple(_model(model) for model in read_list(data["models"]))
    if not models:
        raise NotAReport("no model was checked")
    exit_code, seconds = _read(data, "exit_code", int), _read(data, "seconds", float)
    return Report(models, (), exit_code, seconds)


def _read(data: dict[str, Any], key: str, kind: Any) -> Any:
    if key not in data:
        raise NotAReport(f"`{key}` is missing")
    return read_as(data[key], kind, key)


def _model(data: Any) -> ModelReport:
    if not isinstance(data, dict):
        raise NotAReport("a model is no object")
    data = dict(data)
    facts = data.get("facts") or {}
    if isinstance(facts, dict):  # the real gates are told in the notes as well
        facts = {key: value for key, value in facts.items() if key != "real_gates"}
    if isinstance(data.get("verify"), dict):
        drifts = read_list(data["verify"].get("drifts", []))
        if not all(isinstance(d, dict) for d in drifts):
            raise NotAReport("`drifts` has a value of another type")
        pairs = [[d.get("law"), d.get("drift")] for d in drifts]
        data["verify"] = {**data["verify"], "drifts": pairs}
    return read_dataclass(
        {**data, "facts": facts, "exhibit": None, "document": None}, ModelReport, "model"
    )
