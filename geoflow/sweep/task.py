"""One model of a sweep as a task that any process can run: a text and the options that change its outcome."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import Literal

from geoflow.deadline import Deadline
from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.engine import load_engine
from geoflow.memory import MOST_MEMORY, ran_out
from geoflow.options import CheckOptions
from geoflow.reach import reachable
from geoflow.results import ClaimResult
from geoflow.rows import Failure, Outcome, RowClaim
from geoflow.semantics import load_text
from geoflow.semantics.model import Model
from geoflow.signals import end_with_parent
from geoflow.sweep.build import build


@dataclass(frozen=True)
class Task:
    """A model and how to look at it. `rank_only`: the rank alone is computed, no laws are sought.

    `build` says which program was meant to run it.
    """

    text: str
    seed: int = 0
    gates: Literal["lifted", "real"] | None = None
    rank_only: bool = False
    timeout: float | None = None
    build: str = ""
    memory: int = MOST_MEMORY

    @property
    def key(self) -> str:
        """A digest of everything that an outcome depends on, but for the time it is given."""
        content = {**asdict(self), "timeout": None}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def settled_by(self, outcome: Outcome) -> bool:
        """Whether an outcome under the same key is what this task would find: not if it was given less time."""
        if outcome.cut is None:
            return True
        return self.timeout is not None and self.timeout <= outcome.cut


def perform(task: Task) -> Outcome:
    """The outcome of a task. Whatever goes wrong with its model is in it, never raised."""
    begin = time.monotonic()
    _take_one_thread()
    load_engine()
    try:
        outcome = _outcome(task)
    except DiagnosticError as error:
        outcome = _failed(error.diagnostics)
    except Exception as error:  # one model must not end a sweep of thousands
        outcome = Outcome(None, failure=_fault(error))
    seconds = time.monotonic() - begin
    late = task.timeout is not None and seconds >= task.timeout
    return replace(outcome, seconds=round(seconds, 4), cut=task.timeout if late else None)


def _fault(error: Exception) -> Failure:
    if ran_out(error):
        message = "The process that worked on this model ran out of memory."
        return Failure("GEO0902", message)
    return Failure("GEO0901", f"geoflow failed: {type(error).__name__}: {error}")


def _outcome(task: Task) -> Outcome:
    if task.build != build():
        message = "The worker has another version of geoflow or of a library that it computes with."
        return Outcome(None, failure=Failure("GEO0902", message))
    models, diagnostics = load_text(task.text, "<sweep>")
    if len(models) != 1:
        return _failed(diagnostics)
    return _counted(models[0], task) if task.rank_only else _checked(models[0], task)


def _checked(model: Model, task: Task) -> Outcome:
    from geoflow.pipeline import check_model

    options = CheckOptions(
        seed=task.seed, timeout=task.timeout, verify=False, gates=task.gates, memory=task.memory
    )
    report, _ = check_model(model, options)
    return Outcome(report.laws, _claims(report.claims))


def _counted(model: Model, task: Task) -> Outcome:
    """The rank alone: how many laws at most, and probably."""
    from geoflow.analysis import count, law_count
    from geoflow.claims import count_results
    from geoflow.lower import lower

    deadline = Deadline.after(task.timeout)
    flow = reachable(model, lambda: lower(model, task.seed))
    if task.gates is not None:
        flow = flow.with_gates(task.gates)
    laws = law_count(
        reachable(model, lambda: count(flow, task.seed, deadline, task.memory)), proved=0
    )
    return Outcome(laws, _claims(count_results(model, laws)))


def _claims(claims: list[ClaimResult] | tuple[ClaimResult, ...]) -> tuple[RowClaim, ...]:
    return tuple(RowClaim(c.kind, c.text, c.verdict, c.expected, c.detail) for c in claims)


def _failed(diagnostics: tuple[Diagnostic, ...]) -> Outcome:
    first = next(d for d in diagnostics if d.severity == "error")
    return Outcome(None, failure=Failure(first.code, first.message))


ONE_THREAD = (("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1"), ("MKL_NUM_THREADS", "1"))


def begin_worker() -> None:
    """What a process of this machine does before its first task: it leaves Ctrl-C to its parent, and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})
    end_with_parent()


def _take_one_thread() -> None:
    """A worker is one of many: its libraries take one thread each. Too late where they are loaded already."""
    if "jax" not in sys.modules:
        flags = os.environ.get("XLA_FLAGS", "")
        if "xla_cpu_multi_thread_eigen" not in flags:
            one = "--xla_cpu_multi_thread_eigen=false"
            os.environ["XLA_FLAGS"] = f"{flags} {one}".strip()
        for name, value in ONE_THREAD:
            os.environ.setdefault(name, value)
