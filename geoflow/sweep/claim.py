"""What `check` says of a model with `sweep`: whether its claims on the number of laws hold over the family.

Only ranks are computed, small members first, and only for as long as a reader of the verdict on one model waits;
`geoflow sweep` does the rest.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

from geoflow.deadline import Deadline
from geoflow.options import CheckOptions
from geoflow.results import ClaimResult, Verdict
from geoflow.rows import Outcome, told
from geoflow.semantics.model import Model
from geoflow.sweep.cache import DiskCache, NoCache, cache_folder
from geoflow.sweep.grid import Member, family
from geoflow.sweep.sweep import Sweep, SweepOptions

PATIENCE = 10.0  # seconds for a family where the caller names no timeout


@dataclass(frozen=True)
class OverSizes:
    """Judges the claims of models over their families. `cached`: counts known on disk serve, and new ones are kept."""

    cached: bool = False

    def __call__(self, model: Model, options: CheckOptions) -> ClaimResult | None:
        """The verdict; None where no claim is on the number of laws."""
        assert model.sweep is not None
        if all(size.name in options.overrides for size in model.sweep.sizes):
            return None  # no size is left to sweep
        seconds = options.timeout or PATIENCE
        settings = SweepOptions(
            options.seed, options.gates, rank_only=True, timeout=seconds, memory=options.memory
        )
        with closing(DiskCache(cache_folder()) if self.cached else NoCache()) as cache:
            sweep = Sweep(family(model, fixed=options.overrides), settings, cache)
            return _judged(model, sweep, Deadline.after(seconds))


def _judged(model: Model, sweep: Sweep, deadline: Deadline) -> ClaimResult | None:
    done = claims = 0
    verdict: Verdict = "proved"
    of = ""
    base = _base(model, len(sweep.members))
    for member, outcome in sweep.run():
        if outcome.cut is not None:
            break
        if not outcome.good:
            return _failing(base, member, outcome)
        done, claims = done + 1, claims + len(outcome.claims)
        if outcome.laws is not None and outcome.laws.of == "path-lifting":
            of = ", for the path-lifting"
        if any(claim.verdict == "probable" for claim in outcome.claims):
            verdict = "probable"
        if deadline.passed:
            break
    if done == len(sweep.members):
        held = replace(base, verdict=verdict, detail=f"holds at all of them{of}")
        return held if claims else None
    detail = f"holds at the first {done}{of}, when the time ran out"
    return replace(base, detail=detail, hints=("`geoflow sweep` counts them all",))


def _base(model: Model, total: int) -> ClaimResult:
    assert model.sweep is not None
    text = f"expect laws over {total} sizes"
    return ClaimResult("sweep", text, "undecided", line=model.sweep.span.line)


def _failing(base: ClaimResult, member: Member, outcome: Outcome) -> ClaimResult:
    """The first size at which there is no count, or a claim does not hold."""
    where = told(member.sizes)
    if outcome.failure is not None:
        detail = f"no count at {where}: {outcome.failure.message} ({outcome.failure.code})"
        return replace(base, detail=detail, hints=("leave such sizes out with `when`",))
    claim = next(claim for claim in outcome.claims if not claim.holds)
    detail = f"fails at {where}: {claim.detail}, not {claim.expected}"
    return replace(base, verdict=claim.verdict, detail=detail, witness=(claim.text,))
