"""geoflow against the oracle on random models drawn from the whole language.

    python -m tests.trust.differential --models 1000 --seed 0 --jobs 2 --json table.json

Each model is checked twice: as it is drawn, and with claims, true and false. A model that the oracle cannot decide is
replaced by another one of the same seed, and counted apart.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.results import ModelReport
from tests.oracle.evaluation import Unread
from tests.oracle.second_opinion import GaveUp, Opinion

from .claiming import claims
from .drawing import Drawn, draw
from .judging import Judgement, judge

ATTEMPTS = 20
# a map that is constant, one without classes under cross-entropy, a flow that is defined nowhere
BENIGN = {"GEO0408", "GEO0409", "GEO0509"}
BATCH = 5  # models a task
PATIENCE = 12  # seconds of processor time for each of the oracle's answers


@dataclass(frozen=True)
class Outcome:
    """One model, with all judgements; `replaced`: why other draws of the seed were put aside."""

    seed: int
    shape: str
    flow: str
    text: str
    exact: bool
    count: int
    judgements: tuple[Judgement, ...]
    replaced: tuple[str, ...] = ()

    @property
    def wrong(self) -> list[Judgement]:
        """Every disagreement."""
        return [j for j in self.judgements if j.agreement in ("wrong", "probable and wrong")]


@contextmanager
def patience() -> Iterator[None]:
    """The oracle gives up on what takes it too long: such a model is replaced, and counted apart."""

    def give_up(*_: object) -> None:
        raise GaveUp("out of patience")

    before = signal.signal(signal.SIGVTALRM, give_up)
    again = 1  # second: a collector's callback would swallow the exception
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE, again)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


class Refused(Exception):
    """geoflow takes the text for a mistake."""


def report_of(text: str, seed: int) -> ModelReport:
    """geoflow's report on the one model of a text.

    Raises:
        Refused: with the codes.
    """
    report = check_text(text, "<drawn>", CheckOptions(verify=False, seed=seed))
    errors = [
        d for d in report.diagnostics if d.severity == "error" and not d.code.startswith("GEO06")
    ]
    if errors or not report.models:
        raise Refused("; ".join(f"{d.code} {d.message}" for d in errors))
    return report.models[0]


def compare(seed: int) -> Outcome:
    """The model of a seed, decided by both."""
    replaced = []
    for attempt in range(ATTEMPTS):
        drawn = draw(seed, attempt)
        try:
            return _compare(drawn, seed, tuple(replaced))
        except (GaveUp, Unread) as error:
            replaced.append(f"the oracle: {error}")
        except Refused as error:
            if str(error).split(" ")[0] not in BENIGN:
                judgement = Judgement("text", "refused", "wrong", str(error))
                return Outcome(seed, drawn.shape, drawn.flow, drawn.text, False, 0, (judgement,))
            replaced.append(str(error).split(" ")[0])
    raise RuntimeError(f"no model of seed {seed} can be decided: {replaced}")


def _compare(drawn: Drawn, seed: int, replaced: tuple[str, ...]) -> Outcome:
    first = report_of(drawn.text, seed)
    before = Opinion(drawn.text, seed)
    with patience():
        count = before.best.count
        _ = before.best.commuting, before.best.kernel
    with patience():
        judgements = judge(drawn.text, first, before)
    text = drawn.text + "\n".join(claims(drawn, first, seed)) + "\n"
    try:
        second = report_of(text, seed)
    except Refused as error:  # a claim without a meaning, such as a quotient by zero
        judgements.append(Judgement("claims", "refused", "not decided", str(error)))
    else:
        opinion = Opinion(text, seed)
        with patience():
            judgements += [j for j in judge(text, second, opinion) if j.kind.startswith("claim")]
        if (second.laws.upper, second.dimension) != (first.laws.upper, first.dimension):
            judgements.append(Judgement("count", "changed by claims", "wrong"))
    return Outcome(
        seed, drawn.shape, drawn.flow, text, before.exact, count, tuple(judgements), replaced
    )


def batch(seeds: Sequence[int]) -> list[Outcome]:
    """The models of some seeds."""
    return [compare(seed) for seed in seeds]


def outcomes(first: int, number: int, jobs: int) -> Iterator[Outcome]:
    """All models, in the order of their seeds; a process makes a hundred or so and ends, for its memory."""
    seeds = list(range(first, first + number))
    batches = [seeds[i : i + BATCH] for i in range(0, number, BATCH)]
    with get_context("spawn").Pool(jobs, maxtasksperchild=25) as pool:
        for found in pool.imap(batch, batches):
            yield from found


@dataclass
class Table:
    """What was drawn, and what came of it."""

    models: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    flows: Counter[str] = field(default_factory=Counter)
    counts: Counter[int] = field(default_factory=Counter)
    arithmetic: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    said: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    wrong: list[Outcome] = field(default_factory=list)
    undecided: list[dict[str, object]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """One more model."""
        self.models += 1
        self.shapes[outcome.shape] += 1
        self.flows[outcome.flow] += 1
        self.counts[outcome.count] += 1
        self.arithmetic["over Q" if outcome.exact else "in 60 digits"] += 1
        self.replaced.update(outcome.replaced)
        for j in outcome.judgements:
            self.said[j.kind, j.word, j.agreement] += 1
            if j.agreement == "undecided" and not j.kind.startswith("fact"):
                self.undecided.append({"seed": outcome.seed, "kind": j.kind, "detail": j.detail})
        if outcome.wrong:
            self.wrong.append(outcome)

    def number(self, agreement: str) -> int:
        """How many judgements ended so."""
        return sum(n for (_, _, a), n in self.said.items() if a == agreement)

    def lines(self) -> list[str]:
        """For people."""

        def listed(title: str, counter: Counter[str] | Counter[int]) -> Iterator[str]:
            yield f"\n{title}"
            yield from (f"  {n:6}  {name}" for name, n in counter.most_common())

        found = [f"{self.models} models"]
        found += listed("maps", self.shapes)
        found += listed("flows", self.flows)
        found += listed("laws of a model", self.counts)
        found += listed("the oracle's arithmetic", self.arithmetic)
        found += listed("draws put aside", self.replaced)
        found.append(f"\n{'said of':20} {'word':18} agreement")
        found += [f"  {k:18} {w:18} {a:20} {n:6}" for (k, w, a), n in sorted(self.said.items())]
        names = ("agrees", "undecided", "not decided", "probable and wrong", "wrong")
        found.append("\n" + ", ".join(f"{n}: {self.number(n)}" for n in names))
        return found

    def data(self) -> dict[str, object]:
        """For programs."""
        return {
            "models": self.models,
            "maps": dict(self.shapes),
            "flows": dict(self.flows),
            "laws": {str(k): n for k, n in sorted(self.counts.items())},
            "arithmetic": dict(self.arithmetic),
            "put_aside": dict(self.replaced),
            "said": [
                {"of": k, "word": w, "agreement": a, "number": n}
                for (k, w, a), n in sorted(self.said.items())
            ],
            "wrong": [asdict(o) for o in self.wrong],
            "undecided": self.undecided,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the table, and fail if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first model")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the table there too")
    given = parser.parse_args(arguments)
    table = Table()
    for outcome in outcomes(given.seed, given.models, given.jobs):
        table.add(outcome)
        for j in outcome.wrong:
            print(f"seed {outcome.seed}: {j.kind}, {j.word}, {j.agreement}: {j.detail}", flush=True)
            print(outcome.text, flush=True)
        if table.models % 20 == 0:
            print(
                f"{table.models} models, {table.number('wrong')} wrong", file=sys.stderr, flush=True
            )
            if given.json:  # what there is, should the run be cut off
                given.json.write_text(json.dumps(table.data(), indent=1) + "\n")
    print("\n".join(table.lines()))
    if given.json:
        given.json.write_text(json.dumps(table.data(), indent=1) + "\n")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
