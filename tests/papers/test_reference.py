"""The counts and laws of the papers' cases, each counted there by two engines."""

from __future__ import annotations

from typing import Any

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

from .cases import geo_text, reference_cases
from .networks import network_text

SLOW = 20  # parameters


def marked(cases: list[dict[str, Any]]) -> list[Any]:
    """The cases as parameters of a test, the larger ones slow."""
    return [
        pytest.param(c, id=c["id"], marks=[pytest.mark.slow] if c["D"] > SLOW else [])
        for c in cases
    ]


def judge(case: dict[str, Any], text: str) -> None:
    """The count, and every claim of the text, is proved."""
    report = check_text(text, f"{case['id']}.geo", CheckOptions(verify=False))
    assert report.diagnostics == ()
    (result,) = report.models
    assert (result.parameters, result.dimension) == (case["D"], case["state_dim"])
    assert result.laws.upper == case["count"]
    if case["laws_complete"] or case["count"] == 0:
        assert (result.laws.lower, result.laws.status) == (case["count"], "proved")
    assert [(c.kind, c.name, c.verdict) for c in result.claims if c.verdict != "proved"] == []


@pytest.mark.parametrize("case", marked(reference_cases()))
def test_known_answer(case: dict[str, Any]) -> None:
    judge(case, geo_text(case))


def test_every_case_is_there() -> None:
    assert len({case["id"] for case in reference_cases()}) == 118


@pytest.mark.parametrize("case", marked([c for c in reference_cases() if network_text(c)]))
def test_known_answer_as_a_network(case: dict[str, Any]) -> None:
    text = network_text(case)
    assert text is not None
    judge(case, text)
