"""Checking a text without integration."""

from __future__ import annotations

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.results import ModelReport


def check(text: str, seed: int = 0) -> ModelReport:
    """The report on the one model of a text without mistakes."""
    report = check_text(text, "<law>", CheckOptions(verify=False, seed=seed))
    assert not [d for d in report.diagnostics if d.severity == "error"], report.diagnostics
    (model,) = report.models
    return model


def verdicts(model: ModelReport) -> dict[str, str]:
    """Verdicts by the name of the law, or the text of the expectation."""
    return {claim.name or claim.text: claim.verdict for claim in model.claims}


def found(text: str, seed: int = 0) -> list[str]:
    """The laws found, as text; all of them proved."""
    model = check(text, seed)
    assert {law.status for law in model.found} <= {"proved"}
    return [law.text for law in model.found]
