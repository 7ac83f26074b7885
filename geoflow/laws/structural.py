"""Laws of flows too large for gradients to be written out: read off the program of φ, counted by their formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geoflow.deadline import Deadline
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr
from geoflow.flow import Flow
from geoflow.laws.law import Law
from geoflow.laws.symmetry import symmetry_of
from geoflow.structure.peeling import Outline, items, peeled
from geoflow.structure.scalings import rates
from geoflow.structure.symmetries import Symmetries

LARGE = 5000  # coordinates beyond which no gradient is written out
SEARCHED = "scalings and changes of basis of φ"


def is_large(flow: Flow) -> bool:
    """Whether laws are counted without gradients."""
    return flow.dimension > LARGE


@dataclass(frozen=True)
class Peeled:
    """How many entries of laws are independent at least, and at most; `left_out` are those that are not counted."""

    rank: int
    most: int
    left_out: tuple[Law, ...]


def measured(laws: Sequence[Law]) -> Peeled:
    """The number of independent entries of laws, from their formulas."""
    outlines = [[Outline.of(part) for part in items(law.expression)] for law in laws]
    left_out = tuple(
        law for law, own in zip(laws, outlines, strict=True) if not all(o.known for o in own)
    )
    together = [o for own in outlines for o in own]
    return Peeled(peeled(together), sum(o.most for o in together), left_out)


def structural_laws(
    symmetries: Symmetries, enough: int, deadline: Deadline = Deadline()
) -> tuple[tuple[Law, ...], int]:
    """Laws that raise the number of independent ones, in the order of the parameters, and that number."""
    kept: list[tuple[Expr, Outline]] = []
    rank = 0
    candidates = [(law, Outline.of(law)) for law in symmetries.laws()]
    candidates.sort(key=lambda c: (-c[1].rank, len(print_expr(c[0]))))
    for law, outline in candidates:
        if rank >= enough or deadline.passed:
            break
        together = peeled([*(o for _, o in kept), outline])
        if together > rank:
            kept.append((law, outline))
            rank = together
    flow = symmetries.flow
    order = {b.name: k for k, b in enumerate(flow.parameters)}
    kept.sort(key=lambda c: (sorted(order[n] for n in c[1].names), print_expr(c[0])))
    known = rates(flow)
    laws, before = [], 0
    for k, (law, outline) in enumerate(kept):
        upto = peeled([o for _, o in kept[: k + 1]])
        even = len({abs(c) * known[line.name] for c, line in outline.grams}) <= 1
        why = symmetry_of(law, flow, known=even)
        laws.append(Law(law, flow, "proved", outline.rank, upto - before, why))
        before = upto
    return tuple(laws), rank
