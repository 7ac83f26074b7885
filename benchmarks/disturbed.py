"""Sweeps of 1,000 models that are disturbed give the table of an undisturbed one.

    python -m benchmarks.disturbed                # a worker killed half-way, then the whole sweep, then --resume
    python -m benchmarks.disturbed --kills 20     # and a sweep killed so often at random moments, resumed each time

Everything runs through `geoflow sweep --scheduler` on a Dask cluster of two local workers, without a cache. The seed of
the random moments is 0. The exit status is 1 if a row is lost, wrong, or computed again.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster

FAMILY = """\
model two_layer
dim n = 1, m = 1, r = 1
param U[n, r], V[m, r]
map phi = U @ V.T
sweep n in 1..10, m in 1..10, r in 1..10
"""
MODELS = 1000


def command(file: Path, out: Path, scheduler: str | None, *more: str) -> list[str]:
    """One sweep, rows to `out`."""
    where = ["--scheduler", scheduler] if scheduler else ["--jobs", "2"]
    call = [sys.executable, "-m", "geoflow", "sweep", str(file), "--rank-only", "--no-cache"]
    return [*call, "--format", "json", "--out", str(out), *where, *more]


def lines(out: Path) -> int:
    """How many rows are on disk."""
    return out.read_bytes().count(b"\n") if out.exists() else 0


def table(stdout: bytes) -> list[dict[str, Any]]:
    """Sizes and counts of the rows, without times."""
    rows = json.loads(stdout)["rows"]
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def expected(n: int, m: int, r: int) -> int:
    """The laws of φ = U Vᵀ (docs/method.md)."""
    return r * (r + 1) // 2 if r <= n + m else (n + m) * r - (n + m) * (n + m - 1) // 2


def finished(call: list[str]) -> list[dict[str, Any]]:
    """The table of a sweep that is left alone."""
    return table(subprocess.run(call, check=True, capture_output=True).stdout)


def until(out: Path, rows: int, process: subprocess.Popen[bytes]) -> None:
    """Wait for so many rows on disk, or the end."""
    while lines(out) < rows and process.poll() is None:
        time.sleep(0.02)


def stopped(call: list[str], out: Path, rows: int) -> None:
    """Kill a sweep once so many rows are on disk."""
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(out, rows, process)
    process.kill()
    process.wait()


def main() -> int:
    """Print a line an ordeal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=0)
    given = parser.parse_args()
    failures = 0

    def said(what: str, good: bool) -> None:
        nonlocal failures
        failures += not good
        print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)

    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        here, address = Path(folder), cluster.scheduler_address
        file = here / "family.geo"
        file.write_text(FAMILY, encoding="utf-8")
        undisturbed = finished(command(file, here / "calm.jsonl", None))
        said(f"{len(undisturbed)} rows undisturbed, on this machine", len(undisturbed) == MODELS)
        right = all(r["laws"]["upper"] == expected(r["n"], r["m"], r["r"]) for r in undisturbed)
        said("every count is that of the formula", right)

        out = here / "worker.jsonl"
        process = subprocess.Popen(command(file, out, address), stdout=subprocess.PIPE)
        until(out, MODELS // 2, process)
        first = next(iter(client.run(lambda: __import__("os").getpid()).values()))
        subprocess.run(["kill", f"-{signal.SIGKILL:d}", str(first)], check=True)
        stdout, _ = process.communicate()
        said(
            f"a worker killed after {MODELS // 2} rows: the same table",
            table(stdout) == undisturbed,
        )

        out = here / "sweep.jsonl"
        stopped(command(file, out, address), out, MODELS // 2)
        before = lines(out)
        again = finished(command(file, out, address, "--resume"))
        said(f"a sweep killed after {before} rows, resumed: the same table", again == undisturbed)
        redone = lines(out) - MODELS
        said(f"{MODELS - before} rows computed on resuming, {redone} of them again", redone <= 1)

        if given.kills:
            moments, out = random.Random(0), here / "often.jsonl"
            for _ in range(given.kills):
                call = command(file, out, address, *(["--resume"] if out.exists() else []))
                more = moments.randrange(1, MODELS // (given.kills + 1))
                stopped(call, out, lines(out) + more)
            again = finished(command(file, out, address, "--resume"))
            said(f"killed {given.kills} times and resumed: the same table", again == undisturbed)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
