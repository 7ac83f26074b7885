"""What refutes a claim, and what does not."""

from __future__ import annotations

import pytest

from geoflow.lie import point
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

from .checking import check, verdicts

# U Vᵀ and one more output: counts are closed by formulas
LINEAR = "param U[2, 2], V[2, 2]\nmap phi = U @ V.T\n"
# seven laws, six of them with formulas
SUBCHAIN = """
param a[2], B[2, 2], c[2]
map phi = a @ B @ c
"""
DEEP = "param A[1, 2], B[2, 2], C[2, 1], d[2]\nmap phi = [A @ B @ C, d[0]*d[1]*(A @ B @ C)]\nsearch polynomial(1)\n"


def test_a_refuted_count_needs_a_proved_bound():
    model = check(
        LINEAR + "search polynomial(1)\nexpect laws = 2\nexpect laws = 3\nexpect laws = 4"
    )
    assert model.laws.status == "proved"
    assert [c.verdict for c in model.claims] == ["refuted", "proved", "refuted"]


def test_against_a_probable_count_a_claim_is_probably_refuted():
    model = check(DEEP + "expect laws = 2\nexpect laws = 100\nexpect complete")
    assert model.laws.status == "probable"
    assert model.laws.lower < model.laws.upper
    low, high, _ = (c.verdict for c in model.claims)
    assert low == ("refuted" if model.laws.lower > 2 else "probably refuted")
    assert high == "refuted"  # the rank is a proved bound from above


def test_a_probable_count_is_not_proved_by_its_number():
    probe = check(DEEP).laws
    model = check(DEEP + f"expect laws = {probe.upper}\nexpect laws = {probe.upper - 1}")
    agreeing, other = (c.verdict for c in model.claims)
    assert agreeing == "probable"
    assert other in ("probably refuted", "refuted")
    assert (other == "refuted") == (probe.upper - 1 < probe.lower)


def test_a_scalar_map_has_its_count_proved_without_formulas():
    model = check(SUBCHAIN + "expect laws = 7\nexpect complete")
    assert model.laws.status == "proved"
    assert verdicts(model)["expect laws = 7"] == "proved"
    assert verdicts(model)["expect complete"] != "proved"


@pytest.mark.parametrize(
    "law",
    [
        "U.T @ U + V.T @ V",
        "U.T @ U - 2*V.T @ V",
        "U @ U.T - V @ V.T",
        "U.T @ V",
        "U.T @ U - V.T @ V + [[0, 0], [0, U[0, 0]]]",
        "(U.T @ U - V.T @ V)**2 + 1/10**30*V",
        "U[0, 0]",
    ],
)
def test_a_changed_coefficient_is_refuted(law: str):
    model = check(LINEAR + f"law a = {law}")
    assert verdicts(model)["a"] == "refuted"
    (claim,) = model.claims
    assert any("not 0" in line for line in claim.witness)


def test_dependent_claims_do_not_raise_the_count():
    model = check(
        LINEAR
        + """
law a = (U.T @ U - V.T @ V)[0, 0]
law b = 2*a + a**2
law c = (U.T @ U - V.T @ V)[0, :]
expect complete
""".replace("2*a + a**2", "2*(U.T @ U - V.T @ V)[0, 0] + (U.T @ U - V.T @ V)[0, 0]**2")
    )
    assert verdicts(model) == {
        "a": "proved",
        "b": "proved",
        "c": "proved",
        "expect complete": "refuted",  # b depends on a
    }
    (complete,) = (c for c in model.claims if c.kind == "complete")
    assert complete.detail.startswith("2 of 3")


def test_a_constant_is_conserved_and_counts_nothing():
    model = check(LINEAR + "law a = 3 + 0*U[0, 0]\nexpect complete")
    assert verdicts(model) == {"a": "proved", "expect complete": "refuted"}


def test_an_unlucky_point_is_drawn_again(monkeypatch):
    """The first points have x = y, where φ is not defined."""
    original = point._draw
    drawn = []

    def unlucky(generator, rng):
        place = original(generator, rng)
        drawn.append(place)
        if len(drawn) <= 3:
            place.point["x"] = place.point["y"]
        return place

    monkeypatch.setattr(point, "_draw", unlucky)
    model = check("param x, y, z\nmap phi = z/(x - y)\nlaw a = x + y\nexpect laws = 2")
    assert len(drawn) > 3
    assert verdicts(model) == {"a": "proved", "expect laws = 2": "proved"}


def test_a_special_point_gives_a_bound_and_no_wrong_proof(monkeypatch):
    """At the origin every field of x·y vanishes; two such points agree on rank 0."""
    original = point._draw

    def special(generator, rng):
        place = original(generator, rng)
        for name in place.point:
            place.point[name] = place.point[name] * 0
        return place

    monkeypatch.setattr(point, "_draw", special)
    model = check("param x, y, z\nmap phi = x*y\nlaw a = x\nlaw b = x**2 - y**2\nexpect laws = 2")
    assert model.laws.lower <= 2 <= model.laws.upper
    assert model.laws.status != "proved" or model.laws.upper == 2
    assert verdicts(model)["a"] == "refuted"
    assert verdicts(model)["b"] == "proved"


@pytest.mark.parametrize(
    "claim", ["laws = 6", "laws = 9", "laws of U, V = 6", "complete", "depth = 0", "depth = 1"]
)
def test_out_of_time_nothing_is_even_probable(claim: str):
    text = f"param U[3, 3], V[3, 3], w\nmap phi = w*U @ V.T\nexpect {claim}"
    report = check_text(text, "<trap>", CheckOptions(verify=False, timeout=0.0))
    (model,) = report.models
    assert model.laws.status == "bounded"
    assert model.laws.upper >= 6
    assert [c.verdict for c in model.claims] == ["undecided"]
    assert report.exit_code == 1


@pytest.mark.parametrize("flow", ["flow order 2", "flow order 2 damping 3/t", "decay 1/10"])
def test_commuting_is_of_the_controlled_fields_whatever_the_drift(flow: str):
    """∇(xy) and ∇(zw) commute; with momentum any two fields do, for they push velocities alone."""
    model = check(f"param x, y, z, w\nmap phi = [x*y, z*w]\n{flow}\nexpect commuting")
    assert verdicts(model) == {"expect commuting": "proved"}


def test_fields_that_do_not_commute_are_refuted_with_a_drift_too():
    model = check("param U[2, 1]\nmap phi = U @ U.T\ndecay 1\nexpect commuting")
    assert verdicts(model) == {"expect commuting": "refuted"}


@pytest.mark.parametrize("seed", range(6))
def test_fields_of_networks_commute_only_if_they_do_where_their_neurons_are_on_together(seed: int):
    """The gates of relu(z)**2 are 0 or 1: a neuron that is off in one of two fields hides their bracket."""
    text = "param U[2, 1], V[2, 2]\ninput x[1]\nnetwork g = V @ relu(U @ x)**2\nexpect commuting"
    assert verdicts(check(text, seed)) == {"expect commuting": "refuted"}


def test_laws_whose_entries_are_not_counted_may_be_complete():
    """s = x + y has s″ + s′/t = 0: both laws are all, and the second is left out of the rank."""
    head = "param x, y\nmap phi = x - y\nflow order 2 damping 1/t\nlaw a = t*(x' + y')\n"
    whole = check(head + "law b = x + y - t*(x' + y')*log(t)\nexpect laws = 2\nexpect complete")
    assert [c.verdict for c in whole.claims] == ["proved", "proved", "probable", "undecided"]
    alone = check(head + "expect complete")
    assert alone.claims[-1].verdict in ("refuted", "probably refuted")
