"""What `check` says of a model with `sweep`."""

from __future__ import annotations

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.results import ClaimResult, Report
from geoflow.sweep.claim import OverSizes

from .families import LINEAR


def check(text: str, timeout: float = 300, **given: str) -> Report:
    options = CheckOptions(given, timeout=timeout, verify=False)
    return check_text(text, "f.geo", options, over_sizes=OverSizes())


def over_sizes(report: Report) -> ClaimResult | None:
    found = [claim for claim in report.models[0].claims if claim.kind == "sweep"]
    return found[0] if found else None


def test_a_claim_that_holds_over_the_family():
    report = check(LINEAR + "expect laws = r*(r + 1)/2 when r <= n + m\nsweep n in 1..2, r in 1..4")
    claim = over_sizes(report)
    assert claim is not None and report.exit_code == 0
    assert (claim.text, claim.verdict) == ("expect laws over 8 sizes", "probable")


def test_a_claim_that_holds_at_the_declared_sizes_only():
    report = check(LINEAR + "expect laws = r*(r + 1)/2\nsweep n in 1..2, r in 1..5")
    claim = over_sizes(report)
    assert claim is not None and report.exit_code == 1
    assert claim.verdict == "refuted" and "n = 1, r = 3" in claim.detail and claim.line == 6
    assert [d.code for d in report.diagnostics] == ["GEO0602"]


def test_a_size_without_a_model_is_undecided():
    text = "dim n = 2, k = 2\nparam U[n], V[k]\nmap phi = U*V\nexpect laws = k\nsweep n in 2..3"
    claim = over_sizes(check(text))
    assert claim is not None and claim.verdict == "undecided" and "GEO0301" in claim.detail


def test_without_a_claim_on_the_count_nothing_is_swept():
    assert over_sizes(check(LINEAR + "expect complete\nsweep n in 1..2")) is None


def test_sizes_given_are_not_swept():
    text = LINEAR + "expect laws = r*(r + 1)/2\nsweep r in 1..9"
    assert over_sizes(check(text, r="2")) is None


def test_no_time_is_undecided():
    claim = over_sizes(check(LINEAR + "expect laws = 3\nsweep n in 2..9", timeout=1e-4))
    assert claim is not None and claim.verdict == "undecided" and "time ran out" in claim.detail
