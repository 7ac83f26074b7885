"""What a sweep over the sizes of a model returns: frozen, JSON-ready data, one row a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geoflow.results import HOLDS, LawCount, Verdict

Sizes = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class RowClaim:
    """The verdict on a claim at the sizes of a row."""

    kind: str
    text: str
    verdict: Verdict
    expected: int | None = None
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is proved or probable."""
        return self.verdict in HOLDS


@dataclass(frozen=True)
class Failure:
    """Why there is no count: a diagnostic of the model at these sizes, or of the run."""

    code: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What was found of one model, wherever it ran. `laws` is None where there is a `failure`.

    `cut` is the timeout in seconds that may have stopped the work early.
    """

    laws: LawCount | None
    claims: tuple[RowClaim, ...] = ()
    failure: Failure | None = None
    seconds: float = 0.0
    cut: float | None = None

    @property
    def count(self) -> int | None:
        """The number of laws, proved or probable."""
        settled = self.laws is not None and self.laws.status != "bounded" and self.cut is None
        return self.laws.upper if settled and self.laws is not None else None

    @property
    def good(self) -> bool:
        """Whether there is a count, and every claim holds."""
        return self.failure is None and all(claim.holds for claim in self.claims)


@dataclass(frozen=True)
class Row:
    """One member of a family."""

    sizes: Sizes
    outcome: Outcome


@dataclass(frozen=True)
class Branch:
    """A polynomial in the sizes and where it is the count, in the words of the language; `when` may be empty."""

    laws: str
    when: str


@dataclass(frozen=True)
class Formula:
    """A formula that fits the counts of a sweep: found on `fitted` sizes, right on `verified` others. No proof.

    At the `exceptions` the count is another number.
    """

    branches: tuple[Branch, ...]
    fitted: int
    verified: int
    exceptions: tuple[tuple[Sizes, int], ...] = ()

    @property
    def text(self) -> str:
        """The branches in a line."""
        parts = [f"{b.laws} when {b.when}" if b.when else b.laws for b in self.branches]
        parts += [f"{count} when {written(sizes)}" for sizes, count in self.exceptions]
        return "; ".join(parts)

    @property
    def claims(self) -> tuple[str, ...]:
        """The formula as statements for the file."""
        others = [f"not ({written(sizes)})" for sizes, _ in self.exceptions]
        lines = []
        for branch in self.branches:
            parts = [branch.when] if branch.when else []
            condition = " and ".join([*parts, *others])
            lines.append(f"expect laws = {branch.laws}" + (f" when {condition}" * bool(condition)))
        lines += [f"expect laws = {n} when {written(sizes)}" for sizes, n in self.exceptions]
        return tuple(lines)


def written(sizes: Sizes) -> str:
    """Sizes as a condition: `n == 1 and r == 2`."""
    return " and ".join(f"{name} == {value}" for name, value in sizes)


def told(sizes: Sizes) -> str:
    """Sizes in a sentence: `n = 1, r = 2`."""
    return ", ".join(f"{name} = {value}" for name, value in sizes)


@dataclass(frozen=True)
class ClaimOverSweep:
    """A claim over the sizes at which it stands. `first` is the first row where it does not hold, of `failing` rows."""

    text: str
    sizes: int
    verdict: Verdict
    failing: int = 0
    first: Row | None = None
    detail: str = ""


def claims_over(rows: Sequence[Row]) -> tuple[ClaimOverSweep, ...]:
    """The claims of all rows, each once, with the weakest of its verdicts."""
    by_text: dict[str, list[tuple[Row, RowClaim]]] = {}
    for row in rows:
        for claim in row.outcome.claims:
            by_text.setdefault(claim.text, []).append((row, claim))
    found = []
    for text, pairs in by_text.items():
        worst = _WEAKNESS[max(_WEAKNESS.index(claim.verdict) for _, claim in pairs)]
        failing = [(row, claim) for row, claim in pairs if not claim.holds]
        first = next(((r, c) for r, c in failing if c.verdict == worst), None)
        found.append(
            ClaimOverSweep(
                text,
                len(pairs),
                worst,
                len(failing),
                first[0] if first else None,
                first[1].detail if first else "",
            )
        )
    return tuple(found)


_WEAKNESS: tuple[Verdict, ...] = (
    "proved",
    "probable",
    "undecided",
    "probably refuted",
    "refuted",
)


@dataclass(frozen=True)
class SweepReport:
    """The outcome of a sweep. `reused` rows were known before, from a journal or the cache."""

    file: str
    model: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    formula: Formula | None
    reused: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where a row has failed, or a claim does not hold."""
        return 0 if all(row.outcome.good for row in self.rows) else 1
