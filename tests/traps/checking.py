"""Checking a text without integration, and primes of one's own choice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.results import ModelReport, Report

DRAWERS = ("geoflow.lie.point", "geoflow.laws.dictionary", "geoflow.laws.witness")


def run(text: str, seed: int = 0) -> Report:
    return check_text(text, "<trap>", CheckOptions(verify=False, seed=seed))


def check(text: str, seed: int = 0) -> ModelReport:
    """The report on the one model of a text without mistakes."""
    report = run(text, seed)
    assert not [d for d in report.diagnostics if d.severity == "error"], report.diagnostics
    (model,) = report.models
    return model


def verdicts(model: ModelReport) -> dict[str, str]:
    """Verdicts by the name of the law, or the text of the expectation."""
    return {claim.name or claim.text: claim.verdict for claim in model.claims}


def force_primes(monkeypatch: pytest.MonkeyPatch, primes: Iterator[int]) -> None:
    """Let every draw of a prime give the next of these."""
    for module in DRAWERS:
        monkeypatch.setattr(f"{module}.draw_prime", lambda rng: next(primes))
