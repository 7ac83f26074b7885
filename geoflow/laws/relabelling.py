"""Permutations of indices that leave the family of fields invariant: of hidden neurons, of rows, of heads.

A relabelling permutes one index wherever it occurs: along an axis of some parameters and of some controls. Those of a
flow are found by trial, at one random point mod p: X(πz, πb) = π X(z, b). What follows from one is a candidate and is
proved by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.flow import Flow
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.point import ModularPoint, random_letter

_MOST_TRIALS = 300  # of sets of axes, for one axis

Axis = tuple[str | int, int]  # a parameter's name or a control's position, and one of its axes


@dataclass(frozen=True)
class Label:
    """One index of length `size` and the axes it runs along."""

    size: int
    axes: tuple[Axis, ...]


def labels_of(generator: Generator, place: ModularPoint, seed: int) -> list[Label]:
    """Indices whose permutations are symmetries at the place; each axis belongs to one at most."""
    trial = _Trial(generator, place, np.random.default_rng([seed, 0x706572]))
    flow = generator.flow
    found: list[Label] = []
    of_parameters: list[tuple[int, Axis]] = [
        (n, (b.name, axis)) for b in flow.parameters for axis, n in enumerate(b.shape)
    ]
    of_controls: list[tuple[int, Axis]] = [
        (n, (k, axis)) for k, c in enumerate(generator.controls) for axis, n in enumerate(c.shape)
    ]
    used: set[Axis] = set()
    for size, first in of_parameters:
        if size < 2 or first in used:
            continue
        others = [a for n, a in (*of_parameters, *of_controls) if n == size and a not in used]
        others.remove(first)
        for axes in islice(_subsets(others), _MOST_TRIALS):
            label = Label(size, (first, *axes))
            if all(trial.holds(label, order) for order in _generating(size)):
                found.append(label)
                used |= set(label.axes)
                break
    return found


def _subsets(axes: Sequence[Axis]) -> Iterator[tuple[Axis, ...]]:
    """Few axes first, then nearly all, then the rest."""
    whole = range(len(axes) + 1)
    few, many = whole[:3], whole[3:][::-1]
    for count in (*few, *many):
        yield from combinations(axes, count)


def _generating(size: int) -> list[np.ndarray]:
    """A transposition and a cycle: they generate all permutations."""
    swapped = np.arange(size)
    swapped[:2] = 1, 0
    return [swapped, np.roll(np.arange(size), 1)] if size > 2 else [swapped]


class _Trial:
    """One random point, letter and field, and what a relabelling makes of them."""

    def __init__(self, generator: Generator, place: ModularPoint, rng: np.random.Generator):
        self._generator, self._place = generator, place
        self._letter = random_letter(generator, place.field, rng, 1)
        try:
            self._field = generator(place.field, place.constants, place.point, self._letter)
        except (UnluckyPoint, UnsupportedPrimitive):
            self._field = None

    def holds(self, label: Label, order: np.ndarray) -> bool:
        """Whether the field at the permuted point is the permuted field."""
        if self._field is None:
            return False
        flow, place = self._generator.flow, self._place
        controls = tuple(
            _permuted(c, [axis for name, axis in label.axes if name == k], order)
            for k, c in enumerate(self._letter.controls)
        )
        letter = Letter(self._letter.weight, controls)
        try:
            found = self._generator(
                place.field, place.constants, _relabelled(flow, place.point, label, order), letter
            )
        except (UnluckyPoint, UnsupportedPrimitive):
            return False
        wanted = _relabelled(flow, self._field, label, order)
        return all(
            np.array_equal(found[n], np.broadcast_to(wanted[n], found[n].shape)) for n in found
        )


def _relabelled(
    flow: Flow, values: dict[str, np.ndarray], label: Label, order: np.ndarray
) -> dict[str, np.ndarray]:
    return {
        n: _permuted(v, [axis for name, axis in label.axes if name == _parameter(flow, n)], order)
        for n, v in values.items()
    }


def _parameter(flow: Flow, block: str) -> str:
    """The parameter whose velocity or moment a block is; itself for a parameter."""
    names = {b.name for b in flow.parameters}
    if block in names:
        return block
    inner = block.removesuffix("'").split("(")[-1].removesuffix(")")
    return inner if inner in names else ""


def _permuted(values: np.ndarray, axes: Sequence[int], order: np.ndarray) -> np.ndarray:
    for axis in axes:
        values = np.take(values, order, axis=2 + axis)
    return values


def permutations_of(flow: Flow, labels: Sequence[Label]) -> list[np.ndarray]:
    """Generators of the group as permutations of the coordinates of the state: position k goes to result[k]."""
    numbers, start = {}, 0
    for b in flow.state:
        numbers[b.name] = np.arange(start, start + b.size).reshape(1, 1, *b.shape)
        start += b.size
    found = []
    for label in labels:
        for order in _generating(label.size):
            moved = _relabelled(flow, numbers, label, order)
            permutation = np.empty(start, dtype=np.int64)
            for name, old in numbers.items():
                permutation[old.ravel()] = moved[name].ravel()
            found.append(permutation)
    return found
