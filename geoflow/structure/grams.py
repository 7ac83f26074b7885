"""Laws that changes of basis give: Σ c_P·PᵀP is conserved where P → P + ε c_P P S leaves φ unchanged for symmetric S.

With M⁻¹ = rate, the entries of h = Σ c_P PᵀP paired with a symmetric S have the gradient 2 c_P P S, so that dh(G_a) is
the derivative of ⟨a, φ⟩ along that field. It is a sum of words in matrices (`variation`), and vanishes for all sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from geoflow.expr.build import matmul, outer, transpose
from geoflow.expr.tree import Apply, Expr, Number, Parameter, Shape
from geoflow.parametrization import Block
from geoflow.structure.combinations import kernel, whole
from geoflow.structure.diagrams import SYMMETRIC, Draft, NotShown
from geoflow.structure.forward import Forward
from geoflow.structure.variation import Symbols, variation
from geoflow.structure.words import Words, single

_MOST_LINES = 200


@dataclass(frozen=True)
class Line:
    """An axis of a parameter, after a reshape to `view`: the change of basis acts there."""

    name: str
    shape: Shape
    view: Shape
    axis: int

    @property
    def size(self) -> int:
        """How long the axis is."""
        return self.view[self.axis]

    @property
    def gram(self) -> Expr:
        """The products of the slices of the parameter along the axis."""
        leaf: Expr = Parameter(self.name, self.shape)
        if self.view != self.shape:
            leaf = Apply("reshape", (leaf,), self.view, (("shape", self.view),))
        if len(self.view) == 2:
            return matmul(transpose(leaf), leaf) if self.axis else matmul(leaf, transpose(leaf))
        if len(self.view) == 1:
            return outer(leaf, leaf)
        letters = "abcdefghijklmnop"[: len(self.view)]
        other = letters[: self.axis] + "z" + letters[self.axis + 1 :]
        subscripts = (("subscripts", f"{letters},{other}->{letters[self.axis]}z"),)
        return Apply("einsum", (leaf, leaf), (self.size, self.size), subscripts)


Grams = list[tuple[Fraction, Line]]


def grams(law: Expr) -> Grams | None:
    """The law as a combination of Gram matrices of parameters; None where it is none."""
    found: Grams = []
    for coefficient, term in _terms(law, Fraction(1)):
        line = _line(term)
        if line is None or term.shape != law.shape:
            return None
        found.append((coefficient, line))
    return found


def _terms(expr: Expr, factor: Fraction) -> Iterator[tuple[Fraction, Expr]]:
    match expr:
        case Apply("add" | "sub", (a, b)):
            yield from _terms(a, factor)
            yield from _terms(b, factor if expr.operation == "add" else -factor)
        case Apply("neg", (a,)):
            yield from _terms(a, -factor)
        case Apply("mul", (Number(value), a)) | Apply("mul", (a, Number(value))):
            yield from _terms(a, factor * value)
        case Apply("div", (a, Number(value))) if value:
            yield from _terms(a, factor / value)
        case _:
            yield factor, expr


def _line(term: Expr) -> Line | None:
    match term:
        case Apply("matmul", (Apply("transpose", (a,)) as left, b)) if (
            left.option("axes") is None and _leaf(a) == _leaf(b) is not None and len(a.shape) == 2
        ):
            return _along(a, 1)
        case Apply("matmul", (a, Apply("transpose", (b,)) as right)) if (
            right.option("axes") is None and _leaf(a) == _leaf(b) is not None and len(a.shape) == 2
        ):
            return _along(a, 0)
        case Apply("einsum", (a, b)) if _leaf(a) == _leaf(b) is not None:
            given, made = term.option("subscripts").replace(" ", "").split("->")
            first, second = given.split(",")
            apart = [k for k, (x, y) in enumerate(zip(first, second, strict=True)) if x != y]
            if len(apart) != 1 or len(set(first + second)) != len(first) + 1:
                return None
            if sorted(made) != sorted(first[apart[0]] + second[apart[0]]):
                return None
            return _along(a, apart[0])
        case Apply("outer", (a, b)) if _leaf(a) == _leaf(b) is not None:
            return _along(a, 0)
    return None


def _along(view: Expr, axis: int) -> Line | None:
    name, shape = _leaf(view) or ("", ())
    return Line(name, shape, view.shape, axis) if len(view.shape) > axis else None


def _leaf(view: Expr) -> tuple[str, Shape] | None:
    match view:
        case Parameter(name, shape):
            return name, shape
        case Apply("reshape", (Parameter(name, shape),)):
            return name, shape
    return None


def is_gram_law(program: Forward, rates: Mapping[str, Fraction], law: Expr) -> bool:
    """Whether a combination of Gram matrices is shown to be conserved."""
    found = grams(law)
    if not found or any(line.name not in rates for _, line in found):
        return False
    equations = _equations(program, [line for _, line in found])
    if equations is None:
        return False
    weights = [c * rates[line.name] for c, line in found]
    return all(sum(weights[k] * c for k, c in row.items()) == 0 for row in equations)


def gram_laws(
    program: Forward, rates: Mapping[str, Fraction], blocks: Sequence[Block]
) -> list[Expr]:
    """Combinations of Gram matrices that are conserved, by size of the change of basis."""
    lines: dict[int, list[Line]] = {}
    for b in blocks:
        for axis, n in enumerate(b.shape):
            if b.name in rates and n > 1:
                lines.setdefault(n, []).append(Line(b.name, b.shape, b.shape, axis))
    laws = []
    for size in sorted(lines, reverse=True):
        own = lines[size]
        if len(own) > _MOST_LINES:
            continue
        equations = _equations(program, own)
        if equations is None:
            continue
        for degrees in kernel(
            [[row.get(k, Fraction(0)) for k in range(len(own))] for row in equations], len(own)
        ):
            parts = [(d / rates[x.name], x.gram) for d, x in zip(degrees, own, strict=True) if d]
            laws.append(whole(parts))
    return laws


def _equations(program: Forward, lines: Sequence[Line]) -> list[dict[int, Fraction]] | None:
    """What φ requires of the coefficients of lines of one length; None where nothing is shown."""
    moved: dict[int, list[tuple[int, Line]]] = {}
    for k, line in enumerate(lines):
        moved.setdefault(program.slots[line.name], []).append((k, line))
    tangents = {s: _tangent(s, own) for s, own in moved.items()}
    try:
        return variation(program.program, tangents)
    except NotShown:
        return None


def _tangent(slot: int, lines: Sequence[tuple[int, Line]]) -> Callable[[Symbols], Words]:
    def tangent(symbols: Symbols) -> Words:
        total: Words = {}
        for k, line in lines:
            draft = Draft()
            before = [draft.edge(n) for n in line.view]
            after = list(before)
            after[line.axis] = draft.edge(line.size)
            own = _regrouped(before, line)
            draft.factors.append((symbols.of(("slot", slot)), own))
            draft.factors.append((SYMMETRIC, (before[line.axis], after[line.axis])))
            monomial = draft.finished(list(_regrouped(after, line)))[1]
            total.setdefault(monomial, {}).update(single(monomial, k)[monomial])
        return total

    return tangent


def _regrouped(axes: Sequence[tuple[int, ...]], line: Line) -> tuple[tuple[int, ...], ...]:
    """The edges of a view as those of the parameter's own axes, each of which the view only cuts."""
    found, k = [], 0
    for n in line.shape:
        own: list[int] = []
        size = 1
        while size < n:
            if k >= len(axes):
                raise NotShown
            own += axes[k]
            size *= line.view[k]
            k += 1
        if size != n:
            raise NotShown
        found.append(tuple(own))
    if prod(line.view[k:]) != 1:
        raise NotShown
    return tuple(found)
