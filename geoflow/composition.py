"""Certificates, counts and facts of a direct sum, from those of its summands (docs/method.md, "Direct sums")."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from geoflow.lie.chance import error_bound, sum_degree
from geoflow.lie.facts import Facts
from geoflow.results import (
    AnchoredRows,
    BallRun,
    Certificate,
    LawCount,
    RankRun,
    Status,
    SummandRank,
    Verdict,
)

T = TypeVar("T")
_FACTS: tuple[Verdict, ...] = ("proved", "probable", "undecided")


@dataclass(frozen=True)
class Times(Generic[T]):
    """What is said of each of so many equal summands."""

    count: int
    of: T


def _in_words(count: int, parameters: int) -> str:
    numbers = f"{parameters:,} parameter{'s' * (parameters != 1)}"
    return f"{count} equal blocks of {numbers}" if count > 1 else f"one of {numbers}"


def in_words(summands: Sequence[SummandRank]) -> str:
    """`24 equal blocks of 98,304 parameters`."""
    return ", ".join(_in_words(s.count, s.parameters) for s in summands)


def of_certificates(
    parts: Sequence[tuple[Times[Certificate], SummandRank]], seed: int
) -> Certificate:
    """The evidence for the sum: ranks add, since the Lie algebra is a direct sum."""
    own = [times for times, _ in parts]
    best = [sorted(t.of.runs, key=lambda r: -(r.ranks[-1] if r.ranks else 0)) for t in own]
    settled = [t.of.error_bound == 0.0 for t in own]  # one run is then enough
    counts = [len(b) for b, s in zip(best, settled, strict=True) if not s]
    runs = []
    for k in range(min(counts or map(len, best))):
        chosen = [runs_of[min(k, len(runs_of) - 1)] for runs_of in best]
        depth = max(len(r.ranks) for r in chosen)
        ranks = tuple(
            sum(
                t.count * r.ranks[min(d, len(r.ranks) - 1)]
                for t, r in zip(own, chosen, strict=True)
            )
            for d in range(depth)
        )
        words = sum(r.words for r in chosen)
        begun = [
            (t.count, r.anchored)
            for t, r in zip(own, chosen, strict=True)
            if r.anchored is not None
        ]
        anchored = _together(begun) if begun else None
        ranks = ranks[-1:] if anchored else ranks
        sample = min(r.sample for r in chosen)
        degree = sum_degree([r for r, s in zip(chosen, settled, strict=True) if not s], sample)
        runs.append(
            RankRun(
                chosen[0].prime,
                ranks,
                words,
                chosen[0].point,
                anchored,
                max(r.letters for r in chosen),
                degree,
                sample,
            )
        )
    bounds = [t.of.error_bound for t in own]
    rank = max(r.ranks[-1] for r in runs)
    estimated = any(t.of.estimated for t in own)
    balls = [t.of.balls for t in own if t.of.estimated]
    proof = None
    if estimated and all(b is not None for b in balls):
        bits = min(b.precision for b in balls if b is not None)
        proof = BallRun(sum(t.count * t.of.rank for t in own), bits, ())
    closed = [t.of.closed_by for t in own]
    return Certificate(
        dimension=sum(t.count * t.of.dimension for t in own),
        runs=tuple(runs),
        seed=seed,
        degree=max(r.degree for r in runs),
        error_bound=None if None in bounds else float(error_bound(runs, rank)),
        closed_by="in each block, " + "; ".join(dict.fromkeys(closed)) if all(closed) else "",
        complete=all(t.of.complete for t in own),
        late=any(t.of.late for t in own),
        disagreeing=any(t.of.disagreeing for t in own),
        estimated=estimated,
        balls=proof,
        assumed=any(t.of.assumed for t in own),
        summands=tuple(s for _, s in parts),
    )


def _together(parts: Sequence[tuple[int, AnchoredRows]]) -> AnchoredRows:
    """The sparse fields of all summands."""
    rows, columns = (sum(n * a.core[k] for n, a in parts) for k in (0, 1))
    return AnchoredRows(
        sum(n * a.generators for n, a in parts),
        sum(n * a.brackets for n, a in parts),
        sum(n * a.peeled for n, a in parts),
        (rows, columns),
    )


def of_counts(parts: Sequence[Times[LawCount]], said: str) -> LawCount:
    """The count of the sum. `said`: what it is a sum of."""
    own = [t.of for t in parts]
    statuses = {c.status for c in own}
    status: Status = (
        "bounded" if "bounded" in statuses else "probable" if "probable" in statuses else "proved"
    )
    bounds = [c.error_bound for c in own if c.status == "probable"]
    reasons = "; ".join(dict.fromkeys(c.reason for c in own if c.reason))
    return LawCount(
        sum(t.count * t.of.lower for t in parts),
        sum(t.count * t.of.upper for t in parts),
        status,
        _union(bounds) if status == "probable" else None,
        f"a direct sum of {said}: {reasons}",
        all(c.exact for c in own),
        "path-lifting" if any(c.of == "path-lifting" for c in own) else "flow",
    )


def _union(bounds: Sequence[float | None]) -> float | None:
    """That one of several fails."""
    return None if None in bounds else min(1.0, math.fsum(b or 0.0 for b in bounds))


def of_facts(parts: Sequence[Times[Facts]]) -> Facts:
    """Brackets of different summands vanish: what holds of all holds of the sum."""
    own = [t.of for t in parts]

    def weakest(name: str) -> Verdict:
        return _FACTS[max(_FACTS.index(f.status[name]) for f in own)]

    def every(name: str) -> tuple[bool, Verdict]:
        failing = [f.status[name] for f in own if not f.values[name]]
        if failing:
            return False, _FACTS[min(map(_FACTS.index, failing))]
        return True, weakest(name)

    involutive, commuting = every("involutive"), every("commuting")
    values: dict[str, Any] = {
        "involutive": involutive[0],
        "commuting": commuting[0],
        "depth": _all([f.values["depth"] for f in own], max),
        "kernel": _all([t.count * (t.of.values["kernel"] or 0) for t in parts], sum),
    }
    status: dict[str, Verdict] = {
        "involutive": involutive[1],
        "commuting": commuting[1],
        "depth": weakest("depth"),
        "kernel": weakest("kernel"),
    }
    unknown = {n for n in values for f in own if f.values[n] is None}
    values |= dict.fromkeys(unknown)
    status |= dict.fromkeys(unknown, "undecided")
    return Facts(values, status)


def _all(values: Sequence[Any], combine: Callable[[Sequence[Any]], Any]) -> Any:
    """Nothing where one of them is not known."""
    return None if any(v is None for v in values) else combine(values)
