"""`python -m benchmarks.large`: flows with 10,000 to 2,359,296 parameters, analyzed: counted, laws found and proved.

    python -m benchmarks.large --only mlp-1m     # one of them
    python -m benchmarks.large --growth          # how time and memory grow with the number of parameters D

Each is a plain JAX function in a process of its own, so that its memory is its own. Times are from the JAX function to
the verdict, tracing included, imports not; the count is confirmed at a second point. Run it from the repository's root.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from geoflow.analysis import analyze
from geoflow.flow import Flow


@dataclass(frozen=True)
class Counted:
    """One flow: the verdict, and what it took. `proved`: so many independent laws hold identically."""

    name: str
    parameters: int
    expected: int
    upper: int
    proved: int
    status: str
    wall: float
    processor: float
    gibibytes: float

    @property
    def right(self) -> bool:
        """Whether the count is the expected one, and proved."""
        return (self.upper, self.proved, self.status) == (self.expected, self.expected, "proved")


def mlp(*widths: int, biases: bool = False) -> Flow:
    """A ReLU network of dense layers."""
    layers = list(pairwise(widths))
    params = {f"W{k}": np.zeros((b, a), np.float32) for k, (a, b) in enumerate(layers)}
    if biases:
        params |= {f"b{k}": np.zeros(b, np.float32) for k, (_, b) in enumerate(layers)}

    def apply(p, x):
        for k in range(len(layers)):
            x = p[f"W{k}"] @ x + (p[f"b{k}"] if biases else 0)
            x = jax.nn.relu(x) if k < len(layers) - 1 else x
        return x

    return Flow.of_network(apply, params, np.zeros(widths[0]))


def convolutional(first: int, second: int, classes: int, side: int = 16) -> Flow:
    """Two convolutions with biases, padded, pooled and strided, and a dense head."""
    params = {
        "K": np.zeros((first, 3, 3, 3)),
        "b": np.zeros(first),
        "L": np.zeros((second, first, 3, 3)),
        "c": np.zeros(second),
        "W": np.zeros((classes, second * (side // 4) ** 2)),
        "d": np.zeros(classes),
    }

    def apply(p, x):
        h = lax.conv_general_dilated(x[None], p["K"], (1, 1), "SAME")
        h = jax.nn.relu(h + p["b"][None, :, None, None])
        h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        h = lax.conv_general_dilated(h, p["L"], (2, 2), "SAME")
        h = jax.nn.relu(h + p["c"][None, :, None, None])
        return p["W"] @ h.reshape(-1) + p["d"]

    return Flow.of_network(apply, params, np.zeros((3, side, side)))


def residual(width: int, layers: int, outside: int, *, gated: bool) -> Flow:
    """Blocks h + B·relu(A·h), with a relu after each sum where `gated`."""
    params = {"W": np.zeros((width, outside)), "V": np.zeros((outside, width))}
    for k in range(layers):
        params |= {f"A{k}": np.zeros((width, width)), f"B{k}": np.zeros((width, width))}
    after = jax.nn.relu if gated else lambda h: h

    def apply(p, x):
        h = after(p["W"] @ x)
        for k in range(layers):
            h = after(h + p[f"B{k}"] @ jax.nn.relu(p[f"A{k}"] @ h))
        return p["V"] @ h

    return Flow.of_network(apply, params, np.zeros(outside))


def product(n: int, m: int, r: int) -> Flow:
    """φ = U Vᵀ: one product of an attention head."""
    return Flow(lambda p: p["U"] @ p["V"].T, {"U": np.zeros((n, r)), "V": np.zeros((m, r))})


def attention(heads: int, width: int, size: int) -> Flow:
    """What a loss sees of an attention layer, head by head: Q Kᵀ and V Oᵀ."""
    params = {f"{a}{h}": np.zeros((width, size)) for h in range(heads) for a in "QKVO"}

    def maps(p):
        pairs = [("Q", "K"), ("V", "O")]
        return [p[f"{a}{h}"] @ p[f"{b}{h}"].T for h in range(heads) for a, b in pairs]

    return Flow(maps, params)


# name → (flow, number of laws that is known or expected)
CASES: dict[str, tuple[Callable[[], Flow], int]] = {
    "mlp-10k": (lambda: mlp(64, 64, 64, 32), 128),
    "mlp-1m": (lambda: mlp(500, 700, 700, 300), 1400),
    "mlp-1m-biases": (lambda: mlp(500, 700, 700, 300, biases=True), 1400),
    "conv-120k": (lambda: convolutional(32, 64, 100), 96),
    "residual-120k": (lambda: residual(96, 6, 64, gated=True), 672),
    "stream-29k": (lambda: residual(40, 8, 40, gated=False), 320 + 820),
    "product-98k": (lambda: product(768, 768, 64), 2080),
    "gpt2-attention": (lambda: attention(12, 768, 64), 49_920),
}
GROWTH = {
    **{
        f"mlp {w}-{w}-{w}-{w // 2}": (lambda w=w: mlp(w, w, w, w // 2), 2 * w)
        for w in (6, 20, 64, 200, 640)
    },
    **{
        f"product {12 * r}×{r}, {12 * r}×{r}": (
            lambda r=r: product(12 * r, 12 * r, r),
            r * (r + 1) // 2,
        )
        for r in (2, 6, 20, 64)
    },
}


def measured(name: str) -> Counted:
    """One case, in this process."""
    make, expected = (CASES | GROWTH)[name]
    wall, processor = time.perf_counter(), time.process_time()
    flow = make()
    found = analyze(flow)
    return Counted(
        name,
        flow.dimension,
        expected,
        found.count.upper,
        found.count.lower,
        found.count.status,
        time.perf_counter() - wall,
        time.process_time() - processor,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )


def apart(name: str) -> Counted:
    """One case, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.large", "--one", name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Counted(**json.loads(done.stdout.splitlines()[-1]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status is 1 if a verdict is not the expected one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=sorted(CASES))
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(asdict(measured(given.one))))
        return 0
    print(
        "| flow | parameters | laws | expected | wall, s | processor, s | GiB |"
        + " exponent |" * given.growth
    )
    print("|---|--:|--:|--:|--:|--:|--:|" + "--:|" * given.growth)
    rows: list[Counted] = []
    for name in GROWTH if given.growth else [given.only] if given.only else CASES:
        row = apart(name)
        cells = [
            row.name,
            f"{row.parameters:,}",
            f"{row.upper:,} {row.status}",
            f"{row.expected:,}",
        ]
        cells += [f"{row.wall:.1f}", f"{row.processor:.1f}", f"{row.gibibytes:.2f}"]
        before = rows[-1] if rows and rows[-1].name.split()[0] == row.name.split()[0] else None
        if given.growth:
            grown = math.log(row.processor / before.processor) if before else math.nan
            larger = math.log(row.parameters / before.parameters) if before else 1.0
            cells.append(f"{grown / larger:.2f}" if before else "")
        rows.append(row)
        print(f"| {' | '.join(cells)} |", flush=True)
    return 0 if all(row.right for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
