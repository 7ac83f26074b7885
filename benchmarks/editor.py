"""How long an editor waits: from a change of a file to its diagnostics, and the like, on 2,000 lines.

The client and the server are two processes, as with an editor: seconds of the wall clock. The front
end is timed alone too, in seconds of the processor, which other work on the machine does not change.

    python -m benchmarks.editor
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from geoflow.diagnostics import Source
from geoflow.formatting import format_text
from geoflow.semantics import load_text, survey
from tests.server.session import Session, place

LINES = 2000


def long_text(lines: int = LINES) -> str:
    """A linear network of many blocks: every statement is of one, and every name is used."""
    blocks: list[str] = []
    count = lines // 6
    for i in range(count):
        blocks += [f"# block {i} with θ", f"param θ{i}[n, r], V{i}[m, r]"]
        blocks += [f"let φ{i} = θ{i} @ V{i}.T"]
        blocks += [f"law balance{i} = θ{i}.T @ θ{i} - V{i}.T @ V{i}", ""]
    listed = ["map phi = [", *(f"    φ{i}," for i in range(count)), "]"]
    text = "\n".join(["model long", "", "dim n = 3, r = 2, m = 2", *blocks, *listed]) + "\n"
    return format_text(Source("long.geo", text))


def timed(
    what: Callable[[int], object], times: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """The seconds of each of several calls."""
    seconds = []
    for number in range(times):
        begin = clock()
        what(number)
        seconds.append(clock() - begin)
    return seconds


def measure(lines: int, times: int) -> dict[str, list[float]]:
    """Seconds by what was asked."""
    text = long_text(lines)
    assert load_text(text)[1] == ()
    wrong = text.replace("@ V7.T", "@ V77777.T")
    found: dict[str, list[float]] = {}
    survey("param x\nmap phi = x\n")  # the grammar is loaded
    texts = (wrong, text)
    found["front end, opened"] = timed(lambda _: survey(text), 1, time.process_time)
    found["front end, changed"] = timed(
        lambda i: survey(f"{texts[i % 2]}# {i}\n"), times, time.process_time
    )
    session = Session(checkOnSave=False)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "long.geo"
            session.open(path, "param x\nmap phi = x\n")  # the grammar is loaded
            found["open, diagnostics"] = timed(
                lambda i: session.open(path.with_name(f"other{i}.geo"), text), 1
            )
            session.open(path, text)

            def change(number: int) -> None:
                told = session.change(path, f"{texts[number % 2]}# {number}\n")
                assert len(told) == (number % 2 == 0)

            found["change, diagnostics"] = timed(change, times)
            at = place(text, "θ100", 1)
            found["hover"] = timed(lambda _: session.hover(path, at), times)
            found["completion"] = timed(lambda _: session.complete(path, at), times)
            found["definition"] = timed(lambda _: session.definition(path, at), times)
            found["outline"] = timed(lambda _: session.symbols(path), times)
            found["format"] = timed(lambda _: session.format(path), times)
    finally:
        session.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print the seconds as data")
    arguments = parser.parse_args()
    found = measure(arguments.lines, arguments.times)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{long_text(arguments.lines).count(chr(10))} lines, {arguments.times} times each")
    for name, seconds in found.items():
        middle, worst = statistics.median(seconds), max(seconds)
        print(f"  {name:<22}{1000 * middle:7.0f} ms   at most {1000 * worst:.0f} ms")


if __name__ == "__main__":
    main()
