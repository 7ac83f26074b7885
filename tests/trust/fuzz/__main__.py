"""`python -m tests.trust.fuzz --inputs 100000 --seed 0 [--jobs 2] [--only NUMBER] [--keep FOLDER]`."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections import Counter
from pathlib import Path

from geoflow.faults import version
from tests.trust.fuzz.run import Finding, Share, Tally, make, quieten
from tests.trust.fuzz.targets import TARGETS, shortened
from tests.trust.fuzz.workers import parallel


def main() -> int:
    """Run, and tell: exit 1 where something was found."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--inputs", type=int, default=100_000)
    arguments.add_argument("--first", type=int, default=0, help="the number of the first input")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    arguments.add_argument("--only", type=int, help="one input by its number, with its traceback")
    arguments.add_argument("--keep", type=Path, help="a folder for the inputs that failed")
    given = arguments.parse_args()
    if given.only is not None:
        quieten()
        target, data = make(given.seed, given.only)
        print(target, shortened(data))
        print(TARGETS[target](data))
        return 0
    start = time.perf_counter()
    inputs = range(given.first, given.first + given.inputs)
    shares, lost = parallel(given.seed, inputs, given.jobs, given.seconds)
    findings = lost + [f for share in shares for f in share.findings]
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
        for found in findings:
            (given.keep / f"{found.target}-{found.number}").write_bytes(found.data)
    _tell(shares, findings, given, time.perf_counter() - start)
    return 1 if findings else 0


def _tell(
    shares: list[Share], findings: list[Finding], given: argparse.Namespace, seconds: float
) -> None:
    done = sum(tally.inputs for share in shares for tally in share.tallies.values())
    print(
        f"python -m tests.trust.fuzz --inputs {given.inputs} --seed {given.seed} "
        f"--jobs {given.jobs}: {done} inputs in {seconds:.0f} s, geoflow {version()}, "
        f"Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    )
    print(
        f"{'target':12}{'inputs':>8}{'valid':>8}{'failed':>8}{'longest s':>11}{'mean ms':>9}{'MiB':>7}"
    )
    failed = Counter(f.target for f in findings)
    for target in TARGETS:
        own = [share.tallies[target] for share in shares if target in share.tallies]
        total = _sum(own)
        if total.inputs:
            print(
                f"{target:12}{total.inputs:8}{total.valid / total.inputs:8.1%}{failed[target]:8}"
                f"{total.longest:11.2f}{1000 * total.total / total.inputs:9.1f}{total.resident:7.0f}"
                f"  (input {total.longest_input})"
            )
    for worker in sorted({share.worker for share in shares}):
        own = [share.resident for share in shares if share.worker == worker]
        tenths = [round(own[len(own) * k // 10]) for k in range(10)] + [round(own[-1])]
        print("resident MiB at each tenth of the inputs of a worker:", *tenths)
    slow = sorted((one for share in shares for one in share.slow), reverse=True)
    for took, number, target in slow[:20]:
        print(f"slow: input {number}, {target}: {took:.1f} s")
    kinds: dict[str, list[Finding]] = {}
    for found in findings:
        lines = found.trace.strip().splitlines()
        places = [line.strip() for line in lines if line.strip().startswith("File")]
        kinds.setdefault(f"{found.target}: {places[-1] if places else found.what}", []).append(
            found
        )
    for kind, own in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"\n{len(own)} × {kind}\n{own[0].told()}")
    print(f"{len(findings)} failures, {len(kinds)} kinds")


def _sum(tallies: list[Tally]) -> Tally:
    worst = max(tallies, key=lambda t: t.longest, default=Tally())
    return Tally(
        sum(t.inputs for t in tallies),
        sum(t.valid for t in tallies),
        worst.longest,
        worst.longest_input,
        sum(t.total for t in tallies),
        sum(t.resident for t in tallies),
    )


if __name__ == "__main__":
    sys.exit(main())
