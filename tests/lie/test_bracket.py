"""Brackets at a point: those of SymPy, antisymmetric, with the Jacobi identity."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import geoflow as gf
from geoflow.exact.primefield import PrimeField
from geoflow.flow import Flow
from geoflow.lie.bracket import Generator, Letter

PRIME = 67108859


def flat_flow(size: int, phi, **options) -> Flow:
    return gf.Flow(phi, jax.ShapeDtypeStruct((size,), np.float32), **options)


FLOWS = {
    "polynomial": (
        flat_flow(3, lambda x: jnp.stack([x[0] * x[1] ** 2, x[1] * x[2] - x[0] ** 3])),
        lambda x: [x[0] * x[1] ** 2, x[1] * x[2] - x[0] ** 3],
    ),
    "rational": (
        flat_flow(2, lambda x: jnp.stack([x[0] / x[1], 1 / (1 + x[0] ** 2)])),
        lambda x: [x[0] / x[1], 1 / (1 + x[0] ** 2)],
    ),
}


def symbolic_field(phi, x, cotangent):
    pairing = sum(a * y for a, y in zip(cotangent, phi(x), strict=True))
    return [sp.diff(pairing, v) for v in x]


def symbolic_bracket(a, b, x):
    """[A, B] = DB·A − DA·B."""
    return [
        sum(sp.diff(b[i], v) * a[j] - sp.diff(a[i], v) * b[j] for j, v in enumerate(x))
        for i in range(len(x))
    ]


def residue(value) -> int:
    value = Fraction(str(sp.sympify(value)))
    return value.numerator * pow(value.denominator, -1, PRIME) % PRIME


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_words_are_those_of_sympy(name: str, length: int):
    flow, phi = FLOWS[name]
    size = flow.dimension
    x = sp.symbols(f"x:{size}")
    rng = np.random.default_rng(length)
    point = [int(k) for k in rng.integers(2, 9, size)]
    cotangents = [[int(k) for k in rng.integers(-4, 5, 2)] for _ in range(length)]
    fields = [symbolic_field(phi, x, c) for c in cotangents]
    expected = fields[-1]
    for field in reversed(fields[:-1]):
        expected = symbolic_bracket(field, expected, x)
    values = [residue(sp.sympify(e).subs(dict(zip(x, point, strict=True)))) for e in expected]
    assert word(flow, point, cotangents) == values


def word(flow: Flow, point: list[int], cotangents: list[list[int]]) -> list[int]:
    generator, ring = Generator.of(flow), PrimeField(PRIME)
    place = {"theta": np.array(point, dtype=np.int64).reshape(1, 1, -1) % PRIME}
    letters = [
        Letter(np.ones((1, 1), dtype=np.int64), (np.array(c).reshape(1, 1, -1) % PRIME,))
        for c in cotangents
    ]
    found = generator.word(ring, {}, place, letters)
    return generator.rows(found, 1)[0].tolist()


@pytest.mark.parametrize("name", FLOWS)
def test_antisymmetry_and_jacobi(name: str):
    flow, _ = FLOWS[name]
    rng = np.random.default_rng(5)
    point = [int(k) for k in rng.integers(2, PRIME, flow.dimension)]
    a, b, c = ([int(k) for k in rng.integers(0, PRIME, 2)] for _ in range(3))

    def total(*words: list[list[int]]) -> list[int]:
        return (np.array([word(flow, point, w) for w in words]).sum(0) % PRIME).tolist()

    zero = [0] * flow.dimension
    assert word(flow, point, [a, b]) != zero
    assert total([a, b], [b, a]) == zero
    assert word(flow, point, [a, a]) == zero
    assert total([a, b, c], [b, c, a], [c, a, b]) == zero
    assert word(flow, point, [a, b, c]) != zero


def test_the_field_of_momentum():
    """ż = (1, v, −τ v + a ∇φ) at t = 2, τ = 3/t."""
    flow = gf.Flow(
        lambda p: p["x"] * p["y"],
        {"x": jnp.zeros(()), "y": jnp.zeros(())},
        order=2,
        damping=lambda t: 3 / t,
    )
    generator, ring = Generator.of(flow), PrimeField(PRIME)
    point = {n: np.full((1, 1), v) for n, v in {"t": 2, "x": 5, "y": 7, "x'": 4, "y'": 6}.items()}
    constants = {n: ring.constant(v, (1, 1)) for n, v in flow.constants.items() if v is not None}
    letter = Letter(np.full((1, 1), 1), (np.full((1, 1), 10),))
    field = generator(ring, constants, point, letter)
    values = {n: int(v.ravel()[0]) for n, v in field.items()}
    assert values == {"t": 1, "x": 4, "y": 6, "x'": (-6 + 70) % PRIME, "y'": (-9 + 50) % PRIME}


def test_the_weight_is_that_of_the_drift():
    flow = gf.Flow(lambda x: x**2, jnp.zeros(()), order=2, damping=Fraction(1, 2))
    generator, ring = Generator.of(flow), PrimeField(PRIME)
    point = {n: np.full((1, 1), v) for n, v in {"t": 2, "theta": 5, "theta'": 4}.items()}
    constants = {n: ring.constant(v, (1, 1)) for n, v in flow.constants.items() if v is not None}
    letter = Letter(np.array([[0, 1, 3]]), (np.array([[1, 0, 1]]),))
    rows = generator.rows(generator(ring, constants, point, letter), 3)
    assert (rows % PRIME).tolist() == [
        [0, 0, 10],
        [1, 4, PRIME - 2],
        [3, 12, 4],
    ]
