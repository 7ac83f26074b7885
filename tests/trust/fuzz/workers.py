"""Worker processes, each with its share of the inputs, and one that watches them."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection

from tests.trust.fuzz.run import DEADLINE, Finding, Share, make, quieten, work

PATIENCE = 20 * DEADLINE  # seconds without a sign of life, on a machine that others load as well


def parallel(seed: int, inputs: int, jobs: int) -> tuple[list[Share], list[Finding]]:
    """Each worker takes every `jobs`-th input; one that dies or hangs outside Python is a finding, and replaced."""
    context = multiprocessing.get_context("spawn")
    waiting = [range(first, inputs, jobs) for first in range(jobs)]
    shares: list[Share] = []
    lost: list[Finding] = []
    running: dict[Connection, tuple[multiprocessing.process.BaseProcess, range, int, float]] = {}
    while waiting or running:
        while waiting:
            numbers = waiting.pop()
            here, there = context.Pipe()
            process = context.Process(target=_worker, args=(seed, numbers, there), daemon=True)
            process.start()
            there.close()
            running[here] = (process, numbers, numbers[0] if numbers else 0, time.monotonic())
        for pipe, (process, numbers, last, seen) in list(running.items()):
            try:
                if pipe.poll(0.2):
                    said = pipe.recv()
                    if isinstance(said, Share):
                        shares.append(said)
                        del running[pipe]
                        process.join()
                    else:
                        running[pipe] = (process, numbers, said, time.monotonic())
                    continue
                if time.monotonic() - seen < PATIENCE:
                    continue
                process.kill()
                what = f"no sign of life in {PATIENCE:g} s"
            except EOFError:
                process.join()
                what = f"the process died ({process.exitcode})"
            target, data = make(seed, last)
            lost.append(Finding(last, target, what, data))
            del running[pipe]
            left = numbers[numbers.index(last) + 1 :]
            if left:
                waiting.append(left)
    return shares, lost


def _worker(seed: int, numbers: range, pipe: Connection) -> None:
    quieten()
    pipe.send(work(seed, numbers, pipe.send))
