"""The evidence of a certificate: words of brackets with a nonzero minor, and laws with a nonzero minor of gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.point import ModularPoint, draw_point, random_letter

_POINTS = 4
_SPARE = 4  # words drawn at once beside those that are wanted
_IDLE = 3  # batches without a gain that end a depth
_DEEPER = 2  # depths beyond that at which the count stagnated


@dataclass
class Minor:
    """Rows over F_p, kept while they are independent, with the columns of a nonzero minor."""

    prime: int
    rows: list[list[int]] = field(default_factory=list)
    _reduced: list[tuple[int, list[int]]] = field(default_factory=list)

    def add(self, row: Sequence[int]) -> bool:
        """Keep a row that is independent of those before."""
        p = self.prime
        given = [int(x) % p for x in row]
        left = np.array(given, dtype=object)
        for column, pivot in self._reduced:
            if left[column]:
                left = (left - left[column] * np.array(pivot, dtype=object)) % p
        column = next((k for k, x in enumerate(left) if x), None)
        if column is None:
            return False
        scaled = left * pow(int(left[column]), -1, p) % p
        self._reduced.append((column, [int(x) for x in scaled]))
        self.rows.append(given)
        return True

    @property
    def columns(self) -> list[int]:
        """Of the minor, in rising order."""
        return sorted(column for column, _ in self._reduced)

    @property
    def determinant(self) -> int:
        """Of the kept rows in these columns."""
        import flint

        entries = [[row[k] for k in self.columns] for row in self.rows]
        return int(flint.nmod_mat(entries, self.prime).det()) if entries else 1


@dataclass(frozen=True)
class Words:
    """`letters` [words][letters][1 + controls] with independent brackets at a place."""

    place: ModularPoint
    letters: tuple[tuple[tuple[int, ...], ...], ...]
    minor: Minor


def independent_words(generator: Generator, rank: int, depth: int, seed: int) -> Words | None:
    """`rank` independent words of at most about `depth` brackets, at a new point; None if they are not found."""
    plain = replace(generator, free_gates=False)  # gates of words are 0 or 1
    rng = np.random.default_rng([seed, 0x63657274])
    for _ in range(_POINTS):
        try:
            place = draw_point(generator, rng)
            found = _words(plain, place, rank, depth + _DEEPER, rng)
        except UnluckyPoint:
            continue
        if len(found.letters) == rank:
            return found
    return None


def _words(
    generator: Generator, place: ModularPoint, rank: int, depth: int, rng: np.random.Generator
) -> Words:
    kept: list[tuple[tuple[int, ...], ...]] = []
    minor = Minor(place.field.p)
    for length in range(1, depth + 2):
        idle = 0
        while len(kept) < rank and idle < _IDLE:
            before, count = len(kept), min(rank - len(kept) + _SPARE, 64)
            letters = [random_letter(generator, place.field, rng, count) for _ in range(length)]
            rows = bracket_rows(generator, place, letters, count)
            shown = list(zip(*(_shown(generator, x, count) for x in letters), strict=True))
            for row, word in zip(rows, shown, strict=True):
                if len(kept) < rank and minor.add(row):
                    kept.append(word)
            idle = 0 if len(kept) > before else idle + 1
    return Words(place, tuple(kept), minor)


def bracket_rows(
    generator: Generator, place: ModularPoint, letters: Sequence[Letter], count: int
) -> np.ndarray:
    """Brackets of letters at a place, [count, N]."""
    value = generator.word(place.field, place.constants, place.point, letters)
    return generator.rows(value, count)


def _shown(generator: Generator, letter: Letter, count: int) -> list[tuple[int, ...]]:
    weight = letter.weight[0] if generator.flow.has_drift else np.zeros(count, dtype=np.int64)
    flat = [
        np.broadcast_to(c[0], (count, *c.shape[2:])).reshape(count, -1) for c in letter.controls
    ]
    rows = np.concatenate([weight.reshape(count, 1), *flat], axis=1)
    return [tuple(map(int, row)) for row in rows]


def coordinates(place: ModularPoint, generator: Generator) -> tuple[list[int], list[int]]:
    """Residues of the symbolic constants and of the point."""
    flow, p = generator.flow, place.field.p
    constants = [int(place.symbolic[n].ravel()[0]) % p for n in flow.symbolic_constants]
    return constants, [int(x) % p for b in flow.state for x in place.point[b.name].ravel()]
