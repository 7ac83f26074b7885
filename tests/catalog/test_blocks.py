"""Every entry of the catalog: its claims hold, and false ones made from them are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoflow.catalog import shipped
from geoflow.options import CheckOptions
from geoflow.pipeline import check_paths, check_text
from geoflow.results import HOLDS, ModelReport, Report
from geoflow.semantics import load
from tests.catalog.falsehoods import falsified, incomplete

QUICK = CheckOptions(verify=False)
SLOW = {"attention", "attention_heads", "attention_norm", "grouped_query", "rotary", "transformer"}
FILES = sorted(shipped().glob("*.geo"))
EACH = [pytest.param(f, id=f.stem, marks=[pytest.mark.slow] * (f.stem in SLOW)) for f in FILES]
WITH_LAWS = [p for p, f in zip(EACH, FILES, strict=True) if incomplete(f)[1]]


def models_of(report: Report) -> tuple[ModelReport, ...]:
    assert report.models, [(d.code, d.message) for d in report.diagnostics]
    return report.models


@pytest.mark.parametrize("path", EACH)
def test_the_claims_are_proved(path: Path):
    report = check_paths([str(path)], QUICK)
    for model in models_of(report):
        assert model.laws.status == "proved", model.model
        assert [c.text for c in model.claims if c.verdict != "proved"] == []
        assert any(c.kind == "laws" for c in model.claims)
    assert report.exit_code == 0


@pytest.mark.parametrize("path", EACH)
def test_false_claims_are_refused(path: Path):
    """And the file's own claims hold beside them."""
    report = check_text(falsified(path), path.name, QUICK)
    for model, own in zip(models_of(report), load(path)[0], strict=True):
        true = {law.name for law in own.laws} | {e.text for e in own.expectations}
        claims = {claim.name or claim.text: claim.verdict for claim in model.claims}
        false = claims.keys() - true
        assert len(false) >= 2
        assert {name for name in claims if claims[name] in HOLDS} == claims.keys() - false
    assert report.exit_code == 1


@pytest.mark.parametrize("path", WITH_LAWS)
def test_fewer_laws_are_not_complete(path: Path):
    text, name = incomplete(path)
    report = check_text(text, path.name, QUICK)
    model = next(m for m in models_of(report) if m.model == name)
    complete = [c.verdict for c in model.claims if c.kind == "complete"]
    assert complete and not set(complete) & set(HOLDS)
    assert report.exit_code == 1
