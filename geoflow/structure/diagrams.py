"""Products of arrays summed over shared indices, for all sizes at once: words such as U S Vᵀ, in a normal form.

A *monomial* is a list of symbols with an edge for each of their axes. Axes that share an edge share their index; edges
of the result are free, the others are summed over. An axis that is split or merged by a reshape carries several. Two
monomials in normal form that are equal are the same array, whatever the symbols stand for. That unequal ones differ is
nowhere needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

Axis = tuple[int, ...]  # edges, the slowest first; none for a length of 1
SYMMETRIC = 0  # the symbol of a symmetric matrix
_MOST_FACTORS = 40


class NotShown(Exception):
    """The words become too long, or their indices do not match."""


@dataclass(frozen=True)
class Monomial:
    """`factors` are symbols with their axes, `outs` the axes of the result, `sizes` those of the edges."""

    factors: tuple[tuple[int, tuple[Axis, ...]], ...]
    outs: tuple[Axis, ...]
    sizes: tuple[int, ...]


class Draft:
    """A monomial in the making."""

    def __init__(self) -> None:
        self.factors: list[tuple[int, tuple[Axis, ...]]] = []
        self.sizes: dict[int, int] = {}
        self.outs: list[Axis] = []
        self._next = 0

    def edge(self, size: int) -> Axis:
        """A new edge; none for a length of 1."""
        if size == 1:
            return ()
        self.sizes[self._next] = size
        self._next += 1
        return (self._next - 1,)

    def put(self, monomial: Monomial) -> list[Axis]:
        """The factors of a monomial beside those that are here; the axes of its result."""
        start = self._next
        for k, size in enumerate(monomial.sizes):
            self.sizes[start + k] = size
        self._next += len(monomial.sizes)
        for symbol, axes in monomial.factors:
            self.factors.append((symbol, tuple(tuple(e + start for e in a) for a in axes)))
        return [tuple(e + start for e in a) for a in monomial.outs]

    def identify(self, pairs: Sequence[tuple[Axis, Axis]], kept: list[Axis]) -> list[Axis]:
        """Make axes share their indices; `kept` are axes that are used afterwards, and are returned renamed."""
        waiting = list(pairs)
        while waiting:
            a, b = waiting.pop()
            if a == b:
                continue
            if not a or not b:
                raise NotShown
            x, y = a[0], b[0]
            m, n = self.sizes[x], self.sizes[y]
            if x != y and m == n:
                change = (y, (x,))
            elif m != n and max(m, n) % min(m, n) == 0:
                large, size = (x, m) if m > n else (y, n)
                parts = (*self.edge(min(m, n)), *self.edge(size // min(m, n)))
                change = (large, parts)
            elif x == y:
                waiting.append((a[1:], b[1:]))
                continue
            else:
                raise NotShown
            waiting.append((a, b))
            waiting = [(_renamed(p, *change), _renamed(q, *change)) for p, q in waiting]
            kept = [_renamed(axis, *change) for axis in kept]
            self._rename(*change)
        return kept

    def cut(self, axes: Sequence[Axis], shape: Sequence[int]) -> list[Axis]:
        """The edges of some axes, in order, as axes of these lengths."""
        edges = [e for a in axes for e in a]
        found: list[Axis] = []
        for size in shape:
            own: list[int] = []
            while size > 1:
                if not edges:
                    raise NotShown
                first = edges.pop(0)
                n = self.sizes[first]
                if size % n == 0:
                    own.append(first)
                    size //= n
                    continue
                if n % size:
                    raise NotShown
                parts = (*self.edge(size), *self.edge(n // size))
                self._rename(first, parts)
                edges = [e for k in edges for e in _renamed((k,), first, parts)]
                own = [e for k in own for e in _renamed((k,), first, parts)]
                found = [_renamed(a, first, parts) for a in found]
                edges = [*parts, *edges]
            found.append(tuple(own))
        return found

    def _rename(self, edge: int, parts: Axis) -> None:
        self.factors = [
            (s, tuple(_renamed(a, edge, parts) for a in axes)) for s, axes in self.factors
        ]
        self.outs = [_renamed(a, edge, parts) for a in self.outs]
        del self.sizes[edge]

    def finished(self, outs: Sequence[Axis]) -> tuple[int, Monomial]:
        """The normal form, and a factor in front of it."""
        if len(self.factors) > _MOST_FACTORS:
            raise NotShown
        self.outs = list(outs)
        attached = {e for _, axes in self.factors for a in axes for e in a}
        free = {e for a in self.outs for e in a}
        times = prod(n for e, n in self.sizes.items() if e not in attached | free)
        self.sizes = {e: n for e, n in self.sizes.items() if e in attached | free}
        self._coarsen()
        return times, self._ordered()

    def _coarsen(self) -> None:
        """Make one edge of two that are everywhere side by side."""
        while True:
            axes = [a for _, own in self.factors for a in own] + self.outs
            after: dict[int, set[int]] = {}
            before: dict[int, set[int]] = {}
            for a in axes:
                for x, y in zip((-1, *a), (*a, -1), strict=True):
                    after.setdefault(x, set()).add(y)
                    before.setdefault(y, set()).add(x)
            pair = next(
                (
                    (x, y)
                    for x, (y, *more) in ((x, tuple(s)) for x, s in after.items())
                    if x != -1 and not more and y not in (-1, x) and before[y] == {x}
                ),
                None,
            )
            if pair is None:
                return
            (whole,) = self.edge(self.sizes[pair[0]] * self.sizes[pair[1]])

            def joined(a: Axis, pair: tuple[int, int] = pair, whole: int = whole) -> Axis:
                return tuple(whole if e == pair[0] else e for e in a if e != pair[1])

            self.factors = [(s, tuple(map(joined, own))) for s, own in self.factors]
            self.outs = [joined(a) for a in self.outs]
            del self.sizes[pair[0]], self.sizes[pair[1]]

    def _ordered(self) -> Monomial:
        """Edges and factors in an order that follows from the result's axes."""
        number: dict[int, int] = {}

        def known(edges: Iterable[int]) -> None:
            for e in edges:
                number.setdefault(e, len(number))

        known(e for a in self.outs for e in a)
        waiting, ordered = list(self.factors), []

        def rank(factor: tuple[int, tuple[Axis, ...]]) -> tuple:
            symbol, axes = factor
            seen = tuple(tuple(number.get(e, -1) for e in a) for a in axes)
            places = [k for a in seen for k in a if k >= 0]
            return (min(places, default=len(self.sizes)), symbol, seen)

        while waiting:
            chosen = min(waiting, key=rank)
            waiting.remove(chosen)
            symbol, axes = chosen
            if symbol == SYMMETRIC:
                least = sorted(
                    axes, key=lambda a: min((number.get(e, 10**9) for e in a), default=0)
                )
                chosen = (symbol, tuple(least))
            known(e for a in chosen[1] for e in a)
            ordered.append(chosen)
        factors = tuple(
            (s, tuple(tuple(number[e] for e in a) for a in axes)) for s, axes in ordered
        )
        if any(s == SYMMETRIC for s, _ in factors):
            factors = tuple(
                (s, tuple(sorted(axes)) if s == SYMMETRIC else axes) for s, axes in factors
            )
        sizes = [0] * len(number)
        for e, k in number.items():
            sizes[k] = self.sizes[e]
        outs = tuple(tuple(number[e] for e in a) for a in self.outs)
        return Monomial(tuple(sorted(factors)), outs, tuple(sizes))


def _renamed(axis: Axis, edge: int, parts: Axis) -> Axis:
    return tuple(e for k in axis for e in (parts if k == edge else (k,)))


def atom(symbol: int, shape: Sequence[int]) -> Monomial:
    """One symbol by itself."""
    draft = Draft()
    axes = tuple(draft.edge(n) for n in shape)
    draft.factors.append((symbol, axes))
    return draft.finished(axes)[1]
