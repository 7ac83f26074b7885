"""Many laws as one vector: those that are predicted alike lie side by side, so that a step advances them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from geoflow.expr.tree import Shape
from geoflow.laws.law import Law
from geoflow.training.prediction import Plan
from geoflow.training.settings import Settings


@dataclass(frozen=True)
class Block:
    """Laws by number, their common plan (with the parameters of all), and where their entries are."""

    plan: Plan
    laws: tuple[int, ...]
    span: slice


@dataclass(frozen=True)
class Layout:
    """Blocks in the order of the vector; place and shape of each law."""

    blocks: tuple[Block, ...]
    places: tuple[slice, ...]
    shapes: tuple[Shape, ...]

    @staticmethod
    def of(laws: Sequence[Law], plans: Sequence[Plan], settings: Settings) -> Layout:
        """A block for the laws with one kind of prediction, one rate and one decay."""
        groups: list[list[int]] = []
        for k, plan in enumerate(plans):
            for group in groups:
                if _alike(plans[group[0]], plan, settings):
                    group.append(k)
                    break
            else:
                groups.append([k])
        shapes = tuple(law.expression.shape for law in laws)
        blocks, places, at = [], [slice(0)] * len(plans), 0
        for group in groups:
            begin = at
            for k in group:
                places[k] = slice(at, at + prod(shapes[k]))
                at = places[k].stop
            names = tuple(sorted({n for k in group for n in plans[k].names}))
            blocks.append(
                Block(replace(plans[group[0]], names=names), tuple(group), slice(begin, at))
            )
        return Layout(tuple(blocks), tuple(places), shapes)

    @property
    def order(self) -> tuple[int, ...]:
        """The laws as they follow each other in the vector."""
        return tuple(k for block in self.blocks for k in block.laws)

    def split(self, vector: Any) -> list[Any]:
        """The entries of each law, in its shape."""
        return [vector[p].reshape(s) for p, s in zip(self.places, self.shapes, strict=True)]


def _alike(one: Plan, other: Plan, settings: Settings) -> bool:
    if one.how != other.how:
        return False
    if one.how in ("settings", "none"):
        return True  # nothing is asked of single parameters
    a, b = one.names[0], other.names[0]
    rate, rate_too = settings.rates[a], settings.rates[b]
    return settings.decays[a] == settings.decays[b] and (rate is rate_too or rate == rate_too)
