"""Flows whose fields are only spanned, or whose signs hold on an open set: nothing is said beyond it."""

from __future__ import annotations

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

EXACT = CheckOptions(verify=False)


def verdicts(text: str) -> dict[str, str]:
    (model,) = check_text(text, "<test>", EXACT).models
    return {claim.name or claim.text: claim.verdict for claim in model.claims}


def test_signs_are_exact() -> None:
    """The gradient in z is identically 0, which rounding hides."""
    text = """
param x > 0, y > 0, z > 0
map phi = x*y + (z + 1/3)**3 - z**3 - z**2 - z/3
flow sign(0)
law h = z
law g = x + z
"""
    assert verdicts(text) == {"h": "proved", "g": "refuted"}


def test_signs_need_numbers() -> None:
    text = "const c symbolic\nparam x > 0, y > 0\nmap phi = x + (c - 1)*y\nflow sign(0)\nlaw h = y"
    report = check_text(text, "<test>", EXACT)
    assert [d.code for d in report.diagnostics] == ["GEO0505"] and report.exit_code == 2


def test_commuting_is_a_matter_of_the_fields_themselves() -> None:
    """Full Fisher of an invertible Jacobian has coordinate fields, which commute."""
    full = "param x, y\nmap phi = [x*y, x]\nmetric fisher(full)\nexpect commuting"
    assert verdicts(full) == {"expect commuting": "undecided"}
    written = full.replace("fisher(full)", "riemannian([[1 + y**2, x*y], [x*y, x**2]])")
    assert verdicts(written) == {"expect commuting": "proved"}


def test_flat_directions_are_those_of_the_map() -> None:
    report = check_text("param x, y\nmap phi = x*y\nflow rmsprop(b2 = 1/10)", "<test>", EXACT)
    assert report.models[0].facts["kernel"] == 1


def test_what_refutes_lies_in_the_open_set() -> None:
    """x + y is conserved near (1, 1), where ∂ₓφ < 0; the verdict is of y > 10, and so is what shows it."""
    text = "param x, y\nmap phi = x*y - 10*x\nflow sign(0)\nlaw k = x + y\nlaw j = x - y"
    (model,) = check_text(text, "<test>", EXACT).models
    refuted, proved = model.claims
    assert (refuted.verdict, proved.verdict) == ("refuted", "proved")
    (line,) = refuted.witness
    assert "at the point of the certificate" in line
    odd = check_text(text.replace("sign(0)", "sign(3)"), "<test>", EXACT).models[0].claims[0]
    assert odd.verdict == "refuted"
    assert "d/dt k = " in " ".join(odd.witness)  # a polynomial field is one everywhere
