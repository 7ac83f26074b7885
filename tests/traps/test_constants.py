"""Constants: exact in the language, dyadic numbers in Python, generic when symbolic."""

from __future__ import annotations

from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf

from .checking import check, run, verdicts

# an orthogonal matrix in decimals; as floats it is only nearly orthogonal
ROTATION = [[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]]


def test_decimals_of_the_language_are_exact():
    model = check(
        f"""
        param x[3]
        let H = {ROTATION}
        map phi = [sum(x**2), sum((H @ x)**2)]
        law direction = [x[0]/x[2], x[1]/x[2]]
        expect laws = 2
        """
    )
    assert verdicts(model)["expect laws = 2"] == "proved"


def test_floats_of_python_are_dyadic_and_named():
    matrix = np.array(ROTATION)

    def phi(x):
        return jnp.stack([jnp.sum(x**2), jnp.sum((matrix @ x) ** 2)])

    result = gf.analyze(gf.Flow(phi, jnp.zeros(3)))
    assert result.count.upper == 1
    named = [text for text in result.assumes if "binary fractions" in text]
    assert named
    assert "0.36" in named[0]


def test_narrow_floats_are_named_as_well():
    rate = gf.Scaled(np.float32(0.1))  # 13421773/2²⁷
    flow = gf.Flow(lambda p: p["x"] * p["y"], {"x": 0.0, "y": 0.0}, metric={"x": rate})
    assert any("0.10000000149011612" in text for text in gf.analyze(flow).assumes)


def test_exact_floats_are_not_named():
    result = gf.analyze(gf.Flow(lambda x: 0.5 * x[0] + 3.0 * x[1], jnp.zeros(2)))
    assert not [text for text in result.assumes if "binary fractions" in text]
    assert [str(law) for law in result.laws] == ["6*theta[0] - theta[1]"]


@pytest.mark.parametrize("text", ["1/3", "0.1", "1/7 + 2/21", "2**(-30)", "10**12 + 1/10**12"])
def test_constants_enter_exactly(text: str):
    """With φ = c·x + y the law is x − c·y, and with c off by a rounding it is not."""
    model = check(
        f"""
        const c = {text}
        param x, y
        map phi = c*x + y
        law right = x - c*y
        law same = x - ({text})*y
        law rounded = x - (c + 1/10**20)*y
        """
    )
    assert verdicts(model) == {"right": "proved", "same": "proved", "rounded": "refuted"}


def test_a_third_is_no_float():
    model = check(
        f"""
        param x, y
        map phi = x/3 + y
        law exact = x - 1/3*y
        law float = x - {Fraction(1 / 3)}*y
        """
    )
    assert verdicts(model) == {"exact": "proved", "float": "refuted"}


def test_symbolic_constants_are_generic_and_said_so():
    model = check(
        """
        const c symbolic
        param x, y
        map phi = c*x**2 + y**2
        metric scaled(c) on x
        expect laws = 1
        expect complete
        law any = x - x
        """
    )
    assert any("c outside a proper algebraic set" in text for text in model.assumes)
    special = check("const c = 0\nparam x, y\nmap phi = [c*x**2 + y**2, y]\nexpect laws = 1")
    assert verdicts(special)["expect laws = 1"] == "proved"
    generic = check("const c symbolic\nparam x, y\nmap phi = [c*x**2 + y**2, y]\nexpect laws = 0")
    assert verdicts(generic)["expect laws = 0"] == "proved"


def test_a_symbolic_constant_of_a_law_has_one_value_in_all_laws():
    """`a` and `b` are one function, whatever the constants."""
    model = check(
        """
        const c symbolic
        const d symbolic
        param x, y, z
        map phi = x**2 - y**2
        law a = c*z + x*y
        law b = d - d + c*z + x*y
        expect complete
        """
    )
    assert verdicts(model) == {"a": "proved", "b": "proved", "expect complete": "refuted"}


def test_a_law_of_one_value_is_no_law_of_a_symbolic_constant():
    model = check(
        """
        const c symbolic
        param x, y
        map phi = x + c*y
        law generic = c*x - y
        law special = 2*x - y
        """
    )
    assert verdicts(model) == {"generic": "proved", "special": "refuted"}


def test_a_singular_expression_is_named_as_such():
    report = run("param x, y\nmap phi = x/(x*y - y*x)")
    assert [d.code for d in report.diagnostics if d.severity == "error"] == ["GEO0509"]


@pytest.mark.parametrize("phi", ["det(A)", "det(inv(A))", "1/det(A)", "det(A @ A.T)"])
def test_det_and_inv_are_exact(phi: str):
    model = check(
        f"""
        param A[3, 3]
        map phi = {phi}
        law shape = A.T @ A - trace(A.T @ A)/3*eye(3)
        law volume = trace(A.T @ A)
        expect laws = 8
        """
    )
    assert verdicts(model) == {"shape": "proved", "volume": "refuted", "expect laws = 8": "proved"}


def test_a_matrix_that_is_always_singular_has_determinant_zero():
    model = check(
        """
        param u[3]
        map phi = [det(outer(u, u)), sum(u)]
        expect laws = 2
        """
    )
    assert verdicts(model)["expect laws = 2"] == "proved"


def test_a_matrix_by_its_inverse_is_constant():
    model = check("param A[2, 2]\nmap phi = A @ inv(A)\nexpect laws = 4")
    assert verdicts(model)["expect laws = 4"] == "proved"


def test_two_constants_of_one_name_are_refused():
    def psi(constants, u):
        return constants["c"] * u**2

    metric = {
        "x": gf.Mirror(psi, known={"c": Fraction(1, 2)}),
        "y": gf.Mirror(psi, known={"c": Fraction(2)}),
    }
    with pytest.raises(ValueError, match="two values"):
        gf.Flow(lambda p: p["x"] * p["y"], {"x": jnp.zeros(()), "y": jnp.zeros(())}, metric=metric)
