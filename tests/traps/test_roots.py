"""Square roots: the signs of roots mod p are chosen together, and a law that is nowhere defined is none."""

from __future__ import annotations

import pytest

from .checking import check, verdicts


def test_a_root_of_a_product_is_the_product_of_roots():
    model = check(
        """
        param x > 0, y > 0, z
        map phi = [sqrt(x)*sqrt(y), z*(sqrt(x)*sqrt(y) - sqrt(x*y))]
        law a = x**2 - y**2
        law free = z
        expect laws = 1
        """
    )
    assert model.certificate is not None
    assert model.certificate.rank == 1
    assert model.laws.upper == 2
    assert verdicts(model)["a"] == "proved"
    assert verdicts(model)["free"] in ("proved", "probable")
    assert verdicts(model)["expect laws = 1"] in ("refuted", "probably refuted")


@pytest.mark.parametrize("seed", range(4))
def test_a_root_of_a_square_is_positive_where_the_point_is(seed: int):
    model = check("param x > 0, y > 0, z\nmap phi = z*(sqrt((x + y)**2) - (x + y))", seed)
    assert model.certificate is not None
    assert model.certificate.rank == 0
    assert model.laws.upper == 3
    assert "on an open set with the point of the certificate" in model.assumes


def test_rational_radicands_and_half_integer_powers():
    model = check(
        """
        param x > 0, y > 0, z
        map phi = [x**(3/2)*y**(-1/2), z*(x*sqrt(x/y) - x**(3/2)*y**(-1/2)), z*(sqrt(4*x*y) - 2*sqrt(x)*sqrt(y))]
        expect laws = 2
        """
    )
    assert model.certificate is not None
    assert model.certificate.rank == 1
    assert verdicts(model)["expect laws = 2"] in ("proved", "probable")


def test_independent_roots_are_free():
    model = check("param x > 0, y > 0, z > 0\nmap phi = [sqrt(x + y), sqrt(y + z), sqrt(x)]")
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (0, 0, "proved")


def test_a_law_that_divides_by_zero_everywhere_is_not_proved():
    model = check(
        """
        param x > 0, y > 0, z
        map phi = z
        law hidden = x/(sqrt(x)*sqrt(y) - sqrt(x*y))
        law cancelled = z/(sqrt(x)*sqrt(y) - sqrt(x*y))*(sqrt(x)*sqrt(y) - sqrt(x*y))/z
        law other = 1/(sqrt(x**2) - x)
        law plain = x/(x*y - y*x)
        """
    )
    assert set(verdicts(model).values()) == {"undecided"}


def test_roots_in_a_law_alone_are_proved_by_expansion():
    """What cannot be evaluated at the point is left out of the count, and refutes nothing."""
    model = check(
        """
        param x > 0, y > 0
        map phi = x**2 - y**2
        law root = sqrt(x*y)
        law rational = 1/(1 + sqrt(x*y))
        expect complete
        """
    )
    assert verdicts(model)["root"] == "proved"
    assert verdicts(model)["rational"] == "proved"
    assert verdicts(model)["expect complete"] not in ("refuted", "probably refuted")


def test_roots_of_a_quotient_have_a_sign_of_their_own():
    """√((z−w)/(x−y))·(x−y) is −√((z−w)(x−y)) where x < y: equal to it on one open set only."""
    text = """
        param x, y, z, w
        map phi = sqrt((z - w)/(x - y))*(x - y) - sqrt((z - w)*(x - y))
        law a = x
        """
    for seed in range(3):
        assert verdicts(check(text, seed))["a"] != "proved"


def test_norms_are_exact():
    model = check(
        """
        param u[3], s
        map phi = s*u/norm(u)
        law a = sum(u**2)
        expect laws = 1
        expect complete
        """
    )
    assert set(verdicts(model).values()) == {"proved"}


def test_a_law_without_real_values_is_not_proved():
    model = check(
        """
        param x, y
        map phi = x*y
        law root = sqrt(-1)*(x**2 - y**2)
        law logarithm = log(-1 - (x**2 - y**2)**2)
        law nested = (-1 - (x**2 - y**2)**2)**(1/2)
        law partial = log(x**2 - y**2 - 1) + sqrt(y**2 - x**2 + 5)
        expect complete
        """
    )
    verdict = verdicts(model)
    assert verdict.pop("partial") == "proved"
    assert set(verdict.values()) == {"undecided"}
