"""The same input and seed give the same output, byte for byte: in every process, with any hash seed, any number of
threads, any order of files and any number of jobs. Times, and the last digits of drifts, are left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ("product", "linear", "relu", "symbolic")
TIMES = {"seconds"}

SURROUNDINGS: dict[str, dict[str, str]] = {
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "hash seed 4242, one thread": {
        "PYTHONHASHSEED": "4242",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    },
    "two threads": {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    "another language and place": {"LC_ALL": "C", "TZ": "Asia/Tokyo", "COLUMNS": "40"},
}


def without_times(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: without_times(v) for k, v in data.items() if k not in TIMES}
    return [without_times(v) for v in data] if isinstance(data, list) else data


def said(*arguments: str, **surroundings: str) -> Any:
    """The JSON of a call, without times."""
    done = subprocess.run(
        [sys.executable, "-m", "geoflow", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **surroundings},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return without_times(json.loads(done.stdout))


def check(*names: str, **surroundings: str) -> Any:
    files = [f"examples/{name}.geo" for name in names]
    return said("check", *files, "--no-verify", "--format", "json", "--seed", "7", **surroundings)


@pytest.fixture(scope="module")
def usual() -> Any:
    return check(*EXAMPLES, PYTHONHASHSEED="0")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n != "hash seed 1")) for n in SURROUNDINGS],
)
def test_surroundings_change_nothing(usual: Any, name: str):
    assert check(*EXAMPLES, **SURROUNDINGS[name]) == usual


def test_the_order_of_files_changes_the_order_alone(usual: Any):
    turned = check(*EXAMPLES[::-1])
    assert sorted(turned["models"], key=str) == sorted(usual["models"], key=str)


def test_another_seed_is_another_output(usual: Any):
    """So that these comparisons can fail."""
    files = [f"examples/{name}.geo" for name in EXAMPLES]
    other = said("check", *files, "--no-verify", "--format", "json", "--seed", "8")
    assert other != usual
    assert [m["laws"]["upper"] for m in other["models"]] == [
        m["laws"]["upper"] for m in usual["models"]
    ]


@pytest.mark.slow
def test_certificates_are_the_same_bytes(tmp_path: Path):
    written = []
    for k, seed in enumerate(("0", "99")):
        file = tmp_path / f"{k}.json"
        said(
            "check", "examples/linear.geo", "--no-verify", "--format", "json", "--certificate", str(file),
            PYTHONHASHSEED=seed,
        )  # fmt: skip
        written.append(file.read_bytes())
    assert written[0] == written[1]


@pytest.mark.slow
def test_jobs_change_nothing(tmp_path: Path):
    family = tmp_path / "family.geo"
    family.write_text(
        "model f\ndim n = 2, r = 1\nparam U[n, r], V[n, r]\nmap phi = U @ V.T\nsweep n in 1..2, r in 1..2\n"
    )
    one, two = (
        said(
            "sweep", str(family), "--rank-only", "--format", "json", "--jobs", jobs,
            GEOFLOW_CACHE=str(tmp_path / f"cache{jobs}"),
        )
        for jobs in ("1", "2")
    )  # fmt: skip
    assert one == two
