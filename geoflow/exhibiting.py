"""From a checked model, its laws and a trajectory to what a page shows of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from pygments.token import STANDARD_TYPES

from geoflow.exhibits import Curves, DriftCurve, Exhibit
from geoflow.expr.mathml import expr_math
from geoflow.expr.tree import Expr
from geoflow.highlighting import GeoLexer
from geoflow.notation import equations
from geoflow.semantics.model import Model

if TYPE_CHECKING:
    from geoflow.laws.law import Law
    from geoflow.verification.experiment import LawCurves

_DIGITS = 4  # of a number that is drawn


def exhibit(model: Model, laws: Iterable[Law]) -> Exhibit:
    """The model and its laws; the trajectory comes later."""
    named: dict[str, Expr] = {str(law): law.expression for law in laws}
    named |= {claim.text: claim.expression for claim in model.laws}
    formulas = ((text, expr_math(expression)) for text, expression in named.items())
    return Exhibit(
        source=words_of(model.span.source.text),
        equations=equations(model),
        formulas=tuple((text, math) for text, math in formulas if math is not None),
    )


def words_of(text: str) -> tuple[tuple[str, str], ...]:
    """A text in pieces, each with the short name of its kind: `k` a keyword, `c1` a comment."""
    lexer = GeoLexer(stripnl=False, ensurenl=False)
    return tuple((STANDARD_TYPES.get(kind, ""), piece) for kind, piece in lexer.get_tokens(text))


def curves_of(found: LawCurves | None) -> Curves | None:
    """A trajectory in as many digits as can be drawn."""
    if found is None:
        return None
    return Curves(
        run=found.run,
        times=_short(found.times),
        laws=tuple(
            DriftCurve(text, _short(np.max(np.abs(changes), axis=1)))
            for text, changes in found.laws.items()
            if changes.shape[1]
        ),
        control=_short(found.control),
        tolerance=found.tolerance,
    )


def _short(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values)
