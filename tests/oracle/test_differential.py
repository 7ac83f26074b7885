"""geoflow against the oracle on random models: the same counts, the same verdicts on claims."""

from __future__ import annotations

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

from .models import draw
from .oracle import Oracle

MODELS = 200
QUICK = 40


@pytest.mark.parametrize(
    "seed",
    [*range(QUICK), *(pytest.param(s, marks=pytest.mark.slow) for s in range(QUICK, MODELS))],
)
def test_agrees_with_the_oracle(seed: int) -> None:
    model = draw(seed)
    oracle = Oracle(model.description, seed)
    report = check_text(model.text, f"drawn{seed}.geo", CheckOptions(verify=False))
    assert not [d for d in report.diagnostics if d.severity == "error"], model.text
    (result,) = report.models
    assert result.dimension == oracle.dimension, model.text
    assert result.laws.upper == oracle.count, model.text
    assert result.laws.lower <= oracle.count, model.text
    assert result.laws.status != "proved" or result.laws.lower == oracle.count, model.text
    verdicts = {claim.name: claim.verdict for claim in result.claims}
    expected = {
        candidate.name: "proved" if all(map(oracle.is_law, candidate.term.flat())) else "refuted"
        for candidate in model.candidates
    }
    assert verdicts == expected, model.text


def test_the_draws_are_varied() -> None:
    counts = {
        (model.description.order, Oracle(model.description, seed).count)
        for seed in range(60)
        for model in [draw(seed)]
    }
    assert {(1, k) for k in range(4)} | {(2, 0), (2, 2)} <= counts
