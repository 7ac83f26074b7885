"""How parameters move: a flow of order 1 or 2, or one of the adaptive flows, each one small function
registered in `_ADAPTIVE`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Literal

from geoflow.diagnostics import Diagnostic, DiagnosticError, Fix, Span
from geoflow.expr.tree import Expr, Number
from geoflow.semantics import messages
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.model import FlowKind, MetricBlock
from geoflow.semantics.options import Usage, arguments, expression, required
from geoflow.semantics.places import DAMPING, Place, rate, scalar
from geoflow.syntax import tree

_HIGHEST_POWER = 64
FlowOptions = Mapping[str, Expr | int]


@dataclass(frozen=True)
class Flow:
    """A flow. `damping` is None for order 1 only."""

    order: Literal[1, 2] = 1
    damping: Expr | None = None
    accelerated: bool = False
    kind: FlowKind = "order"
    options: FlowOptions = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The flow in the user's words."""
        return f"flow {self.kind}" if self.kind != "order" else f"a flow of order {self.order}"


def flow(definitions: Definitions, statement: tree.Flow | tree.AdaptiveFlow) -> Flow:
    """The flow a statement describes."""
    if isinstance(statement, tree.AdaptiveFlow):
        return _adaptive(definitions, statement.kind)
    order = statement.order.text
    if order not in ("1", "2"):
        message = f"A flow has order 1 or 2, not {order}."
        raise _malformed(statement.order.span, message, "not an order")
    if order == "1":
        if statement.damping is not None:
            hint = "write `flow order 2 damping …` for momentum"
            message = "A flow of order 1 has no damping."
            raise _malformed(statement.damping.span, message, "no velocity to damp", hint)
        if statement.accelerated:
            hint = "write `flow order 2 damping … accelerated`"
            message = "A flow of order 1 is not accelerated."
            raise _malformed(statement.span, message, "no velocity here", hint)
        return Flow()
    damping: Expr = Number(Fraction(0))
    if statement.damping is not None:
        damping = scalar(definitions.expressions, statement.damping, DAMPING)
    return Flow(2, damping, bool(statement.accelerated))


# ---------------------------------------------------------------- adaptive flows


def _adaptive(definitions: Definitions, option: tree.Option) -> Flow:
    name = option.name.text
    if name not in _ADAPTIVE:
        near = messages.close_name(name, (*_ADAPTIVE, "order"))
        known = "`order 1`, `order 2`, " + ", ".join(f"`{each}`" for each in _ADAPTIVE)
        hint = f"did you mean `flow {near}`?" if near else f"the flows are {known}"
        fix = Fix(option.name.span, near) if near else None
        message = f"There is no flow `{name}`."
        raise _malformed(option.name.span, message, "unknown flow", hint, fix=fix)
    kind, read = _ADAPTIVE[name]
    return Flow(kind=kind, options=read(definitions, option))


def _rates(*keys: str) -> Callable[[Definitions, tree.Option], FlowOptions]:
    """Reads an option whose arguments are rates, all of them needed."""

    def read(definitions: Definitions, option: tree.Option) -> FlowOptions:
        example = f"flow {option.name.text}({', '.join(f'{key} = 1' for key in keys)})"
        named = required(option, keys, Usage("GEO0405", example))
        places = {key: Place(f"the rate `{key}` of a flow", code="GEO0405") for key in keys}
        return {key: rate(definitions.expressions, named[key], places[key]) for key in keys}

    return read


def _sign(definitions: Definitions, option: tree.Option) -> FlowOptions:
    usage = Usage("GEO0405", "flow sign(0)")
    (argument,) = arguments(option, 1, usage)
    node = expression(argument, "A power", usage)
    power = definitions.expressions.exact(node, "The power of `flow sign`")
    if power.denominator != 1 or not 0 <= power <= _HIGHEST_POWER:
        message = f"The power is an integer from 0 to {_HIGHEST_POWER}, and this is {power}."
        raise usage.wrong(node.span, message, "`flow sign(0)` is sign descent")
    return {"power": power.numerator}


_Reader = Callable[[Definitions, tree.Option], FlowOptions]
_ADAPTIVE: dict[str, tuple[FlowKind, _Reader]] = {
    "adam": ("adam", _rates("b1", "b2")),
    "rmsprop": ("rmsprop", _rates("b2")),
    "sign": ("sign", _sign),
}


# ---------------------------------------------------------------- with the rest of the model


def verify_metric(flow: Flow, block: MetricBlock) -> None:
    """Raise where a flow takes no such metric."""
    if flow.kind != "order" and block.kind != "euclidean":
        message = f"`{flow.text}` has no metric but the Euclidean one."
        raise _malformed(block.span, message, "no metric here", "leave it out")


def verify_accelerated(flow: Flow, span: Span, blocks: Sequence[MetricBlock]) -> None:
    """Raise where `accelerated` changes nothing."""
    if flow.accelerated and not any(block.kind == "mirror" for block in blocks):
        message = "An accelerated flow takes its mirror metrics at τθ + θ', and here is none."
        hint = "leave `accelerated` out, or write `metric mirror(…)`"
        raise _malformed(span, message, "no mirror metric", hint)


def verify_power(flow: Flow, span: Span, maps: tuple[Expr, ...]) -> None:
    """Raise where the field of `flow sign` is no polynomial in the cotangent, nor its multiple."""
    power = flow.options.get("power")
    if isinstance(power, int) and power % 2 == 0 and sum(prod(each.shape) for each in maps) > 1:
        message = f"`flow sign({power})` is supported for one scalar map only."
        hint = "odd powers are supported for every map"
        raise DiagnosticError(Diagnostic("GEO0505", message, span, "even power", hints=(hint,)))


def _malformed(
    span: Span, message: str, label: str, *hints: str, fix: Fix | None = None
) -> DiagnosticError:
    return DiagnosticError(Diagnostic("GEO0405", message, span, label, hints=hints, fix=fix))
