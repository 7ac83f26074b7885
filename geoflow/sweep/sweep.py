"""A sweep: the members of a family that are not known yet are run, and all of them become rows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from geoflow.memory import MOST_MEMORY
from geoflow.rows import Outcome, Row, SweepReport
from geoflow.sweep.build import build
from geoflow.sweep.cache import Cache, NoCache
from geoflow.sweep.grid import Family, Member
from geoflow.sweep.journal import Journal
from geoflow.sweep.runner import run_tasks
from geoflow.sweep.task import Task

Progress = Callable[[int, int], None]  # rows done, of how many


@dataclass(frozen=True)
class SweepOptions:
    """How every member is looked at (`seed`, `gates`, `rank_only`, `timeout`, in seconds for each,
    and `memory`, in bytes for each), and where."""

    seed: int = 0
    gates: Literal["lifted", "real"] | None = None
    rank_only: bool = False
    timeout: float | None = None
    jobs: int = 1
    scheduler: str | None = None
    memory: int = MOST_MEMORY


@dataclass
class Sweep:
    """The members of a family and what is known of them."""

    family: Family
    options: SweepOptions
    cache: Cache = field(default_factory=NoCache)
    journal: Journal | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.members: tuple[Member, ...] = self.family.members()
        tasks = [None if m.failure else self._task(m) for m in self.members]
        self.keys: tuple[str, ...] = tuple(
            str(member.sizes) if task is None else task.key
            for member, task in zip(self.members, tasks, strict=True)
        )
        self.tasks: Mapping[str, Task] = {
            key: task for key, task in zip(self.keys, tasks, strict=True) if task is not None
        }
        self.outcomes: dict[str, Outcome] = {
            key: Outcome(None, failure=member.failure)
            for key, member in zip(self.keys, self.members, strict=True)
            if member.failure
        }
        self.by_key = dict(zip(self.keys, self.members, strict=True))
        self.reused = 0

    def _task(self, member: Member) -> Task:
        o = self.options
        text = self.family.text_at(member.sizes)
        return Task(text, o.seed, o.gates, o.rank_only, o.timeout, build(), o.memory)

    def run(self) -> Generator[tuple[Member, Outcome], None, None]:
        """Every member with its outcome as soon as it is known.

        Raises:
            DiagnosticError: the cluster cannot be reached, or was lost on the way.
        """
        for key, outcome in list(self.outcomes.items()):
            yield self.by_key[key], outcome
        for key, task in self.tasks.items():
            outcome = self._known(key, task)
            if outcome is not None:
                self.outcomes[key] = outcome
                self.reused += 1
                yield self.by_key[key], outcome
        waiting = {key: task for key, task in self.tasks.items() if key not in self.outcomes}
        with closing(run_tasks(waiting, self.options.jobs, self.options.scheduler)) as running:
            for key, outcome in running:
                self.outcomes[key] = outcome
                self._keep(self.by_key[key], key, outcome)
                yield self.by_key[key], outcome

    def _known(self, key: str, task: Task) -> Outcome | None:
        if self.journal is not None and key in self.journal.known:
            outcome = self.journal.known[key]
            return outcome if task.settled_by(outcome) else None
        outcome = self.cache.get(key)
        if outcome is None or not task.settled_by(outcome):
            return None
        self._write(self.by_key[key], key, outcome)
        return outcome

    def _keep(self, member: Member, key: str, outcome: Outcome) -> None:
        """Write a row down; faults of a run are none of its model, and tried again another time."""
        if outcome.failure is None or not outcome.failure.code.startswith("GEO09"):
            self._write(member, key, outcome)
            self.cache.put(key, outcome)

    def _write(self, member: Member, key: str, outcome: Outcome) -> None:
        if self.journal is None:
            return
        try:
            self.journal.add(key, outcome, member.sizes)
        except OSError as error:
            self.notes.append(f"rows cannot be written to {self.journal.path}: {error.strerror}")
            self.journal = None

    def rows(self) -> tuple[Row, ...]:
        """The rows that are known, ordered by their sizes."""
        pairs = zip(self.members, self.keys, strict=True)
        found = (Row(m.sizes, self.outcomes[key]) for m, key in pairs if key in self.outcomes)
        return tuple(sorted(found, key=lambda row: [value for _, value in row.sizes]))


def run_sweep(
    sweep: Sweep, file: str, progress: Progress = lambda done, total: None
) -> SweepReport:
    """Run a sweep to its end.

    Raises:
        DiagnosticError: the cluster cannot be reached, or was lost on the way.
    """
    begin = time.perf_counter()
    total = len(sweep.members)
    progress(0, total)
    try:
        with closing(sweep.run()) as running:
            for done, _ in enumerate(running, start=1):
                progress(done, total)
    finally:
        if sweep.journal is not None:
            sweep.journal.close()
    rows = sweep.rows()
    notes = [*sweep.notes, *sweep.cache.notes]
    if sweep.journal is not None and sweep.journal.torn:
        notes.append(
            f"{sweep.journal.torn} torn or unreadable lines of {sweep.journal.path} were left out"
        )
    open_rows = sum(row.outcome.failure is None and row.outcome.count is None for row in rows)
    if open_rows:
        notes.append(f"{open_rows} counts are not settled and take no part in the formula")
    from geoflow.sweep.discovery import discover  # loads SymPy, which a check does without

    counts = {row.sizes: n for row in rows if (n := row.outcome.count) is not None}
    return SweepReport(
        file,
        sweep.family.name,
        sweep.family.names,
        rows,
        discover(counts),
        sweep.reused,
        time.perf_counter() - begin,
        tuple(notes),
    )


def journal_path(folder: Path, sweep: Sweep) -> Path:
    """Where the rows of a sweep are kept when no file is named."""
    digest = hashlib.sha256("\n".join(sorted(sweep.keys)).encode()).hexdigest()
    return folder / "sweeps" / f"{sweep.family.name}-{digest[:16]}.jsonl"
