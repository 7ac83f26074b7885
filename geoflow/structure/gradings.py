"""Scalings θᵢ → λ^dᵢ θᵢ that leave φ unchanged, for all data and gates: gradings d of the parameters.

The unknown degrees of a large parameter are one number for each index of each axis, deg W[i, j] = u[i] + v[j]; those of
a small model one for each entry. What φ requires of them is a sparse system of linear equations (`propagation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from geoflow.exact.program import UnsupportedPrimitive
from geoflow.flow import Flow
from geoflow.structure.forms import Forms, TooEntangled
from geoflow.structure.forward import Forward
from geoflow.structure.grades import Grade, Part
from geoflow.structure.propagation import propagate

MOST_BY_ENTRY = 3000  # parameters up to which every entry has a degree of its own
_SAFE = 2**62


@dataclass(frozen=True)
class Layout:
    """Where the unknown degrees of one parameter are: by entry, or by axis (`firsts`, one for each)."""

    shape: tuple[int, ...]
    firsts: tuple[int, ...]
    by_entry: bool


@dataclass(frozen=True)
class Vectors:
    """Sparse vectors of degrees, one for each number in `entries`."""

    unknowns: np.ndarray
    entries: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Gradings:
    """The equations that the degrees of the parameters satisfy: φ then has degree 0."""

    layouts: Mapping[str, Layout]
    unknowns: int
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    @staticmethod
    def of(flow: Flow, program: Forward) -> Gradings | None:
        """None where degrees cannot be followed through φ."""
        by_entry = flow.parameter_count <= MOST_BY_ENTRY
        layouts, count = {}, 0
        for b in flow.parameters:
            firsts = []
            for n in (b.size,) if by_entry or not b.shape else b.shape:
                firsts.append(count)
                count += n
            layouts[b.name] = Layout(b.shape, tuple(firsts), by_entry or not b.shape)
        forms = Forms(count)
        grades = {program.slots[n]: _grade(forms, layout) for n, layout in layouts.items()}
        try:
            propagate(program.program, forms, grades)
        except (TooEntangled, UnsupportedPrimitive):
            return None
        rows, columns, values = forms.equations()
        order = np.argsort(columns, kind="stable")
        return Gradings(layouts, count, rows[order], columns[order], values[order])

    def vectors(self, name: str, target: np.ndarray) -> Vectors | None:
        """The degrees that are 1 on the entries of a parameter with target[entry] = k, and 0 elsewhere, for each
        k ≥ 0; None where they are not sums over the axes."""
        layout = self.layouts[name]
        if layout.by_entry:
            flat = target.ravel()
            kept = np.flatnonzero(flat >= 0)
            return Vectors(layout.firsts[0] + kept, flat[kept], np.ones(len(kept), dtype=np.int64))
        for axis in range(target.ndim):
            line = np.moveaxis(target, axis, 0).reshape(target.shape[axis], -1)
            if np.array_equal(np.broadcast_to(line[:, :1], line.shape), line):
                own = line[:, 0]
                kept = np.flatnonzero(own >= 0)
                ones = np.ones(len(kept), dtype=np.int64)
                return Vectors(layout.firsts[axis] + kept, own[kept], ones)
        return None

    def residues(self, found: Vectors, entries: int) -> tuple[np.ndarray, np.ndarray]:
        """What the equations make of vectors: (equation · entries + entry, value), without zeros."""
        start = np.searchsorted(self.columns, found.unknowns, side="left")
        length = np.searchsorted(self.columns, found.unknowns, side="right") - start
        which = np.repeat(np.arange(len(found.unknowns)), length)
        offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        place = np.repeat(start, length) + offset
        keys = self.rows[place] * entries + found.entries[which]
        return _summed(keys, self.values[place] * found.values[which])

    def admits(self, parts: Sequence[tuple[Fraction, Vectors]], entries: int) -> bool:
        """Whether the combination of vectors is a grading, for each entry."""
        scale = lcm(1, *(c.denominator for c, _ in parts))
        found = [(int(c * scale), *self.residues(v, entries)) for c, v in parts]
        size = sum(abs(c) * int(np.abs(v).sum()) for c, _, v in found)
        if size >= _SAFE:
            return False
        keys = [k for _, k, _ in found]
        values = [c * v for c, _, v in found]
        if not keys:
            return True
        return not len(_summed(np.concatenate(keys), np.concatenate(values))[0])


def _grade(forms: Forms, layout: Layout) -> Grade:
    if layout.by_entry:
        axes = tuple(range(len(layout.shape)))
        return Grade.of(layout.shape, [Part(axes, forms.unknown(layout.firsts[0], layout.shape))])
    parts = [
        Part((k,), forms.unknown(first, (n,)))
        for k, (first, n) in enumerate(zip(layout.firsts, layout.shape, strict=True))
    ]
    return Grade.of(layout.shape, parts)


def _summed(keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of equal keys added up, zeros left out."""
    unique, place = np.unique(keys, return_inverse=True)
    total = np.zeros(len(unique), dtype=np.int64)
    np.add.at(total, place, values)
    return unique[total != 0], total[total != 0]
