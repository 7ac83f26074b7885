"""Every rule, on random points: floats of JAX, fractions, residues and expanded polynomials agree."""

from __future__ import annotations

from dataclasses import replace

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp
from jax import lax

import geoflow as gf
from geoflow.exact.balls import Balls
from geoflow.exact.dual import TRANSCENDENTAL
from geoflow.exact.floats import Floats
from geoflow.exact.gates import Gate
from geoflow.exact.interpreter import RULES, UnluckyPoint, run
from geoflow.exact.lifting import lift
from geoflow.exact.precision import working_precision
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.radicals import ROOTS
from geoflow.exact.rationals import Rationals
from geoflow.exact.symbols import SymPyExpressions
from geoflow.primitives import adjugate

from .evaluation import (
    PRIME,
    in_doubles,
    in_floats,
    in_polynomials,
    in_prime_field,
    in_rationals,
    program_of,
    random_point,
    residue,
)

ROWS = np.array([2, 0, 2])
MASK = np.array([[True, False], [False, True], [True, True]])
CHOICE = np.array([0, 2, 1])


def _scattered(x, y):
    return jax.grad(lambda v: jnp.sum(v[ROWS] * y))(x)


def _gathered_twice(x):
    return jax.grad(lambda v: jnp.sum(v[:, ROWS, None][..., 0] ** 2))(x)


CASES = {
    "add": (lambda x, y: x + y, [(2, 3), (2, 3)]),
    "add of a scalar": (lambda x, y: x + y[()] * jnp.ones((2, 3)), [(2, 3), ()]),
    "with a scalar": (lambda x, y: [x / y, y * x, jnp.cumsum(x) - y], [(2, 3), ()]),
    "sub": (lambda x, y: x - y, [(3,), (3,)]),
    "mul": (lambda x, y: x * y * 0.375, [(2, 2), (2, 2)]),
    "neg": (lambda x: -x, [(2,)]),
    "div": (lambda x, y: x / y, [(2, 3), (2, 3)]),
    "square": (jnp.square, [(3,)]),
    "power": (lambda x: [x**5, x**-3, x**0, x**1], [(3,)]),
    "pow": (lambda x: lax.pow(x, 4.0), [(2,)]),
    "negative pow": (lambda x: lax.pow(x, -3.0), [(2,)]),
    "matmul": (lambda x, y: x @ y, [(2, 3), (3, 4)]),
    "vector matmul": (lambda x, y: [x @ y, y @ x.T, x[0] @ y], [(2, 3), (3,)]),
    "einsum": (lambda x, y: jnp.einsum("bij,bjk,l->kbl", x, y, y[0, 0]), [(2, 3, 2), (2, 2, 2)]),
    "batched": (lambda x, y: lax.batch_matmul(x, y), [(2, 3, 2), (2, 2, 4)]),
    "large matmul": (lambda x, y: x @ y, [(9, 9), (9, 9)]),
    "sum": (lambda x: [jnp.sum(x), jnp.sum(x, 1), jnp.mean(x, (0, 2))], [(2, 3, 4)]),
    "prod": (lambda x: [jnp.prod(x), jnp.prod(x, 0)], [(2, 3)]),
    "cumsum": (lambda x: [jnp.cumsum(x, 1), lax.cumsum(x, 0, reverse=True)], [(2, 3)]),
    "cumprod": (lambda x: [jnp.cumprod(x, 1), lax.cumprod(x, 0, reverse=True)], [(2, 3)]),
    "det": (gf.det, [(3, 3)]),
    "inv": (gf.inv, [(2, 3, 3)]),
    "adjugate": (adjugate, [(3, 3)]),
    "transpose": (lambda x: jnp.transpose(x, (2, 0, 1)), [(2, 3, 4)]),
    "reshape": (lambda x: [x.reshape(3, 2), x.ravel(), x[:, None, :]], [(2, 3)]),
    "broadcast": (lambda x: jnp.broadcast_to(x[:, None], (3, 4, 2)), [(3, 2)]),
    "reshape across": (
        lambda x: [lax.reshape(x, (6, 2), dimensions=(2, 0, 1)), x.reshape(3, 4, order="F")],
        [(2, 3, 2)],
    ),
    "squeeze": (lambda x: jnp.squeeze(x, (0, 2)), [(1, 3, 1)]),
    "slice": (lambda x: [x[1:4:2, ::-1], x[-1], lax.slice(x, (0, 1), (5, 3), (3, 1))], [(5, 4)]),
    "rev": (lambda x: lax.rev(x, (0, 1)), [(2, 3)]),
    "dynamic slice": (
        lambda x: [lax.dynamic_slice(x, i, (2, 2)) for i in ((1, 7), (-9, 0))],
        [(4, 3)],
    ),
    "pad": (
        lambda x: [
            lax.pad(x, 2.5, ((1, 2, 1), (0, 1, 0))),
            lax.pad(x, 0.0, ((-1, -1, 2), (-2, 1, 0))),
            lax.pad(x, 1.0, ((-1, 0, 0), (0, -1, 1))),
            lax.pad(x, 5.0, ((-2, 3, 2), (-3, 2, 0))),
        ],
        [(3, 2)],
    ),
    "pad with a value": (lambda x, y: lax.pad(x, y, ((1, 0, 0), (0, 2, 1))), [(2, 3), ()]),
    "pad nothing": (
        lambda x, y: [lax.pad(x, y, ((1, 1, 0), (0, 0, 0))), lax.pad(x, y, ((2, 1, 3), (0, 1, 0)))],
        [(0, 2), ()],
    ),
    "concatenate": (lambda x, y: jnp.concatenate([x, y, x], 1), [(2, 3), (2, 1)]),
    "stack": (lambda x, y: [jnp.stack([x, y], 1), jnp.stack([x, y])], [(2,), (2,)]),
    "split": (lambda x: [jnp.split(x, [1, 3], 1), jnp.split(x, 1)], [(2, 4)]),
    "unstack": (lambda x: [*jnp.unstack(x, axis=1), *jnp.unstack(x[:1])], [(2, 3)]),
    "gather": (lambda x: [x[ROWS], x[:, ROWS[:2]], x[ROWS, CHOICE], jnp.take(x, 1, 0)], [(3, 3)]),
    "fill": (lambda x: x.at[np.array([0, 9, 1])].get(mode="fill", fill_value=3), [(2,)]),
    "scatter": (_scattered, [(3, 2), (3, 2)]),
    "scatter in a batch": (
        lambda x, y: jax.vmap(lambda a, b, i: a.at[i].add(b))(x, y, np.array([[0, 2], [1, 1]])),
        [(2, 3), (2, 2)],
    ),
    "scatter back": (_gathered_twice, [(2, 3)]),
    "dropped": (
        lambda x, y: x.at[np.array([0, 9, 0])].add(y, mode="drop"),
        [(2,), (3,)],
    ),
    "clipped": (
        lambda x, y: x.at[np.array([0, 9, 0])].add(y, mode="clip"),
        [(2,), (3,)],
    ),
    "select": (lambda x, y: jnp.where(MASK, x, y), [(3, 2), (3, 2)]),
    "select among three": (lambda x, y: lax.select_n(CHOICE, x, y, x * y), [(3,), (3,)]),
    "iota": (
        lambda x: [x * lax.broadcasted_iota(float, (2, 3), k) for k in (0, 1)],
        [(2, 3)],
    ),
    "tril": (jnp.tril, [(3, 3)]),
    "diagonal": (lambda x: [jnp.diag(x), jnp.trace(x)], [(3, 3)]),
    "kron": (jnp.kron, [(2, 2), (2, 3)]),
    "gradient": (
        lambda x: jax.grad(lambda a: jnp.sum(gf.inv(a)[0] / gf.det(a @ a.T)))(x),
        [(2, 2)],
    ),
    "tangent": (
        lambda x, v: jax.jvp(lambda a: gf.det(adjugate(a) @ a), (x,), (v,))[1],
        [(3, 3), (3, 3)],
    ),
    "branch": (lambda x: lax.cond(True, lambda a: a * a, lambda a: a, x), [(2,)]),
    "nested": (lambda x: jax.jit(jax.checkpoint(lambda a: a * jnp.sum(a)))(x), [(3,)]),
    "empty": (lambda x, y: jnp.sum(x) + y, [(0, 2), ()]),
    "constants in places": (lambda x: x * jnp.array([[0.5, -2.0], [3.0, 0.25]]), [(2, 2)]),
    "constant": (lambda x: jnp.full((2,), 2.5), [()]),
}


@pytest.mark.parametrize("name", CASES)
def test_all_arithmetics_agree(name: str):
    function, shapes = CASES[name]
    program = program_of(function, *shapes)
    point = random_point(np.random.default_rng(len(name)), shapes)
    exact = in_rationals(program, point)
    for value, own in zip(in_floats(function, point), exact, strict=True):
        assert value.shape == own.shape
        np.testing.assert_allclose(value, own.astype(float), rtol=1e-9, atol=1e-12)
    for prime in (PRIME, 103):
        for value, own in zip(in_prime_field(program, point, prime), exact, strict=True):
            assert value.ravel().tolist() == [residue(x, prime) for x in own.flat]
    if sum(int(np.prod(s)) for s in shapes) <= 27:
        for value, own in zip(in_polynomials(program, point), exact, strict=True):
            assert np.all(value == own)


@pytest.mark.parametrize("name", CASES)
def test_nilpotents_and_batches(name: str):
    """x + e·v in a batch of points has the derivative along v beside the value, wherever an input has none of one or
    is the same for all."""
    function, shapes = CASES[name]
    program, ring = program_of(function, *shapes), Rationals()
    rng = np.random.default_rng(len(name))
    points, tangents = ([random_point(rng, shapes) for _ in range(3)] for _ in range(2))
    for moving in range(len(shapes)):
        same = [moving] if len(shapes) > 1 else []
        given = []
        for k in range(len(shapes)):
            rows = [points, tangents] if k == moving else [points]
            columns = slice(1) if k in same else slice(3)
            given.append(ring.literal(np.array([[p[k] for p in row[columns]] for row in rows])))
        found = run(program, ring, given)
        for batch in range(3):
            own = [points[0 if k in same else batch][k] for k in range(len(shapes))]
            along = [0 * x for x in own]
            along[moving] = tangents[0 if same else batch][moving]
            with jax.enable_x64(True):
                primals, slopes = (tuple(map(jnp.asarray, x)) for x in (own, along))
                expected = jax.jvp(function, primals, slopes)
            for array, *both in zip(found, *map(jax.tree.leaves, expected), strict=True):
                for nilpotent, wanted in enumerate(both):
                    got = array[nilpotent, batch % array.shape[1]] if nilpotent < len(array) else 0
                    got = np.broadcast_to(in_doubles(got), wanted.shape)
                    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)


SMOOTH = {
    "sqrt": jnp.sqrt,
    "rsqrt": lax.rsqrt,
    "half powers": lambda x: [lax.pow(x, 2.5), lax.pow(x, -1.5), lax.pow(x, 0.5)],
    "exp": lambda x: [jnp.exp(x), jnp.expm1(x)],
    "log": lambda x: [jnp.log(x), jnp.log1p(x)],
    "tanh": lambda x: [jnp.tanh(x), lax.logistic(x)],
    "erf": lambda x: [lax.erf(x), lax.erfc(x)],
    "slope of erf": lambda x: jax.grad(lambda a: jnp.sum(lax.erf(a) - 2 * lax.erf(-2 * a)))(x),
    "sin": lambda x: [jnp.sin(x), jnp.cos(x), jnp.arctan(x)],
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_and_their_slopes(name: str):
    program = program_of(SMOOTH[name], (3,))
    point, along = np.array([0.3, 1.25, 2.0]), np.array([1.0, -0.5, 3.0])
    found = run(program, Floats(), [np.stack([point, along])[:, None]])
    with jax.enable_x64(True):
        expected = jax.jvp(SMOOTH[name], (jnp.asarray(point),), (jnp.asarray(along),))
    for array, *wanted in zip(found, *map(jax.tree.leaves, expected), strict=True):
        np.testing.assert_allclose(array[:, 0], np.stack(wanted), rtol=1e-12)


def test_the_slope_of_erf_is_exact():
    """2/√π is no fraction, and JAX rounds it."""
    program, ring = program_of(SMOOTH["slope of erf"], ()), Balls()
    with working_precision(200):
        (value,) = run(program, ring, [ring.literal(np.zeros((1, 1)))])
        ball, exact = value[0, 0], 10 / flint.arb.pi().sqrt()  # 2/√π · (1 + 2·2)
        assert ball.overlaps(exact)
        assert abs(ball - exact) < flint.arb(2) ** -150


def test_gates_are_decided_as_they_are_met():
    """By what they compare, with values that other gates have made."""

    def layers(x, y):
        h = jax.nn.relu(x - y)
        return jnp.maximum(h, 2 * y) + jnp.max(x * y - h)

    program = lift(program_of(layers, (4,), (4,)))
    met: list[Gate] = []

    def decide(gate: Gate, left: np.ndarray, right: np.ndarray | None) -> np.ndarray:
        met.append(gate)
        assert (right is None) == (gate.right is None)
        if right is None:  # the greatest one
            return np.asarray(left == left.max(keepdims=True), dtype=float)
        return np.asarray(left > right, dtype=float)

    x, y = np.array([0.5, 3.0, -1.0, 2.0]), np.array([1.0, 0.5, -0.25, 1.5])
    given = [x[None, None], y[None, None]]
    (value,) = run(program, Floats(), given, decide)
    (expected,) = in_floats(layers, [x, y])
    assert np.array_equal(value[0, 0], expected)
    assert [g.slot for g in met] == [g.slot for g in program.gates]
    assert {g.right is None for g in met} == {True, False}
    decided = replace(program, outputs=tuple(g.slot for g in program.gates))
    gates = run(decided, Floats(), given, decide)
    (again,) = run(program, Floats(), given, gates)
    assert np.array_equal(again, value)


def test_every_rule_has_a_case():
    met = {i.primitive for f, s in CASES.values() for i in program_of(f, *s).instructions}
    missing = set(RULES) - met - TRANSCENDENTAL - ROOTS  # see networks/test_balls.py
    assert missing <= {"add_any", "stack", "unstack"}  # emitted by some versions of JAX only


@pytest.mark.parametrize(
    "function", [jnp.exp, jnp.log, jnp.log1p, jnp.arctan, jnp.tanh, jnp.sqrt, lax.rsqrt]
)
def test_formulas_in_sympy(function):
    program = program_of(lambda x: function(x) * x, ())
    x = sp.Symbol("x", positive=True)
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = x
    (value,) = run(program, SymPyExpressions(), [cell])
    (expected,) = in_floats(lambda a: function(a) * a, [np.array(0.7)])
    assert float(value[0, 0].subs(x, 0.7)) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("function", [jnp.exp, jnp.log, jnp.tanh, jnp.sin, jnp.abs, jnp.sort])
def test_what_has_no_rule_is_named(function):
    program = program_of(function, (2,))
    ring = PrimeField(PRIME)
    with pytest.raises(UnsupportedPrimitive) as raised:
        run(program, ring, [ring.literal(np.ones((1, 1, 2)))])
    assert raised.value.name == program.instructions[0].primitive


def test_division_by_zero_is_an_unlucky_point():
    program = program_of(lambda x, y: x / (y - 1.0), (), ())
    one = np.ones((1, 1), dtype=np.int64)
    with pytest.raises(UnluckyPoint):
        run(program, PrimeField(PRIME), [one, one])
    with pytest.raises(UnluckyPoint):
        run(program, PrimeField(7), [one, 8 * one % 7])


@pytest.mark.parametrize("constant", [np.inf, np.nan])
def test_a_constant_that_is_not_finite_is_refused(constant: float):
    program = program_of(lambda x: x * constant, ())
    with pytest.raises(UnsupportedPrimitive, match="not finite"):
        run(program, PrimeField(PRIME), [np.ones((1, 1), dtype=np.int64)])


@pytest.mark.parametrize("exponent", [0.3, np.array([2.0, 3.0]), np.array([0.3, 2.0])])
def test_powers_with_other_exponents_are_refused(exponent):
    program = program_of(lambda x: lax.pow(x, exponent), (2,))
    with pytest.raises(UnsupportedPrimitive, match="whole or half"):
        run(program, Floats(), [np.ones((1, 1, 2))])


def test_an_index_out_of_bounds_without_a_filling_is_refused():
    program = program_of(lambda x: x.at[np.array([0, 5])].get(mode="fill"), (2,))
    with pytest.raises(UnsupportedPrimitive, match="out of bounds"):
        run(program, PrimeField(PRIME), [np.ones((1, 1, 2), dtype=np.int64)])


def test_a_computed_index_is_refused():
    program = program_of(lambda x, i: x[i.astype(int)], (3,), ())
    ring = PrimeField(PRIME)
    with pytest.raises(UnsupportedPrimitive):
        run(program, ring, [ring.literal(np.ones((1, 1, 3))), ring.literal(np.ones((1, 1)))])


def test_a_prime_in_a_denominator_is_unlucky():
    from fractions import Fraction

    with pytest.raises(UnluckyPoint):
        PrimeField(7).fraction(Fraction(1, 14))
    assert PrimeField(7).fraction(Fraction(-1, 3)) == 2


def test_large_products_do_not_overflow():
    rng = np.random.default_rng(0)
    ring = PrimeField(PRIME)
    for inner in (3, 1024, 1025, 5000):
        a = rng.integers(PRIME - 5, PRIME, (1, 1, 4, inner))
        b = rng.integers(PRIME - 5, PRIME, (1, 1, inner, 40))
        expected = (a.astype(object) @ b.astype(object)) % PRIME
        assert np.array_equal(ring.matmul(a, b), expected.astype(np.int64))


def test_tracing_leaves_the_configuration_alone():
    trace(lambda x: x * 0.1, jax.ShapeDtypeStruct((2,), np.float32))
    assert jnp.ones(1).dtype == np.float32
