"""Nilpotent numbers over any arithmetic: the ring R_k = R[e_1, …, e_k] / (e_i²).

Evaluating a function at z + e·X(z) gives its derivative along X as the coefficient of e, exactly and in every ring:
f(z + eX) = f(z) + e·Df(z)X. Nested brackets need nested derivatives, that is several e_i; the program of a vector
field is traced once and never grows.

A value of R_k has a leading axis of length 2^k: entry S (a bit mask) is the coefficient of the product of the e_i
with bit i set in S. Since the first 2^j entries are R_j, values of different k combine without conversion. The second
axis is a batch. A product needs the 3^k pairs of disjoint masks, done in one vectorized multiplication.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np

Array = np.ndarray


class Arithmetic(Protocol):
    """A commutative ring on numpy arrays; every operation is exact or raises.

    `literal` reads numbers as they are (a float is a dyadic number), `constant` fills a shape with
    a rational; elementwise operations broadcast; `segment_sum` adds runs of the first axis;
    `invert` and `smooth` (sqrt, exp, log, …) raise `UnluckyPoint` where they are not defined; `pattern` is false only
    where an entry is certainly zero.
    """

    def literal(self, values: Array) -> Array: ...
    def zeros(self, shape: tuple[int, ...]) -> Array: ...
    def add(self, a: Array, b: Array) -> Array: ...
    def sub(self, a: Array, b: Array) -> Array: ...
    def mul(self, a: Array, b: Array) -> Array: ...
    def neg(self, a: Array) -> Array: ...
    def matmul(self, a: Array, b: Array) -> Array: ...
    def sum(self, a: Array, axes: tuple[int, ...]) -> Array: ...
    def segment_sum(self, a: Array, starts: Array) -> Array: ...
    def invert(self, a: Array) -> Array: ...
    def constant(self, value: Fraction, shape: tuple[int, ...]) -> Array: ...
    def smooth(self, name: str, a: Array) -> Array: ...
    def pattern(self, a: Array) -> Array: ...


@runtime_checkable
class KnowsInverses(Protocol):
    """An arithmetic with inverses of its own, of matrices without nilpotents."""

    def determinant_and_inverse(self, a: Array) -> tuple[Array, Array]: ...


@lru_cache(maxsize=256)
def _pairs(left: int, right: int) -> tuple[Array, Array, Array]:
    """Disjoint pairs of masks S < left, T < right, ordered by their union, and where each union starts."""
    pairs = [(s | t, s, t) for s in range(left) for t in range(right) if s & t == 0]
    pairs.sort()
    unions, s, t = (np.array(column) for column in zip(*pairs, strict=True))
    return s, t, np.flatnonzero(np.r_[True, unions[1:] != unions[:-1]])


def _bilinear(
    ring: Arithmetic, operation: Callable[[Array, Array], Array], a: Array, b: Array
) -> Array:
    if len(a) == 1 or len(b) == 1:
        return operation(a, b)
    s, t, starts = _pairs(len(a), len(b))
    return ring.segment_sum(operation(a[s], b[t]), starts)


def mul(ring: Arithmetic, a: Array, b: Array) -> Array:
    """Elementwise product."""
    return _bilinear(ring, ring.mul, a, b)


def matmul(ring: Arithmetic, a: Array, b: Array) -> Array:
    """Matrix product over the last two axes."""
    return _bilinear(ring, ring.matmul, a, b)


def add(ring: Arithmetic, a: Array, b: Array, *, negate: bool = False) -> Array:
    """a + b, or a − b."""
    combine = ring.sub if negate else ring.add
    if len(a) == len(b):
        return combine(a, b)
    low = combine(a[: min(len(a), len(b))], b[: min(len(a), len(b))])
    high = a[len(b) :] if len(a) > len(b) else b[len(a) :]
    if negate and len(b) > len(a):
        high = ring.neg(high)
    return np.concatenate([low, np.broadcast_to(high, high.shape[:1] + low.shape[1:])])


def smooth(ring: Arithmetic, name: str, x: Array) -> Array:
    """A scalar function entry by entry, by f(a + e·b) = f(a) + e·f'(a)·b and the derivatives in `_DERIVATIVES`."""
    if len(x) == 1:
        return ring.invert(x) if name == "reciprocal" else ring.smooth(name, x)
    half = len(x) // 2
    value = smooth(ring, name, x[:half])
    slope = _DERIVATIVES[name](ring, x[:half], value)
    return np.concatenate([value, mul(ring, slope, x[half:])])


def reciprocal(ring: Arithmetic, a: Array) -> Array:
    """1/a entry by entry; the entries without nilpotents must be units."""
    return smooth(ring, "reciprocal", a)


def _scaled(ring: Arithmetic, a: Array, value: int, denominator: int = 1) -> Array:
    return ring.mul(a, ring.constant(Fraction(value, denominator), (1,) * a.ndim))


_DERIVATIVES: dict[str, Callable[[Arithmetic, Array, Array], Array]] = {
    "reciprocal": lambda r, a, f: r.neg(mul(r, f, f)),
    "sqrt": lambda r, a, f: _scaled(r, reciprocal(r, f), 1, 2),
    "exp": lambda r, a, f: f,
    "log": lambda r, a, f: reciprocal(r, a),
    "log1p": lambda r, a, f: reciprocal(r, _one_plus(r, a)),
    "tanh": lambda r, a, f: _one_plus(r, r.neg(mul(r, f, f))),
    "logistic": lambda r, a, f: add(r, f, mul(r, f, f), negate=True),
    "erf": lambda r, a, f: r.mul(
        smooth(r, "exp", r.neg(mul(r, a, a))), erf_slope(r, (1,) * a.ndim)
    ),
    "sin": lambda r, a, f: smooth(r, "cos", a),
    "cos": lambda r, a, f: r.neg(smooth(r, "sin", a)),
    "atan": lambda r, a, f: reciprocal(r, _one_plus(r, mul(r, a, a))),
}
TRANSCENDENTAL = frozenset(_DERIVATIVES) - {"reciprocal", "sqrt"} | {"expm1", "erfc"}


def _one_plus(ring: Arithmetic, a: Array) -> Array:
    return add(ring, ring.constant(Fraction(1), (1,) * a.ndim), a)


def erf_slope(ring: Arithmetic, shape: tuple[int, ...]) -> Array:
    """2/√π = 2·(π)^(-1/2), exactly: √π is the value of `root_pi` at 0, a function that is constant."""
    root = ring.smooth("root_pi", ring.zeros(shape))
    return _scaled(ring, ring.invert(root), 2)


def power(ring: Arithmetic, a: Array, exponent: int) -> Array:
    """a ** exponent for an integer exponent."""
    if exponent < 0:
        return power(ring, reciprocal(ring, a), -exponent)
    result: Array | None = None
    square = a
    while exponent:
        if exponent & 1:
            result = square if result is None else mul(ring, result, square)
        exponent >>= 1
        if exponent:
            square = mul(ring, square, square)
    return ring.constant(Fraction(1), (1, *a.shape[1:])) if result is None else result


def inverse(ring: Arithmetic, a: Array) -> Array:
    """The inverse of matrices [2^k, batch, ..., n, n], block by block where entries vanish: the blocks are the
    connected components of the pattern of nonzero entries, so the result is the inverse whatever the pattern is."""
    if isinstance(ring, KnowsInverses) and len(a) == 1:
        return ring.determinant_and_inverse(a)[1]
    used = np.asarray(ring.pattern(a), dtype=bool).any(axis=tuple(range(a.ndim - 2)))
    out = np.array(np.broadcast_to(ring.zeros((1,) * a.ndim), a.shape))
    solved: list[
        tuple[Array, Array]
    ] = []  # equal blocks, of a Kronecker product say, are inverted once
    for block in components(np.asarray(used | used.T)):
        rows, columns = np.ix_(block, block)
        part = a[..., rows, columns]
        known = next(
            (x for m, x in solved if m.shape == part.shape and np.array_equal(m, part)), None
        )
        if known is None:
            determinant, adjugate = determinant_and_adjugate(ring, part)
            known = mul(ring, adjugate, reciprocal(ring, determinant)[..., None, None])
            solved.append((part, known))
        out[..., rows, columns] = known
    return out


def components(joined: Array) -> list[list[int]]:
    """The connected components of a symmetric pattern [n, n]."""
    left, found = set(range(len(joined))), []
    while left:
        stack, component = [left.pop()], set[int]()
        while stack:
            k = stack.pop()
            component.add(k)
            near = left & set(np.flatnonzero(joined[k]).tolist())
            left -= near
            stack += near
        found.append(sorted(component))
    return found


def determinant_and_adjugate(ring: Arithmetic, a: Array) -> tuple[Array, Array]:
    """By Faddeev and LeVerrier: ring operations and divisions by 1 … n only, so singular matrices are no exception.

    With M_1 = I and c_1 = −tr A: M_(k+1) = A M_k + c_k I, c_k = −tr(A M_k)/k; then adj A = (−1)^(n−1) M_n and
    det A = (−1)^n c_n. `a`: [2^k, batch, ..., n, n].
    """
    n = a.shape[-1]
    if n == 0:
        return ring.constant(Fraction(1), (1, *a.shape[1:-2])), a
    if isinstance(ring, KnowsInverses) and len(a) == 1:
        determinant, found = ring.determinant_and_inverse(a)
        return determinant, ring.mul(determinant[..., None, None], found)
    identity = ring.literal(np.eye(n).reshape((1,) * (a.ndim - 2) + (n, n)))
    m = c = identity
    for k in range(1, n + 1):
        product = matmul(ring, a, m)
        trace = ring.sum(ring.mul(product, identity), (a.ndim - 2, a.ndim - 1))
        c = _scaled(ring, trace, -1, k)
        if k < n:
            m = add(ring, product, ring.mul(c[..., None, None], identity))
    sign = 1 if n % 2 else -1
    return _scaled(ring, c, -sign), _scaled(ring, m, sign)
