"""Nilpotent numbers: derivatives, determinants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from geoflow.exact import dual
from geoflow.exact.balls import Balls
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.polynomials import Polynomials
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


SMOOTH = {
    "reciprocal": 1 / X,
    "sqrt": sp.sqrt(X),
    "exp": sp.exp(X),
    "log": sp.log(X),
    "log1p": sp.log(1 + X),
    "tanh": sp.tanh(X),
    "logistic": 1 / (1 + sp.exp(-X)),
    "erf": sp.erf(X),
    "sin": sp.sin(X),
    "cos": sp.cos(X),
    "atan": sp.atan(X),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_functions_and_three_derivatives(name: str):
    """f(x + 2·e₁ + 3·e₂ + 5·e₃), each coefficient, of two batch entries; and where x has no nilpotents."""
    ring = Balls()
    values, steps = (Fraction(3, 4), Fraction(5, 2)), {1: 2, 2: 3, 4: 5}
    moved = np.concatenate(
        [np.array([[ring.number(v) for v in values]])]
        + [ring.constant(Fraction(steps.get(mask, 0)), (1, 2)) for mask in range(1, 8)]
    )
    found = dual.smooth(ring, name, moved)
    assert found.shape == (8, 2)
    for mask in range(8):
        order = mask.bit_count()
        factor = np.prod([steps[1 << k] for k in range(3) if mask >> k & 1])
        derivative = sp.diff(SMOOTH[name], X, order)
        for batch, value in enumerate(values):
            exact = factor * sp.N(derivative.subs(X, sp.Rational(str(value))), 30)
            assert float(found[mask, batch].mid()) == pytest.approx(float(exact), rel=1e-12)
    assert float(dual.smooth(ring, name, moved[:1])[0, 1].mid()) == float(found[0, 1].mid())


def test_the_slope_of_erf():
    slope = dual.erf_slope(Balls(), (1, 2))
    assert slope.shape == (1, 2)
    assert float(slope[0, 1].mid()) == pytest.approx(2 / math.pi**0.5, rel=1e-14)


def random_number(rng: np.random.Generator, length: int, *shape: int) -> np.ndarray:
    return rng.integers(0, 101, (length, *shape))


def product_by_pairs(a: np.ndarray, b: np.ndarray, times) -> np.ndarray:
    """Every pair of coefficients without a nilpotent in common."""
    out = None
    for s, x in enumerate(a):
        for t, y in enumerate(b):
            if s & t == 0:
                value = times(x, y)
                if out is None:
                    out = np.zeros((max(len(a), len(b)), *value.shape), dtype=np.int64)
                out[s | t] = (out[s | t] + value) % 101
    assert out is not None
    return out


@pytest.mark.parametrize("lengths", [(1, 1), (1, 4), (2, 1), (2, 2), (4, 2), (2, 8), (8, 8)])
def test_products_sums_and_powers_in_any_shape(lengths: tuple[int, int]):
    ring, rng = PrimeField(101), np.random.default_rng(sum(lengths))
    a, b = random_number(rng, lengths[0], 3, 2, 1), random_number(rng, lengths[1], 1, 1, 4)
    assert np.array_equal(dual.mul(ring, a, b), product_by_pairs(a, b, np.multiply))
    long = np.zeros((2, 8, 3, 2, 4), dtype=np.int64)
    long[0, : lengths[0]], long[1, : lengths[1]] = a, b
    size = max(lengths)
    assert np.array_equal(dual.add(ring, a, b), (long[0] + long[1])[:size] % 101)
    assert np.array_equal(dual.add(ring, a, b, negate=True), (long[0] - long[1])[:size] % 101)
    m, n = random_number(rng, lengths[0], 3, 2, 5), random_number(rng, lengths[1], 1, 5, 4)
    assert np.array_equal(dual.matmul(ring, m, n), product_by_pairs(m, n, np.matmul))
    power = np.ones((1, 3, 2, 1), dtype=np.int64)
    a[0] = a[0] % 100 + 1
    inverse = dual.reciprocal(ring, a)
    assert np.array_equal(inverse.shape, a.shape)
    for exponent in range(7):
        found = dual.power(ring, a, exponent)
        assert found.shape == power.shape and np.array_equal(found, power)
        back = dual.mul(ring, dual.power(ring, a, -exponent), power)
        assert np.all(back[0] == 1) and not back[1:].any()
        power = dual.mul(ring, power, a)


PATTERNS = {
    "full": np.ones((4, 4)),
    "diagonal": np.eye(4),
    "triangular": np.triu(np.ones((4, 4))),
    "blocks": np.kron(np.eye(2), np.ones((2, 2))),
    "interleaved": np.kron(np.ones((2, 2)), np.eye(2)),
    "arrow": np.eye(4) + np.eye(4)[[0]] + np.eye(4)[:, [0]],
}


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("length", [1, 2, 4])
def test_inverses_of_any_pattern(name: str, length: int):
    """Also with equal blocks, and with batches and nilpotents that are zero elsewhere."""
    ring, rng = PrimeField(PRIME), np.random.default_rng(length)
    matrix = rng.integers(1, PRIME, (length, 3, 4, 4)) * (PATTERNS[name] != 0)
    matrix[:, 1, 2:, 2:] = matrix[:, 1, :2, :2]
    matrix[1:, 2] = 0
    found = dual.inverse(ring, matrix)
    for one in (dual.matmul(ring, found, matrix), dual.matmul(ring, matrix, found)):
        assert np.array_equal(one[0], np.broadcast_to(np.eye(4), (3, 4, 4)))
        assert not one[1:].any()
    assert found.shape == matrix.shape
    matrix[0, 2, 3] = 0
    with pytest.raises(UnluckyPoint):
        dual.inverse(ring, matrix)


def test_components():
    joined = np.zeros((6, 6), dtype=bool)
    for i, j in ((0, 4), (4, 2), (3, 3), (1, 5)):
        joined[i, j] = joined[j, i] = True
    assert sorted(dual.components(joined)) == [[0, 2, 4], [1, 5], [3]]
    assert dual.components(joined[:0, :0]) == []


def test_each_block_is_solved_for_itself():
    """No entry of the inverse of a diagonal matrix has more than one variable below."""
    ring, variables = Polynomials.in_shapes([(12,)])
    matrix = ring.zeros((1, 1, 12, 12))
    matrix[0, 0, np.arange(12), np.arange(12)] = variables[0][0, 0]
    found = dual.inverse(ring, matrix)[0, 0]
    for k in range(12):
        assert found[k, k].denominator == matrix[0, 0, k, k]
        assert ring.is_zero(found[k, k - 1])


class Counting(PrimeField):
    """F_p that counts its divisions."""

    divided = 0

    def invert(self, a: np.ndarray) -> np.ndarray:
        self.divided += 1
        return super().invert(a)


def test_equal_blocks_are_inverted_once():
    ring = Counting(PRIME)
    blocks = [np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]]), np.array([[7]])]
    for chosen, different in (((0, 0, 0), 1), ((0, 1, 0), 2), ((2, 0, 2, 1), 3)):
        ring.divided, size = 0, sum(len(blocks[k]) for k in chosen)
        matrix, place = np.zeros((1, 1, size, size), dtype=np.int64), 0
        for k in chosen:
            end = place + len(blocks[k])
            matrix[..., place:end, place:end] = blocks[k]
            place = end
        found = dual.inverse(ring, matrix)
        assert np.array_equal(dual.matmul(ring, found, matrix)[0, 0], np.eye(size))
        assert ring.divided == different


class Knowing(PrimeField):
    """F_p that has inverses of matrices without nilpotents from elsewhere."""

    asked = 0

    def determinant_and_inverse(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.asked += 1
        plain = PrimeField(self.p)
        return dual.determinant_and_adjugate(plain, a)[0], dual.inverse(plain, a)


def test_inverses_that_an_arithmetic_knows_are_taken():
    rng = np.random.default_rng(0)
    known, plain = Knowing(PRIME), PrimeField(PRIME)
    for length in (1, 2):
        matrix = rng.integers(0, PRIME, (length, 2, 3, 3))
        assert np.array_equal(dual.inverse(known, matrix), dual.inverse(plain, matrix))
        pairs = (dual.determinant_and_adjugate(ring, matrix) for ring in (known, plain))
        assert all(np.array_equal(a, b) for a, b in zip(*pairs, strict=True))
        assert known.asked == 2


def test_the_determinant_of_nothing_is_1():
    ring = PrimeField(101)
    nothing = np.zeros((1, 3, 2, 0, 0), dtype=np.int64)
    determinant, adjugate = dual.determinant_and_adjugate(ring, nothing)
    assert determinant.tolist() == [[[1, 1]] * 3] and adjugate.shape == nothing.shape


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
