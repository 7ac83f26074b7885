"""What a generator says of its fields: controls, families, redundancy; and words beside those of SymPy."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.dynamics import Adam
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.rationals import Rationals
from geoflow.expr.tree import Number
from geoflow.lie.bracket import (
    Generator,
    Letter,
    exact_constants,
    example_constants,
    example_point,
)
from geoflow.lie.point import draw_point, free_letter
from geoflow.parametrization import Control

from .flows import product, with_constants, zeros

PRIME = 67108859


def relu(**options) -> gf.Flow:
    return gf.Flow.of_network(
        lambda p, x: p["V"] @ jax.nn.relu(p["W"] @ x),
        zeros(V=(1, 2), W=(2, 3)),
        np.zeros(3),
        **options,
    )


def tokens() -> gf.Flow:
    return gf.Flow.of_network(
        lambda p, k: p["E"][k] @ p["v"], zeros(E=(4, 2), v=(2,)), np.zeros(3, dtype=np.int32)
    )


def chosen() -> gf.Flow:
    return gf.Flow.of_network(
        lambda p, x: jnp.max(p["W"] @ x) * p["v"], zeros(W=(3, 2), v=()), np.zeros(2)
    )


def squared() -> gf.Flow:
    """A gate is multiplied with itself."""
    return gf.Flow.of_network(
        lambda p, x: p["v"] * (jax.nn.relu(p["w"] * x) ** 2 - p["w"] * x),
        zeros(v=(), w=()),
        np.zeros(()),
    )


# --- controls


def test_controls_are_those_of_the_flow_then_the_gates():
    generator = Generator.of(relu())
    assert generator.controls == (
        Control((3,), "real"),
        Control((1,), "cotangent"),
        Control((2,), "gate"),
    )
    assert generator.control_size == 6
    assert Generator.of(chosen()).controls[-1] == Control((3,), "choice", (0,))
    assert Generator.of(tokens()).controls[0].kind == "onehot"
    assert Generator.of(product(2, 1, 3)).control_size == 6


def test_a_branch_on_the_parameters_is_refused_where_nothing_switches_it():
    with pytest.raises(UnsupportedPrimitive, match="a branch on the parameters"):
        Generator.of(gf.Flow(lambda p: jax.nn.relu(p["x"]) * p["x"], zeros(x=())))
    with pytest.raises(UnsupportedPrimitive) as caught:
        Generator.of(gf.Flow(lambda p: (p["x"] ** 2 + 1) * jnp.abs(p["x"]), zeros(x=())))
    assert caught.value.args[0] == "abs (a branch on the parameters)"
    assert Generator.of(relu(loss=gf.FewData(2))).program.gates


def test_which_families_are_irreducible():
    """Free gates are any numbers; gates that are multiplied, and choices, are not."""
    assert Generator.of(product(1, 1, 1)).irreducible
    free = Generator.of(relu())
    assert free.free_gates and free.irreducible
    assert not replace(free, free_gates=False).irreducible
    assert not Generator.of(squared()).free_gates
    assert not Generator.of(squared()).irreducible
    assert not Generator.of(chosen()).irreducible
    assert not Generator.of(tokens()).irreducible


def test_what_has_no_value_mod_p_is_estimated():
    def root(p, x=1.0):
        return p["y"] * jnp.sqrt(1 + (p["x"] * x) ** 2)

    shapes = zeros(x=(), y=())
    assert not Generator.of(gf.Flow(root, shapes)).estimated
    assert Generator.of(gf.Flow.of_network(root, shapes, np.zeros(()))).estimated
    assert Generator.of(gf.Flow(lambda p: jnp.exp(p["x"]), shapes)).estimated
    assert not Generator.of(relu()).estimated
    assert not Generator.of(product(1, 1, 1)).estimated

    def gated(p, x):  # the gates move over few data too
        return jax.nn.relu(p["y"] * x) * jnp.sqrt(1 + p["x"] ** 2)

    few = gf.Flow.of_network(gated, shapes, np.zeros(()), loss=gf.FewData(2))
    assert not few.parametrization.data
    assert Generator.of(few).estimated


# --- random controls


def drawn(flow: gf.Flow, batch: int = 300, **changes) -> tuple[np.ndarray, ...]:
    generator = replace(Generator.of(flow), **changes)
    rng = np.random.default_rng(0)
    return generator.draw_controls(lambda shape: rng.integers(5, 9, shape), rng, batch)


def test_controls_are_drawn_by_their_kind():
    data, cotangent, gates = drawn(relu())
    assert (data.shape, cotangent.shape, gates.shape) == ((1, 300, 3), (1, 300, 1), (1, 300, 2))
    for free in (data, cotangent, gates):
        assert set(free.ravel().tolist()) == {5, 6, 7, 8}


def test_gates_that_are_not_free_are_0_or_1_more_and_less_often():
    *_, gates = drawn(relu(), free_gates=False)
    assert gates.dtype == np.int64
    assert gates.shape == (1, 300, 2)
    assert set(gates.ravel().tolist()) == {0, 1}
    assert 0.4 < gates.mean() < 0.7
    generator = replace(Generator.of(wide()), free_gates=False)
    rng = np.random.default_rng(1)
    *_, many = generator.draw_controls(lambda shape: np.zeros(shape), rng, 200)
    parts = many[0].mean(axis=1)
    assert parts.min() < 0.35 and parts.max() > 0.75
    assert parts.min() > 0.1 and parts.max() < 0.95


def wide() -> gf.Flow:
    return gf.Flow.of_network(
        lambda p, x: p["V"] @ jax.nn.relu(p["W"] @ x), zeros(V=(1, 300), W=(300, 1)), np.zeros(1)
    )


def test_a_choice_and_a_token_are_a_single_one():
    *_, choice = drawn(chosen())
    assert choice.shape == (1, 300, 3)
    assert np.array_equal(choice.sum(axis=2), np.ones((1, 300)))
    assert set(choice.argmax(axis=2).ravel().tolist()) == {0, 1, 2}
    token, *_ = drawn(tokens())
    assert token.shape == (1, 300, 3, 4)
    assert token.dtype == np.int64
    assert np.array_equal(token.sum(axis=3), np.ones((1, 300, 3)))
    assert set(token.argmax(axis=3).ravel().tolist()) == {0, 1, 2, 3}
    assert not np.array_equal(token[:, :, 0], token[:, :, 1])


def test_a_choice_over_one_axis_is_one_in_every_row():
    flow = gf.Flow.of_network(
        lambda p, x: jnp.max(p["W"] * x, axis=1), zeros(W=(2, 3)), np.zeros((2, 3))
    )
    *_, choice = drawn(flow)
    assert choice.shape == (1, 300, 2, 3)
    assert np.array_equal(choice.sum(axis=3), np.ones((1, 300, 2)))
    assert not np.array_equal(choice[:, :, 0], choice[:, :, 1])


# --- how many are enough


def test_so_many_fields_span_what_all_do():
    assert Generator.of(product(2, 3, 2)).spanning_controls == 4
    assert Generator.of(product(3, 1, 3)).spanning_controls == 6  # no more than coordinates
    assert Generator.of(product(2, 3, 2, order=2)).spanning_controls == 5
    assert Generator.of(relu()).spanning_controls == 8  # not linear in the datum
    few = Generator.of(relu(loss=gf.FewData(1)))
    assert few.spanning_controls == 8  # gates
    one = Number(Fraction(1))
    adaptive = gf.Flow(lambda p: p["x"] * p["y"], zeros(x=(), y=()), dynamics=Adam(one, one))
    assert Generator.of(adaptive).spanning_controls == 7


def test_redundancy_grows_with_the_roots_and_is_bounded():
    def roots(n: int) -> Generator:
        flow = gf.Flow(lambda p: jnp.sqrt(p["x"]), zeros(x=(n,)), positive=["x"])
        return Generator.of(flow)

    assert [roots(n).root_redundancy for n in (1, 3, 8, 9)] == [2, 8, 256, 256]
    assert roots(3).redundancy == 1
    estimated = [replace(roots(n), estimated=True).redundancy for n in (1, 3, 9, 10)]
    assert estimated == [2, 8, 512, 512]


def test_the_degree_is_that_of_the_fields():
    """∇(x²y³): entries of degree 5, the cotangent included; constants have none, symbolic ones 1."""
    flow = gf.Flow(lambda p: p["x"] ** 2 * p["y"] ** 3, zeros(x=(), y=()))
    assert Generator.of(flow).degree.numerator == 5
    for value, degree in ((Fraction(1, 3), 2), (None, 3)):
        named = with_constants(lambda c, p: c["c"] * p["x"] ** 2, {"x": ()}, {"c": value})
        assert Generator.of(named).degree.numerator == degree
    free = gf.Flow(lambda p: p["x"], zeros(x=()), order=2)
    assert Generator.of(free).degree.numerator == 2  # the weight, and v


# --- values


def test_a_field_has_the_gates_of_its_letter():
    """v·relu(w·x) with the gates γ: (γ⊙Wx, (γ⊙v)xᵀ) times the cotangent."""
    generator, ring = Generator.of(relu()), PrimeField(PRIME)
    w, x, v = np.array([[2, 3, 5], [7, 1, 4]]), np.array([6, 2, 3]), np.array([[8, 9]])
    for gates in ([1, 0], [0, 1], [1, 1], [0, 0], [3, 5]):
        controls = (x[None, None], np.array([[[4]]]), np.array([[gates]]))
        letter = Letter(np.ones((1, 1), int), controls)
        field = generator(ring, {}, {"V": v[None, None], "W": w[None, None]}, letter)
        assert np.array_equal(field["V"][0, 0], 4 * (np.array(gates) * (w @ x))[None, :])
        assert np.array_equal(field["W"][0, 0], 4 * np.outer(gates * v[0], x))


def test_examples_have_the_shapes_of_the_state():
    flow = with_constants(lambda c, p: c["c"] * p["x"], {"x": (2,)}, {"c": None})
    point, constants = example_point(flow), example_constants(flow)
    assert {n: (v.shape, v.dtype) for n, v in point.items()} == {"x": ((2,), np.float64)}
    assert {n: (v.shape, v.dtype) for n, v in constants.items()} == {"c": ((), np.float64)}


def test_constants_in_a_ring():
    known = {"third": Fraction(1, 3), "c": None}
    values = exact_constants(Rationals(), known, {"c": "given"})
    assert values["c"] == "given"
    assert values["third"].shape == (1, 1)
    assert 3 * values["third"].item() == 1


def test_a_field_is_rows_in_the_order_of_the_state():
    generator = Generator.of(
        gf.Flow(lambda p: p["b"] * p["a"] @ p["M"], zeros(b=(), a=(2,), M=(2, 1)))
    )
    order = [b.name for b in generator.flow.state]
    field = {
        "b": np.array([[7]]),
        "a": np.array([[[1, 2], [3, 4]]]),
        "M": np.array([[[[5], [6]]]]),
    }
    rows = generator.rows(field, 2)
    columns = {"b": [[7], [7]], "a": [[1, 2], [3, 4]], "M": [[5, 6], [5, 6]]}
    assert np.array_equal(rows, np.concatenate([columns[n] for n in order], axis=1))
    nilpotent = {n: np.concatenate([v, v + 1]) for n, v in field.items()}
    assert np.array_equal(generator.rows(nilpotent, 2), rows)


@pytest.mark.parametrize("order", [1, 2])
def test_words_of_a_batch_are_the_words_one_by_one(order):
    generator = Generator.of(product(1, 2, 2, order=order))
    place = draw_point(generator, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    letters = [free_letter(generator, place, rng, 3) for _ in range(4)]

    def rows(letters: list[Letter], batch: int) -> np.ndarray:
        word = generator.word(place.field, place.constants, place.point, letters)
        return generator.rows(word, batch)

    for depth in (1, 2, 3, 4):
        together = rows(letters[:depth], 3)
        for k in range(3):
            own = [
                Letter(x.weight[:, k : k + 1], tuple(c[:, k : k + 1] for c in x.controls))
                for x in letters[:depth]
            ]
            assert np.array_equal(rows(own, 1)[0], together[k])
        assert np.any(together)


def test_brackets_of_linear_fields_are_commutators():
    """∇ of ½ x·Sx is Sx, and [Sx, Tx] = (TS − ST)x."""

    def phi(p):
        x = p["x"]
        return jnp.stack([x[0] * x[1], x[1] * x[2], x[0] ** 2 / 2])

    generator, ring = Generator.of(gf.Flow(phi, zeros(x=(3,)))), PrimeField(PRIME)
    basis = np.zeros((3, 3, 3), dtype=np.int64)
    basis[0][[0, 1], [1, 0]] = 1
    basis[1][[1, 2], [2, 1]] = 1
    basis[2][0, 0] = 1
    rng = np.random.default_rng(0)
    x = rng.integers(1, 99, 3)
    controls = [rng.integers(-9, 9, 3) for _ in range(4)]
    matrices = [np.tensordot(c, basis, axes=1) for c in controls]
    letters = [
        Letter(np.ones((1, 1), dtype=np.int64), (c.reshape(1, 1, 3) % PRIME,)) for c in controls
    ]
    for length in (1, 2, 3, 4):
        matrix = matrices[length - 1]
        for s in reversed(matrices[: length - 1]):
            matrix = matrix @ s - s @ matrix
        word = generator.word(ring, {}, {"x": x.reshape(1, 1, 3)}, letters[:length])
        assert np.array_equal(generator.rows(word, 1)[0], matrix @ x % PRIME)


# --- whether there is a value at all


def estimated(phi, shapes=("x", "y"), **options) -> Generator:
    return Generator.of(gf.Flow(phi, zeros(**dict.fromkeys(shapes, ())), **options))


def nothing(p):
    """0 in two spellings, which random numbers for functions tell apart."""
    return jnp.exp(p["x"] + p["y"]) - jnp.exp(p["x"]) * jnp.exp(p["y"])


@pytest.mark.parametrize(
    ("phi", "expected"),
    [
        (lambda p: jnp.exp(p["x"]) / p["y"], True),
        (lambda p: 1 / nothing(p), False),
        (lambda p: jnp.log(nothing(p)), False),
        (lambda p: p["y"] * jnp.log(p["x"] - 20), True),  # for large numbers alone
        (lambda p: p["y"] * jnp.log(-p["x"]), True),  # for negative ones
        (lambda p: p["y"] * jnp.log(-(p["x"] ** 2)), False),
        (
            lambda p: p["y"] * jnp.log(p["x"] - 2000),
            False,
        ),  # beyond what is tried: nothing is claimed
        (lambda p: jnp.exp(p["x"]) * p["y"], True),
        (nothing, True),
    ],
)
def test_a_value_somewhere(phi, expected: bool):
    assert estimated(phi).has_value is expected


def test_positive_parameters_time_and_constants_have_values_where_they_are():
    assert estimated(lambda p: p["y"] * jnp.log(p["x"]), positive=["x", "y"]).has_value
    assert not estimated(lambda p: p["y"] * jnp.log(-p["x"]), positive=["x", "y"]).has_value
    for sign, expected in ((1, True), (-1, False)):
        named = with_constants(
            lambda c, p, sign=sign: p["x"] * jnp.log(sign * c["c"]), {"x": ()}, {"c": None}
        )
        assert Generator.of(named).has_value is expected
    third = with_constants(
        lambda c, p: jnp.exp(p["x"]) / (3 * c["third"] - 1), {"x": ()}, {"third": Fraction(1, 3)}
    )
    assert not Generator.of(third).has_value


def test_the_entries_of_a_block_have_sizes_and_signs_of_their_own():
    def different(p):
        return jnp.exp(p["y"]) / (p["x"][0] ** 2 - p["x"][1] ** 2)

    def opposite(p):
        return jnp.exp(p["y"]) * jnp.log(-p["x"][0] * p["x"][1])

    for phi in (different, opposite):
        assert Generator.of(gf.Flow(phi, zeros(x=(2,), y=()))).has_value


def test_a_drift_has_a_value_where_time_is_positive():
    def damped(damping) -> Generator:
        return Generator.of(
            gf.Flow(lambda p: p["x"] * p["y"], zeros(x=(), y=()), order=2, damping=damping)
        )

    rising, never = damped(lambda t: jnp.log(t)), damped(lambda t: jnp.log(-t))
    assert rising.estimated and never.estimated
    assert rising.has_value
    assert not never.has_value


def test_fields_with_a_choice_have_values():
    flow = gf.Flow.of_network(
        lambda p, x: jnp.max(p["W"] @ x) * jnp.exp(p["v"]) / p["v"],
        zeros(W=(3, 2), v=()),
        np.zeros(2),
    )
    assert Generator.of(flow).estimated
    assert Generator.of(flow).has_value


def test_trials_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not estimated(lambda p: p["y"] * jnp.log(-(p["x"] ** 2))).has_value
        assert not estimated(lambda p: p["y"] * jnp.log(-1e300 * (1e300 * p["x"] ** 2))).has_value
