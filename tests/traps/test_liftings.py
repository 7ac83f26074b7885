"""With free gates more may move than in the network: every verdict that is of the path-lifting says so."""

from __future__ import annotations

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.sweep.claim import OverSizes

from .checking import check

# with any gates that occur, relu(s)·relu(−s) is 0
HIDDEN = """
param u, y, z
input x
network g = [y*relu(u*x)*relu(-u*x), z*x, u*x]
expect commuting
expect laws = 1
expect no laws
expect complete
at {u = 1, y = 1, z = 1}
"""


def test_verdicts_say_what_they_are_of():
    """The network keeps y, and its fields commute; the path-lifting does neither."""
    model = check(HIDDEN)
    assert model.laws.of == "path-lifting"
    for claim in model.claims:
        assert "of the path-lifting" in claim.detail, claim
    assert any("the rank of the path-lifting" in note for note in model.notes)


def test_a_flow_without_gates_is_itself():
    model = check(HIDDEN.replace("relu", ""))
    for claim in model.claims:
        assert "path-lifting" not in claim.detail, claim


def test_a_family_says_so_as_well():
    family = "dim n = 1\nparam u[n]\ninput x\nnetwork g = sum(relu(u*x))\nexpect no laws\nsweep n in 1..2"
    found = check_text(family, "<trap>", CheckOptions(verify=False), over_sizes=OverSizes())
    (model,) = found.models
    (claim,) = (c for c in model.claims if c.kind == "sweep")
    assert claim.detail == "holds at all of them, for the path-lifting"
