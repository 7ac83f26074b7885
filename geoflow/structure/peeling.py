"""How many entries of laws are independent, from their formulas alone: no gradient is written out.

Laws Σ c·PᵀP, and sums of squares, have gradients in P that depend on P alone. A law that has a parameter to itself is
independent of the others in its columns: it counts with its rank there and is taken away, and so on. What is found is
a lower bound, at a generic point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from geoflow.expr.tree import Apply, Expr, Parameter, walk
from geoflow.structure.grams import Grams, grams
from geoflow.structure.squares import Squares, squares


def items(law: Expr) -> list[Expr]:
    """The laws that a list of laws is made of."""
    if isinstance(law, Apply) and law.operation in ("stack", "concat"):
        return [x for a in law.arguments for x in items(a)]
    return [law]


@dataclass(frozen=True)
class Outline:
    """What a law is made of: Gram matrices, or squares; neither where it is another expression."""

    names: frozenset[str]
    entries: int
    grams: Grams
    squares: tuple[Squares, ...]

    @staticmethod
    def of(law: Expr) -> Outline:
        """Take a law apart."""
        names = frozenset(n.name for n in walk(law) if isinstance(n, Parameter))
        found = squares(law)
        gram = grams(law) if found is None else None
        return Outline(names, prod(law.shape), gram or [], found or ())

    @property
    def known(self) -> bool:
        """Whether its rank can be read off."""
        return bool(self.grams or self.squares)

    @property
    def rank(self) -> int:
        """How many of its entries are independent, at least."""
        return self.rank_in(self.names)

    @property
    def most(self) -> int:
        """How many are, at most."""
        if not self.grams:
            return self.entries
        n = self.grams[0][1].size
        return n * (n + 1) // 2

    def rank_in(self, names: frozenset[str]) -> int:
        """The rank of its gradients in the columns of some parameters, at least."""
        times = Counter([line.name for _, line in self.grams] + [s.name for s in self.squares])
        own = {n for n in names if times[n] == 1}
        if self.squares:
            targets = [np.unique(s.target) for s in self.squares if s.name in own]
            met = np.unique(np.concatenate(targets)) if targets else np.zeros(0)
            return int(np.count_nonzero(met >= 0))
        lines = [line for c, line in self.grams if line.name in own and c]
        if not lines:
            return 0
        # P'ᵀA + AᵀP' over all A, at a P of rank m: every symmetric matrix but those on the kernel of P
        n = lines[0].size
        m = min(n, sum(prod(line.view) // n for line in lines))
        return n * m - m * (m - 1) // 2


def peeled(laws: Sequence[Outline]) -> int:
    """A lower bound of the number of independent entries of all laws together."""
    waiting, total = list(laws), 0
    while waiting:
        uses = Counter(n for law in waiting for n in law.names)
        gains = [
            law.rank_in(frozenset(n for n in law.names if uses[n] == 1)) if law.known else 0
            for law in waiting
        ]
        whole = [k for k, law in enumerate(waiting) if gains[k] and gains[k] >= law.rank]
        best = whole[0] if whole else int(np.argmax(gains))
        if not gains[best]:  # nothing is apart: leave the smallest out
            best = min(range(len(waiting)), key=lambda k: waiting[k].most)
        total += gains[best]
        waiting.pop(best)
    return total
