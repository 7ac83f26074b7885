"""The generic rank of a matrix K(θ) of functions, with rows that span its row space.

*At least k*: a k × k minor that is not 0 at a point, over any field. *At most k*: K has k rows or columns; or, with an
invertible minor K[R, Q], the identity K[r, q] = K[r, Q]·K[R, Q]⁻¹·K[R, q] of rational functions for the rows and
columns outside, expanded over Q. k, R and Q are taken from a random point over a prime field; where the identity
cannot be expanded, that the rank is k everywhere is *probable*.

A pseudo-inverse needs this: N(NᵀMN)⁻¹Nᵀ with a basis N of the range is M⁺ only where N has the generic rank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import jax
import numpy as np

from geoflow.exact import dual, linalg
from geoflow.exact.dual import Arithmetic
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.primefield import PrincipalRoots, draw_prime
from geoflow.exact.program import Program, UnsupportedPrimitive, trace
from geoflow.exact.quotient import Effort, TooLarge
from geoflow.expr.tree import Shape
from geoflow.metric.base import Arrays

Matrix = Callable[[Arrays, Arrays], jax.Array]  # (constants, θ) ↦ K(θ) [rows, columns]
_POINTS = 8
_TERMS = 100_000
_PRODUCTS = 10**8
_ENTRIES = 40_000  # of a matrix that is expanded


@dataclass(frozen=True)
class GenericRank:
    """`rows` of K are a basis of its row space, generically; K has `columns` columns. `proved`: that the rank is
    nowhere greater."""

    rows: tuple[int, ...]
    columns: int
    proved: bool

    @property
    def rank(self) -> int:
        """k."""
        return len(self.rows)


@dataclass(frozen=True)
class ZeroColumns:
    """The columns of K that are 0. `proved`: identically, not only at random points."""

    columns: tuple[int, ...]
    proved: bool


def generic_rank(
    matrix: Matrix, constants: Mapping[str, Fraction | None], shapes: Mapping[str, Shape]
) -> GenericRank:
    """The generic rank of `matrix`, a function of constants (None: symbolic) and of parameters of these shapes.

    Raises:
        UnsupportedPrimitive: no exact arithmetic evaluates the matrix.
        UnluckyPoint: it is defined at none of the points tried.
    """
    program = _traced(matrix, constants, shapes)
    values, prime = _at_points(program, constants, shapes)
    best = max(values[:2], key=lambda k: linalg.rank(k, prime))
    rows = linalg.independent_rows(best, prime)
    columns = linalg.independent_rows(np.ascontiguousarray(best[rows].T), prime)
    proved = len(rows) == min(best.shape)
    if not proved and best.size <= _ENTRIES:

        def spanned(ring: Polynomials, whole: np.ndarray) -> np.ndarray:
            return _outside(ring, whole, rows, columns)

        proved = _vanishes(program, constants, shapes, spanned)
    return GenericRank(tuple(rows), best.shape[1], proved)


def zero_columns(
    matrix: Matrix, constants: Mapping[str, Fraction | None], shapes: Mapping[str, Shape]
) -> ZeroColumns:
    """The columns of `matrix` that vanish identically; raises as `generic_rank`."""
    program = _traced(matrix, constants, shapes)
    values, _ = _at_points(program, constants, shapes)
    found = tuple(np.flatnonzero(~values.any(axis=(0, 1))).tolist())
    if not found:
        return ZeroColumns((), proved=True)
    chosen = _traced(lambda c, theta: matrix(c, theta)[:, list(found)], constants, shapes)
    return ZeroColumns(found, _vanishes(chosen, constants, shapes, lambda ring, whole: whole))


def vanishes_identically(
    matrix: Matrix, constants: Mapping[str, Fraction | None], shapes: Mapping[str, Shape]
) -> bool:
    """Whether `matrix` is shown to be 0, by expansion over Q."""
    program = _traced(matrix, constants, shapes)
    return _vanishes(program, constants, shapes, lambda ring, whole: whole)


def _traced(
    matrix: Matrix, constants: Mapping[str, Fraction | None], shapes: Mapping[str, Shape]
) -> Program:
    return trace(matrix, _shaped(dict.fromkeys(constants, ())), _shaped(shapes))


def _at_points(
    program: Program, constants: Mapping[str, Fraction | None], shapes: Mapping[str, Shape]
) -> tuple[np.ndarray, int]:
    """The matrix mod p at a few random points, [points, rows, columns], and p."""
    rng = np.random.default_rng(0x72616E6B)
    field = PrincipalRoots(draw_prime(rng))
    symbolic = {
        n: rng.integers(1, field.p, (1, _POINTS)) for n, v in constants.items() if v is None
    }
    point = {n: rng.integers(1, field.p, (1, _POINTS, *s)) for n, s in shapes.items()}
    known = exact_values(field, constants, symbolic)
    (value,) = run(program, field, jax.tree.leaves((known, point)))
    usable = field.usable(_POINTS)
    if not np.any(usable):
        raise UnluckyPoint
    return np.broadcast_to(value[0], (_POINTS, *value.shape[2:]))[usable], field.p


def _vanishes(
    program: Program,
    constants: Mapping[str, Fraction | None],
    shapes: Mapping[str, Shape],
    expression: Callable[[Polynomials, np.ndarray], np.ndarray],
) -> bool:
    """Whether an expression in the matrix is 0 identically, by expansion over Q; False where that is too large."""
    unknown = [n for n, v in constants.items() if v is None]
    roots = sum(
        int(np.prod(s, dtype=np.int64))
        for i in program.instructions
        if i.primitive in ("sqrt", "rsqrt", "pow")
        for s in i.out_shapes
    )
    every = [*[() for _ in unknown], *shapes.values()]
    names = [f"x{k}" for k in range(sum(int(np.prod(s, dtype=np.int64)) for s in every))]
    ring = Polynomials(names, roots, effort=Effort(_TERMS, _PRODUCTS))
    variables = ring.arrays(every)
    known = exact_values(ring, constants, dict(zip(unknown, variables, strict=False)))
    point = dict(zip(shapes, variables[len(unknown) :], strict=True))
    try:
        (whole,) = run(program, ring, jax.tree.leaves((known, point)))
        return all(ring.is_zero(x) for x in expression(ring, whole).flat)
    except (TooLarge, UnluckyPoint, UnsupportedPrimitive):
        return False


def _outside(
    ring: Polynomials, whole: np.ndarray, rows: Sequence[int], columns: Sequence[int]
) -> np.ndarray:
    """K[r, q] − K[r, Q]·K[R, Q]⁻¹·K[R, q] for the rows and columns outside."""
    left = [k for k in range(whole.shape[2]) if k not in set(rows)]
    right = [k for k in range(whole.shape[3]) if k not in set(columns)]
    inverse = dual.inverse(ring, whole[..., rows, :][..., columns])
    combined = ring.matmul(whole[..., left, :][..., columns], inverse)
    spanned = ring.matmul(combined, whole[..., rows, :][..., right])
    return ring.sub(whole[..., left, :][..., right], spanned)


def exact_values(
    ring: Arithmetic, constants: Mapping[str, Fraction | None], symbolic: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Constants as elements of a ring; symbolic ones are given."""
    return {
        n: ring.constant(v, (1, 1)) if v is not None else symbolic[n] for n, v in constants.items()
    }


def _shaped(shapes: Mapping[str, Shape]) -> dict[str, jax.ShapeDtypeStruct]:
    return {n: jax.ShapeDtypeStruct(s, np.float64) for n, s in shapes.items()}
