"""Laws that depend on time: factors, exponentials, functions of t alone."""

from __future__ import annotations

import pytest

from .checking import check, run, verdicts

FREE = "param x, y, z\nmap phi = z\nflow order 2 damping 1\n"


def test_a_function_of_t_alone_is_no_law():
    model = check(FREE + "law a = t\nlaw b = exp(t)\nlaw c = t**2 - 1/t\nlaw d = exp(2*t) + t")
    assert set(verdicts(model).values()) == {"refuted"}
    constant = check(FREE + "law a = t - t\nlaw b = exp(t)*exp(-t)\nexpect complete")
    assert verdicts(constant)["a"] == "proved"
    assert verdicts(constant)["b"] == "proved"
    assert verdicts(constant)["expect complete"] == "refuted"


@pytest.mark.parametrize("law", ["t", "t*x", "exp(t)*(x**2 - y**2)", "x**2 - y**2 + 0*t"])
def test_t_has_no_meaning_in_a_flow_of_order_one(law: str):
    report = run(f"param x, y\nmap phi = x*y\nlaw a = {law}")
    assert report.models == ()
    assert [d.code for d in report.diagnostics] == ["GEO0206"]


def test_powers_of_one_exponential_law_are_one_law():
    model = check(
        FREE
        + """
law a = exp(t)*x'
law b = exp(2*t)*x'**2
law c = exp(3*t)*x'**3 + exp(t)*x'
expect laws = 4
expect complete
"""
    )
    verdict = verdicts(model)
    assert [verdict[n] for n in "abc"] == ["proved"] * 3
    assert verdict["expect laws = 4"] == "proved"
    assert verdict["expect complete"] == "refuted"


def test_one_law_written_over_two_exponentials_counts_once():
    """`a` and `b` are one function; `b` has another lattice of exponents."""
    model = check(
        FREE
        + """
law a = exp(t)*x' + exp(2*t)*y'**2
law b = exp(t)*x' + exp(2*t)*y'**2 + exp(t/2) - exp(t/2)
law c = x + x'
law d = y + y'
expect complete
"""
    )
    assert verdicts(model) == {
        **dict.fromkeys("abcd", "proved"),
        "expect complete": "refuted",
    }


def test_one_law_written_with_two_logarithms_counts_once():
    model = check(
        """
        param x > 0, y > 0, z > 0
        map phi = x**2 - y**2
        law a = z*log(x*y)
        law b = z*(log(x) + log(y))
        expect complete
        """
    )
    verdict = verdicts(model)
    assert verdict["a"] == verdict["b"] == "proved"
    assert verdict["expect complete"] not in ("proved", "probable")


def test_an_identity_between_logarithms_is_not_refuted():
    model = check(
        """
        param x > 0, y > 0, z
        map phi = z
        law a = z*(log(x*y) - log(x) - log(y)) + x
        law b = z*(log(x) - log(y))
        """
    )
    assert verdicts(model)["a"] not in ("refuted", "proved")  # x: true, by an identity of log
    assert verdicts(model)["b"] == "refuted"


LINEAR = "param U[2, 2], V[2, 2]\nmap phi = U @ V.T\n"
BODY = "(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)"


@pytest.mark.parametrize(
    ("damping", "factor"),
    [
        ("1", "exp(t)"),
        ("1/3", "exp(t/3)"),
        ("3/t", "t**3"),
        ("0", "1"),
        ("1/2 + 2/t", "exp(t/2)*t**2"),
    ],
)
def test_momentum_laws_need_their_own_factor(damping: str, factor: str):
    wrong = {"exp(t)", "exp(t/3)", "exp(2*t)", "t**3", "t**2", "1"} - {factor}
    claims = [f"law w{k} = {f}*{BODY}" for k, f in enumerate(sorted(wrong))]
    model = check(
        "\n".join([LINEAR, f"flow order 2 damping {damping}", f"law a = {factor}*{BODY}", *claims])
    )
    verdict = verdicts(model)
    assert verdict.pop("a") == "proved"
    assert set(verdict.values()) == {"refuted"}


def test_a_symbolic_damping_rate():
    model = check(
        f"""
        const tau symbolic
        {LINEAR}
        flow order 2 damping tau
        law a = exp(tau*t)*{BODY}
        law b = exp(2*tau*t)*{BODY}
        law c = exp(t)*{BODY}
        """.replace("        ", "")
    )
    assert verdicts(model) == {"a": "proved", "b": "refuted", "c": "refuted"}


def test_exponentials_out_of_reach_are_said_so():
    for law in (
        "exp(exp(t))*x'",
        "exp(sqrt(t))*x'",
        "exp(1/t)*x'",
        "exp(t + 1)*x'",
        "exp(log(t))*x'",
    ):
        codes = {d.code for d in run(FREE + f"law a = {law}").diagnostics}
        assert codes == {"GEO0506"}, law
