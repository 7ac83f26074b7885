"""Runs that are ended from outside: what was finished is kept, the end is told in a line, no process is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .disturbing import (
    LINEAR,
    command,
    computing,
    ended,
    environment,
    eventually,
    expected,
    lines,
    many,
    members,
    run,
)

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes")
INT, TERM = signal.SIGINT, signal.SIGTERM
FAMILY = LINEAR + "sweep n in 1..9, m in 1..9, r in 1..9"
STEPS = ",".join(f"{1e-3 + k * 1e-6:.6f}" for k in range(300))
WORDS = {INT: (130, "interrupted"), TERM: (143, "terminated")}


@pytest.fixture
def family(tmp_path: Path) -> Path:
    path = tmp_path / "lin.geo"
    path.write_text(FAMILY)
    return path


@pytest.mark.parametrize(
    ("number", "jobs", "group"),
    [
        pytest.param(INT, 1, True, id="Ctrl-C"),
        pytest.param(INT, 2, True, id="Ctrl-C, workers"),
        pytest.param(INT, 2, False, id="SIGINT, workers", marks=pytest.mark.slow),
        pytest.param(TERM, 2, False, id="SIGTERM, workers", marks=pytest.mark.slow),
        pytest.param(TERM, 2, True, id="SIGTERM to all", marks=pytest.mark.slow),
    ],
)
def test_a_sweep_keeps_its_rows_and_ends_its_workers(family, number, jobs, group):
    folder, out = family.parent, family.parent / "rows.jsonl"
    words = ["sweep", family, "--rank-only", "--no-cache", "--out", out, "--jobs", str(jobs)]
    found = ended(folder, words, number, lambda _: lines(out) >= 5, group)
    code, word = WORDS[number]
    assert found.code == code and found.out == ""
    said = [s for s in found.err.splitlines() if not s.endswith(" left")]  # how far it has come
    said = [
        s for s in said if "resource_tracker" not in s and s != "  warnings.warn("
    ]  # loky's, now and then
    kept = lines(out)
    assert said[-1] == word and len(said) == 2, found.err
    assert f" of 729 models are done, and kept in {out}" in said[0] and "--resume" in said[0]
    assert kept >= 5 and kept - 1 <= int(said[0].split()[0]) <= kept
    few = [
        "--over",
        "n=1..2",
        "--over",
        "m=1..2",
        "--over",
        "r=1..1",
        "--resume",
        "--format",
        "json",
    ]
    again = json.loads(run(folder, *words, *few).stdout)
    assert again["reused"] >= 1  # the first sizes come first
    assert all(r["laws"]["upper"] == expected(r["n"], r["m"], r["r"]) for r in again["rows"])


@pytest.mark.parametrize("number", [INT, pytest.param(TERM, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "words",
    [
        ("laws", "many.geo"),
        pytest.param(("compare", "many.geo", "many.geo"), marks=pytest.mark.slow),
        pytest.param(("report", "many.geo", "-o", "page.html"), marks=pytest.mark.slow),
        pytest.param(
            ("discretize", "lin.geo", "--time", "50", "--step", STEPS), marks=pytest.mark.slow
        ),
        pytest.param(("catalog", "many.geo"), marks=pytest.mark.slow),
    ],
    ids=lambda words: words[0],
)
def test_a_command_ends_with_a_line_and_nothing_half_written(tmp_path: Path, words, number):
    (tmp_path / "many.geo").write_text(many(400))
    (tmp_path / "lin.geo").write_text(LINEAR)
    (tmp_path / "page.html").write_text("before")
    found = ended(tmp_path, words, number, computing)
    code, word = WORDS[number]
    assert (found.code, found.err.splitlines()) == (code, [word])
    assert found.out == "" and (tmp_path / "page.html").read_text() == "before"


@pytest.mark.parametrize("number", [INT, pytest.param(TERM, marks=pytest.mark.slow)])
@pytest.mark.parametrize("format", ["full", "json"])
def test_a_check_prints_the_models_that_are_finished(tmp_path: Path, number, format):
    (tmp_path / "first.geo").write_text(LINEAR.replace("lin", "first") + "expect laws = 3")
    (tmp_path / "then.geo").write_text(
        FAMILY.replace("lin", "then") + "\nexpect laws = r*(r + 1)/2 when r <= n + m"
    )
    words = [
        "check",
        "first.geo",
        "then.geo",
        "--no-verify",
        "--timeout",
        "900",
        "--format",
        format,
    ]
    cache = tmp_path / "cache" / "outcomes.sqlite3"
    found = ended(tmp_path, words, number, lambda _: cache.exists())  # at the sizes of the second
    code, word = WORDS[number]
    assert (found.code, found.err.splitlines()) == (code, [word])
    if format == "json":
        assert found.out == ""  # half of it would pass for the whole
    else:
        assert "first.geo" in found.out and "✓ expect laws = 3" in found.out
        assert "then.geo" not in found.out


@pytest.mark.slow
def test_workers_of_a_killed_sweep_end_by_themselves(family):
    out = family.parent / "rows.jsonl"
    words = ["sweep", family, "--rank-only", "--no-cache", "--out", out, "--jobs", "2"]
    found = ended(family.parent, words, signal.SIGKILL, lambda _: lines(out) >= 3, group=False)
    assert found.code == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_sweep_killed_at_random_moments_loses_nothing(tmp_path: Path, seed):
    family, out = tmp_path / "lin.geo", tmp_path / "rows.jsonl"
    family.write_text(LINEAR + "sweep n in 1..5, m in 1..4, r in 1..6")
    moments = random.Random(seed)
    words = ["sweep", family, "--rank-only", "--no-cache", "--out", out, "--format", "json"]
    target = 0
    for _ in range(3):
        jobs, target = str(moments.randint(1, 2)), target + moments.randint(1, 30)
        enough = target
        resume = ["--resume"] if out.exists() else []
        ended(
            tmp_path,
            [*words, "--jobs", jobs, *resume],
            signal.SIGKILL,
            lambda _, enough=enough: lines(out) >= enough,
        )
    known = lines(out)
    data = json.loads(run(tmp_path, *words, "--jobs", "1", "--resume").stdout)
    assert len(data["rows"]) == 120 and known - 3 <= data["reused"] <= known
    assert all(r["laws"]["upper"] == expected(r["n"], r["m"], r["r"]) for r in data["rows"])


def test_a_second_sweep_on_the_same_file_is_refused(family):
    folder, out = family.parent, family.parent / "rows.jsonl"
    words = ["sweep", family, "--rank-only", "--no-cache", "--out", out, "--jobs", "1"]
    first = subprocess.Popen(
        command(*words),
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        eventually(lambda: lines(out) >= 2, first)
        second = run(folder, *words, "--resume")
        assert second.returncode == 2 and f"another sweep is writing to {out}" in second.stderr
        known = lines(out)
        eventually(lambda: lines(out) > known, first)  # and the first goes on
    finally:
        first.kill()
        first.wait()
    assert all(json.loads(line)["key"] for line in out.read_text().splitlines()[:-1])
    assert not members(first.pid)
    small = ["--over", "n=1..1", "--over", "m=1..1", "--over", "r=1..1"]
    assert run(folder, *words, "--resume", *small).returncode == 0  # the lock died with its owner


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("check", "lin.geo", "--no-verify"), marks=pytest.mark.slow),
        pytest.param(
            ("check", "lin.geo", "--no-verify", "--format", "json"), marks=pytest.mark.slow
        ),
        pytest.param(("laws", "lin.geo"), marks=pytest.mark.slow),
        pytest.param(
            ("sweep", "lin.geo", "--over", "r=1..2", "--jobs", "1"), marks=pytest.mark.slow
        ),
        pytest.param(("discretize", "lin.geo", "--step", "0.1"), marks=pytest.mark.slow),
        ("catalog", "--no-run"),
        ("explain",),
        ("new",),
        ("fmt", "-"),
    ],
    ids=lambda words: words[0],
)
def test_standard_output_on_a_full_disk_or_closed(tmp_path: Path, words):
    (tmp_path / "lin.geo").write_text(LINEAR)
    with open("/dev/full", "w") as full:
        found = run(tmp_path, *words, stdout=full.fileno(), input="model  m\nparam x\nmap phi=x\n")
    assert found.returncode == 2 and "cannot be written" in found.stderr
    assert "fault of geoflow" not in found.stderr and "Traceback" not in found.stderr
    reading, writing = os.pipe()
    os.close(reading)  # as `| head -0` does
    try:
        found = run(tmp_path, *words, stdout=writing, input="model  m\nparam x\nmap phi=x\n")
    finally:
        os.close(writing)
    assert found.returncode != 0 and "Traceback" not in found.stderr
    assert "geoflow" not in found.stderr and "Exception" not in found.stderr


def test_signals_are_the_hosts_again_after_a_run():
    script = (
        "import signal, sys\n"
        "from geoflow.signals import Terminated, ended_by_signals\n"
        "try:\n"
        "    with ended_by_signals():\n"
        "        signal.raise_signal(signal.SIGTERM)\n"
        "except Terminated as error:\n"
        "    print(error.number == signal.SIGTERM, isinstance(error, KeyboardInterrupt))\n"
        "print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout.split() == ["True", "True", "True"], found.stderr
