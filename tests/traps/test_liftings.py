"""With free gates more may move than in the network: every verdict that is of the path-lifting says so."""

from __future__ import annotations

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
