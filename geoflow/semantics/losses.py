"""The class of losses that a model is trained with: all of them, or fewer, which keep more laws."""

from __future__ import annotations

from dataclasses import dataclass

from geoflow.diagnostics import Span
from geoflow.expr.tree import Expr
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.model import LossKind
from geoflow.semantics.options import Usage, arguments, expression, word
from geoflow.semantics.shapes import words
from geoflow.syntax import tree

_MOST_POINTS = 100_000


@dataclass(frozen=True)
class Loss:
    """A class of losses; `points`: how many data points there are, where that is fixed."""

    kind: LossKind = "any"
    points: int | None = None


def loss(definitions: Definitions, statement: tree.Loss) -> Loss:
    """The class that a statement describes."""
    option = statement.kind
    if option.name.text == "data":
        return _data(definitions, option)
    usage = Usage("GEO0409", "loss any")
    kinds: dict[str, LossKind] = {"any": "any", "cross_entropy": "cross_entropy"}
    name = word(option.name, "A class of losses", (*kinds, "data"), usage)
    arguments(option, 0, Usage("GEO0409", f"loss {name}"))
    return Loss(kinds[name])


def _data(definitions: Definitions, option: tree.Option) -> Loss:
    usage = Usage("GEO0409", "loss data(3)")
    (argument,) = arguments(option, 1, usage)
    node = expression(argument, "The number of data points", usage)
    points = definitions.expressions.exact(node, "The number of data points")
    if points.denominator != 1 or not 1 <= points <= _MOST_POINTS:
        message = f"There are between 1 and {_MOST_POINTS:,} data points, and not {points}."
        raise usage.wrong(node.span, message)
    return Loss("data", points.numerator)


def verify_classes(maps: tuple[Expr, ...], what: str, span: Span, code: str) -> None:
    """Raise where a map has no last axis with classes to choose from."""
    for each in maps:
        if not each.shape or each.shape[-1] == 1:
            message = f"{what} needs several classes along the last axis of every map, "
            message += f"and one map is {words(each.shape)}."
            hint = "for two classes and one logit, the class of losses is `any`"
            raise Usage(code, "").wrong(span, message, hint)
