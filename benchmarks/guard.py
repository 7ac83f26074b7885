"""Has geoflow become slower? Ratios to a reference of the same kind of work, measured in the same run.

    python -m benchmarks.guard            # exit status 1 if a case takes MOST times its recorded ratio
    python -m benchmarks.guard --record   # write the ratios of this run to guard.json

The reference traces a fixed JAX function, ranks a fixed matrix mod p and counts in Python: what a check spends its time
on. Processor time, the least of some repetitions, so that other work on the machine matters little; the bound is
generous for the rest.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import flint
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import nets
from benchmarks.networks import relu_text
from geoflow.analysis import analyze, count
from geoflow.options import CheckOptions
from geoflow.pipeline import check_paths, check_text

RECORD = Path(__file__).with_name("guard.json")
ROOT = Path(__file__).resolve().parent.parent
MOST = 2.5
REPETITIONS = 5


def reference() -> None:
    """Tracing, exact elimination and interpreted arithmetic, in fixed amounts."""

    def net(weights: list[jax.Array], x: jax.Array) -> jax.Array:
        for w in weights:
            x = jnp.tanh(w @ x)
        return jnp.sum(x)

    weights = [jnp.ones((4, 4)) for _ in range(4)]
    for _ in range(4):
        jax.clear_caches()
        jax.make_jaxpr(jax.grad(net))(weights, jnp.ones(4))
    numbers = np.random.default_rng(0).integers(0, 2**20, 200 * 200).tolist()
    flint.nmod_mat(200, 200, numbers, 1048573).rank()
    total = 0
    for k in range(200_000):
        total = (total * 31 + k) % 1048573


CASES: dict[str, Callable[[], object]] = {
    "count, linear 5,5,4,4,5": lambda: count(nets.linear((5, 5, 4, 4, 5))),
    "analyze, linear 4,5,4": lambda: analyze(nets.linear((4, 5, 4))),
    "check, ReLU 9,9,7,7,7 with biases": lambda: check_text(
        relu_text([9, 9, 7, 7, 7], True), "relu", CheckOptions(verify=False)
    ),
    "check, examples/nmf.geo": lambda: check_paths(
        [str(ROOT / "examples" / "nmf.geo")], CheckOptions(verify=False)
    ),
}


def least(work: Callable[[], object]) -> float:
    """The least processor time of some runs, in seconds, JAX's caches emptied before each."""
    times: list[float] = []
    for _ in range(REPETITIONS):
        jax.clear_caches()
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def main() -> int:
    """Print a line a case; the exit status is 1 if one is too slow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--record", action="store_true", help="write guard.json")
    given = parser.parse_args()
    for work in (reference, *CASES.values()):
        work()  # what is imported at first use
    unit = least(reference)
    ratios = {name: least(work) / unit for name, work in CASES.items()}
    if given.record:
        RECORD.write_text(json.dumps({n: round(r, 2) for n, r in ratios.items()}, indent=1) + "\n")
    recorded: dict[str, float] = json.loads(RECORD.read_text())
    print(f"reference: {unit:.3f} s")
    slow = [name for name, ratio in ratios.items() if ratio > MOST * recorded[name]]
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f} references, recorded {recorded[name]:.2f}")
    print(f"slower than {MOST} times the record: {', '.join(slow)}" if slow else "none is slower")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
