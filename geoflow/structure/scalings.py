"""Laws that scalings give: ½ Σ dᵢ θᵢ²/cᵢ is conserved, with M⁻¹ = c, where θᵢ → λ^dᵢ θᵢ leaves φ unchanged.

Indeed dh(G_a) = Σ dᵢ θᵢ ∂ᵢ⟨a, φ⟩ is the derivative of ⟨a, φ⟩ along the scaling. Laws are sought as people write them, a
vector of sums of squares for each hidden axis; each of them is one unknown, whatever its length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from geoflow.exact import linalg
from geoflow.expr.build import power, total
from geoflow.expr.tree import Apply, Expr, Number, Parameter, Shape
from geoflow.flow import Flow
from geoflow.metric import Euclidean, Scaled
from geoflow.parametrization import Block
from geoflow.structure.combinations import kernel, whole
from geoflow.structure.gradings import Gradings
from geoflow.structure.squares import squares

_MOST_CONDITIONS = 2**26
_MOST_SPLITS = 8
_MOST_WINDOWS = 24
_MOST_ENTRIES = 300  # by which terms are told apart
_PRIME = 1_000_003


def rates(flow: Flow) -> dict[str, Fraction]:
    """The constant c of M⁻¹ = c by parameter, of those that have one."""
    found = {}
    for b in flow.parameters:
        match flow.metric_of(b.name):
            case Euclidean():
                found[b.name] = Fraction(1)
            case Scaled(rate=Number(value)):
                found[b.name] = value
    return found


def is_scaling_law(gradings: Gradings, rates: Mapping[str, Fraction], law: Expr) -> bool:
    """Whether every entry of an expression is a sum of squares that a scaling of φ conserves."""
    found = squares(law)
    if found is None:
        return False
    parts = []
    for s in found:
        vectors = gradings.vectors(s.name, s.target) if s.name in rates else None
        if vectors is None:
            return False
        parts.append((s.coefficient * rates[s.name], vectors))
    return gradings.admits(parts, prod(law.shape))


def scaling_laws(flow: Flow, gradings: Gradings) -> list[Expr]:
    """Vectors of sums of squares, one for each hidden axis, then single ones. Axes are split in two only where they
    are in no law as they are."""
    known = rates(flow)
    terms = [t for b in flow.parameters if b.name in known for t in _whole(b, gradings)]
    plain = _found(terms, known, gradings)
    covered = {t.line for parts in plain for t, _ in parts}
    sizes = sorted({n for b in flow.parameters for n in b.shape})
    split = [
        t
        for b in flow.parameters
        if b.name in known
        for t in _parted(b, sizes)
        if t.line not in covered
    ]
    if split:
        found = _found([*terms, *split], known, gradings)
        plain += [parts for parts in found if any(t.split for t, _ in parts)]
    return [whole([(c, t.expression) for t, c in parts]) for parts in plain]


@dataclass(frozen=True)
class _Term:
    """Sums of squares of a parameter, one for each index of a `line`: the parameter and one of its axes (−1: none, all
    are summed over); `split`: of one part of that axis."""

    expression: Expr
    name: str
    line: tuple[str, int]
    split: bool = False


Combined = list[tuple[_Term, Fraction]]


def _whole(block: Block, gradings: Gradings) -> Iterator[_Term]:
    leaf, name = Parameter(block.name, block.shape), block.name
    for axis in range(len(block.shape)):
        yield _Term(_squared(leaf, axis), name, (name, axis))
    if len(block.shape) != 1:
        yield _Term(_squared(leaf, None), name, (name, -1))
    if len(block.shape) > 1 and gradings.layouts[name].by_entry:
        yield _Term(power(leaf, 2), name, (name, -1))


def _parted(block: Block, sizes: Sequence[int]) -> Iterator[_Term]:
    leaf = Parameter(block.name, block.shape)
    for axis, pair in _splits(block.shape, sizes):
        shape = (*block.shape[:axis], *pair, *block.shape[axis + 1 :])
        leafs = Apply("reshape", (leaf,), shape, (("shape", shape),))
        for k in (axis, axis + 1):
            if shape[k] in sizes:
                yield _Term(_squared(leafs, k), block.name, (block.name, axis), True)
    for axis, start, stop in _windows(block.shape, sizes):
        bounds = [(0, n, 1) for n in block.shape]
        bounds[axis] = (start, stop, 1)
        shape = tuple(b - a for a, b, _ in bounds)
        window = Apply("index", (leaf,), shape, (("items", tuple(bounds)),))
        yield _Term(_squared(window, axis), block.name, (block.name, axis), True)


def _squared(leaf: Expr, axis: int | None) -> Expr:
    """The squares summed over all axes but one, or over all."""
    others = tuple(k for k in range(len(leaf.shape)) if k != axis)
    square = power(leaf, 2)
    if not others:
        return square
    return total(square, None if axis is None else others[0] if len(others) == 1 else others)


def _windows(shape: Shape, sizes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Parts of axes that are joined of several: those at the ends, and those that begin where others end."""
    found = 0
    for axis, length in enumerate(shape):
        smaller = [n for n in sizes if 1 < n < length]
        ends = {
            0,
            *smaller,
            *(a + b for a in smaller for b in smaller),
            *(length - n for n in smaller),
        }
        for start, n in ((a, n) for a in sorted(ends) for n in smaller if a + n <= length):
            found += 1
            if found > _MOST_WINDOWS:
                return
            yield axis, start, start + n


def _found(
    terms: Sequence[_Term], known: Mapping[str, Fraction], gradings: Gradings
) -> list[Combined]:
    """Combinations of terms of equal shape whose degrees solve the equations."""
    groups: dict[Shape, list[tuple[_Term, np.ndarray, np.ndarray]]] = {}
    for term in terms:
        found = squares(term.expression)
        assert found is not None
        vectors = gradings.vectors(term.name, found[0].target)
        if vectors is not None:
            shape = term.expression.shape
            keys, values = gradings.residues(vectors, prod(shape))
            groups.setdefault(shape, []).append((term, keys, values))
    laws = []
    for shape in sorted(groups, key=lambda s: -prod(s)):
        own = [groups[shape][k] for k in _independent([t for t, _, _ in groups[shape]])]
        chosen = [t for t, _, _ in own]
        for degrees in _kernel([k for _, k, _ in own], [v for *_, v in own]):
            pairs = zip(chosen, degrees, strict=True)
            laws.append([(t, d / known[t.name]) for t, d in pairs if d])
    return laws


def _splits(shape: Shape, sizes: Sequence[int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Axes in two: a flattened map, or several heads in one."""
    found = 0
    for axis, length in enumerate(shape):
        for n in sizes:
            if 1 < n < length and length % n == 0 and found < _MOST_SPLITS:
                found += 1
                yield axis, (n, length // n)
                if n * n != length:
                    yield axis, (length // n, n)


def _independent(terms: Sequence[_Term]) -> list[int]:
    """The first terms that are linearly independent, told from the squares of some entries: others may be, too."""
    rng = np.random.default_rng(_MOST_ENTRIES)
    pairs: list[tuple[int, str, np.ndarray, np.ndarray]] = []
    drawn: dict[str, np.ndarray] = {}
    for k, term in enumerate(terms):
        own = next(iter(squares(term.expression) or ()))
        flat = own.target.ravel()
        if term.name not in drawn:
            everything = np.arange(len(flat))
            few = len(flat) <= _MOST_ENTRIES
            drawn[term.name] = everything if few else rng.choice(everything, _MOST_ENTRIES)
        entries = drawn[term.name][flat[drawn[term.name]] >= 0]
        pairs.append((k, term.name, entries, flat[entries]))
    column: dict[tuple[str, int, int], int] = {}
    places = [
        (k, column.setdefault((name, int(e), int(t)), len(column)))
        for k, name, entries, targets in pairs
        for e, t in zip(entries, targets, strict=True)
    ]
    matrix = np.zeros((len(terms), len(column)), dtype=np.int64)
    for k, c in places:
        matrix[k, c] = 1
    return linalg.independent_rows(matrix, _PRIME)


def _kernel(keys: Sequence[np.ndarray], values: Sequence[np.ndarray]) -> Iterator[list[Fraction]]:
    """Coefficients of the combinations of sparse columns that are 0, in reduced form."""
    columns = len(keys)
    unique, place = np.unique(np.concatenate(keys), return_inverse=True)
    if len(unique) * columns > _MOST_CONDITIONS:
        return
    matrix = np.zeros((max(len(unique), 1), columns), dtype=np.int64)
    which = np.repeat(np.arange(columns), [len(k) for k in keys])
    matrix[place, which] = np.concatenate(values)
    matrix = np.unique(matrix, axis=0)
    rows = [[Fraction(int(x)) for x in row] for row in matrix]
    yield from kernel(rows, columns)
