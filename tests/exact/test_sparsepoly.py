"""Sparse Laurent polynomials against python-flint, and what they refuse."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.quotient import Effort, TooLarge
from geoflow.exact.sparsepoly import SparsePolynomial, SparsePolynomials, product_of


def _as_dense(value: SparsePolynomial, size: int) -> dict[tuple[int, ...], Fraction]:
    return {tuple(m.count(k) for k in range(size)): Fraction(c) for m, c in value.terms.items()}


@pytest.mark.parametrize("seed", range(8))
def test_products_and_sums_agree_with_flint(seed: int):
    rng = np.random.default_rng(seed)
    shapes = [(2, 3), (3, 2)]
    sparse = SparsePolynomials(12)
    dense, ours = Polynomials.in_shapes(shapes)[0], sparse.arrays(shapes)
    theirs = dense.arrays(shapes)
    numbers = rng.integers(-2, 3, (1, 1, 2, 2))

    def work(ring, a, b):  # type: ignore[no-untyped-def]
        square = ring.matmul(a, b)
        moved = ring.sub(ring.mul(square, square), ring.literal(numbers))
        half = ring.constant(Fraction(1, 2), (1, 1, 1, 1))
        return ring.sum(ring.mul(ring.add(moved, ring.neg(square)), half), (2,))

    ours, theirs = work(sparse, *ours), work(dense, *theirs)
    for x, y in zip(ours.flat, theirs.flat, strict=True):
        wanted = {m: Fraction(int(c.p), int(c.q)) for m, c in y.to_dict().items()}
        assert _as_dense(x, 12) == wanted


def test_what_cancels_is_zero():
    ring = SparsePolynomials(4)
    (x,) = ring.arrays([(4,)])
    a, b, c, _ = x.ravel()
    assert ring.is_zero((a + b) * (a - b) - a * a + b * b)
    assert not ring.is_zero((a + b) * (a - b) - a * a + b * c)


def test_monomials_have_inverses_and_sums_have_none():
    ring = SparsePolynomials(2)
    (x,) = ring.arrays([(2,)])
    a, b = x.ravel()
    inverse = ring.reciprocal(2 * (a * a * b))
    assert (inverse * a * b).terms == {(~0,): Fraction(1, 2)}
    assert product_of((~0, ~0, 1), (0, 0)) == (1,)
    with pytest.raises(UnsupportedPrimitive):
        ring.reciprocal(a + b)
    with pytest.raises(ZeroDivisionError):
        ring.reciprocal(a - a)


def test_gates_are_idempotent_and_nothing_else_is():
    ring = SparsePolynomials(2, idempotent=[0])
    (x,) = ring.arrays([(2,)])
    gate, weight = x.ravel()
    assert ring.is_zero(gate * gate * weight - gate * weight)
    assert not ring.is_zero(gate * weight * weight - gate * weight)


def test_an_expansion_has_a_bound():
    ring = SparsePolynomials(30, Effort(10**4, 10**3))
    (x,) = ring.arrays([(30,)])
    with pytest.raises(TooLarge):
        total = ring.sum(x, (2,))
        ring.mul(total, ring.mul(total, total))
