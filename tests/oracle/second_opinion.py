"""The oracle on a text: over Q where fields and laws are rational, in real numbers elsewhere."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy

from .closing import Exact, GaveUp, NotRational
from .evaluation import TIME
from .reading import read
from .reals import Reals
from .system import System, system, trained


@dataclass(frozen=True)
class Opinion:
    """What holds of the one model of a text."""

    text: str
    seed: int = 0

    @cached_property
    def system(self) -> System:
        """Its vector fields.

        Raises:
            Unread: a part of the language that the oracle does not know.
        """
        return system(read(self.text), self.seed)

    @cached_property
    def reals(self) -> Reals:
        """In real numbers."""
        return Reals(self.system, self.seed)

    @cached_property
    def best(self) -> Exact | Reals:
        """Over Q, where that can be.

        Raises:
            GaveUp: the closure is too large.
        """
        exact = Exact(self.system, self.seed)
        try:
            _ = exact.controlled, exact.drift
        except NotRational:
            return self.reals
        return exact

    @property
    def exact(self) -> bool:
        """Whether the count is over Q."""
        return isinstance(self.best, Exact)

    def is_law(self, text: str) -> bool:
        """Whether every entry of a law is conserved."""
        return all(self._is_law(entry) for entry in self.system.law(text).ravel())

    def _is_law(self, entry: Any) -> bool:
        try:
            return self.best.is_law(entry)
        except NotRational:
            return self.reals.is_law(entry)

    def independent(self, texts: list[str]) -> int:
        """How many independent entries laws have together."""
        entries = [e for text in texts for e in self.system.law(text).ravel()]
        try:
            return self.best.independent(entries)
        except NotRational:
            return self.reals.independent(entries)

    @property
    def gated(self) -> bool:
        """Whether there are gates."""
        model = self.system.reading
        return model is not None and bool(model.gates.by_value)

    @cached_property
    def positive(self) -> set[Any]:
        """The symbols that are declared positive."""
        model = self.system.reading
        assert model is not None
        return {x for p in model.positive for x in model.parameters[p].ravel()}

    def refuted_by_gates(self, text: str, trials: int = 40) -> bool:
        """Whether some rational parameters and data refute a law with the gates they have."""
        model = self.system.reading
        assert model is not None
        source = random.Random(f"gates {self.seed}")

        def number() -> Any:
            return sympy.Rational(source.randint(-99, 99), source.randint(1, 9))

        data = [x for a in model.inputs.values() for x in a.ravel()]
        outputs = [e for m in model.maps for e in m.ravel()]
        entries = list(self.system.law(text).ravel())
        for _ in range(trials):
            point = {z: abs(number()) + 1 if z is TIME else number() for z in self.system.state}
            point |= {x: abs(v) + 1 for x, v in point.items() if x in self.positive}
            point |= {c: abs(number()) + 1 for c in self.system.symbolic}
            at = point | {x: number() for x in data}
            gates: dict[Any, Any] = {}
            for value, gate in model.gates.by_value.items():
                gates[gate] = sympy.Integer(1 if value.subs(gates).subs(at) > 0 else 0)
            real = {x: v for x, v in at.items() if x in data}
            flow = trained(model, tuple(e.subs(gates).subs(real) for e in outputs))
            for entry in entries:
                slopes = [sympy.diff(entry, z).subs(point) for z in flow.state]
                for column in flow.fields:
                    terms = [
                        sympy.sympify(a).subs(point) * b
                        for a, b in zip(column, slopes, strict=True)
                        if b != 0
                    ]
                    if abs(sympy.Add(*terms).evalf(30)) > 1e-15:
                        return True
        return False


__all__ = ["GaveUp", "Opinion"]
