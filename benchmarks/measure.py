"""What is timed, and what it gave.

Every case is a fresh `Flow` with JAX's caches emptied before, so that its tracing is in its time.
`count` is the rank of the Lie algebra, confirmed at a second point over a second prime; `analyze` is
that and more: the laws found, each proved, and the facts. The two are timed apart.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from benchmarks import nets
from geoflow.analysis import analyze, count
from geoflow.flow import Flow

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "tests" / "papers" / "peer_times.json"


@dataclass(frozen=True)
class Timed:
    """One flow here: `upper` is the count, `proved` the number of independent laws proved."""

    variables: int
    upper: int
    proved: int
    status: str
    count_seconds: float
    analyze_seconds: float


@dataclass(frozen=True)
class RandomNet:
    """A net drawn by the authors' recipe, and the rank of its balancedness laws."""

    widths: tuple[int, ...]
    balancedness: int
    here: Timed

    @property
    def agrees(self) -> bool:
        return self.here.upper == self.here.proved == self.balancedness


@dataclass(frozen=True)
class PeerCase:
    """A case that the papers' code was timed on. `laws` is None where that code gave no answer."""

    family: str
    widths: tuple[int, ...]
    bias: bool
    damping: int
    variables: int | None
    total_seconds: float
    serial_count_seconds: float | None
    laws: int | None
    note: str

    @property
    def name(self) -> str:
        words = [",".join(map(str, self.widths))]
        words += ["bias"] if self.bias else []
        words += [f"τ = {self.damping}"] if self.damping else []
        return " ".join(words)


@dataclass(frozen=True)
class Compared:
    """A case there and here. The ratios compare their whole time with `analyze`, and their serial
    count with `count`; the first is None where their code failed rather than ran out of time."""

    there: PeerCase
    here: Timed

    @property
    def agrees(self) -> bool:
        same = self.there.laws in (None, self.here.upper)
        return same and self.there.variables in (None, self.here.variables)

    @property
    def killed(self) -> bool:
        return self.there.note.startswith("killed")

    @property
    def whole_ratio(self) -> float | None:
        if self.there.laws is None and not self.killed:
            return None
        return self.there.total_seconds / self.here.analyze_seconds

    @property
    def serial_ratio(self) -> float | None:
        if self.there.serial_count_seconds is None:
            return None
        return self.there.serial_count_seconds / self.here.count_seconds


def seconds(action: Callable[[], Any]) -> tuple[Any, float]:
    """The result of an action and its wall time."""
    jax.clear_caches()
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def timed(make: Callable[[], Flow]) -> Timed:
    """Count and analyze, each on a flow of its own.

    Raises:
        ValueError: the two disagree.
    """
    counted, count_seconds = seconds(lambda: count(make()))
    analysis, analyze_seconds = seconds(lambda: analyze(make()))
    if counted.upper != analysis.count.upper:
        raise ValueError(f"count says {counted.upper}, analyze says {analysis.count.upper}")
    return Timed(
        counted.certificate.dimension,
        counted.upper,
        analysis.count.lower,
        analysis.count.status,
        count_seconds,
        analyze_seconds,
    )


def random_nets(number: int = 50) -> list[RandomNet]:
    """The linear nets drawn by the authors' recipe."""
    return [
        RandomNet(w, nets.balancedness_rank(w), timed(lambda w=w: nets.linear(w)))
        for w in nets.random_widths(number)
    ]


def published_seconds() -> float:
    """What the authors' notebook prints for its 50 linear nets on 64 cores."""
    return json.loads(PEER.read_text())["published_64_cores_seconds"]["50 linear nets"]


def peer_cases(families: Sequence[str]) -> Iterator[PeerCase]:
    """The measured cases of some families, in the order of the file."""
    data = json.loads(PEER.read_text())
    serial = data["serial_count_seconds"]
    for case in data["cases"]:
        if case["family"] not in families:
            continue
        widths = tuple(case["dims_output_first"])
        key = f"{case['family']} {','.join(map(str, widths))}"
        yield PeerCase(
            case["family"],
            widths,
            case["bias"],
            int("tau = 1" in case["note"]),
            case["variables"],
            case["total_seconds"],
            serial.get(key),
            case["laws"],
            case["note"],
        )


def compared(case: PeerCase) -> Compared:
    """The same case here."""
    make = nets.FAMILIES[case.family]
    return Compared(case, timed(lambda: make(case.widths, case.bias, case.damping)))


@dataclass(frozen=True)
class Further:
    """A case of `nets.FURTHER` under one damping."""

    model: str
    widths: tuple[int, ...]
    damping: str
    expected: int
    here: Timed

    @property
    def agrees(self) -> bool:
        return self.here.upper == self.here.proved == self.expected


def further_cases() -> Iterator[Further]:
    """The second paper's flows beyond those that its code was timed on.

    These linear nets are wide enough for its theorem: one angular momentum for each pair of neurons of a hidden layer.
    The other models keep nothing.
    """
    for model, (make, sizes) in nets.FURTHER.items():
        for widths in sizes:
            for name, damping in nets.DAMPINGS.items():
                pairs = sum(d * (d - 1) // 2 for d in widths[1:-1]) if model == "linear" else 0
                here = timed(lambda m=make, w=widths, d=damping: m(w, d))
                yield Further(model, tuple(widths), name, pairs, here)


def startup_seconds(repeats: int = 3) -> float:
    """Median wall time of `geoflow check examples/linear.geo --no-verify` as a process of its own.

    Raises:
        subprocess.CalledProcessError: the check does not succeed.
    """
    command = [sys.executable, "-m", "geoflow", "check", "examples/linear.geo", "--no-verify"]

    def once() -> float:
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.perf_counter() - start

    return statistics.median(once() for _ in range(repeats))
