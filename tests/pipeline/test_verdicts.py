"""The main job end to end: true claims proved, false ones refused with what a person can check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_paths, check_text
from geoflow.report.machine import to_json
from geoflow.reporting import real_text
from geoflow.results import ClaimResult, LawCount, ModelReport, RealGates

EXAMPLES = Path(__file__).parents[2] / "examples"
EXACT = CheckOptions(verify=False)
LINEAR = """
model linear
dim n = 4, r = 3, m = 5
param U[n, r], V[m, r]
map phi = U @ V.T
"""
MOMENTUM = """
model heavy_ball
const tau = 1/2
param U[2, 3], V[2, 3]
map phi = U @ V.T
flow order 2 damping tau
"""


def judge(text: str) -> tuple[ModelReport, ClaimResult, int]:
    """The report of a text with one claim, the claim's result, and the exit code."""
    report = check_text(text, "<test>", EXACT)
    assert [d for d in report.diagnostics if d.severity == "error"] == []
    (model,) = report.models
    return model, model.claims[-1], report.exit_code


def test_linear_example_is_proved_and_verified() -> None:
    report = check_paths([str(EXAMPLES / "linear.geo")])
    (model,) = report.models
    assert report.exit_code == 0
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (6, 6, "proved")
    assert [law.text for law in model.found] == ["U.T @ U - V.T @ V"]
    assert [c.verdict for c in model.claims] == ["proved"] * 3
    assert model.verify is not None and model.verify.usable and not model.verify.failed
    assert model.verify.max_drift < 1e-6 < model.verify.control_drift
    assert model.verify.moved > 0.01


@pytest.mark.parametrize("value", [5, 7])
def test_a_count_off_by_one_is_refuted(value: int) -> None:
    model, claim, code = judge(LINEAR + f"expect laws = {value}\n")
    assert (claim.verdict, code) == ("refuted", 1)
    assert claim.witness and "6" in claim.witness[0]
    assert claim.detail not in claim.witness[0]  # nothing is said twice
    assert model.laws.upper == 6


def test_a_flow_that_is_defined_nowhere_is_marked_at_its_map() -> None:
    report = check_text("param x, y\nlet z = x - x\nmap phi = y/z\n", "<test>", EXACT)
    (found,) = report.diagnostics
    assert (found.code, found.span and found.span.text) == ("GEO0509", "map phi = y/z")


def test_how_long_was_integrated_is_said() -> None:
    report = check_text(LINEAR + "verify { data gaussian(4); trials 1; time 1 }\n")
    (model,) = report.models
    assert model.verify is not None and model.verify.end_time == 1.0


def test_a_long_point_is_not_printed() -> None:
    short = RealGates(4, (1, 2), {"U": [[1, -2]]}, 1, 2, (4,))
    long = replace(short, point={"U": [[123456789012] * 4] * 3})
    counted = LawCount(3, 3, "proved")
    assert "U = [[1, -2]]" in real_text(short, counted)[0]
    assert "123456789012" not in " ".join(real_text(long, counted))
    assert "facts.real_gates" in real_text(long, counted)[0]


def test_a_wrong_sign_is_refuted_with_a_witness() -> None:
    _, claim, code = judge(LINEAR + "law plus = U.T @ U + V.T @ V\n")
    assert (claim.verdict, code) == ("refuted", 1)
    assert claim.witness[-1].startswith("d/dt plus[") and "not 0" in claim.witness[-1]
    assert claim.hints == ("did you mean U.T @ U - V.T @ V?",)


@pytest.mark.parametrize(
    "law",
    [
        "U.T @ U - V.T @ V",  # of the gradient flow
        "U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V",  # without its factor
        "exp(2*tau*t)*(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)",  # with the wrong rate
        "exp(tau*t)*(U.T @ U' - U'.T @ U - V.T @ V' + V'.T @ V)",  # with a wrong sign
        "t",
        "exp(tau*t)",
    ],
)
def test_wrong_momentum_laws_are_refuted(law: str) -> None:
    _, claim, code = judge(MOMENTUM + f"law h = {law}\n")
    assert (claim.verdict, code) == ("refuted", 1)
    assert claim.witness


def test_the_momentum_law_is_proved() -> None:
    law = "exp(tau*t)*(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)"
    model, claim, code = judge(MOMENTUM + f"law h = {law}\n")
    assert (claim.verdict, claim.detail, code) == ("proved", "3 independent entries", 0)
    assert model.laws.upper == 3


def test_a_count_that_no_formula_reaches() -> None:
    text = (EXAMPLES / "subchain.geo").read_text() + "expect complete\n"
    model, claim, code = judge(text)
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (7, 7, "proved")
    assert sum(law.independent for law in model.found) == 6
    assert (claim.kind, claim.verdict, code) == ("complete", "refuted", 1)
    assert "scalar" in claim.witness[0]


def test_dependent_claims_are_not_complete() -> None:
    law = "law a = sum(U**2) - sum(V**2)\nlaw b = 2*sum(U**2) - 2*sum(V**2)\nexpect complete\n"
    _, claim, _ = judge(LINEAR + law)
    assert claim.verdict == "refuted" and claim.detail.startswith("1 of 6")


def test_facts() -> None:
    text = LINEAR + "expect depth = 1\n"
    model, claim, _ = judge(text)
    assert claim.verdict in ("proved", "probable")
    assert model.facts == {"involutive": False, "commuting": False, "depth": 1, "kernel": 9}
    assert model.facts_status["commuting"] == "proved"
    _, claim, code = judge(LINEAR + "expect commuting\n")
    assert (claim.verdict, code) == ("refuted", 1)


def test_strict_refuses_what_is_only_probable() -> None:
    text = (
        "param A[2, 1], B[1, 2], C[2, 2], D[2, 1], E[1, 2]\n"
        "map phi = A @ B @ C @ D @ E\nexpect laws = 9\n"
    )
    assert check_text(text, "<test>", EXACT).models[0].laws.status == "probable"
    assert check_text(text, "<test>", EXACT).exit_code == 0
    assert check_text(text, "<test>", CheckOptions(verify=False, strict=True)).exit_code == 1
    report = check_text(text.replace("= 9", "= 8"), "<test>", EXACT)
    assert report.models[0].claims[0].verdict == "probably refuted"
    report = check_text(text.replace("= 9", "= 10"), "<test>", EXACT)
    assert report.models[0].claims[0].verdict == "refuted"


def test_json_has_the_promised_keys() -> None:
    report = check_paths([str(EXAMPLES / "linear.geo")], CheckOptions(verify=False, formulas=True))
    data = to_json(report)
    assert (data["schema"], data["exit_code"], data["diagnostics"]) == (1, 0, [])
    (model,) = data["models"]
    assert model["laws"]["lower"] == model["laws"]["upper"] == 6
    assert {
        "file",
        "model",
        "parameters",
        "dimension",
        "claims",
        "found",
        "verify",
        "facts",
    } <= set(model)
    assert model["facts"]["kernel"] == 9 and model["assumes"][0] == "every data set and every loss"
    assert "U[0, 0]**2" in model["found"][0]["sympy"]


def test_the_same_seed_gives_the_same_report() -> None:
    def run(seed: int) -> dict:
        report = check_paths(
            [str(EXAMPLES / "momentum.geo")], CheckOptions(verify=False, seed=seed)
        )
        (model,) = to_json(report)["models"]
        return {k: v for k, v in model.items() if k != "seconds"}

    assert run(3) == run(3)
    assert run(3)["prime"] != run(4)["prime"]
    assert run(3)["found"] == run(4)["found"]


def test_a_timeout_gives_a_partial_verdict() -> None:
    text = "param W[l in 1..4][6, 6]\nmap phi = W[4] @ W[3] @ W[2] @ W[1]\n"
    report = check_text(text, "<test>", CheckOptions(verify=False, timeout=1e-6))
    (model,) = report.models
    assert model.laws.status == "bounded" and model.laws.lower < model.laws.upper
    assert "GEO0703" in {d.code for d in report.diagnostics}
