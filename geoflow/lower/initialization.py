"""The point that `at` names, as exact rationals."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.exact.interpreter import run
from geoflow.exact.program import trace
from geoflow.exact.rationals import Rationals
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.tree import Constant, walk
from geoflow.lie.bracket import exact_constants
from geoflow.parametrization import shaped
from geoflow.semantics.model import Model


def point_of(model: Model) -> dict[str, np.ndarray]:
    """Arrays of `Fraction` by parameter; zeros for `at zero`. Values are expressions in constants.

    Raises:
        DiagnosticError: a value names a symbolic constant.
    """
    found = {p.name: np.full(p.shape, Fraction(0), dtype=object) for p in model.parameters}
    if model.at is None or model.at.kind != "point":
        return found
    values = {c.name: c.value for c in model.constants}
    for name, expression in model.at.values.items():
        used = {n.name: values[n.name] for n in walk(expression) if isinstance(n, Constant)}
        if unknown := [n for n, v in used.items() if v is None]:
            message = f"A point is a point of numbers, and `{unknown[0]}` is symbolic."
            raise DiagnosticError(Diagnostic("GEO0206", message, model.at.span))
        used |= rationals([expression])
        program = trace(
            lambda c, e=expression: evaluate((e,), Environment(c))[0],
            shaped(dict.fromkeys(used, ())),
        )
        ring = Rationals()
        constants = exact_constants(ring, used, {})
        (value,) = run(program, ring, [constants[n] for n in sorted(constants)])
        flat = np.asarray(value[0, 0], dtype=object).ravel()
        entries = [Fraction(int(x.p), int(x.q)) for x in flat]
        shape = found[name].shape
        found[name] = np.array(entries, dtype=object).reshape(shape)
    return found
