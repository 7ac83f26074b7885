"""Wrong laws of every family are refuted, and the right one beside them is proved."""

from __future__ import annotations

import pytest

from .checking import check, verdicts

LINEAR = "param U[2, 2], V[2, 2]\nmap phi = U @ V.T\n"
MOMENT = "(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)"

# name: (model, right laws, wrong laws)
FAMILIES = {
    "linear": (
        LINEAR,
        ["U.T @ U - V.T @ V", "trace(U.T @ U) - sum(V**2)", "(U.T @ U - V.T @ V)[0, 1]**3"],
        ["U.T @ U - 2*V.T @ V", "U.T @ U", "det(U)", MOMENT.replace("'", "")[1:-1] + " + U"],
    ),
    "momentum": (
        LINEAR + "flow order 2 damping 1/2\n",
        [f"exp(t/2)*{MOMENT}", f"2*exp(t/2)*{MOMENT}[0, 1]"],
        [
            MOMENT,
            f"exp(t)*{MOMENT}",
            f"exp(-t/2)*{MOMENT}",
            "U.T @ U - V.T @ V",
            "exp(t/2)*(U.T @ U' - U'.T @ U)",
            "exp(t/2)*(U.T @ U' - U'.T @ U - V.T @ V' + V'.T @ V)",
        ],
    ),
    "no damping": (LINEAR + "flow order 2\n", [MOMENT], [f"exp(t)*{MOMENT}", f"t*{MOMENT}", "t"]),
    "nesterov": (
        LINEAR + "flow order 2 damping 3/t\n",
        [f"t**3*{MOMENT}"],
        [f"t**2*{MOMENT}", f"exp(3*t)*{MOMENT}", MOMENT],
    ),
    "entropy": (
        "param U[2, 2] > 0, V[2, 2] > 0\nmap phi = U @ V.T\nmetric mirror(entropy)\n",
        ["sum(U, axis=0) - sum(V, axis=0)", "sum(U) - sum(V)"],
        ["sum(U, axis=1) - sum(V, axis=1)", "sum(U, axis=0) + sum(V, axis=0)", "U.T @ U - V.T @ V"],
    ),
    "barrier": (
        "param x > 0, y > 0\nmap phi = x*y\nmetric mirror(log_barrier)\n",
        ["log(x) - log(y)", "x/y", "log(x/y)**2"],
        ["log(x) + log(y)", "x*y", "x**2 - y**2", "log(x) - 2*log(y)"],
    ),
    "power": (
        "param x > 0, y > 0\nmap phi = x*y\nmetric mirror(power(1/2))\n",
        ["sqrt(x) - sqrt(y)", "x + y - 2*sqrt(x)*sqrt(y)"],
        ["sqrt(x) + sqrt(y)", "x - y"],
    ),
    "rates": (
        "param U[2, 2], V[1, 2]\nmap phi = U @ V.T\nmetric scaled(1/10) on U\n",
        ["10*U.T @ U - V.T @ V"],
        ["U.T @ U - V.T @ V", "U.T @ U - 10*V.T @ V"],
    ),
    "mixed": (
        "param x > 0, y\nmap phi = x*y\nmetric mirror(entropy) on x\n",
        ["2*x - y**2"],
        ["x - y**2", "x**2 - y**2", "x - y"],
    ),
    "rational": (
        "param x, y, z\nmap phi = x**2 + y**2 + z\n",
        ["x/y", "y/x", "x*exp(-2*z)", "log(x) - 2*z"],
        ["x*y", "x*exp(2*z)", "log(x) + 2*z", "z"],
    ),
    "translation": (
        "param x, y\nmap phi = x + y\nflow order 2 damping 1\n",
        ["exp(t)*(x' - y')", "x - y + x' - y'"],
        ["x' - y'", "exp(t)*(x' + y')", "x - y", "exp(2*t)*(x' - y')"],
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_right_laws_are_proved_and_wrong_ones_refuted(name: str):
    text, right, wrong = FAMILIES[name]
    claims = [f"law r{k} = {h}" for k, h in enumerate(right)]
    claims += [f"law w{k} = {h}" for k, h in enumerate(wrong)]
    model = check(text + "\n".join(claims))
    for claim in model.claims:
        expected = "proved" if (claim.name or "").startswith("r") else "refuted"
        assert claim.verdict == expected, claim.text
        assert bool(claim.witness) == (expected == "refuted")


def test_what_is_conserved_nearby_is_suggested():
    model = check(LINEAR + "law a = U.T @ U + V.T @ V")
    (claim,) = model.claims
    assert claim.hints == ("did you mean U.T @ U - V.T @ V?",)


@pytest.mark.parametrize(
    "law", ["sum(U**2)", "U.T @ U", "trace(U.T @ U) + trace(V.T @ V)", "U.T @ V.T @ V @ U"]
)
def test_what_is_far_from_every_law_gets_no_suggestion(law):
    (claim,) = check(LINEAR + f"law a = {law}").claims
    assert (claim.verdict, claim.hints) == ("refuted", ())


def test_only_with_its_constants():
    text = "const tau = 1/3\nconst rho symbolic\nparam x, y\nmap phi = x + y\nflow order 2 damping {}\n"
    claims = "law a = exp({0}*t)*(x' - y')\nlaw b = x' - y' + {0}*(x - y)\nlaw c = exp(2*{0}*t)*(x' - y')"
    for rate in ("tau", "rho"):
        model = check(text.format(rate) + claims.format(rate))
        assert verdicts(model) == {"a": "proved", "b": "proved", "c": "refuted"}
    crossed = check(text.format("tau") + claims.format("rho"))
    assert set(verdicts(crossed).values()) == {"refuted"}


def test_dependent_claims_leave_the_rest_missing():
    model = check(
        LINEAR
        + """
law a = trace(U.T @ U) - trace(V.T @ V)
law b = (trace(U.T @ U) - trace(V.T @ V))**2
law c = 1/(1 + trace(U.T @ U) - trace(V.T @ V))
expect complete
expect laws = 3
"""
    )
    assert verdicts(model) == {
        **dict.fromkeys("abc", "proved"),
        "expect complete": "refuted",  # they depend on each other
        "expect laws = 3": "proved",
    }
    complete = next(c for c in model.claims if c.kind == "complete")
    assert complete.witness


def test_claims_may_add_what_the_search_does_not_find():
    text = "param x, y, z\nmap phi = x**2 + y**2 + z\nsearch polynomial(1)\n"
    model = check(text + "law a = x/y\nlaw b = x*exp(-2*z)\nexpect complete\nexpect laws = 2")
    assert set(verdicts(model).values()) == {"proved"}
    assert {law.text for law in model.found} == {"x/y", "x*exp(-2*z)"}


def test_laws_spanned_by_claims_are_marked_as_claimed():
    text = "param x, y, z\nmap phi = x*y*z\n"
    one = check(text + "law a = 2*(y**2 - x**2)")
    assert [law.claimed for law in one.found] == [False, False]
    both = check(text + "law a = 2*(y**2 - x**2)\nlaw b = x**2 + z**2 - 2*y**2")
    assert [law.claimed for law in both.found] == [True, True]
    wrong = check(text + "law a = y**2 + x**2")
    assert [law.claimed for law in wrong.found] == [False, False]


def test_a_claim_says_what_it_adds():
    text = "param x, y, z\nmap phi = x*y*z\nlaw a = x**2 - y**2\nlaw b = 3*(y**2 - x**2)\n"
    text += "law c = [x**2 - y**2, y**2 - z**2]"
    details = [claim.detail for claim in check(text).claims]
    assert details == [
        "1 independent entry",
        "1 independent entry, adds none to the laws above",
        "2 independent entries, adds 1 to the laws above",
    ]
