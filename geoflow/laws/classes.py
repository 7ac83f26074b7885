"""Monomials by the classes of a grading, and the orbits of classes under permutations of the coordinates."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from geoflow.laws.grading import Grading


@dataclass(frozen=True)
class Classes:
    """Monomials [count, degree] in the order of their classes: those of class c from `starts[c]` to `starts[c + 1]`.
    A monomial is a row of ascending positions of coordinates, filled up with `one`. `keys` are ascending."""

    monomials: np.ndarray
    starts: np.ndarray
    keys: np.ndarray
    one: int

    @property
    def sizes(self) -> np.ndarray:
        """Numbers of monomials."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, c: int) -> np.ndarray:
        return self.monomials[self.starts[c] : self.starts[c + 1]]


def number_of_monomials(variables: int, degree: int) -> int:
    """How many monomials of degrees 1 … `degree` there are."""
    return comb(variables + degree, degree) - 1


def monomials_up_to(variables: Sequence[int], one: int, degree: int) -> np.ndarray:
    """All monomials of degrees 1 … `degree` in the variables, which come before `one`."""
    symbols = np.append(np.sort(np.asarray(variables, dtype=np.int64)), one)
    rows = np.arange(len(symbols))[:, None]
    for _ in range(degree - 1):
        last = rows[:, -1]
        more = len(symbols) - last
        ends = np.cumsum(more)
        following = np.arange(ends[-1]) - np.repeat(ends - more, more) + np.repeat(last, more)
        rows = np.column_stack([np.repeat(rows, more, axis=0), following])
    return symbols[rows[:-1]]  # the last row is the number 1


def classes_of(grading: Grading, variables: Sequence[int], one: int, degree: int) -> Classes:
    """The classes that hold a monomial of the full degree."""
    monomials = monomials_up_to(variables, one, degree)
    keys, index = np.unique(grading.keys(monomials), return_inverse=True)
    full = np.zeros(len(keys), dtype=bool)
    full[index[monomials[:, -1] != one]] = True
    kept = full[index]
    monomials, index = monomials[kept], (np.cumsum(full) - 1)[index[kept]]
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(full.sum() + 1))
    return Classes(monomials[order], starts, keys[full], one)


@dataclass(frozen=True)
class Orbits:
    """Classes that permutations carry into one another. `first`: one class of each orbit; `lengths`: how many it has;
    `images`: where each of the permutations `orders` takes each class."""

    first: np.ndarray
    lengths: np.ndarray
    images: np.ndarray
    orders: tuple[np.ndarray, ...]

    def of(self, c: int) -> Iterator[np.ndarray]:
        """Permutations that carry class c to each class of its orbit, the identity first."""
        reached = np.arange(len(self.orders[0])) if self.orders else np.arange(0)
        waiting, met = deque([(c, reached)]), {c}
        while waiting:
            here, reached = waiting.popleft()
            yield reached
            for order, image in zip(self.orders, self.images, strict=True):
                there = int(image[here])
                if there not in met:
                    met.add(there)
                    waiting.append((there, order[reached]))


def orbits_of(classes: Classes, grading: Grading, orders: Sequence[np.ndarray]) -> Orbits:
    """The orbits under the group that permutations of coordinates generate. A permutation that does not respect the
    grading at some class is not used there."""
    own = np.arange(len(classes))
    images = np.empty((len(orders), len(own)), dtype=np.int64)
    samples = classes.monomials[classes.starts[:-1]]
    for k, order in enumerate(orders):
        keys = grading.keys(np.append(order, classes.one)[samples])
        near = np.searchsorted(classes.keys, keys).clip(max=max(len(own) - 1, 0))
        known = (classes.keys[near] == keys) & (classes.sizes[near] == classes.sizes)
        images[k] = np.where(known, near, own)
    component = _components(images, len(own))
    _, first, lengths = np.unique(component, return_index=True, return_counts=True)
    return Orbits(first, lengths, images, tuple(orders))


def _components(images: np.ndarray, count: int) -> np.ndarray:
    """By class, the first class that permutations connect it with."""
    component = np.arange(count)
    while True:
        before = component.copy()
        for image in images:
            least = np.minimum(component, component[image])
            np.minimum.at(least, image, least.copy())
            component = least
        component = component[component]
        if np.array_equal(component, before):
            return component
