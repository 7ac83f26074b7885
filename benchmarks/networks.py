"""`python -m benchmarks.networks`: networks written as `network`, counted and analysed here, and their times there.

The first table is the papers' 50 random ReLU nets by the authors' recipe; their notebook prints 1 h 53 min on 64 cores
for such a 50. The second has the networks whose rank is proved in ball arithmetic. Run it from the repository's root.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

THERE = (113 * 60, 64)  # seconds that their notebook prints for 50 ReLU nets, and its cores


@dataclass(frozen=True)
class Timed:
    """One network: bounds of the number of laws, what was proved, the seconds of a check without trajectories."""

    name: str
    parameters: int
    lower: int
    upper: int
    status: str
    seconds: float


def random_relu_nets(count: int) -> Iterator[tuple[list[int], bool]]:
    """The authors' recipe: `np.random.seed(0)`; depth, widths, and biases or none."""
    rng = np.random.RandomState(0)
    for _ in range(count):
        depth = rng.randint(2, 5)
        yield [int(rng.randint(2, 10)) for _ in range(depth + 1)], bool(rng.random_sample() < 0.5)


def relu_text(widths: Sequence[int], bias: bool) -> str:
    """A ReLU network, with biases on its hidden layers or none."""
    depth, value = len(widths) - 1, "x"
    for layer in range(1, depth):
        value = f"relu(W[{layer}] @ {value}{f' + b[{layer}]' if bias else ''})"
    biases = f", b[l in 1..{depth - 1}][d[l]]" if bias else ""
    return (
        f"dim d[0..{depth}] = {list(widths)}\nparam W[l in 1..{depth}][d[l], d[l-1]]{biases}\n"
        f"input x[d[0]]\nnetwork g = W[{depth}] @ {value}\nexpect laws = {sum(widths[1:-1])}\n"
    )


SMOOTH = {
    "tanh, two layers (3, 6, 4)": "param W[6, 3], b[6], V[4, 6]\ninput x[3]\nnetwork g = V @ tanh(W @ x + b)\n",
    "softmax attention, 3 tokens of 4, two heads of 2": (
        "param Q[h in 1..2][4, 2], K[h in 1..2][4, 2], V[h in 1..2][4, 2], O[h in 1..2][4, 2]\n"
        "input X[3, 4]\n"
        "network g = sum(stack([softmax(X @ Q[h] @ K[h].T @ X.T) @ X @ V[h] @ O[h].T for h in 1..2]), axis=0)\n"
    ),
    "SwiGLU (6, 8, 6)": "param A[8, 6], B[8, 6], C[6, 8]\ninput x[6]\nnetwork g = C @ (silu(A @ x) * (B @ x))\n",
    "linear layer before layer norm (4, 6)": (
        "param W[6, 4], V[3, 6]\ninput x[4]\nnetwork g = V @ layer_norm(W @ x)\n"
    ),
}


def timed(name: str, text: str, gates: str | None = None) -> Timed:
    """One check, without trajectories."""
    begin = time.perf_counter()
    options = CheckOptions(verify=False, gates="real" if gates == "real" else None)
    (model,) = check_text(text, name, options).models
    seconds = time.perf_counter() - begin
    upper = model.real_gates.upper if model.real_gates is not None else model.laws.upper
    return Timed(name, model.parameters, model.laws.lower, upper, model.laws.status, seconds)


def table(rows: Sequence[Timed]) -> list[str]:
    """A Markdown table."""
    lines = ["| network | parameters | laws | status | s |", "|---|---|---|---|---|"]
    for r in rows:
        laws = str(r.upper) if r.lower == r.upper else f"{r.lower} to {r.upper}"
        lines.append(f"| {r.name} | {r.parameters} | {laws} | {r.status} | {r.seconds:.2f} |")
    return lines


def main() -> int:
    """Print the tables; the exit status is 1 if a count is not the number of hidden neurons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--real", type=int, default=10, help="how many nets with real gates too")
    given = parser.parse_args()
    timed("start", relu_text([2, 2, 1], False))  # what is imported at first use
    nets = list(random_relu_nets(50))
    rows = [timed(f"{w}{' with biases' if b else ''}", relu_text(w, b)) for w, b in nets]
    right = all(
        (r.lower, r.upper, r.status) == (sum(w[1:-1]), sum(w[1:-1]), "proved")
        for (w, _), r in zip(nets, rows, strict=True)
    )
    total = sum(r.seconds for r in rows)
    print(
        f"50 random ReLU nets: {total:.1f} s in one process, {'all' if right else 'NOT all'} proved"
    )
    print(f"there: {THERE[0]} s on {THERE[1]} cores, {THERE[0] / total:.0f} times as long\n")
    slowest = sorted(rows, key=lambda r: -r.seconds)[:5]
    print("\n".join(table(slowest)))
    print("\nNetworks with functions, the rank proved in balls:\n")
    print("\n".join(table([timed(name, text) for name, text in SMOOTH.items()])))
    if given.real:
        print("\nReal gates, at the best point found:\n")
        print(
            "\n".join(
                table([timed(f"{w}", relu_text(w, b), "real") for w, b in nets[: given.real]])
            )
        )
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
