"""Mutation testing: `python -m tests.trust.mutation --module exact/elimination`.

mutmut changes one thing at a time in a module, and the tests that `mutation.toml` names for it must fail. A change that
no test notices is a survivor: either a test is missing, or code is superfluous, or the change makes no difference that
matters, and then `survivors/` says why. The command fails if a survivor has no such reason.

What mutmut leaves alone: texts of errors and of documentation, annotations, decorated functions (other than static and
class methods), and what is outside of functions.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.trust.mutants import Mutant

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests" / "trust"
RESULTS = ROOT / "build" / "mutation"
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def configured() -> dict[str, list[str]]:
    """The tests of every module."""
    return tomllib.loads((HERE / "mutation.toml").read_text())["modules"]


def explained(module: str) -> Counter[Mutant]:
    """The survivors of a module with a reason."""
    file = HERE / "survivors" / f"{module.partition('/')[0]}.toml"
    entries = tomllib.loads(file.read_text()).get(module, []) if file.exists() else []
    return Counter(Mutant(e["function"], e["was"], e["now"]) for e in entries if e["why"])


def tested(module: str, tests: list[str], again: bool, jobs: int) -> list[tuple[Mutant, str]]:
    """Every mutant of a module and its status; with `again`, those killed the last time are taken as killed."""
    file = RESULTS / f"{module.replace('/', '.')}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not again:
        file.unlink(missing_ok=True)
    call = [sys.executable, "-m", "tests.trust.mutants", module, str(jobs), str(file), *tests]
    done = subprocess.run(call, cwd=ROOT, env=os.environ | THREADS, stdout=sys.stderr)
    if done.returncode:
        raise SystemExit(f"{module} was not tested")
    return [(Mutant(**e["mutant"]), e["status"]) for e in json.loads(file.read_text())]


def entry(module: str, mutant: Mutant) -> str:
    """A survivor as it is written into `survivors/`, without its reason."""
    fields = [*vars(mutant).items(), ("why", "")]
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields]
    return "\n".join([f'[["{module}"]]', *lines])


def judged(module: str, found: Iterable[tuple[Mutant, str]]) -> bool:
    """Print how many mutants there are of each kind, and the survivors without a reason; whether there is none."""
    count = Counter(status for _, status in found)
    survivors = Counter(mutant for mutant, status in found if status == "survived")
    reasons = explained(module)
    missing = survivors - reasons
    print(
        f"{module}: {count.total()} mutants, {count['killed']} killed, {count['slow']} too slow, "
        f"{(survivors & reasons).total()} explained, {missing.total()} unexplained",
        flush=True,
    )
    for mutant in missing.elements():
        print(f"\n{entry(module, mutant)}")
    for mutant in reasons - survivors:
        print(f"does not survive any more: {mutant}")
    return not missing


def main(arguments: list[str] | None = None) -> int:
    """0 if every survivor has a reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust.mutation")
    parser.add_argument("--module", action="append", help="such as exact/elimination; else all")
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    modules = configured()
    good = [
        judged(module, tested(module, modules[module], options.again, options.jobs))
        for module in options.module or modules
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
