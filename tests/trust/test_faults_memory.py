"""No memory: what does not fit is said with what it would need, and costs no other model."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import geoflow as gf
from geoflow.cli import app
from geoflow.memory import GIB, MOST_MEMORY, in_bytes, ran_out
from geoflow.sweep.build import build
from geoflow.sweep.task import Task, perform

from .disturbing import LINEAR, ROOT

RUNNER = CliRunner()


def test_a_limit_is_in_gib():
    assert in_bytes(None) == MOST_MEMORY == 8 * GIB and in_bytes(0.5) == GIB // 2


def test_which_errors_are_of_memory():
    class XlaRuntimeError(RuntimeError):
        """As jaxlib calls it."""

    assert ran_out(MemoryError()) and ran_out(XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory"))
    assert not ran_out(XlaRuntimeError("INTERNAL")) and not ran_out(ValueError("out of memory"))


@pytest.mark.parametrize("memory", ["0", "-1", "nan", "inf"])
def test_a_limit_is_a_positive_number(memory: str, tmp_path):
    (tmp_path / "lin.geo").write_text(LINEAR)
    result = RUNNER.invoke(app, ["check", str(tmp_path / "lin.geo"), "--memory", memory])
    assert result.exit_code == 2 and "positive number of GiB" in result.stderr


def test_a_model_beyond_the_limit_says_what_it_needs_and_is_counted_with_that(tmp_path):
    file = tmp_path / "lin.geo"
    file.write_text(LINEAR)
    call = ["check", str(file), "--no-verify", "--format", "json"]
    refused = json.loads(RUNNER.invoke(app, [*call, "--memory", "0.0001"]).stdout)
    (found,) = refused["diagnostics"]
    assert found["code"] == "GEO0304" and "6 coordinates" in found["message"]
    assert "at most 0.102 MiB" in found["message"] and "operations" in found["message"]
    assert any("--memory 0.1" in hint for hint in found["hints"])
    counted = json.loads(RUNNER.invoke(app, [*call, "--memory", "0.1"]).stdout)
    assert counted["models"][0]["laws"]["upper"] == 3


def test_a_limit_from_python(tmp_path):
    (tmp_path / "lin.geo").write_text(LINEAR)
    flow = gf.load(tmp_path / "lin.geo").flow()
    assert gf.count_laws(flow, memory=0.1).upper == 3
    with pytest.raises(gf.DiagnosticError, match="too large"):
        gf.analyze(flow, memory=1e-6)


def test_a_model_too_large_is_a_row_and_its_limit_is_part_of_the_key():
    task = Task(LINEAR, rank_only=True, build=build(), memory=1000)
    outcome = perform(task)
    assert outcome.failure is not None and outcome.failure.code == "GEO0304"
    more = Task(LINEAR, rank_only=True, build=build())
    assert perform(more).count == 3 and more.key != task.key


@pytest.mark.parametrize("error", [MemoryError(), ValueError("wrong")])
def test_memory_that_runs_out_is_no_fault_of_the_model(monkeypatch, error):
    def fails(_: Task) -> None:
        raise error

    monkeypatch.setattr("geoflow.sweep.task._outcome", fails)
    failure = perform(Task(LINEAR)).failure
    assert failure is not None
    if isinstance(error, MemoryError):
        assert failure.code == "GEO0902" and "ran out of memory" in failure.message
    else:
        assert failure.code == "GEO0901"


SCRIPT = """
import resource
from geoflow.sweep.build import build
from geoflow.sweep.task import Task, perform

def count(n):
    text = f"param U[{n}], V[{n}]\\nmap phi = U*V\\nflow order 2 damping 1"
    outcome = perform(Task(text, rank_only=True, build=build()))
    return outcome.count if outcome.failure is None else outcome.failure.code

print(count(2))
status = dict(line.split(":") for line in open("/proc/self/status"))
limit = int(status["VmPeak"].split()[0]) * 1024 + 2**27
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(count(2000))
print(count(2))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space")
def test_a_worker_without_memory_says_so_and_goes_on():
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=ROOT, timeout=240
    )
    before, starved, after = found.stdout.split()
    assert before == after != "GEO0902" and starved == "GEO0902", found.stderr


def test_a_command_without_memory_says_so(tmp_path, monkeypatch):
    (tmp_path / "lin.geo").write_text(LINEAR)

    def starved(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("geoflow.pipeline.check_paths", starved)
    result = RUNNER.invoke(app, ["check", str(tmp_path / "lin.geo")])
    assert result.exit_code == 2 and "has not the memory" in result.stderr
    assert "fault of geoflow" not in result.stderr
