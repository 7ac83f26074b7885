"""What the program of a flow's φ shows of its laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.tree import Expr
from geoflow.flow import Flow
from geoflow.structure.forward import Forward, forward
from geoflow.structure.gradings import Gradings
from geoflow.structure.grams import gram_laws, is_gram_law
from geoflow.structure.peeling import items
from geoflow.structure.scalings import is_scaling_law, rates, scaling_laws


@dataclass(frozen=True)
class Symmetries:
    """The scalings and changes of basis of φ; nothing where φ's program shows none. `apart`: those of the summand that
    a law is of, where the flow is a direct sum."""

    flow: Flow
    program: Forward | None = field(repr=False)
    gradings: Gradings | None = field(repr=False)
    apart: Callable[[Expr], Symmetries | None] = field(default=lambda law: None, repr=False)

    @staticmethod
    def of(flow: Flow) -> Symmetries:
        """Follow degrees through φ."""
        try:
            program = forward(flow)
        except UnsupportedPrimitive:
            program = None
        gradings = None if program is None else Gradings.of(flow, program)
        return Symmetries(flow, program, gradings)

    def show(self, law: Expr) -> bool:
        """Whether a law, or a list of laws, is shown to hold: a proof for all data, cotangents and gates."""
        known = rates(self.flow)
        if len(parts := items(law)) > 1:
            return all(map(self.show, parts))
        own = self.apart(law)
        if own is not None and own.show(law):
            return True
        if self.gradings is not None and is_scaling_law(self.gradings, known, law):
            return True
        return self.program is not None and is_gram_law(self.program, known, law)

    def laws(self) -> list[Expr]:
        """Laws that hold: those of changes of basis first."""
        if self.program is None:
            return []
        found = gram_laws(self.program, rates(self.flow), self.flow.parameters)
        return found + (scaling_laws(self.flow, self.gradings) if self.gradings else [])
