"""What watching costs: the time of a training step with and without `geoflow.watch`, side by side.

    python benchmarks/watch.py [--hidden 256] [--batch 512] [--momentum 0] [--steps 100] [--torch]

A ReLU network of two hidden layers on scikit-learn's digits (64 pixels, 10 classes), cross-entropy, SGD in single
precision. The two loops take turns, ten rounds; the ratio is that of the medians of CPU time. Watching reads parameters
and gradients a few times, whatever the batch is, so its part falls as the batch grows. A small network with the same
layers is analyzed, and its laws are written for the large one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits

import geoflow as gf

RATE, ROUNDS = 0.05, 10
Loop = Callable[[int], float]  # seconds of CPU for so many steps


def mlp(p: Any, x: jax.Array) -> jax.Array:
    h = jax.nn.relu(p["W1"] @ x + p["b1"])
    h = jax.nn.relu(p["W2"] @ h + p["b2"])
    return p["W3"] @ h


def loss(p: Any, images: Any, labels: Any) -> jax.Array:
    logits = jax.vmap(lambda x: mlp(p, x))(images)
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))


def shapes(hidden: int, pixels: int = 64) -> dict[str, tuple[int, ...]]:
    return {
        "W1": (hidden, pixels),
        "b1": (hidden,),
        "W2": (hidden, hidden),
        "b2": (hidden,),
        "W3": (10, hidden),
    }


def laws_of_the_large(hidden: int) -> tuple[gf.Flow, tuple[gf.Law, ...]]:
    """The laws that are proved for a network with 5 neurons a layer, for one with more. That their drift is the
    predicted one is asserted."""
    small = {n: np.zeros(s) for n, s in shapes(5, 6).items()}
    found = gf.find_laws(gf.Flow.of_network(mlp, small, np.zeros(6), loss=gf.CrossEntropy()))
    params = {n: np.zeros(s) for n, s in shapes(hidden).items()}
    flow = gf.Flow.of_network(mlp, params, np.zeros(64), loss=gf.CrossEntropy())
    from geoflow.lawtext import read_law

    return flow, tuple(
        gf.Law(read_law(flow, str(law)).laws[0].expression, flow, "probable", 0, 0) for law in found
    )


def in_jax(hidden: int, batch: int, momentum: float) -> dict[str, Loop]:
    flow, laws = laws_of_the_large(hidden)
    monitor = gf.watch(flow, rate=RATE, momentum=momentum, laws=laws)
    rng = np.random.default_rng(0)
    start = {
        n: jnp.asarray(rng.standard_normal(s) / np.sqrt(s[-1]), jnp.float32)
        for n, s in shapes(hidden).items()
    }
    data: Any = load_digits()
    images = jnp.asarray(data.data[:batch] / 16, jnp.float32)
    labels = jnp.asarray(data.target[:batch])

    def loop(optimizer: Any, watched: bool) -> Loop:
        @jax.jit
        def step(p: Any, s: Any) -> Any:
            updates, s = optimizer.update(jax.grad(loss)(p, images, labels), s, p)
            return optax.apply_updates(p, updates), s

        def run(steps: int) -> float:
            p, s = start, optimizer.init(start)
            begin = time.process_time()
            for _ in range(steps):
                p, s = step(p, s)
            jax.block_until_ready((p, s))
            seconds = time.process_time() - begin
            if watched:
                flags = monitor.flags(monitor.state(s))
                assert not flags, flags
            return seconds

        return run

    plain = optax.sgd(RATE, momentum or None)
    return {"plain": loop(plain, False), "watched": loop(monitor.wrap(plain), True)}


def in_torch(hidden: int, batch: int, momentum: float) -> dict[str, Loop]:
    import torch

    torch.set_num_threads(1)
    flow, laws = laws_of_the_large(hidden)
    names = {"W1": "0.weight", "b1": "0.bias", "W2": "2.weight", "b2": "2.bias", "W3": "4.weight"}
    monitor = gf.watch(flow, rate=RATE, momentum=momentum, laws=laws, names=names)
    data: Any = load_digits()
    images = torch.tensor(data.data[:batch] / 16, dtype=torch.float32)
    labels = torch.tensor(data.target[:batch])

    def loop(watched: bool) -> Loop:
        def run(steps: int) -> float:
            torch.manual_seed(0)
            nn = torch.nn
            model = nn.Sequential(
                nn.Linear(64, hidden),
                nn.ReLU(),
                nn.Linear(hidden, hidden),
                nn.ReLU(),
                nn.Linear(hidden, 10, bias=False),
            )
            optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=momentum)
            watch = monitor.torch(model, optimizer) if watched else None
            begin = time.process_time()
            for _ in range(steps):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(images), labels).backward()
                optimizer.step()
            seconds = time.process_time() - begin
            assert watch is None or not watch.flags(), watch.flags()
            return seconds

        return run

    return {"plain": loop(False), "watched": loop(True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--momentum", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--torch", action="store_true")
    given = parser.parse_args()
    loops = (in_torch if given.torch else in_jax)(given.hidden, given.batch, given.momentum)
    for run in loops.values():
        run(2)
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, run in loops.items():
            seconds[name].append(run(given.steps))
    medians = {name: statistics.median(s) / given.steps * 1e3 for name, s in seconds.items()}
    ratio = medians["watched"] / medians["plain"]
    print(
        f"hidden {given.hidden}, batch {given.batch}, momentum {given.momentum:g}: "
        f"{medians['plain']:.2f} ms of CPU a step, {medians['watched']:.2f} ms watched, {100 * (ratio - 1):+.1f} %"
    )


if __name__ == "__main__":
    main()
