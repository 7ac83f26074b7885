"""`python -m benchmarks.large`: networks with 10,000 to 1,000,000 parameters, counted from sparse fields.

Each is a plain JAX function in a process of its own, so that its memory is its own. Times are processor time, tracing
included; the count is confirmed at a second point. Run it from the repository's root; `--only NAME` runs one.
"""

from __future__ import annotations

import argparse
import json
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

from geoflow.analysis import count, law_count
from geoflow.flow import Flow


@dataclass(frozen=True)
class Counted:
    """One network: the bound, and what it took."""

    name: str
    parameters: int
    expected: int
    upper: int
    status: str
    fields: int
    core: tuple[int, int]
    seconds: float
    gibibytes: float


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


# name → (flow, number of laws that is known or expected)
CASES: dict[str, tuple[Callable[[], Flow], int]] = {
    "mlp-10k": (lambda: mlp(64, 64, 64, 32), 128),
    "mlp-1m": (lambda: mlp(500, 700, 700, 300), 1400),
    "mlp-1m-biases": (lambda: mlp(500, 700, 700, 300, biases=True), 1400),
    "conv-120k": (lambda: convolutional(32, 64, 100), 96),
    "residual-120k": (lambda: residual(96, 6, 64, gated=True), 672),
    "stream-29k": (lambda: residual(40, 8, 40, gated=False), 320 + 820),
    "product-98k": (lambda: product(768, 768, 64), 2080),
}


def measured(name: str) -> Counted:
    """One case, in this process."""
    make, expected = CASES[name]
    begin = time.process_time()
    flow = make()
    found = count(flow)
    seconds = time.process_time() - begin
    run = found.certificate.runs[0].anchored
    return Counted(
        name,
        flow.dimension,
        expected,
        found.upper,
        law_count(found, 0).status,
        run.generators + run.brackets if run else 0,
        run.core if run else (0, 0),
        seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(CASES))
    parser.add_argument("--one", choices=sorted(CASES), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(asdict(measured(options.one))))
        return
    print(f"{'network':16}{'parameters':>12}{'expected':>10}{'at most':>9}{'cpu s':>8}{'GiB':>7}")
    for name in [options.only] if options.only else CASES:
        command = [sys.executable, "-m", "benchmarks.large", "--one", name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        row = Counted(**json.loads(done.stdout.splitlines()[-1]))
        print(
            f"{row.name:16}{row.parameters:12,}{row.expected:10,}{row.upper:9,}"
            f"{row.seconds:8.1f}{row.gibibytes:7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
