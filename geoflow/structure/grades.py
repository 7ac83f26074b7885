"""The degrees of an array's entries as a sum of parts, each a function of some axes: deg W[i, j] = u[i] + v[j].

No two parts share an axis. Products add degrees, sums require them to be equal; where axes of two parts meet, the parts
are written out on all of their axes together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geoflow.structure.forms import MOST_ENTRIES, ZERO, Forms, TooEntangled

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """Degrees that depend on these axes, ascending."""

    axes: tuple[int, ...]
    ids: np.ndarray


@dataclass(frozen=True)
class Grade:
    """The degrees of an array: the sum of its parts."""

    shape: Shape
    parts: tuple[Part, ...] = ()

    @staticmethod
    def of(shape: Shape, parts: Iterable[Part]) -> Grade:
        """Without axes on which nothing depends."""
        return Grade(shape, tuple(p for p in map(_simple, parts) if p.axes or np.any(p.ids)))

    @property
    def is_zero(self) -> bool:
        """Whether the whole array is 0."""
        return any(not p.axes and p.ids == ZERO for p in self.parts)

    @property
    def has_zeros(self) -> bool:
        """Whether some entries are 0 for certain."""
        return any(np.any(p.ids == ZERO) for p in self.parts)

    def touching(self, axes: Iterable[int]) -> list[Part]:
        """The parts that depend on some of the axes."""
        wanted = set(axes)
        return [p for p in self.parts if wanted & set(p.axes)]

    def without(self, parts: Sequence[Part]) -> list[Part]:
        """The other parts."""
        return [p for p in self.parts if not any(p is q for q in parts)]


def _simple(part: Part) -> Part:
    axes, ids = part.axes, part.ids
    for k in reversed(range(len(axes))):
        first = np.take(ids, [0], axis=k) if ids.shape[k] else None
        if first is not None and np.array_equal(np.broadcast_to(first, ids.shape), ids):
            axes, ids = axes[:k] + axes[k + 1 :], np.squeeze(first, axis=k)
    return Part(axes, ids)


def zero(shape: Shape) -> Grade:
    """The degrees of an array that is 0."""
    return Grade(shape, (Part((), np.array(ZERO)),))


def on_axes(part: Part, axes: Sequence[int]) -> np.ndarray:
    """The part's numbers with a length of 1 for the axes that it does not depend on."""
    sizes = dict(zip(part.axes, part.ids.shape, strict=True))
    return part.ids.reshape([sizes.get(a, 1) for a in axes])


def written_out(
    forms: Forms, shape: Shape, parts: Sequence[Part], axes: Sequence[int]
) -> np.ndarray:
    """The sum of parts on all of these axes."""
    lengths = tuple(shape[a] for a in axes)
    if np.prod(lengths, dtype=np.int64) > MOST_ENTRIES:
        raise TooEntangled
    total = np.zeros((1,) * len(axes), dtype=np.int64)
    for part in parts:
        total = forms.combine(total, on_axes(part, axes))
    return np.broadcast_to(total, lengths)


def components(*grades: Grade) -> Iterator[tuple[int, ...]]:
    """The finest common partition of the axes on which some part depends; without those of no part."""
    groups: list[set[int]] = []
    for part in (p for g in grades for p in g.parts if p.axes):
        meeting = [g for g in groups if g & set(part.axes)]
        groups = [g for g in groups if not g & set(part.axes)]
        groups.append(set(part.axes).union(*meeting))
    return (tuple(sorted(g)) for g in groups)


def _in(grade: Grade, axes: Sequence[int]) -> list[Part]:
    return [p for p in grade.parts if p.axes and set(p.axes) <= set(axes)]


def _constant(forms: Forms, grade: Grade) -> np.ndarray:
    total = np.zeros((), dtype=np.int64)
    for p in grade.parts:
        if not p.axes:
            total = forms.combine(total, p.ids)
    return total


def product(forms: Forms, a: Grade, b: Grade, sign: int = 1) -> Grade:
    """The degrees of a·b, or of a/b."""
    parts = [Part((), forms.combine(_constant(forms, a), _constant(forms, b), sign))]
    for axes in components(a, b):
        left, right = _in(a, axes), _in(b, axes)
        if not right:
            parts += left
            continue
        x, y = (written_out(forms, a.shape, p, axes) for p in (left, right))
        parts.append(Part(axes, forms.combine(x, y, sign)))
    return Grade.of(a.shape, parts)


def power(forms: Forms, a: Grade, exponent: Fraction) -> Grade:
    """The degrees of aⁿ."""
    if not exponent:
        return Grade(a.shape)
    return Grade.of(a.shape, [Part(p.axes, forms.scaled(p.ids, exponent)) for p in a.parts])


def common(forms: Forms, a: Grade, b: Grade) -> Grade:
    """The degrees of a + b, after requiring them to be equal."""
    if a.is_zero or b.is_zero:
        return b if a.is_zero else a
    if a.has_zeros or b.has_zeros:
        axes = tuple(sorted({k for g in (a, b) for p in g.parts for k in p.axes}))
        x, y = (written_out(forms, g.shape, g.parts, axes) for g in (a, b))
        forms.equate(x, y)
        return Grade.of(a.shape, [Part(axes, np.where(x == ZERO, y, x))])
    rest = forms.combine(_constant(forms, a), _constant(forms, b), -1)
    for axes in components(a, b):
        x, y = (written_out(forms, g.shape, _in(g, axes), axes) for g in (a, b))
        change = forms.combine(x, y, -1)
        first = change[(0,) * change.ndim]
        forms.equate(change, first)
        rest = forms.combine(rest, first)
    forms.vanish(rest)
    return a


def contracted(forms: Forms, a: Grade, axes: Sequence[int]) -> Grade:
    """The degrees of a sum over axes, after requiring them to be equal there."""
    parts = []
    for part in a.parts:
        along = [k for k, axis in enumerate(part.axes) if axis in axes]
        if along:
            ids = np.moveaxis(part.ids, along, range(len(along)))
            ids = ids.reshape(-1, *ids.shape[len(along) :])
            place = np.argmax(ids != ZERO, axis=0)[None]
            chosen = np.take_along_axis(ids, place, axis=0)
            forms.equate(ids, chosen)
            part = Part(tuple(x for x in part.axes if x not in axes), chosen[0])
        parts.append(part)
    kept = [k for k in range(len(a.shape)) if k not in axes]
    place_of = {axis: k for k, axis in enumerate(kept)}
    moved = [Part(tuple(place_of[x] for x in p.axes), p.ids) for p in parts]
    return Grade.of(tuple(a.shape[k] for k in kept), moved)


def moved(a: Grade, shape: Shape, target: dict[int, int]) -> Grade:
    """Axes renamed; those without a target have length 1, or nothing depends on them."""
    parts = []
    for part in a.parts:
        kept = [k for k, axis in enumerate(part.axes) if axis in target]
        ids = part.ids.reshape([part.ids.shape[k] for k in kept])
        axes = [target[part.axes[k]] for k in kept]
        order = np.argsort(axes)
        parts.append(Part(tuple(sorted(axes)), ids.transpose(order)))
    return Grade.of(shape, parts)


def vanish(forms: Forms, a: Grade) -> None:
    """Require the degree 0 of every entry that is not 0."""
    if a.is_zero:
        return
    rest = _constant(forms, a)
    for part in a.parts:
        if part.axes:
            flat = part.ids.ravel()
            first = flat[np.argmax(flat != ZERO)]
            forms.equate(flat, np.array(first))
            rest = forms.combine(rest, np.array(first))
    forms.vanish(rest)
