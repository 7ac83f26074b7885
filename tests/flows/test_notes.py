"""What a report says besides its numbers."""

from __future__ import annotations

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

MODEL = "param U[2, 2], V[2, 2]\nmap phi = U @ V.T\n"


def notes(text: str) -> str:
    (model,) = check_text(MODEL + text, "<test>", CheckOptions(verify=False)).models
    return " ".join(model.notes)


@pytest.mark.parametrize(
    ("decay", "said"),
    [
        ("decay 1 on U", "weight decay on U only costs 3 of 3 laws"),
        ("decay 1 on U\ndecay 2 on V", "weight decay at unequal rates on U, V costs 3 of 3 laws"),
        ("flow order 2 damping 1\ndecay 1 on U decoupled", "weight decay on U only costs 1 of 1"),
    ],
)
def test_partial_decay_is_named_as_the_cause(decay: str, said: str) -> None:
    assert said in notes(decay)


@pytest.mark.parametrize(
    "decay", ["decay 1", "flow order 2 damping 1\ndecay 1 on U\ndecay 2 on V coupled", ""]
)
def test_decay_that_costs_nothing_is_not_blamed(decay: str) -> None:
    if "coupled" in decay:
        decay = decay.replace("decay 1 on U", "decay 1 on U coupled")
    assert "decay" not in notes(decay)


def test_a_parameter_that_the_map_does_not_see_is_named() -> None:
    assert "does not depend on w: no loss trains it" in notes("param w[3]")
