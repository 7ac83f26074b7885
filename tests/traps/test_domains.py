"""What is nowhere defined has no laws, and what is defined by pieces has those of one piece."""

from __future__ import annotations

import pytest

from .checking import check, verdicts

# functions that are 0 without looking so
HIDDEN = ["exp(u + v) - exp(u)*exp(v)", "sigmoid(u) + sigmoid(-u) - 1", "log(exp(u)) - u"]


@pytest.mark.parametrize("zero", HIDDEN)
def test_a_network_that_divides_by_zero_everywhere_has_no_proved_laws(zero: str):
    model = check(f"param u, v, w, z\ninput x\nnetwork g = z*x/({zero})\nlaw a = w\nexpect no laws")
    assert verdicts(model)["a"] == "undecided"
    assert verdicts(model)["expect no laws"] != "refuted"
    assert not [law for law in model.found if law.status == "proved"]


def test_a_network_that_is_defined_somewhere_has():
    model = check("param u, v, w, z\ninput x\nnetwork g = z*x/(exp(u + v) - exp(u))\nlaw a = w")
    assert verdicts(model)["a"] == "proved"
    model = check("param u, w, z\ninput x\nnetwork g = z*x*log(u - 20)\nlaw a = w")
    assert verdicts(model)["a"] == "proved"


@pytest.mark.parametrize("argument", ["-1 - u**2", "-exp(u)"])
@pytest.mark.parametrize("function", ["log", "sqrt"])
def test_a_network_without_real_values_has_no_proved_laws(function: str, argument: str):
    model = check(f"param u, w, z\ninput x\nnetwork g = z*x*{function}({argument})\nlaw a = w")
    assert verdicts(model)["a"] == "undecided"


def test_a_law_that_divides_by_a_hidden_zero_is_not_proved():
    model = check(
        """
        param x > 0, y > 0, w
        map phi = w
        law a = x/(log(x*y) - log(x) - log(y))
        law b = y/(log(x**2) - 2*log(x))
        law c = x/(log(x*y) - log(x))
        """
    )
    assert verdicts(model) == {"a": "undecided", "b": "undecided", "c": "proved"}


@pytest.mark.parametrize("added", ["0", "exp(p[0] + p[1]) - exp(p[0])*exp(p[1])"])
def test_a_pseudo_inverse_of_hidden_rank(added: str):
    """Both outputs move p[0] alike, and q each by itself: 2·p[0] − q[0] − q[1] is conserved, p[0] − q[0] is not. An
    inverse in which the hidden zero is none has it the other way round."""
    model = check(
        f"""
        param p[2], q[2]
        input x
        network g = [p[0] + q[0] + 0*x, p[0] + q[1] + {added}]
        metric fisher(blocks, data = points(1))
        law wrong = p[0] - q[0]
        law right = 2*p[0] - q[0] - q[1]
        expect laws = 2
        """
    )
    verdict = verdicts(model)
    assert verdict["wrong"] in ("refuted", "undecided")
    assert verdict["right"] in ("proved", "undecided")
    assert verdict["expect laws = 2"] in ("proved", "probable")


@pytest.mark.parametrize("factor", ["1", "exp(v)"])
def test_a_root_in_a_network_holds_on_an_open_set(factor: str):
    """Where u < 0 the network is 0, and there are three laws."""
    model = check(f"param u, v, z\ninput x\nnetwork g = x*z*(sqrt(u**2) + u)*{factor}")
    assert model.laws.upper == 2
    assert "on an open set with the point of the certificate" in model.assumes
    assert "a generic point" not in model.assumes
