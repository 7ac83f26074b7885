"""Runs of geoflow that are disturbed: signals at an event, resources taken away, and what is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 240  # seconds for an event, on a machine with much else to do
ROOT = Path(__file__).parents[2]
LINEAR = """\
model lin
dim n = 2, m = 1, r = 2
param U[n, r], V[m, r]
map phi = U @ V.T
"""


def expected(n: int, m: int, r: int) -> int:
    """The laws of φ = U Vᵀ (docs/method.md)."""
    k = min(r, n + m)
    return k * (k + 1) // 2 + (r - k) * k


def many(models: int) -> str:
    """A file of different models, each counted in a moment, that keeps a command busy; a catalog may be made of it."""
    said = "# count: 3\n# source: computed here\n"
    sizes = (
        f"{said}model m{k}\nparam U[{2 + k % 3}, 2], V[2, {2 + k % 5}]\n" for k in range(models)
    )
    return "\n".join(f"{size}map phi = {k + 1}*(U @ V)\n" for k, size in enumerate(sizes))


def environment(folder: Path) -> dict[str, str]:
    """That of a run with a cache of its own."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "GEOFLOW_CACHE": str(folder / "cache")}


def command(*words: str | Path) -> list[str]:
    """A call of geoflow."""
    return [sys.executable, "-m", "geoflow", *map(str, words)]


# a test run may have been started with signals ignored
HEARING = """
import signal
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
"""


def prepared(before: str, *words: str | Path) -> list[str]:
    """A call of geoflow whose process begins with some statements of Python."""
    become = "import os, sys\nos.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", f"{before}\n{become}", *command(*words)]


def run(
    folder: Path,
    *words: str | Path,
    before: str = "",
    stdout: int | None = subprocess.PIPE,
    input: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """A call to its end. `before` are statements of Python that its process begins with."""
    return subprocess.run(
        prepared(before, *words),
        env=environment(folder),
        cwd=folder,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        input=input,
        timeout=PATIENCE,
    )


def eventually(what: Callable[[], bool], process: subprocess.Popen[Any] | None = None) -> None:
    """Wait until something is so; the process must not end first."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it never happened"
        assert process is None or process.poll() is None, "it ended before"
        time.sleep(0.02)


def lines(path: Path) -> int:
    """Whole lines of a file."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str


def ended(
    folder: Path,
    words: Sequence[str | Path],
    number: signal.Signals,
    when: Callable[[int], bool],
    group: bool = True,
) -> Ended:
    """A call in a session of its own that gets a signal once `when` is true of its process id: `group`: as from a
    terminal, which sends Ctrl-C to all of its processes. No process of the session may be left."""
    process = subprocess.Popen(
        prepared(HEARING, *words),
        env=environment(folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        eventually(lambda: when(process.pid), process)
        os.killpg(process.pid, number) if group else process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        eventually(lambda: not members(process.pid))
    finally:
        for member in members(process.pid):
            os.kill(member, signal.SIGKILL)
        process.wait()
    return Ended(process.returncode, out, err)


def computing(pid: int) -> bool:
    """Whether a process has begun with what takes long: JAX is loaded then."""
    try:
        return "jaxlib" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


def members(session: int) -> list[int]:
    """The processes of a session that live."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(its) == session and state not in "ZX":
            found.append(int(folder.name))
    return found
