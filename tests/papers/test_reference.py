"""The counts and laws of the papers' cases, each counted there by two engines."""

from __future__ import annotations

from typing import Any

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

from .cases import NOT_YET, geo_text, reference_cases

SLOW = 20  # parameters

REACHED = [case for case in reference_cases() if case["id"] not in NOT_YET]
UNREACHED = [case for case in reference_cases() if case["id"] in NOT_YET]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(c, id=c["id"], marks=[pytest.mark.slow] if c["D"] > SLOW else [])
        for c in REACHED
    ],
)
def test_known_answer(case: dict[str, Any]) -> None:
    text = geo_text(case)
    assert text is not None
    report = check_text(text, f"{case['id']}.geo", CheckOptions(verify=False))
    assert report.diagnostics == ()
    (result,) = report.models
    assert (result.parameters, result.dimension) == (case["D"], case["state_dim"])
    assert result.laws.upper == case["count"]
    if case["laws_complete"] or case["count"] == 0:
        assert (result.laws.lower, result.laws.status) == (case["count"], "proved")
    assert [(c.kind, c.name, c.verdict) for c in result.claims if c.verdict != "proved"] == []


def test_what_is_out_of_reach_is_named() -> None:
    assert len(REACHED) + len(UNREACHED) == 118
    assert all(geo_text(case) is None for case in UNREACHED)
    reasons = {"accelerated mirror", "weight decay", "damping 3/t", "Fisher metric", "arctan"}
    assert set(NOT_YET.values()) == reasons
