"""A run over many inputs: which target gets which input, what each took, and what was found."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import FrameType
from typing import Any

from tests.trust.fuzz.documents import any_json, odd_line
from tests.trust.fuzz.targets import TARGETS, shortened
from tests.trust.fuzz.texts import SIZES, any_bytes, any_text, models, renumbered, written

SHARES = {
    "parser": 36, "checker": 20, "formatter": 22, "check": 0.2, "saved": 3, "journal": 7, "cache": 1.5,
    "recheck": 1, "tool": 6, "server": 3.3,
}  # fmt: skip
SLOW = 2.0  # seconds of processor time that are reported
DEADLINE = 30.0  # seconds of processor time that are a hang


class Hang(BaseException):
    """An input that takes longer than the deadline; no reader may catch it."""


@dataclass(frozen=True)
class Finding:
    """An input that something is wrong with."""

    number: int
    target: str
    what: str
    data: bytes
    trace: str = ""

    def told(self) -> str:
        """A paragraph."""
        return f"input {self.number}, {self.target}: {self.what}\n  {shortened(self.data)}\n{self.trace}"


@dataclass
class Tally:
    """What is counted of a target. `resident` is what the process grew by while it ran, in MiB."""

    inputs: int = 0
    valid: int = 0
    longest: float = 0.0
    longest_input: int = -1
    total: float = 0.0
    resident: float = 0.0


@dataclass
class Share:
    """What a worker did."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    slow: list[tuple[float, int, str]] = field(default_factory=list)
    worker: int = 0
    resident: float = 0.0  # MiB, at the end


def make(seed: int, number: int) -> tuple[str, bytes]:
    """The target and the bytes of an input."""
    rng = random.Random(f"{seed}:{number}")
    target = rng.choices(list(SHARES), list(SHARES.values()))[0]
    return target, _make(target, rng)


def _make(target: str, rng: random.Random) -> bytes:
    match target:
        case "parser" | "formatter" if rng.random() < 0.35:
            return any_bytes(rng)
        case "parser" | "formatter" | "checker":
            return any_text(rng).encode("utf-8", "surrogatepass")
        case "check":
            return _in_order(rng)
        case "saved":
            return any_json(rng.choice(reports()), rng)
        case "journal":
            lines = [_line(rng) for _ in range(rng.randrange(4))]
            return b"\n".join([*lines, odd_line(rng).encode("utf-8", "surrogatepass")])
        case "cache":
            return _line(rng) if rng.random() < 0.6 else _database(rng)
        case "recheck" | "tool":
            from geoflow.certificates.document import sealed

            def seal(data: Any) -> Any:
                return {"certificates": [sealed(each) for each in data["certificates"]]}

            return any_json({"certificates": [rng.choice(certificates())]}, rng, seal)
        case _:
            from tests.trust.fuzz.editing import any_session

            return any_session(rng)


def _in_order(rng: random.Random) -> bytes:
    """A text that passes the front end, and whose arrays are small."""
    from geoflow.semantics import load_text

    text = ""
    for _ in range(50):
        own = rng.random() < 0.4
        text = written(rng) if own else renumbered(rng.choice(models()), rng, SIZES[:5])
        if load_text(text)[0]:
            break
    return text.encode("utf-8", "surrogatepass")


@cache
def reports() -> tuple[Any, ...]:
    """Reports as `check --format json` writes them."""
    import json
    from dataclasses import replace

    from geoflow.options import CheckOptions
    from geoflow.pipeline import check_text
    from geoflow.report.machine import dumps, to_json
    from tests.report.samples import CERTIFICATE, VERIFICATION
    from tests.trust.fuzz.texts import HEADS

    found = []
    for text in (HEADS[0] + "law h = U.T @ U - V.T @ V\nexpect laws = 2\n", HEADS[2], HEADS[5]):
        report = check_text(text, "saved.geo", CheckOptions(verify=False, formulas=True))
        models = tuple(
            replace(m, verify=VERIFICATION, certificate=CERTIFICATE) for m in report.models
        )
        found.append(json.loads(dumps(to_json(replace(report, models=models)))))
    return tuple(found)


@cache
def certificates() -> tuple[Any, ...]:
    """Certificates of small models."""
    from benchmarks.tampering import MODELS, certificate

    return tuple(certificate(MODELS[name]) for name in ("product", "barrier", "neuron", "body"))


def _line(rng: random.Random) -> bytes:
    """A line of a journal, most of them changed; some are sealed again."""
    import json

    from geoflow.results import LawCount
    from geoflow.rows import Failure, Outcome, RowClaim
    from geoflow.sweep import record

    outcome = rng.choice(
        [
            Outcome(LawCount(3, 3, "proved"), (RowClaim("laws", "expect laws = 3", "proved", 3),)),
            Outcome(None, failure=Failure("GEO0304", "too large")),
            Outcome(LawCount(0, 2, "bounded"), cut=1.0),
        ]
    )
    whole = json.loads(record.seal("a" * 64, outcome, (("n", 3),)))

    def seal(data: Any) -> Any:
        content = {k: v for k, v in data.items() if k != "sum"}
        return {**content, "sum": record._sum(content)}

    return any_json(whole, rng, seal).replace(b"\n", b" ")


@cache
def _empty_database() -> bytes:
    import tempfile
    from pathlib import Path

    from geoflow.sweep.cache import DiskCache

    with tempfile.TemporaryDirectory() as folder:
        DiskCache(Path(folder)).close()
        return (Path(folder) / "outcomes.sqlite3").read_bytes()


def _database(rng: random.Random) -> bytes:
    from tests.trust.fuzz.texts import damaged_bytes

    return damaged_bytes(_empty_database(), rng)


def resident() -> float:
    """MiB of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """`Hang` after so many seconds of this process."""

    def over(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def work(seed: int, numbers: range, tell: Callable[[int], None] = lambda number: None) -> Share:
    """Every input of a range; `tell` is called with the number of each before it is tried."""
    share = Share()
    for number in numbers:
        tell(number)
        _one(share, number, *make(seed, number))
    share.resident = resident()
    return share


def _one(share: Share, number: int, target: str, data: bytes) -> None:
    tally = share.tallies.setdefault(target, Tally())
    tally.inputs += 1
    before, start = resident(), time.process_time()
    try:
        with deadline(DEADLINE):
            tally.valid += TARGETS[target](data)
    except Hang:
        share.findings.append(
            Finding(number, target, f"no answer in {DEADLINE:g} s", data, _trace())
        )
    except Exception as error:
        what = f"{type(error).__name__}: {error}"[:300]
        share.findings.append(Finding(number, target, what, data, _trace()))
    seconds = time.process_time() - start
    tally.total += seconds
    tally.resident += resident() - before
    if seconds > tally.longest:
        tally.longest, tally.longest_input = seconds, number
    if seconds > SLOW and target not in ("check", "recheck"):
        share.slow.append((seconds, number, target))


def _trace() -> str:
    return "".join("    " + line for line in traceback.format_exc(limit=-4).splitlines(True))


def quieten() -> None:
    """What a worker must not do: write caches of the user, warn, log."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
