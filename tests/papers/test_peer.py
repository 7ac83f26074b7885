"""The nets that the papers' own code was timed on: the same counts, proved."""

from __future__ import annotations

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

from .cases import PeerCase, peer_cases

SLOW = 24  # parameters


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(c, id=c.id, marks=[pytest.mark.slow] if c.parameters > SLOW else [])
        for c in peer_cases()
    ],
)
def test_same_count(case: PeerCase) -> None:
    report = check_text(case.text, f"{case.id}.geo", CheckOptions(verify=False))
    assert report.diagnostics == ()
    (result,) = report.models
    assert result.laws.status == "proved"
    if case.laws is not None:
        assert (result.laws.lower, result.laws.upper) == (case.laws, case.laws)
    assert [(c.kind, c.name, c.verdict) for c in result.claims if c.verdict != "proved"] == []
