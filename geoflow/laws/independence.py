"""Gradients of several laws at one point over F_p: their rank is a proved number of independent laws.

All laws are differentiated together, so that one exponential, one logarithm and one symbolic constant have one value
in all of them; and only over tokens that are algebraically independent. Otherwise z·log(xy) and z·(log x + log y), one
function, would count as two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geoflow.exact import linalg
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.flow import Flow
from geoflow.laws.differential import differentiate
from geoflow.laws.identity import gradient_rows
from geoflow.laws.law import Law
from geoflow.laws.tokens import UnsupportedExponential
from geoflow.lie.point import ModularPoint


@dataclass(frozen=True)
class Gradients:
    """`rows` [entries, N] over F_p; `left_out` are the laws that cannot be evaluated beside the others."""

    rows: np.ndarray
    prime: int
    left_out: tuple[Law, ...]

    @property
    def rank(self) -> int:
        """A proved lower bound of the number of independent laws."""
        return linalg.rank(self.rows, self.prime) if len(self.rows) else 0

    @property
    def most(self) -> int:
        """The rank if every entry left out were one more law."""
        return self.rank + sum(law.entries for law in self.left_out)


def gradients(flow: Flow, laws: Sequence[Law], place: ModularPoint) -> Gradients:
    """The gradients of as many of the laws, in order, as can be evaluated together."""
    together = _rows(flow, laws, place)
    if together is not None:
        return Gradients(together, place.field.p, ())
    kept: list[Law] = []
    left_out: list[Law] = []
    rows = np.zeros((0, flow.dimension), dtype=np.int64)
    for law in laws:
        found = _rows(flow, [*kept, law], place)
        if found is None:
            left_out.append(law)
        else:
            kept.append(law)
            rows = found
    return Gradients(rows, place.field.p, tuple(left_out))


def _rows(flow: Flow, laws: Sequence[Law], place: ModularPoint) -> np.ndarray | None:
    if not laws:
        return np.zeros((0, flow.dimension), dtype=np.int64)
    named = {n: v for law in laws for n, v in law.flow.constants.items()}
    try:
        differential = differentiate(flow, [law.expression for law in laws], named)
        return gradient_rows(differential, place) if differential.decides else None
    except (UnluckyPoint, UnsupportedPrimitive, UnsupportedExponential):
        return None
