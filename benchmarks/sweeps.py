"""How many models of a sweep a second, by workers of a Dask cluster on this machine.

    python -m benchmarks.sweeps [MODELS] [--rank-only]

A family of two-layer linear networks is swept with one worker and with two, each a process with one thread, neither
with a cache. The time is that of the rows alone, from the second: workers that start are not counted.
"""

from __future__ import annotations

import argparse
import time

from distributed import Client, LocalCluster

from geoflow.semantics import load_text
from geoflow.sweep.grid import family
from geoflow.sweep.runner import run_tasks
from geoflow.sweep.sweep import Sweep, SweepOptions
from geoflow.sweep.task import Task, perform

MODEL = """\
model lin
dim n = 2, m = 2, r = 2
param U[n, r], V[m, r]
map phi = U @ V.T
sweep n in 1..10, m in 1..10, r in 1..10
"""


def tasks(count: int, rank_only: bool) -> dict[str, Task]:
    """So many members, large and small mixed."""
    (model,), _ = load_text(MODEL)
    every = list(Sweep(family(model), SweepOptions(rank_only=rank_only)).tasks.items())
    step = len(every) / count
    return dict(every[int(i * step)] for i in range(count))


def rate(workers: int, work: dict[str, Task]) -> tuple[float, float]:
    """Rows a second, and how many workers were busy on average."""
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        first = next(iter(work.values()))
        client.run(perform, first)  # imports, on every worker
        begin = time.perf_counter()
        found = dict(run_tasks(work, scheduler=cluster.scheduler_address))
        seconds = time.perf_counter() - begin
    assert set(found) == set(work) and all(o.failure is None for o in found.values())
    return len(work) / seconds, sum(outcome.seconds for outcome in found.values()) / seconds


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", type=int, nargs="?", default=200)
    parser.add_argument("--rank-only", action="store_true", help="counts without laws")
    given = parser.parse_args()
    count, work = given.models, tasks(given.models, given.rank_only)
    (one, busy_one), (two, busy_two) = rate(1, work), rate(2, work)
    print(
        f"{count} models: {one:.1f} a second on one worker, {two:.1f} on two: {two / one:.2f} times"
    )
    print(f"workers busy on average: {busy_one:.2f} of one, {busy_two:.2f} of two")


if __name__ == "__main__":
    main()
