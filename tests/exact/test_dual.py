"""Nilpotent numbers: derivatives, determinants."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from geoflow.exact import dual
from geoflow.exact.interpreter import run
from geoflow.exact.primefield import PrimeField
from geoflow.exact.rationals import Rationals
from geoflow.primitives import adjugate, det, inv

from .evaluation import PRIME, as_fraction, program_of, residue

X, Y = sp.symbols("x y")
FUNCTIONS = {
    "polynomial": (lambda x, y: x**3 * y**2 - 2 * x * y + x, X**3 * Y**2 - 2 * X * Y + X),
    "quotient": (lambda x, y: (x + y) / (x * x - 3 * y), (X + Y) / (X**2 - 3 * Y)),
    "negative power": (lambda x, y: (x + 2 * y) ** -3, (X + 2 * Y) ** -3),
    "iterated": (lambda x, y: 1 / (1 + 1 / (x + 1 / y)), 1 / (1 + 1 / (X + 1 / Y))),
}


def shifted(
    ring, values: Sequence[Fraction], directions: Sequence[Sequence[Fraction]]
) -> list[np.ndarray]:
    """values + Σ eₖ directions[k], each [2**k, 1]."""
    found = []
    for position, value in enumerate(values):
        entries = [Fraction(0)] * 2 ** len(directions)
        entries[0] = value
        for k, direction in enumerate(directions):
            entries[1 << k] = direction[position]
        found.append(np.concatenate([ring.constant(e, (1, 1)) for e in entries]))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_mixed_derivatives_are_those_of_sympy(name: str, order: int):
    function, symbolic = FUNCTIONS[name]
    rng = np.random.default_rng(order)
    values = [Fraction(5, 2), Fraction(-2, 3)]
    directions = [[Fraction(int(d)) for d in rng.integers(-3, 4, 2)] for _ in range(order)]
    expected = symbolic
    for dx, dy in directions:
        expected = dx.numerator * sp.diff(expected, X) + dy.numerator * sp.diff(expected, Y)
    expected = sp.nsimplify(expected.subs({X: sp.Rational(5, 2), Y: sp.Rational(-2, 3)}))
    program = program_of(function, (), ())
    ring = Rationals()
    (value,) = run(program, ring, shifted(ring, values, directions))
    top = as_fraction(value[-1, 0]) if len(value) == 2**order else Fraction(0)
    assert top == Fraction(str(expected))
    field = PrimeField(PRIME)
    (modular,) = run(program, field, shifted(field, values, directions))
    assert (modular[-1, 0] if len(modular) == 2**order else 0) == residue(top, PRIME)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_a_square_root(order: int):
    """√x at 9/4, where the root is rational: no float is involved."""
    ring = Rationals()
    ones = [[Fraction(1)]] * order
    (value,) = run(program_of(lambda x: x**0.5, ()), ring, shifted(ring, [Fraction(9, 4)], ones))
    expected = sp.diff(sp.sqrt(X), X, order).subs(X, sp.Rational(9, 4))
    assert as_fraction(value[-1, 0]) == Fraction(str(expected))


def test_a_product_of_three_is_the_product_rule():
    ring = PrimeField(101)
    e = [np.array([[a], [b]], dtype=np.int64) for a, b in ((2, 3), (5, 7), (11, 13))]
    product = dual.mul(ring, dual.mul(ring, e[0], e[1]), e[2])
    assert product.ravel().tolist() == [110 % 101, (3 * 55 + 7 * 22 + 13 * 10) % 101]


def test_sums_of_different_depth():
    ring = PrimeField(101)
    low, high = np.array([[4]]), np.array([[1], [2]])
    assert dual.add(ring, low, high).ravel().tolist() == [5, 2]
    assert dual.add(ring, low, high, negate=True).ravel().tolist() == [3, 99]
    assert dual.add(ring, high, low, negate=True).ravel().tolist() == [98, 2]


def matrices(n: int, rank: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(-3, 4, (n, rank)) @ rng.integers(-3, 4, (rank, n))


@pytest.mark.parametrize(
    ("n", "rank"), [(1, 1), (2, 2), (3, 3), (5, 5), (3, 2), (4, 2), (3, 0), (1, 0)]
)
def test_determinant_and_adjugate_also_of_singular_matrices(n: int, rank: int):
    matrix = matrices(n, rank, n + rank)
    ring = PrimeField(PRIME)
    determinant, adjoint = dual.determinant_and_adjugate(ring, ring.literal(matrix[None, None]))
    exact = sp.Matrix(matrix.tolist())
    assert int(determinant[0, 0]) == int(str(exact.det())) % PRIME
    assert adjoint[0, 0].tolist() == [
        [int(str(x)) % PRIME for x in row] for row in exact.adjugate().tolist()
    ]


def test_derivative_of_a_determinant_at_a_singular_matrix():
    """d det(A)·B = tr(adj(A) B), whatever the rank of A."""
    ring = Rationals()
    for rank in (0, 1, 2, 3):
        a, b = matrices(3, rank, rank), matrices(3, 3, 7)
        moved = np.concatenate([ring.literal(m[None, None]) for m in (a, b)])
        (value,) = run(program_of(det, (3, 3)), ring, [moved])
        adjoint = sp.Matrix(a.tolist()).adjugate()
        assert as_fraction(value[1, 0]) == int((adjoint * sp.Matrix(b.tolist())).trace())


def test_inverse_of_moved_matrices():
    """(A + eB)⁻¹ (A + eB) = 1, to second order."""
    ring = PrimeField(PRIME)
    rng = np.random.default_rng(3)
    moved = rng.integers(0, PRIME, (4, 1, 3, 3))
    (inverse,) = run(program_of(inv, (3, 3)), ring, [moved])
    product = dual.matmul(ring, inverse, moved)
    assert np.array_equal(product[0, 0], np.eye(3))
    assert not np.any(product[1:])
    (adjoint,) = run(program_of(adjugate, (3, 3)), ring, [moved])
    (determinant,) = run(program_of(det, (3, 3)), ring, [moved])
    product = dual.matmul(ring, adjoint, moved)
    assert np.array_equal(product, determinant[..., None, None] * np.eye(3, dtype=np.int64))
