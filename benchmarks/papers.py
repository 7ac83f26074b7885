"""`python -m benchmarks.papers`: the papers' nets, timed here and there, as Markdown tables.

Run it from the repository's root. Times there are quoted from tests/papers/peer_times.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measure import (
    Compared,
    Further,
    RandomNet,
    compared,
    further_cases,
    peer_cases,
    published_seconds,
    random_nets,
    startup_seconds,
)
from benchmarks.nets import FAMILIES


def main() -> int:
    """Measure what the arguments ask for; print it, and write it as JSON if asked to.

    The exit status is 1 if a count differs from the one there or from the balancedness laws; times
    are never judged.
    """
    arguments = parse()
    results: dict[str, Any] = {"cores": os.cpu_count(), **versions()}
    print(", ".join(f"{name} {value}" for name, value in results.items()) + "\n")
    drawn: list[RandomNet] = []
    if not arguments.family:
        results["startup_seconds"] = startup_seconds()
        print(f"Start-up: {results['startup_seconds']:.2f} s\n", flush=True)
        drawn = random_nets()
        results["random_nets"] = [asdict(net) for net in drawn]
        print("\n".join(random_table(drawn)), flush=True)
    print("\n".join(HEADER))
    pairs: list[Compared] = []
    for case in peer_cases(arguments.family or tuple(FAMILIES)):
        pairs.append(compared(case))
        print(row(pairs[-1]), flush=True)
    results["cases"] = [asdict(pair) for pair in pairs]
    print("\n".join(summary(pairs)))
    more: list[Further] = []
    if arguments.further or not arguments.family:
        print("\n" + "\n".join(FURTHER_HEADER))
        for case in further_cases():
            more.append(case)
            print(further_row(case), flush=True)
        results["further"] = [asdict(case) for case in more]
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0 if all(x.agrees for x in [*drawn, *pairs, *more]) else 1


def versions() -> dict[str, str]:
    """What the times depend on, by name."""
    return {"Python": platform.python_version()} | {n: version(n) for n in ("jax", "numpy")}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.papers", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements to FILE")
    parser.add_argument(
        "--family",
        action="append",
        choices=tuple(FAMILIES),
        help="only the cases of this family, without the 50 random nets; may be repeated",
    )
    parser.add_argument(
        "--further", action="store_true", help="with --family, the further flows as well"
    )
    return parser.parse_args()


def random_table(drawn: Sequence[RandomNet]) -> Iterator[str]:
    """The 50 random nets, and their sum beside the published time."""
    yield "| widths | parameters | count | proved | balancedness rank | count, s | analyze, s |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for net in drawn:
        here = net.here
        yield (
            f"| {','.join(map(str, net.widths))} | {here.variables} | {here.upper} | {here.proved} "
            f"| {net.balancedness} | {here.count_seconds:.3f} | {here.analyze_seconds:.3f} |"
        )
    published = published_seconds()
    counting = sum(net.here.count_seconds for net in drawn)
    analyzing = sum(net.here.analyze_seconds for net in drawn)
    agree = sum(net.agrees for net in drawn)
    yield ""
    yield f"| {len(drawn)} linear nets | seconds | published / this |"
    yield "|---|--:|--:|"
    yield f"| the authors' notebook, 64 cores, count | {published:.0f} | |"
    yield f"| here, one process, count | {counting:.2f} | {ratio(published / counting)} |"
    yield f"| here, one process, analyze | {analyzing:.2f} | {ratio(published / analyzing)} |"
    yield ""
    yield (
        f"Count, number of laws proved and rank of the balancedness laws agree for {agree} of "
        f"{len(drawn)} nets.\n"
    )


HEADER = (
    "| family | widths | variables | laws there | laws here | total there, s | analyze here, s "
    "| ratio | serial count there, s | count here, s | ratio |",
    "|---|---|--:|--:|---|--:|--:|--:|--:|--:|--:|",
)


def row(pair: Compared) -> str:
    """A case as a row of the second table."""
    there, here = pair.there, pair.here
    laws = f"{here.upper} {here.status}" + ("" if pair.agrees else " (differs)")
    answer = str(there.laws) if there.laws is not None else there.note
    more = "> " if pair.killed else ""
    whole = "" if pair.whole_ratio is None else more + ratio(pair.whole_ratio)
    serial = "" if there.serial_count_seconds is None else f"{there.serial_count_seconds:.2f}"
    serial_ratio = "" if pair.serial_ratio is None else ratio(pair.serial_ratio)
    cells = [
        there.family,
        there.name,
        str(here.variables),
        answer,
        laws,
        more + f"{there.total_seconds:.2f}",
        f"{here.analyze_seconds:.3f}",
        whole,
        serial,
        f"{here.count_seconds:.3f}",
        serial_ratio,
    ]
    return f"| {' | '.join(cells)} |"


FURTHER_HEADER = (
    "| model | widths | damping | variables | laws | count, s | analyze, s |",
    "|---|---|---|--:|---|--:|--:|",
)


def further_row(case: Further) -> str:
    """A case as a row of the last table."""
    here = case.here
    laws = f"{here.upper} {here.status}" + ("" if case.agrees else " (differs)")
    return (
        f"| {case.model} | {','.join(map(str, case.widths))} | {case.damping} | {here.variables} "
        f"| {laws} | {here.count_seconds:.3f} | {here.analyze_seconds:.3f} |"
    )


def summary(pairs: Sequence[Compared]) -> Iterator[str]:
    """By family: how many cases, how many same counts, and the ratios' median and range."""
    yield ""
    yield "| family | cases | same count | no count there | total there / analyze here: median | range |"
    yield "|---|--:|--:|--:|--:|---|"
    for family in dict.fromkeys(p.there.family for p in pairs):
        own = [p for p in pairs if p.there.family == family]
        answered = [p for p in own if p.there.laws is not None]
        same = sum(p.agrees for p in answered)
        ratios = sorted(p.whole_ratio for p in answered if p.whole_ratio is not None)
        spread = f"{ratio(ratios[0])} to {ratio(ratios[-1])}"
        middle = ratio(statistics.median(ratios))
        none = len(own) - len(answered)
        yield f"| {family} | {len(own)} | {same} | {none} | {middle} | {spread} |"
    serial = [p.serial_ratio for p in pairs if p.serial_ratio is not None]
    if serial:
        yield ""
        yield (
            f"Against their algorithm run serially, count to count: {len(serial)} cases, median "
            f"{ratio(statistics.median(serial))}, {ratio(min(serial))} to {ratio(max(serial))}."
        )


def ratio(value: float) -> str:
    """Two figures: the times are read to 10 %."""
    digits = max(0, 1 - math.floor(math.log10(value)))
    return f"{round(value, 1 - math.floor(math.log10(value))):,.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
