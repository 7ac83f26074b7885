"""Mutation testing: `python -m tests.trust.mutation --module exact/elimination`.

mutmut changes one thing at a time in a module, and the tests that `mutation.toml` names for it must fail. A change that
no test notices is a survivor: either a test is missing, or code is superfluous, or the change makes no difference that
matters, and then `survivors/` says why. The command fails if a survivor has no such reason.

What mutmut leaves alone: texts of errors and of documentation, annotations, decorated functions (other than static and
class methods), and what is outside of functions.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests" / "trust"
WORK = ROOT / "build" / "mutation"
COPIED = ("tests", "grammar", "examples", "benchmarks", "tools", "docs")
KILLED, LATE, SURVIVED = ("killed", "segfault"), ("timeout",), ("survived", "no tests")
SETTINGS = """
[tool.mutmut]
source_paths = ["geoflow"]
only_mutate = [{file}]
also_copy = {copied}
pytest_add_cli_args = ["--hypothesis-seed=0", "-p", "no:cacheprovider", "-p", "no:xdist"]
pytest_add_cli_args_test_selection = {tests}
process_isolation = "forkserver"  # no process that has started XLA is forked
do_not_mutate_patterns = ['^\\s*raise\\b']
track_dependencies = false
timeout_multiplier = 4.0
timeout_constant = 2.0
"""


@dataclass(frozen=True, order=True)
class Mutant:
    """What a mutation changes, in words that stay when lines move."""

    function: str
    was: str
    now: str


@dataclass(frozen=True)
class Outcome:
    """How many mutants of a module the tests killed or stopped, and those that neither noticed."""

    killed: int
    late: int
    survivors: tuple[Mutant, ...]
    unclear: tuple[str, ...]


def configured() -> dict[str, list[str]]:
    """The tests of every module."""
    return tomllib.loads((HERE / "mutation.toml").read_text())["modules"]


def explained(module: str) -> Counter[Mutant]:
    """The survivors of a module with a reason."""
    file = HERE / "survivors" / f"{module.partition('/')[0]}.toml"
    entries = tomllib.loads(file.read_text()).get(module, []) if file.exists() else []
    return Counter(Mutant(e["function"], e["was"], e["now"]) for e in entries if e["why"])


def tested(module: str, tests: list[str], again: bool, jobs: int) -> Outcome:
    """Run the tool; with `again` only for what survived the last time."""
    folder = WORK / module.replace("/", ".")
    if not again:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("geoflow", *COPIED):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    settings = SETTINGS.format(
        file=json.dumps(f"geoflow/{module}.py"),
        copied=json.dumps(COPIED),
        tests=json.dumps(tests),
    )
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + settings)
    names = [k for k, status in _statuses(folder).items() if status not in KILLED] if again else []
    if again and not names:
        return _outcome(folder, module)
    (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    with (folder / "log").open("w") as log:
        call = ["run", "--max-children", str(jobs), *names]
        done = subprocess.run(_mutmut(*call), cwd=folder, env=_environment(), stdout=log, stderr=log)
    if done.returncode:
        raise SystemExit(f"mutmut failed on {module}: {folder / 'log'}")
    return _outcome(folder, module)


def _mutmut(*call: str) -> list[str]:
    return [str(Path(sys.executable).with_name("mutmut")), *call]


def _environment() -> dict[str, str]:
    """One thread a process, and no path to the code as it is."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | threads


def _statuses(folder: Path) -> dict[str, str]:
    """What the tool says of every mutant."""
    done = subprocess.run(
        _mutmut("results", "--all", "true"),
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.strip().rpartition(": ") for line in done.stdout.splitlines()]
    return {name: status for name, _, status in lines if "__mutmut_" in name}


def _outcome(folder: Path, module: str) -> Outcome:
    statuses = _statuses(folder)
    text = (folder / "mutants" / "geoflow" / f"{module}.py").read_text()
    bodies = dict(_functions(text))
    known = (*KILLED, *LATE, *SURVIVED)
    survivors = [
        _change(name.rpartition(".")[2], bodies) for name, s in statuses.items() if s in SURVIVED
    ]
    return Outcome(
        sum(s in KILLED for s in statuses.values()),
        sum(s in LATE for s in statuses.values()),
        tuple(sorted(survivors)),
        tuple(f"{name}: {s}" for name, s in statuses.items() if s not in known),
    )


def _functions(text: str) -> Iterator[tuple[str, str]]:
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name:
            body = lines[node.lineno - 1 : node.end_lineno]
            yield node.name, "\n".join(body).replace(node.name, "_", 1)


def _change(name: str, bodies: dict[str, str]) -> Mutant:
    mangled = name.partition("__mutmut_")[0]
    before = [line.strip() for line in bodies[f"{mangled}__mutmut_orig"].splitlines()]
    after = [line.strip() for line in bodies[name].splitlines()]
    edits = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = [e for e in edits if e[0] != "equal"]
    was = "\n".join("\n".join(before[i:j]) for _, i, j, _, _ in changed)
    now = "\n".join("\n".join(after[i:j]) for _, _, _, i, j in changed)
    return Mutant(mangled.removeprefix("x").strip("_ǁ").replace("ǁ", "."), was, now)


def entry(module: str, mutant: Mutant) -> str:
    """A survivor as it is written into `survivors/`, without its reason."""
    fields = (("function", mutant.function), ("was", mutant.was), ("now", mutant.now), ("why", ""))
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields]
    return "\n".join([f'[["{module}"]]', *lines])


def main(arguments: list[str] | None = None) -> int:
    """Run, print a table and the survivors without a reason; 1 if there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust.mutation")
    parser.add_argument("--module", action="append", help="such as exact/elimination; else all")
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    modules = configured()
    failed = False
    for module in options.module or modules:
        outcome = tested(module, modules[module], options.again, options.jobs)
        reasons, found = explained(module), Counter(outcome.survivors)
        missing, stale = found - reasons, reasons - found
        total = outcome.killed + outcome.late + len(outcome.survivors) + len(outcome.unclear)
        print(
            f"{module}: {total} mutants, {outcome.killed} killed, {outcome.late} too slow, "
            f"{(found & reasons).total()} explained, {missing.total()} unexplained",
            flush=True,
        )
        for mutant in missing.elements():
            print(f"\n{entry(module, mutant)}")
        for name in outcome.unclear:
            print(f"not decided: {name}")
        for mutant in stale:
            print(f"no longer survives: {mutant}")
        failed = failed or bool(missing) or bool(outcome.unclear)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
