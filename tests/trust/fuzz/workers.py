"""Worker processes, each with its share of the inputs, and one that watches them."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from tests.trust.fuzz.run import DEADLINE, Finding, Share, make, quieten, work

PATIENCE = 20 * DEADLINE  # seconds without a sign of life, on a machine that others load as well
PART = 500  # inputs that are told of at once


@dataclass
class _Running:
    """A worker, the inputs it was given, and the last that it began."""

    process: BaseProcess
    numbers: range
    last: int
    seen: float = field(default_factory=time.monotonic)


def parallel(
    seed: int, inputs: range, jobs: int, seconds: float
) -> tuple[list[Share], list[Finding]]:
    """Each worker takes every `jobs`-th input; one that dies or hangs outside Python is a finding, and replaced."""
    end = time.monotonic() + seconds
    waiting = [inputs[first::jobs] for first in range(min(jobs, len(inputs)))]
    shares: list[Share] = []
    lost: list[Finding] = []
    running: dict[Connection, _Running] = {}
    while (waiting or running) and time.monotonic() < end:
        while waiting:
            pipe, worker = _start(seed, waiting.pop())
            running[pipe] = worker
        for pipe in wait(list(running), 1):
            assert isinstance(pipe, Connection)
            worker, what = running[pipe], ""
            try:
                said = pipe.recv()
            except EOFError:
                worker.process.join()
                said, what = None, f"the process died ({worker.process.exitcode})"
            if isinstance(said, Share):
                shares.append(said)
                print(f"{PART * len(shares)} inputs or so", file=sys.stderr, flush=True)
            elif isinstance(said, int):
                worker.last, worker.seen = said, time.monotonic()
            else:
                del running[pipe]
                if what:
                    waiting += _lose(seed, worker, what, lost)
        for pipe, worker in list(running.items()):
            if time.monotonic() - worker.seen > PATIENCE:
                worker.process.kill()
                del running[pipe]
                waiting += _lose(seed, worker, f"no sign of life in {PATIENCE:g} s", lost)
    for worker in running.values():
        worker.process.kill()
    return shares, lost


def _start(seed: int, numbers: range) -> tuple[Connection, _Running]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_worker, args=(seed, numbers, there), daemon=True)
    process.start()
    there.close()
    return here, _Running(process, numbers, numbers[0])


def _lose(seed: int, worker: _Running, what: str, lost: list[Finding]) -> Iterator[range]:
    """What is left for another worker."""
    target, data = make(seed, worker.last)
    lost.append(Finding(worker.last, target, what, data))
    left = worker.numbers[worker.numbers.index(worker.last) + 1 :]
    if left:
        yield left


def _worker(seed: int, numbers: range, pipe: Connection) -> None:
    quieten()
    for start in range(0, len(numbers), PART):
        share = work(seed, numbers[start : start + PART], pipe.send)
        share.worker = numbers[0]
        pipe.send(share)
    pipe.send(None)
