"""Row spaces over F_p by matrix products in float64.

A batch of rows is eliminated by halves: the upper half, then the lower one modulo the upper, then the upper modulo the
lower. What remains is a `Block`: where it is the identity, and its other columns. All but a few rows at a time is
matrix products, so the work is that of an LU decomposition, and so is the speed.

Residues are symmetric, |x| ≤ p/2, so a product of inner dimension n is exact in float64 while n·p²/4 < 2^52. No inner
dimension is above `BATCH`: one product is enough for p < 2^22, and two for larger primes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import flint
import numpy as np

PRODUCT_BITS = 22  # primes below 2^22 need one product where larger ones need two
LARGEST_PRIME = 2**26
BATCH = (
    768  # rows eliminated at once: the products are wide, and a batch is small beside the matrix
)
_EXACT = 2.0**52
_HALF = 2.0**13
_LEAF = 64  # rows that python-flint eliminates, in a window of columns
_SPARE = 8
_STRIPE = 2**15  # numbers that stay in the cache while they are reduced


@dataclass(frozen=True)
class Block:
    """Rows that are the identity in the columns `pivots` and `tail` in the columns `free`, among those that earlier
    blocks left free. What comes in a row is a slice, which takes no copy."""

    pivots: np.ndarray
    free: np.ndarray | slice
    tail: np.ndarray


@dataclass
class RowSpace:
    """The span of rows over F_p, p < 2^26."""

    dimension: int
    prime: int
    rank: int = 0
    blocks: list[Block] = field(default_factory=list)

    def add(self, rows: np.ndarray) -> int:
        """Add residues [rows, dimension]; the rank of all so far."""
        for start in range(0, len(rows), BATCH):
            if self.rank == self.dimension:
                break
            batch = np.ascontiguousarray(rows[start : start + BATCH], dtype=np.float64)
            batch = reduced(batch, self.prime)
            for block in self.blocks:
                batch = remainder(batch, block, self.prime)
            found = eliminated(batch, self.prime)
            if len(found.pivots):
                self.blocks.append(found)
                self.rank += len(found.pivots)
        return self.rank


def memory(dimension: int) -> int:
    """Bytes that a row space takes at most: half a square matrix, and some batches at work."""
    return 4 * dimension**2 + 6 * 8 * BATCH * dimension


def operations(dimension: int) -> float:
    """Multiplications and additions that the elimination of so many rows takes, about."""
    return 2 / 3 * float(dimension) ** 3


def remainder(rows: np.ndarray, block: Block, prime: int) -> np.ndarray:
    """Rows modulo those of a block, in the columns that the block leaves free."""
    out = product(np.take(rows, block.pivots, axis=1), block.tail, prime)
    np.subtract(_columns(rows, block.free), out, out=out)
    return reduced(out, prime)


def eliminated(rows: np.ndarray, prime: int) -> Block:
    """The row space of a batch of symmetric residues."""
    count, columns = rows.shape
    if count > _LEAF:
        half = count // 2
        upper = eliminated(rows[:half], prime)
        return _joined(upper, remainder(rows[half:], upper, prime), columns, prime)
    upper, lower = _by_window(rows, prime)
    return _joined(upper, lower, columns, prime) if lower.any() else upper


def _joined(upper: Block, rows: np.ndarray, columns: int, prime: int) -> Block:
    """The span of a block and of rows in its free columns."""
    lower = eliminated(rows, prime)
    tail = np.concatenate([remainder(upper.tail, lower, prime), lower.tail])
    pivots = np.arange(columns)[upper.free][lower.pivots]
    pivots = np.concatenate([upper.pivots, pivots])
    return Block(pivots, _others(pivots, columns), tail)


def _others(pivots: np.ndarray, columns: int) -> np.ndarray | slice:
    """All columns but the pivots."""
    if len(pivots) and pivots.max() < len(pivots):
        return slice(len(pivots), None)
    return np.delete(np.arange(columns), pivots)


def _by_window(rows: np.ndarray, prime: int) -> tuple[Block, np.ndarray]:
    """A block with pivots in few columns, and what of the rows it does not span, in its free columns: python-flint
    eliminates in those columns, and the others follow by one product."""
    count, columns = rows.shape
    nonzero = rows != 0
    window = np.flatnonzero(nonzero.any(axis=0))[: count + _SPARE]
    if columns > len(window):
        window = np.unique(np.concatenate([window, nonzero.argmax(axis=1)]))
    width = len(window)
    residues = np.concatenate([np.take(rows, window, axis=1), np.eye(count)], axis=1)
    residues = residues.astype(np.int64) % prime
    found, _ = flint.nmod_mat(count, width + count, residues.ravel().tolist(), prime).rref()
    echelon = np.array([int(x) for x in found.entries()], dtype=np.float64).reshape(residues.shape)
    lines, places = np.nonzero(echelon[:, :width])
    _, first = np.unique(lines, return_index=True)
    pivots = window[places[first]]
    combined = reduced(np.ascontiguousarray(echelon[:, width:]), prime)
    free = _others(pivots, columns)
    values = reduced(product(combined, _columns(rows, free), prime), prime)
    return Block(pivots, free, values[: len(pivots)]), values[len(pivots) :]


def _columns(rows: np.ndarray, where: np.ndarray | slice) -> np.ndarray:
    return rows[:, where] if isinstance(where, slice) else np.take(rows, where, axis=1)


def product(a: np.ndarray, b: np.ndarray, prime: int) -> np.ndarray:
    """a @ b for symmetric residues and an inner dimension of at most `BATCH`: exact and below 2^52, but not reduced."""
    if a.shape[1] * (prime / 2) ** 2 < _EXACT:
        return a @ b
    high = np.rint(a / _HALF)  # one factor in halves of 13 bits
    out = reduced(high @ b, prime)
    out *= _HALF
    out += (a - high * _HALF) @ b
    return out


def reduced(values: np.ndarray, prime: int) -> np.ndarray:
    """Symmetric residues of integers below 2^53, in place; `values` is contiguous."""
    flat = values.ravel()
    quotient = np.empty(min(len(flat), _STRIPE))
    for start in range(0, len(flat), _STRIPE):
        part = flat[start : start + _STRIPE]
        q = quotient[: len(part)]
        np.multiply(part, 1 / prime, out=q)
        np.rint(q, out=q)
        q *= prime
        part -= q
    return values
