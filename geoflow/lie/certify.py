"""A rank proved in ball arithmetic, for flows with functions that have no exact value mod p (exp, tanh, data in roots).

Words are drawn at one rational point as the estimate says how many of each depth are needed, evaluated in floating
point, and pivoted for the best-conditioned square submatrix of the rank sought. That submatrix is evaluated again in
balls: if it is certainly invertible, the rank of the Lie algebra at that point, hence the generic one of the (analytic)
fields, is at least its size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.balls import Balls, full_rank
from geoflow.exact.dual import Arithmetic
from geoflow.exact.floats import Floats
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.precision import working_precision
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants
from geoflow.results import BallRun

_GRID = 16  # coordinates are multiples of 1/16
_PRECISIONS = (128, 384)
_POINTS = 3
_SPARE = 12  # words beside those that the estimate needs, at each depth
_NEGLIGIBLE = 1e-10  # singular values below it, relative to the greatest, are not counted


def certify(
    generator: Generator, ranks: Sequence[int], seed: int, deadline: Deadline
) -> BallRun | None:
    """A run whose rank is proved, the greatest found; `ranks` by depth are the estimate. None where no point gives
    one."""
    rng = np.random.default_rng([seed, 0x62616C6C])
    best: BallRun | None = None
    for _ in range(_POINTS):
        if deadline.passed and best is not None:
            break
        try:
            found = _attempt(generator, ranks, rng)
        except (UnluckyPoint, UnsupportedPrimitive, np.linalg.LinAlgError):
            continue
        if found is not None and (best is None or found.rank > best.rank):
            best = found
        if best is not None and best.rank >= ranks[-1]:
            break
    return best


def _attempt(
    generator: Generator, ranks: Sequence[int], rng: np.random.Generator
) -> BallRun | None:
    point = {b.name: _dyadic(rng, (1, 1, *b.shape), b.positive) for b in generator.flow.state}
    symbolic = {n: _dyadic(rng, (1, 1), True) for n in generator.flow.symbolic_constants}
    words = _words(generator, ranks, rng)
    with np.errstate(all="ignore"):
        rows = np.concatenate([_rows(generator, Floats(), symbolic, point, w) for w in words])
    if not np.all(np.isfinite(rows)):
        return None
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    for least in (0.0, _NEGLIGIBLE * sizes.max()):  # a small row may be what round-off leaves of 0
        scaled = rows / np.where(sizes > least, sizes, np.inf)
        found = _proved(generator, symbolic, point, words, scaled, ranks[-1])
        if found is not None:
            return found
    return None


def _proved(
    generator: Generator,
    symbolic: Field,
    point: Field,
    words: Sequence[list[Letter]],
    scaled: np.ndarray,
    most: int,
) -> BallRun | None:
    """The rank in floating point of the rows, if balls confirm it."""
    values = np.linalg.svd(scaled, compute_uv=False)
    rank = min(most, int(np.sum(values > _NEGLIGIBLE * values[0])))
    if rank == 0:
        return None
    from scipy.linalg import qr  # a sixth of a second, which only these flows need

    *_, chosen = qr(scaled.T, mode="economic", pivoting=True)
    chosen = np.sort(chosen[:rank])
    *_, columns = qr(scaled[chosen], mode="economic", pivoting=True)
    columns = np.sort(columns[:rank])
    kept, start = [], 0
    for word in words:
        count = len(word[0].weight[0])
        kept.append(_selected(word, chosen[(chosen >= start) & (chosen < start + count)] - start))
        start += count
    for precision in _PRECISIONS:
        with working_precision(precision):
            parts = [
                _rows(generator, Balls(), symbolic, point, w) for w in kept if len(w[0].weight[0])
            ]
            if full_rank(np.concatenate(parts)[:, columns]):
                shown = tuple(float(x) for b in generator.flow.state for x in point[b.name].ravel())
                return BallRun(rank, precision, shown)
    return None


def _dyadic(rng: np.random.Generator, shape: tuple[int, ...], positive: bool = False) -> np.ndarray:
    """Multiples of 1/16 of size 1, none of them 0."""
    values = rng.integers(1, 2 * _GRID, shape) / _GRID
    return values if positive else values * rng.choice([-1.0, 1.0], shape)


def _words(
    generator: Generator, ranks: Sequence[int], rng: np.random.Generator
) -> list[list[Letter]]:
    """By depth, the letters of as many words as the estimate needs and some more."""
    words, before = [], 0
    for depth, rank in enumerate(ranks):
        count = rank - before + max(_SPARE, (rank - before) // 2)
        before = rank
        words.append(
            [
                Letter(
                    _dyadic(rng, (1, count)),
                    generator.draw_controls(lambda s: _dyadic(rng, s), rng, count),
                )
                for _ in range(depth + 1)
            ]
        )
    return words


def _selected(word: Sequence[Letter], chosen: np.ndarray) -> list[Letter]:
    return [Letter(x.weight[:, chosen], tuple(c[:, chosen] for c in x.controls)) for x in word]


def _rows(
    generator: Generator, ring: Arithmetic, symbolic: Field, point: Field, word: Sequence[Letter]
) -> np.ndarray:
    constants = exact_constants(
        ring, generator.flow.constants, {n: ring.literal(v) for n, v in symbolic.items()}
    )
    letters = [
        Letter(ring.literal(x.weight), tuple(ring.literal(c) for c in x.controls)) for x in word
    ]
    place = {n: ring.literal(v) for n, v in point.items()}
    field = generator.word(ring, constants, place, letters)
    return generator.rows(field, len(word[0].weight[0]))
