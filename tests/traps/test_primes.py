"""Bad and tiny primes: verdicts may get weaker, never wrong."""

from __future__ import annotations

from itertools import chain, cycle, repeat

import numpy as np
import pytest

from geoflow.exact.primefield import draw_prime

from .checking import check, force_primes, run, verdicts

BAD = 67108859
BAD_MODEL = f"""
param x, y
map phi = [x*y, {BAD}*x]
law a = x**2 - y**2
expect laws = 0
expect complete
"""


def _others():
    rng = np.random.default_rng(1)
    while True:
        yield draw_prime(rng)


def test_no_law_where_one_prime_sees_one():
    model = check(BAD_MODEL)
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (0, 0, "proved")
    assert verdicts(model)["a"] == "refuted"
    assert verdicts(model)["expect laws = 0"] == "proved"


@pytest.mark.parametrize("times", [1, 2])
def test_a_bad_prime_drawn_first_is_found_out(monkeypatch, times: int):
    force_primes(monkeypatch, chain(repeat(BAD, times), _others()))
    model = check(BAD_MODEL)
    assert verdicts(model)["a"] == "refuted"
    assert model.laws.lower == 0
    assert model.laws.status != "proved" or model.laws.upper == 0


def test_a_bad_prime_drawn_always_proves_nothing(monkeypatch):
    force_primes(monkeypatch, repeat(BAD))
    model = check(BAD_MODEL)
    assert verdicts(model)["a"] == "refuted"
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (0, 1, "bounded")
    assert not [law for law in model.found if law.status == "proved"]
    assert verdicts(model)["expect laws = 0"] == "undecided"


# text, true laws, false laws, true count
MODELS = {
    "linear": ("param U[2, 2], V[2, 2]\nmap phi = U @ V.T", ["U.T @ U - V.T @ V"], ["U.T @ U"], 3),
    "product": (
        "param x, y, z\nmap phi = x*y*z",
        ["x**2 - y**2", "x**2 - z**2"],
        ["x - y", "x**7 - y**7", "x**2*y - y*x**2 + x**11 - x"],
        2,
    ),
    "momentum": (
        "param U[1, 3], V[1, 3]\nmap phi = U @ V.T\nflow order 2 damping 1/3",
        ["exp(t/3)*(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)"],
        ["U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V", "exp(t)"],
        6,  # 4r − 6
    ),
    "entropy": (
        "param u[2] > 0, v[2] > 0\nmap phi = u*v\nmetric mirror(entropy)",
        ["u - v"],
        ["u**2 - v**2"],
        2,
    ),
    "quotient": ("param x, y\nmap phi = x/y", ["x**2 + y**2"], ["x**2 - y**2", "x + y"], 1),
    "determinant": (
        "param A[2, 2]\nmap phi = det(A)",
        ["A[0, 0]**2 - A[1, 1]**2"],
        ["det(A)", "trace(A)"],
        3,
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("primes", [(7,), (11, 7, 3), (103, 7)], ids=str)
def test_tiny_primes_weaken_but_never_mislead(monkeypatch, name: str, primes: tuple[int, ...]):
    text, true, false, count = MODELS[name]
    force_primes(monkeypatch, cycle(primes))
    claims = [f"law true{k} = {h}" for k, h in enumerate(true)]
    claims += [f"law false{k} = {h}" for k, h in enumerate(false)]
    report = run("\n".join([text, *claims, f"expect laws = {count}"]))
    errors = [d.code for d in report.diagnostics if d.severity == "error"]
    if errors:
        assert errors == ["GEO0509"]  # no usable point over so small a field
        return
    (model,) = report.models
    assert model.laws.lower <= count <= model.laws.upper
    assert model.laws.status != "proved" or model.laws.lower == model.laws.upper == count
    for claim, verdict in verdicts(model).items():
        if claim.startswith("false"):
            assert verdict in ("refuted", "undecided"), claim
        else:
            assert verdict not in ("refuted",), claim
