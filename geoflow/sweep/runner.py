"""Runs tasks: here, in processes of this machine, or on the workers of a Dask cluster.

Outcomes come as they are ready, in any order, each with the key of its task. A worker that dies costs what it was
doing; a task that kills its worker again and again becomes a row that says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import cast

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.rows import Failure, Outcome
from geoflow.sweep.task import Task, perform

Work = Callable[[Task], Outcome]
Outcomes = Iterator[tuple[str, Outcome]]
_MOST_AHEAD = 500  # tasks that wait on a cluster's scheduler
_PATIENCE = 30  # seconds for a scheduler to answer


def run_tasks(
    tasks: Mapping[str, Task], jobs: int = 1, scheduler: str | None = None, work: Work = perform
) -> Outcomes:
    """The outcome of every task, by key.

    Raises:
        DiagnosticError: the cluster cannot be reached, or was lost on the way.
    """
    if scheduler is not None:
        return _on_cluster(tasks, scheduler, work)
    return _in_processes(tasks, jobs, work) if jobs > 1 and len(tasks) > 1 else _here(tasks, work)


def _here(tasks: Mapping[str, Task], work: Work) -> Outcomes:
    for key, task in tasks.items():
        yield key, work(task)


# ---------------------------------------------------------------- one machine


def _in_processes(tasks: Mapping[str, Task], jobs: int, work: Work) -> Outcomes:
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    waiting = dict(tasks)
    while waiting:
        before = len(waiting)
        with suppress(TerminatedWorkerError):
            with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
                parallel = Parallel(return_as="generator_unordered")
                calls = (delayed(_keyed)(work, *item) for item in tuple(waiting.items()))
                for key, outcome in cast(Outcomes, parallel(calls)):
                    del waiting[key]
                    yield key, outcome
            return
        if len(waiting) == before:  # no progress: find the task that kills its worker
            key = next(iter(waiting))
            yield key, _alone(waiting.pop(key), work)


def _keyed(work: Work, key: str, task: Task) -> tuple[str, Outcome]:
    return key, work(task)


def _alone(task: Task, work: Work) -> Outcome:
    """The outcome of a task in a process of its own."""
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with ProcessPoolExecutor(max_workers=1) as executor:
        try:
            return executor.submit(work, task).result()
        except TerminatedWorkerError:
            return _died()


def _died() -> Outcome:
    message = "The process that worked on this model was killed, probably for want of memory."
    return Outcome(None, failure=Failure("GEO0902", message))


# ---------------------------------------------------------------- many machines


def _on_cluster(tasks: Mapping[str, Task], address: str, work: Work) -> Outcomes:
    try:
        from distributed import Client, Future, KilledWorker, as_completed
    except ImportError:
        message = "`--scheduler` needs Dask, which is not installed."
        hint = 'pip install "geoflow[cluster]"'
        raise DiagnosticError(Diagnostic("GEO0902", message, hints=(hint,))) from None
    try:
        client = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise DiagnosticError(_unreachable(address, error)) from None
    with client:
        left = iter(tasks.items())
        keys: dict[Future, str] = {}

        def submit(count: int) -> list[Future]:
            made = []
            for key, task in itertools.islice(left, count):
                future = client.submit(work, task, pure=False)
                keys[future] = key
                made.append(future)
            return made

        ready = as_completed(submit(_MOST_AHEAD))
        for future in ready:
            key = keys.pop(future)
            try:
                outcome = future.result()
            except KilledWorker:
                outcome = _died()
            except (OSError, CancelledError) as error:  # the connection is gone, and the cluster
                raise DiagnosticError(_lost(address, error)) from None
            except Exception as error:  # such as a worker that has no geoflow
                what = f"A worker could not run this: {type(error).__name__}: {error}."
                outcome = Outcome(None, failure=Failure("GEO0902", what))
            for more in submit(1):
                ready.add(more)
            yield key, outcome


def _unreachable(address: str, error: Exception) -> Diagnostic:
    message = f"No Dask scheduler answers at {address}: {error}."
    hint = "start one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`"
    return Diagnostic("GEO0902", message, hints=(hint,))


def _lost(address: str, error: Exception) -> Diagnostic:
    message = f"The Dask scheduler at {address} was lost: {error}."
    return Diagnostic("GEO0902", message, hints=("finished rows are kept: go on with --resume",))
