"""Start-up and one check, each in a process of its own, and where the time of a check goes.

python -m benchmarks.start
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

RUNS = 5
CHECK = ("-m", "geoflow", "check", "examples/linear.geo", "--no-verify")
CASES: dict[str, Sequence[str]] = {
    "python -c pass": ("-c", "pass"),
    "import geoflow": ("-c", "import geoflow"),
    "import jax": ("-c", "import jax"),
    "geoflow --help": ("-m", "geoflow", "--help"),
    "geoflow check examples/linear.geo --no-verify": CHECK,
    "geoflow check examples/linear.geo": CHECK[:-1],
}
WATCHED = (
    "jax",
    "numpy",
    "flint",
    "geoflow.analysis",
    "geoflow.cli",
    "geoflow.semantics",
    "geoflow.pipeline",
)


def wall(arguments: Sequence[str]) -> float:
    """Seconds of a Python process."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begin


def imports() -> dict[str, float]:
    """Seconds that imports take within a check, each with what it imports itself."""
    found = subprocess.run(
        [sys.executable, "-X", "importtime", *CHECK], check=True, capture_output=True, text=True
    )
    lines = re.findall(r"^import time:\s+\d+ \|\s+(\d+) \| +(\S+)$", found.stderr, re.M)
    return {name: int(micro) / 1e6 for micro, name in lines if name in WATCHED}


def main() -> None:
    """Print both tables."""
    print("| process | median wall, s | least |\n|---|--:|--:|")
    for name, arguments in CASES.items():
        wall(arguments)
        times = [wall(arguments) for _ in range(RUNS)]
        print(f"| `{name}` | {statistics.median(times):.2f} | {min(times):.2f} |", flush=True)
    print("\n| import, with what it imports | s |\n|---|--:|")
    for name, seconds in sorted(imports().items(), key=lambda item: -item[1]):
        print(f"| `{name}` | {seconds:.2f} |")


if __name__ == "__main__":
    main()
