"""Mutants of one module, as mutmut makes them, each tested in a fork of a process that has collected the tests.

All mutants are in one text; which of them is called is chosen in the fork. Tests run in the order of their times, those
alone that call the function. A process that has run a test is never forked: XLA has threads then.
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import json
import os
import re
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.abc import MetaPathFinder, SourceLoader
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

ORIGINAL = "__mutmut_orig"
MEMORY = 12 * 2**30


@dataclass(frozen=True, order=True)
class Mutant:
    """What a mutation changes, in words that stay when lines move."""

    function: str
    was: str
    now: str


@dataclass(frozen=True)
class Tested:
    """A mutant and what became of it: killed, slow, survived."""

    mutant: Mutant
    status: str


def _without_checks(text: str) -> str:
    """Lengths that `zip` compares are assertions, as what is raised is."""
    return re.sub(r",\s*(strict=\w+)?\)", ")", text)


class Mutated(MetaPathFinder, SourceLoader):
    """The module with all its mutants, in place of the module."""

    def __init__(self, module: str):
        path = Path("geoflow", f"{module}.py")
        self.name = ".".join(path.with_suffix("").parts)
        self.file = str(path.resolve())
        self.text = mutate_file_contents(str(path), path.read_text()).code
        self.bodies = dict(_functions(self.text))
        self.names = [name for name in self.bodies if not name.endswith(ORIGINAL)]

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def get_filename(self, fullname: str) -> str:
        return self.file

    def get_data(self, path: str) -> bytes:
        return self.text.encode()

    def mutant(self, name: str) -> Mutant:
        """What this mutant changes."""
        mangled = original(name).removesuffix(ORIGINAL)
        before, after = (self._lines(n) for n in (original(name), name))
        edits = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        changed = [e for e in edits if e[0] != "equal"]
        was = "\n".join("\n".join(before[i:j]) for _, i, j, _, _ in changed)
        now = "\n".join("\n".join(after[i:j]) for _, _, _, i, j in changed)
        function = mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        return Mutant(function, was, now)

    def _lines(self, name: str) -> list[str]:
        return [line.strip() for line in self.bodies[name].splitlines()]


def _functions(text: str) -> Iterator[tuple[str, str]]:
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name:
            body = lines[node.lineno - 1 : node.end_lineno]
            yield node.name, "\n".join(body).replace(node.name, "_", 1)


def original(name: str) -> str:
    """The name of the function that a mutant is made of."""
    return name.partition("__mutmut_")[0] + ORIGINAL


class Forks:
    """The plugin of pytest that runs the mutants in place of the tests."""

    def __init__(self, mutated: Mutated, names: list[str], jobs: int):
        self.mutated, self.waiting, self.jobs = mutated, names[::-1], jobs
        self.found: dict[str, str] = {}
        self.tests: dict[str, list[tuple[float, pytest.Item]]] = defaultdict(list)
        self.running: dict[int, tuple[str, float]] = {}

    def pytest_collection(self) -> None:
        """A failure is enough: what makes it smaller costs more than to find it."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", phases=phases, database=None)
        settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._measure(session.items)
        while self.waiting or self.running:
            while self.waiting and len(self.running) < self.jobs:
                self._start(self.waiting.pop())
            self._wait()
        return True

    def _measure(self, items: list[pytest.Item]) -> None:
        """Time of every test, and the functions it calls; all must pass."""
        read, write = os.pipe()
        if not (child := os.fork()):
            os.write(write, json.dumps([_measured(item) for item in items]).encode() + b"\n")
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as stream:
            measured = json.loads(stream.readline())
        os.waitpid(child, 0)
        for item, (seconds, called, passed) in zip(items, measured, strict=True):
            if not passed:
                pytest.exit(f"{item.nodeid} fails without a mutation", 1)
            for name in called:
                self.tests[name].append((seconds, item))
        for tests in self.tests.values():
            tests.sort(key=lambda test: test[0])

    def _start(self, name: str) -> None:
        tests = self.tests[original(name)]
        if not tests:
            self.found[name] = "survived"
            return
        if child := os.fork():
            self.running[child] = name, time.monotonic() + 60 + 20 * sum(s for s, _ in tests)
            return
        limit = int(5 + 4 * sum(s for s, _ in tests))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        set_mutant_under_test(f"{self.mutated.name}.{name}")
        os._exit(0 if all(_passes(item) for _, item in tests) else 1)

    def _wait(self) -> None:
        child, status, _ = os.wait4(-1, os.WNOHANG)
        if child in self.running:
            name, _ = self.running.pop(child)
            if len(self.waiting) % 50 == 0:
                os.write(2, f"{len(self.waiting)} mutants to go\n".encode())
            late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
            self.found[name] = "slow" if late else "killed" if status else "survived"
            return
        for pid, (name, latest) in list(self.running.items()):
            if time.monotonic() > latest:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                del self.running[pid]
                self.found[name] = "slow"
        time.sleep(0.005)


def _passes(item: pytest.Item) -> bool:
    try:
        return all(report.passed for report in runtestprotocol(item, log=False))
    except BaseException:
        return False


def _measured(item: pytest.Item) -> tuple[float, list[str], bool]:
    set_mutant_under_test("stats")  # the functions that are called are noted
    state()._stats.clear()
    start = time.process_time()
    passed = _passes(item)
    called = [name.rpartition(".")[2] + ORIGINAL for name in state()._stats]
    return time.process_time() - start, called, passed


def main() -> None:
    """Arguments: module, number of processes, a file for the result, tests. Mutants that were killed by the file as it
    stands are not tried again."""
    module, jobs, file, *tests = sys.argv[1:]
    mutated, result = Mutated(module), Path(file)
    sys.meta_path.insert(0, mutated)
    mutants = {name: mutated.mutant(name) for name in mutated.names}
    mutants = {
        name: m for name, m in mutants.items() if _without_checks(m.was) != _without_checks(m.now)
    }
    before = json.loads(result.read_text()) if result.exists() else []
    known = {Mutant(**e["mutant"]) for e in before if e["status"] == "killed"}
    forks = Forks(mutated, [name for name, m in mutants.items() if m not in known], int(jobs))
    absent = ("cacheprovider", "xdist", "faulthandler")
    options = ["-q", "--hypothesis-seed=0", *(x for name in absent for x in ("-p", f"no:{name}"))]
    code = pytest.main([*options, *tests], plugins=[forks])
    if code not in (0, 5):
        sys.exit(int(code))
    tested = [Tested(m, forks.found.get(name, "killed")) for name, m in mutants.items()]
    result.write_text(json.dumps([asdict(one) for one in tested]))


if __name__ == "__main__":
    main()
