"""Runs that are disturbed: models that fail, workers and sweeps that are killed. No row is lost, none wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from geoflow.results import LawCount
from geoflow.rows import Outcome, claims_over
from geoflow.sweep.journal import Journal
from geoflow.sweep.runner import run_tasks
from geoflow.sweep.sweep import Sweep, SweepOptions, run_sweep
from geoflow.sweep.task import Task

from .families import LINEAR, opened

RANKS = SweepOptions(rank_only=True)


def rows(text: str, options: SweepOptions = RANKS):
    return run_sweep(Sweep(opened(text), options), "f").rows


def test_rows_are_those_of_single_models():
    found = rows(LINEAR + "expect laws = r*(r + 1)/2\nsweep n in 1..2, r in 1..2", SweepOptions())
    assert [r.sizes for r in found][-1] == (("n", 2), ("r", 2))
    assert [(o.laws.lower, o.laws.upper, o.laws.status) for r in found if (o := r.outcome).laws] == [
        (1, 1, "proved"), (3, 3, "proved"), (1, 1, "proved"), (3, 3, "proved")
    ]  # fmt: skip
    assert all(c.verdict == "proved" for r in found for c in r.outcome.claims)


def test_a_wrong_claim_fails_at_the_right_size():
    found = rows(LINEAR + "expect laws = r*(r + 1)/2\nsweep r in 1..5")
    assert [row.outcome.good for row in found] == [True, True, True, False, False]
    (claim,) = claims_over(found)
    assert claim.verdict == "refuted" and claim.failing == 2 and claim.sizes == 5
    assert claim.first is not None and claim.first.sizes == (("r", 4),)


def test_a_model_that_fails_is_a_row():
    text = "dim n = 2, k = 2\nparam U[n], V[k]\nmap phi = U*V\nsweep n in 2..3"
    good, bad = rows(text)
    assert good.outcome.count == 2
    assert bad.outcome.failure is not None and bad.outcome.failure.code == "GEO0301"
    assert run_sweep(Sweep(opened(text), RANKS), "f").exit_code == 1


def test_no_time_is_bounds_and_no_count():
    (row,) = rows(LINEAR + "sweep r in 2..2", SweepOptions(timeout=1e-6))
    assert row.outcome.cut == 1e-6 and row.outcome.count is None


def deadly(task: Task) -> Outcome:
    """Work that kills its process at one task, and counts the letters of others."""
    if task.text == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(LawCount(0, len(task.text), "probable"))


@pytest.mark.slow
def test_a_task_that_kills_its_worker_is_a_row_and_costs_no_other():
    texts = ["a", "bb", "die", *("c" * k for k in range(3, 12))]
    tasks = {str(k): Task(text) for k, text in enumerate(texts)}
    found = dict(run_tasks(tasks, jobs=2, work=deadly))
    assert set(found) == set(tasks)
    for key, outcome in found.items():
        if tasks[key].text == "die":
            assert outcome.failure is not None and outcome.failure.code == "GEO0902"
        else:
            assert outcome.laws is not None and outcome.laws.upper == len(tasks[key].text)


# ---------------------------------------------------------------- journals


def test_a_torn_line_is_left_out_and_kept_apart(tmp_path):
    path = tmp_path / "rows.jsonl"
    text = LINEAR + "sweep r in 1..3"
    whole = run_sweep(Sweep(opened(text), RANKS, journal=Journal.begin(path)), "f")
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    resumed = Sweep(opened(text), RANKS, journal=Journal.resume(path))
    report = run_sweep(resumed, "f")
    assert report.reused == 2 and "1 torn" in " ".join(report.notes)
    assert [r.outcome.laws for r in report.rows] == [r.outcome.laws for r in whole.rows]
    assert len(Journal.resume(path).known) == 3


def test_a_journal_of_another_model_is_not_reused(tmp_path):
    path = tmp_path / "rows.jsonl"
    run_sweep(Sweep(opened(LINEAR + "sweep r in 1..2"), RANKS, journal=Journal.begin(path)), "f")
    other = LINEAR.replace("U @ V.T", "3*U @ V.T") + "sweep r in 1..2"
    assert run_sweep(Sweep(opened(other), RANKS, journal=Journal.resume(path)), "f").reused == 0


def environment(folder: Path) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "GEOFLOW_CACHE": str(folder / "cache")}


def sweep_command(file: Path, *options: str) -> list[str]:
    common = ["--rank-only", "--no-cache", "--format", "json"]
    return [sys.executable, "-m", "geoflow", "sweep", str(file), *common, *options]


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while lines(path) < count:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_a_killed_sweep_goes_on_where_it_was(tmp_path):
    file, out = tmp_path / "lin.geo", tmp_path / "rows.jsonl"
    file.write_text(LINEAR + "sweep n in 1..4, m in 1..3, r in 1..4")
    command = sweep_command(file, "--out", str(out), "--jobs", "1")
    killed = subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.DEVNULL)
    wait_for(out, 8, killed)
    killed.kill()
    killed.wait()
    finished = lines(out)
    assert 8 <= finished < 48
    resumed = subprocess.run(
        [*command, "--resume"], env=environment(tmp_path), capture_output=True, check=True
    )
    data = json.loads(resumed.stdout)
    assert len(data["rows"]) == 48 and data["reused"] == finished and lines(out) >= 48
    for row in data["rows"]:
        k = min(row["r"], row["n"] + row["m"])
        assert row["laws"]["upper"] == k * (k + 1) // 2 + (row["r"] - k) * k


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A Dask scheduler and workers as processes of this machine."""
    pytest.importorskip("distributed")
    info = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    worker = [*dask, "worker", "--scheduler-file", str(info), "--nthreads", "1", "--no-nanny",
              "--no-dashboard", "--local-directory", str(folder)]  # fmt: skip
    env = environment(folder)

    def start(command: list[str]) -> subprocess.Popen[bytes]:
        nothing = subprocess.DEVNULL
        return subprocess.Popen(command, env=env, stdout=nothing, stderr=nothing)

    started = [start([*scheduler, "--scheduler-file", str(info)])]
    try:
        started += [start(worker) for _ in range(workers)]
        end = time.monotonic() + 60
        while not info.exists():
            assert time.monotonic() < end
            time.sleep(0.1)
        yield json.loads(info.read_text())["address"], started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_loses_no_row(tmp_path):
    file, out = tmp_path / "lin.geo", tmp_path / "rows.jsonl"
    file.write_text(LINEAR + "sweep n in 1..4, m in 1..3, r in 1..5")
    with cluster(tmp_path, workers=2) as (address, workers):
        command = sweep_command(file, "--out", str(out), "--scheduler", address)
        process = subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.PIPE)
        wait_for(out, 20, process)
        workers[0].kill()
        content, _ = process.communicate(timeout=200)
    data = json.loads(content)
    assert process.returncode == 0 and len(data["rows"]) == 60
    for row in data["rows"]:
        k = min(row["r"], row["n"] + row["m"])
        assert row["laws"]["upper"] == k * (k + 1) // 2 + (row["r"] - k) * k


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_told(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    from geoflow.diagnostics import DiagnosticError
    from geoflow.sweep import runner

    monkeypatch.setattr(runner, "_PATIENCE", 1)
    with pytest.raises(DiagnosticError) as refused:
        list(run_tasks({"k": Task("")}, scheduler="tcp://127.0.0.1:9"))
    assert refused.value.diagnostics[0].code == "GEO0902"
