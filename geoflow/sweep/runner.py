"""Runs tasks: here, in processes of this machine, or on the workers of a Dask cluster.

Outcomes come as they are ready, in any order, each with the key of its task. A worker that dies costs what it was
doing; a task that kills its worker again and again becomes a row that says so.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import closing, suppress

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.rows import Failure, Outcome
from geoflow.signals import held
from geoflow.sweep.task import ONE_THREAD, Task, begin_worker, perform

Work = Callable[[Task], Outcome]
Outcomes = Generator[tuple[str, Outcome], None, None]
_MOST_AHEAD = 500  # tasks that wait on a cluster's scheduler
_HANDING = 5  # seconds at most for tasks to get into a queue
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
    waiting = dict(tasks)
    while waiting:
        before = len(waiting)
        with closing(_pooled(dict(waiting), min(jobs, before), work)) as finished:
            for key, outcome in finished:
                del waiting[key]
                yield key, outcome
        if len(waiting) == before:  # no progress: find the task that kills its worker
            key = next(iter(waiting))
            alone = dict(_pooled({key: waiting.pop(key)}, 1, work))
            yield key, alone.get(key) or _died()


def _pooled(tasks: Mapping[str, Task], workers: int, work: Work) -> Outcomes:
    """The outcomes that a pool of processes comes to; one that loses a worker lacks some. No worker outlives it."""
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    executor = ProcessPoolExecutor(workers, initializer=begin_worker, env=dict(ONE_THREAD))
    left, keys, broken = iter(tasks.items()), dict[Future[Outcome], str](), False
    try:
        while True:
            # no more than the queue of the workers holds
            with suppress(BrokenProcessPool), held():  # workers start here, and inherit the mask
                for key, task in itertools.islice(left, 0 if broken else 2 * workers - len(keys)):
                    keys[executor.submit(work, task)] = key
            if not keys:
                return
            for future in wait(keys, return_when=FIRST_COMPLETED).done:
                key = keys.pop(future)
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    broken = True
                    continue
                except Exception as error:
                    outcome = _not_run(error)
                yield key, outcome
    finally:
        _handed_on(keys)
        executor.shutdown(wait=True, kill_workers=True)


def _handed_on(futures: Collection[Future[Outcome]]) -> None:
    """Wait until all are in the queue of the workers: a pool that is ended before that fails in a thread of its own."""
    end = time.monotonic() + _HANDING
    while time.monotonic() < end and not all(f.running() or f.done() for f in futures):
        time.sleep(0.01)


def _died() -> Outcome:
    message = "The process that worked on this model was killed, probably for want of memory."
    return Outcome(None, failure=Failure("GEO0902", message))


def _not_run(error: Exception) -> Outcome:
    what = f"A worker could not run this: {type(error).__name__}: {error}."
    return Outcome(None, failure=Failure("GEO0902", what))


# ---------------------------------------------------------------- many machines


def _on_cluster(tasks: Mapping[str, Task], address: str, work: Work) -> Outcomes:
    try:
        from distributed import Client, KilledWorker
        from distributed import Future as Remote
        from distributed import as_completed as as_returned
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
        keys: dict[Remote, str] = {}

        def submit(count: int) -> list[Remote]:
            made = []
            for key, task in itertools.islice(left, count):
                future = client.submit(work, task, pure=False)
                keys[future] = key
                made.append(future)
            return made

        ready = as_returned(submit(_MOST_AHEAD))
        for future in ready:
            key = keys.pop(future)
            try:
                outcome = future.result()
            except KilledWorker:
                outcome = _died()
            except (OSError, CancelledError) as error:  # the connection is gone, and the cluster
                raise DiagnosticError(_lost(address, error)) from None
            except Exception as error:  # such as a worker that has no geoflow
                outcome = _not_run(error)
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
