"""Tokens for functions are estimates: no verdict is proved from them."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoflow.analysis import analyze, count, law_count
from geoflow.dynamics import Momentum
from geoflow.exact import linalg
from geoflow.exact.estimates import Estimates
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.build import function, multiply
from geoflow.expr.tree import Number, Parameter
from geoflow.laws.differential import differentiate
from geoflow.laws.identity import gradient_rows
from geoflow.laws.search import Where
from geoflow.lie.bracket import Generator
from geoflow.lie.facts import facts
from tests.networks.nets import SCALARS, network, two_layers

NONE = Where(matrix=False, degree=0)


def two_logarithms(t, d=1.0):
    x, y, z = t["x"] * d, t["y"] * d, t["z"]
    return jnp.stack([z * jnp.log(x * y), z * (jnp.log(x) + jnp.log(y))])


@pytest.mark.parametrize("net", [False, True])
def test_two_logarithms_are_not_told_apart_by_tokens(net):
    """z·log(xy) and z(log x + log y) are one function: rank 1 as a map, which tokens call 2."""
    data = {"d": ()} if net else None
    flow = network(
        lambda t: two_logarithms(t, t["d"] ** 2 if net else 1.0), SCALARS, data, positive=("x", "y")
    )
    counted = count(flow)
    assert counted.generator.estimated
    assert counted.certificate.estimate > (counted.certificate.rank if not net else 0)
    found = law_count(counted, 0)
    assert found.status != "proved"
    if not net:
        assert counted.certificate.rank == 1
        assert (found.lower, found.upper, found.status) == (0, 2, "bounded")


def test_no_error_bound_is_given_for_an_estimate():
    flow = network(lambda t: t["x"] * jnp.exp(t["y"] * t["z"]) + t["y"] ** 2, SCALARS)
    certificate = count(flow).certificate
    assert certificate.estimated and certificate.error_bound is None
    plain = count(network(lambda t: (t["x"] * t["y"], t["z"]), SCALARS)).certificate
    assert not plain.estimated and plain.error_bound is not None
    choices = count(two_layers(lambda z: z * jnp.max(z), {"U": (1, 2), "V": (2, 1)})).certificate
    assert choices.error_bound is None or choices.rank == choices.dimension


def test_without_balls_nothing_is_proved(monkeypatch):
    monkeypatch.setattr("geoflow.lie.closure.certify", lambda *_: None)
    found = analyze(two_layers(jnp.tanh), where=NONE)
    assert found.certificate.estimate == found.certificate.dimension
    assert not found.certificate.exact
    assert found.count.status != "proved" and not found.count.exact
    assert any("estimate" in text for text in found.assumes)


def test_gradients_of_laws_are_never_estimates():
    """z√x√y and z√(xy) are one law; roots chosen one by one make them two."""
    flow = network(lambda t: jnp.exp(t["w"]), {**SCALARS, "w": ()}, positive=("x", "y"))
    counted = count(flow)
    assert isinstance(counted.places[0].field, Estimates)
    x, y, z = (Parameter(n, ()) for n in "xyz")
    split = multiply(z, multiply(function("sqrt", x), function("sqrt", y)))
    joined = multiply(z, function("sqrt", multiply(x, y)))
    for laws in ([split, joined], [split]):
        with pytest.raises(UnsupportedPrimitive):
            gradient_rows(differentiate(flow, laws), counted.places[0])
    rows = gradient_rows(differentiate(flow, [x, multiply(x, y)]), counted.places[0])
    assert linalg.rank(rows, counted.places[0].field.p) == 2


def test_roots_of_data_are_estimated():
    flow = network(
        lambda t: t["z"] * jnp.sqrt(1 + (t["x"] * t["d"]) ** 2) + t["y"] * t["d"],
        SCALARS,
        {"d": ()},
    )
    found = analyze(flow, where=NONE)
    assert found.certificate.estimated
    assert (found.count.upper, found.count.status) == (0, "proved")
    absolute = network(
        lambda t: (
            t["z"]
            * (
                jnp.sqrt((t["x"] * t["d"]) ** 2) * jnp.sqrt(t["y"] ** 2)
                - jnp.sqrt((t["x"] * t["d"] * t["y"]) ** 2)
            )
            + t["x"] * t["d"]
        ),
        SCALARS,
        {"d": ()},
    )
    assert analyze(absolute, where=NONE).count.upper == 2


def test_flat_directions_of_an_estimated_flow_with_drift():
    """The drift is no direction of the map: kernel = D − rank ∂φ."""
    flow = network(
        lambda t: t["x"] * jnp.exp(t["y"] * t["z"]),
        SCALARS,
        dynamics=Momentum(Number(Fraction(1, 2))),
    )
    counted = count(flow)
    found = facts(counted.generator, counted.closure, False, 0)
    assert found.values["kernel"] == 2


@pytest.mark.parametrize("function", [jax.lax.erf, jax.lax.erfc])
def test_the_rounded_slope_of_erf_is_read_as_exact_beside_erf_alone(function):
    constant = 2 / np.sqrt(np.pi)
    with_erf = analyze(two_layers(function, {"U": (1, 1), "V": (1, 1)}), where=NONE)
    assert any("read as 2/√π" in text for text in with_erf.assumes)
    own = network(lambda t: constant * t["x"] * jnp.exp(t["y"]) + t["z"], SCALARS)
    program = Generator.of(own).program
    assert not program.assumed()
    assert constant in program.rounded_literals()


def test_a_literal_like_the_slope_is_a_number():
    """c − r is 0 for the float c written as the fraction r, and 2/√π − r is not."""
    constant = 2 / np.sqrt(np.pi)
    whole = float(Fraction(constant) * 2**52)
    flow = network(
        lambda t: (t["z"] * (t["x"] * constant - t["x"] * whole / 2.0**52), jnp.exp(t["x"])),
        SCALARS,
    )
    assert analyze(flow, where=NONE).certificate.rank == 1


def test_estimates_are_a_field_with_tokens():
    field = Estimates(67108859)
    a = np.arange(1, 9, dtype=np.int64).reshape(1, 8)
    assert np.array_equal(field.smooth("exp", a), field.smooth("exp", a))
    assert not np.array_equal(field.smooth("exp", a), field.smooth("tanh", a))
    assert len(np.unique(field.smooth("exp", a))) == 8
    with pytest.raises(UnsupportedPrimitive):
        PrimeField(67108859).smooth("exp", a)


def test_a_scalar_map_is_closed_whatever_functions_it_has():
    """All fields are multiples of one; balls prove that it is not 0."""
    found = analyze(network(lambda t: t["x"] * jnp.tanh(t["y"] * t["z"]), SCALARS), where=NONE)
    assert (found.count.upper, found.count.status) == (2, "proved")
