"""The whole table of docs/benchmarks.md, section by section, each in a process of its own.

python -m benchmarks            # half an hour
python -m benchmarks --quick    # without the largest sizes
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version

SECTIONS: dict[str, tuple[Sequence[str], Sequence[str]]] = {  # module: (arguments, quick ones)
    "start": ((), ()),
    "papers": ((), ("--family", "nmf")),
    "networks": (("--real", "0"), ("--real", "0")),
    "large": ((), ("--only", "mlp-10k")),
    "large ": (("--growth",), ()),
    "rank": (("--sizes", "1000,2000,4000,10240"), ("--sizes", "1000,2000")),
    "polynomials": ((), ("--most", "200")),
    "sweeps": ((), ()),
    "disturbed": ((), ()),
    "editor": ((), ()),
    "watch": ((), ()),
    "guard": ((), ()),
}


def main() -> int:
    """Print every section; the exit status is 1 if one of them fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    packages = ("geoflow", "jax", "numpy", "python-flint")
    print(f"Python {platform.python_version()}, {', '.join(f'{p} {version(p)}' for p in packages)}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    failed: list[str] = []
    for module, (whole, quick) in SECTIONS.items():
        arguments = quick if given.quick else whole
        if given.quick and module.endswith(" "):
            continue
        call = [sys.executable, "-m", f"benchmarks.{module.strip()}", *arguments]
        print(f"\n## {' '.join(call[2:])}\n", flush=True)
        if subprocess.run(call, check=False).returncode:
            failed.append(module.strip())
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall sections ran")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
