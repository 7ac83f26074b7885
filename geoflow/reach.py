"""What the engine cannot do with a model, as diagnostics at the model's text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.semantics.model import Model

if TYPE_CHECKING:
    from geoflow.lie.closure import TooManyCoordinates

T = TypeVar("T")
_SMALLER = (
    "check a smaller member of the family, for example with -D",
    "products of matrices, and networks with relu or max_pool, under gradient flow without decay, may be larger",
)


def reachable(model: Model, work: Callable[[], T]) -> T:
    """Turn what the engine cannot do into a diagnostic at the map."""
    from geoflow.exact.interpreter import UnluckyPoint
    from geoflow.exact.program import UnsupportedPrimitive
    from geoflow.lie.closure import TooManyCoordinates

    try:
        return work()
    except TooManyCoordinates as error:
        message = f"`{model.name}` is too large: {error.message}."
        raise DiagnosticError(
            Diagnostic(
                "GEO0304",
                message,
                model.span,
                notes=_part(model, error),
                hints=(_more(error), *_SMALLER),
            )
        ) from None
    except UnluckyPoint:
        raise DiagnosticError(
            Diagnostic(
                "GEO0509",
                f"The flow of `{model.name}` is not defined at any of the points tried.",
                model.map_span or model.span,
                "a denominator, a determinant or a radicand vanishes everywhere",
                notes=(
                    "Points are random, so it vanishes for all parameters: here, or in the metric or the damping.",
                ),
            )
        ) from None
    except UnsupportedPrimitive as error:
        raise DiagnosticError(_unsupported(model, error.name)) from None


def _more(error: TooManyCoordinates) -> str:
    return f"`--memory {error.gib:g}` allows it, where the machine has so much"


def _part(model: Model, error: TooManyCoordinates) -> tuple[str, ...]:
    """That what is too large is one of several independent parts of the model."""
    entries = sum(math.prod(p.shape) for p in model.parameters)
    if error.dimension >= entries:
        return ()
    return (
        f"The model is a direct sum, and the part of {error.dimension:,} of its {entries:,} "
        "parameters is meant.",
    )


def _unsupported(model: Model, what: str) -> Diagnostic:
    """A metric whose inverse is not rational, or too many square roots: the front end admits nothing else."""
    if what.startswith("sign("):
        return Diagnostic("GEO0505", f"`flow {what}` is not supported yet.", model.span)
    if "root" in what or "sqrt" in what:
        message = f"The model `{model.name}` needs {what}, which is not supported yet."
        return Diagnostic("GEO0508", message, model.span)
    span = next((m.span for m in model.metrics if m.kind == "mirror"), model.span)
    return Diagnostic(
        "GEO0507",
        f"The inverse of this metric contains `{what}`, so it is not a rational function.",
        span,
        "1/ψ'' must be rational, with square roots at most",
        notes=("The count is a proof because every field is evaluated exactly in a prime field.",),
    )
