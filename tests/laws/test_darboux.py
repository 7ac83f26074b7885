"""Invariant polynomials and the laws made of them; none where there is none."""

from __future__ import annotations

import flint
import pytest

from geoflow.exact.polynomials import Polynomial
from geoflow.expr.printer import print_expr
from geoflow.laws.darboux import invariant_polynomials
from geoflow.laws.vectorfields import VectorFields, written_out
from geoflow.lie.bracket import Generator
from geoflow.lower import lower
from geoflow.semantics import load_text

from .checking import check, found, verdicts

LOTKA = """param x, y, z
control a[2]
field x' = x*(a[0]*(y + z) + a[1])
field y' = y*(a[0]*(y + z) + 2*a[1])
field z' = z*(2*a[0]*(y + z) - a[1])
"""
SYMBOLIC = """const c symbolic
param x, y
control a
field x' = x*a*(1 + y)
field y' = c*y*a*(1 + y)
"""
# so(1, 2) and scalings: the quadric is no coordinate and no norm
QUADRIC = """param x[3], w
control a[4]
let K = [[0, a[0], a[1]], [a[0], 0, a[2]], [a[1], -1*a[2], 0]]
field x' = K @ x + a[3]*x
field w' = -3*a[3]*w
"""
# two fields on R^4, one of them tangent to the levels of a cubic: it divides none of their minors
CUBIC = """param x, y, z, w
control a[2]
let b = a[1]*(1 + x)
let c = a[1]*(y - z**2)
field x' = a[0]*x - c*(x*y - 3*z**2)
field y' = a[0]*y + b*(x*y - 3*z**2)
field z' = a[0]*z - b*(6*y**2 + x*z) + c*(3*x**2 + y*z)
field w' = 2*a[0]*w
"""
# the same with a quadric, of which the coefficients need two of the small primes
LARGE = """param x, y, z, w
control a[2]
let b = a[1]*(1 + x)
let c = a[1]*(y - z**2)
field x' = a[0]*x - 5*c*z
field y' = a[0]*y + 5*b*z
field z' = a[0]*z + 7*b*y + 8*c*x
field w' = 2*a[0]*w
"""
CURVED = """param x, y
map phi = x*y
metric riemannian(diag([1/(1 + x**2), 1/(1 + y**2)]))
"""
NONE = """param x, y, z
control a
control b
field x' = a*(y + x*z) + b
field y' = a*(z*z - x)
field z' = b*(x + y*y) + a
"""
DIAGONAL = "param x, y\nmap phi = x**2*y\nmetric fisher(diagonal)\n"

LAWS = {
    LOTKA: ["x**5/(y**3*z)"],
    SYMBOLIC: ["c*log(x) - log(y)"],
    QUADRIC: ["w**2*(x[0]**2 - x[1]**2 - x[2]**2)**3"],
    CUBIC + "search darboux(3)": ["w**3/(x**3 + x*y*z + 2*y**3 - z**3)**2"],
    CURVED: ["(x**2 + 1)/(y**2 + 1)"],
    LARGE: ["w/(8*x**2 - 7*y**2 + 5*z**2)"],
    DIAGONAL: ["x**2/y"],
    DIAGONAL + "decay 1/3": ["exp(1/3*t)*x**2/y"],
    "param x > 0, y > 0\nmap phi = x**2*y\nmetric mirror(entropy)": ["x - 2*y"],
}


@pytest.mark.parametrize("text", LAWS)
def test_laws_of_invariant_polynomials(text: str):
    assert found(text) == LAWS[text]
    model = check(text)
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (1, 1, "proved")


@pytest.mark.parametrize("text", [LOTKA, QUADRIC, CURVED, LARGE])
def test_the_text_is_the_same_for_every_seed(text: str):
    assert len({tuple(found(text, seed)) for seed in range(4)}) == 1


def test_the_degree_bounds_the_search():
    low = check(CUBIC + "search darboux(2)")
    assert (low.laws.lower, low.laws.upper, low.found) == (0, 1, ())
    none = check(LOTKA + "search polynomial(2)")
    assert (none.laws.lower, none.laws.upper, none.found) == (0, 1, ())


@pytest.mark.parametrize("text", [NONE, LOTKA.replace("2*a[0]*(y + z)", "2*a[0]*(x + z)")])
def test_no_law_is_invented(text: str):
    model = check(text)
    assert model.found == ()
    assert (model.laws.upper, model.laws.status) == (0, "proved")


def test_a_wrong_quotient_is_refuted():
    claims = "law a = x**5/(y**3*z)\nlaw b = x**4/(y**3*z)\n"
    assert verdicts(check(LOTKA + claims)) == {"a": "proved", "b": "refuted"}


def _fields(text: str) -> VectorFields:
    (model,), _ = load_text(text, "<fields>", {})
    return written_out(Generator.of(lower(model, 0)))


def _names(text: str, degree: int) -> list[str]:
    fields = _fields(text)
    return [print_expr(fields.expression(p)) for p in invariant_polynomials(fields, degree, 0)]


def test_polynomials_found_on_orbits_alone():
    """None of these divides a minor of the fields, which the quadric of QUADRIC does."""
    assert _names(QUADRIC, 0) == ["w", "x[0]**2 - x[1]**2 - x[2]**2"]
    assert _names(LARGE, 1) == ["w"]
    assert _names(LARGE, 2) == ["w", "8*x**2 - 7*y**2 + 5*z**2"]
    assert _names(CUBIC, 2) == ["w"]
    assert _names(CUBIC, 3) == ["w", "x**3 + x*y*z + 2*y**3 - z**3"]
    assert _names(NONE, 3) == []


def test_every_polynomial_found_is_invariant_and_another_is_not():
    fields = _fields(CURVED)
    polynomials = invariant_polynomials(fields, 2, 0)
    x, y = fields.context.gens()
    assert {_monic(p) for p in polynomials} >= {_monic(x**2 + 1), _monic(y**2 + 1)}
    for p in polynomials:
        for field in fields.fields:
            assert not divmod(fields.derivative(p, field), p)[1]
    assert not fields.invariant(x)
    assert not fields.invariant(x**2 + 2)


def _monic(p: Polynomial) -> str:
    return str(p * (1 / flint.fmpq(p.leading_coefficient())))


def test_the_known_rational_laws_are_still_found():
    assert len(found("param U[2, 3]\nmap phi = U @ U.T")) == 2
    blocks = "param U[2, 2], V[3, 2]\nmap phi = U @ V.T\nmetric fisher(blocks)"
    assert found(blocks) == ["log(det(U.T @ U)) - log(det(V.T @ V))"]
