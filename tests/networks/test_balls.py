"""Ranks in ball arithmetic: a matrix is called invertible only when it is, constants are exact."""

from fractions import Fraction

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.analysis import analyze
from geoflow.exact.balls import Balls, full_rank
from geoflow.exact.dual import TRANSCENDENTAL, erf_slope
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.program import trace
from geoflow.laws.search import Where
from tests.networks.nets import SCALARS, network

NONE = Where(matrix=False, degree=0)


def balls(rows):
    return Balls().literal(np.asarray(rows, dtype=float))


def test_invertible_and_not():
    assert full_rank(balls([[2, 1], [1, 1]]))
    assert not full_rank(balls([[2, 4], [1, 2]]))
    assert not full_rank(balls([[0, 0], [0, 0]]))
    assert full_rank(balls([[1e-200, 0], [0, 1e200]]))


def test_one_third_is_no_float():
    """Rows (1/3, 1) and (1, 3) are dependent at every precision; with the float next to 1/3 they are not."""
    ring = Balls()
    for precision in (53, 128, 384):
        with flint.ctx.workprec(precision):
            third = ring.constant(Fraction(1, 3), (1, 1))
            one, three = balls([[1]]), balls([[3]])
            assert not full_rank(np.block([[third, one], [one, three]]))
    with flint.ctx.workprec(128):
        assert (3 * ring.constant(Fraction(1, 3), ()).item()).overlaps(flint.arb(1))
        assert not (3 * balls(1 / 3).item()).overlaps(flint.arb(1))


def test_wide_balls_are_not_trusted():
    wide = flint.arb(1, 2)  # [-1, 3]
    assert not full_rank(np.array([[wide]], dtype=object))
    assert full_rank(np.array([[flint.arb(1, 0.5)]], dtype=object))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=9, max_size=9))
def test_never_more_than_the_rank_over_q(entries):
    matrix = flint.fmpq_mat(3, 3, entries)
    rows = balls(np.array(entries).reshape(3, 3))
    if full_rank(rows):
        assert matrix.rank() == 3
    elif matrix.det() != 0:
        pytest.fail("a small integer matrix is decided")


def test_division_and_roots_that_cannot_be_decided_are_refused():
    ring = Balls()
    around = np.array([[flint.arb(0, 1)]], dtype=object)
    with pytest.raises(UnluckyPoint):
        ring.invert(around)
    for name in ("sqrt", "log"):
        with pytest.raises(UnluckyPoint):
            ring.smooth(name, around)
    assert bool(ring.pattern(around)[0, 0])
    assert not bool(ring.pattern(ring.zeros((1, 1)))[0, 0])


def test_the_slope_of_erf_is_exact():
    with flint.ctx.workprec(200):
        slope = erf_slope(Balls(), (1, 1))[0, 0]
        assert (slope * slope * flint.arb.pi()).overlaps(flint.arb(4))
        assert not slope.overlaps(flint.arb(1.1283791670955126))


FUNCTIONS = {
    "exp": jnp.exp,
    "expm1": jnp.expm1,
    "log": jnp.log,
    "log1p": jnp.log1p,
    "tanh": jnp.tanh,
    "logistic": jax.nn.sigmoid,
    "erf": jax.lax.erf,
    "erfc": jax.lax.erfc,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "atan": jnp.arctan,
    "sqrt": jnp.sqrt,
    "rsqrt": jax.lax.rsqrt,
}


def test_every_function_is_met():
    assert set(FUNCTIONS) == TRANSCENDENTAL | {"sqrt", "rsqrt"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_and_three_derivatives_are_those_of_jax(name):
    """At x + e₁ + e₂ + e₃ the coefficients are f, f′, f″ and f‴."""
    function, x = FUNCTIONS[name], 0.75
    program = trace(lambda v: function(v) * 1.0, jax.ShapeDtypeStruct((), np.float64))
    assert name in {i.primitive for i in program.instructions}
    ring = Balls()
    point = ring.literal(np.array([x, 1, 1, 0, 1, 0, 0, 0])).reshape(8, 1)
    value = run(program, ring, [point])[0][:, 0]
    with jax.enable_x64(True):
        derivative = function
        for mask in (0, 1, 3, 7):
            assert float(value[mask].mid()) == pytest.approx(float(derivative(x)), rel=1e-12)
            derivative = jax.grad(derivative)


@pytest.mark.parametrize(
    "zero",
    [
        lambda t: jnp.exp(t["x"] + t["y"]) - jnp.exp(t["x"]) * jnp.exp(t["y"]),
        lambda t: jnp.tanh(t["x"]) - (1 - jnp.exp(-2 * t["x"])) / (1 + jnp.exp(-2 * t["x"])),
        lambda t: jax.nn.sigmoid(t["x"]) - 0.5 - 0.5 * jnp.tanh(t["x"] / 2),
        lambda t: jnp.sin(t["x"]) ** 2 + jnp.cos(t["x"]) ** 2 - 1,
        lambda t: jax.nn.softplus(t["x"]) - jax.nn.softplus(-t["x"]) - t["x"],
        lambda t: jax.lax.erf(t["x"]) + jax.lax.erfc(t["x"]) - 1,
        lambda t: jnp.log1p(jnp.exp(t["x"])) - jax.nn.softplus(t["x"]),
        lambda t: jnp.expm1(t["x"]) + 1 - jnp.exp(t["x"]),
    ],
)
@pytest.mark.parametrize("net", [False, True])
def test_functions_that_are_0_do_not_raise_a_proved_rank(zero, net):
    """g = [x, z·0]: y and z are conserved. Tokens see another function."""

    def output(t):
        if not net:
            return t["x"] * jnp.ones(1), t["z"] * zero(t) * jnp.ones(1)
        moved = {"x": t["x"] * t["d"], "y": t["y"] * t["d"]}
        return t["x"] * t["d"] * jnp.ones(1), t["z"] * zero(moved) * jnp.ones(1)

    found = analyze(network(output, SCALARS, {"d": ()} if net else None), where=NONE).count
    assert found.upper == 2 or not found.exact
    assert found.status != "proved" or found.upper == 2


def test_functions_that_are_not_0_do():
    flow = network(
        lambda t: (t["x"] * t["d"], t["z"] * jnp.exp(t["x"] * t["d"]) + t["y"] * t["d"]),
        SCALARS,
        {"d": ()},
    )
    found = analyze(flow, where=NONE).count
    assert (found.upper, found.status) == (0, "proved")
