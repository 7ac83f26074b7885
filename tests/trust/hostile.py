"""Calls of the command line with hostile input: they end soon, with one of three exit codes, and say what is wrong."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from typer.testing import CliRunner

from geoflow.cli import app

PATIENCE = 120  # seconds, on a machine that others load as well; a hang has no end
MEMORY = 3 * 2**30  # bytes that a call may add to the address space
COMMANDS = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066")  # what a terminal would obey


@dataclass(frozen=True)
class Answer:
    """What a call ended with."""

    code: int
    text: str


@contextmanager
def limits() -> Iterator[None]:
    """Time and memory are bounded; too much of either is an error of the test."""

    def over(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("no answer")

    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(PATIENCE)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def geoflow(*arguments: str, given: bytes | None = None) -> Answer:
    """A call in this process, held to what every call promises."""
    with limits():
        result = CliRunner().invoke(app, list(arguments), input=given)
    assert result.exit_code in (0, 1, 2), result.output
    assert "Traceback" not in result.output and "geoflow failed" not in result.output
    return Answer(result.exit_code, result.output)


def refused(*arguments: str, given: bytes | None = None) -> str:
    """What a call says that ends with exit code 2."""
    answer = geoflow(*arguments, given=given)
    assert answer.code == 2 and answer.text.strip(), answer
    assert not any(character in answer.text for character in COMMANDS)
    return answer.text
