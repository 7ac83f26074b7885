"""What watching costs: the time of a training step with and without `geoflow.watch`, side by side.

    python -m benchmarks.watch [--hidden 256] [--batch 512] [--momentum 0] [--rounds 60] [--torch]

A ReLU network of two hidden layers on scikit-learn's digits (64 pixels, 10 classes), cross-entropy, SGD in single
precision. Two runs of one process, watched and not, take turns every 20 steps, each turn in the other order, and only
processor time counts (of all threads), so that other work on the machine disturbs both alike. Printed are the medians,
the ratio of neighbouring turns (its median and quartiles), and the ratio of the least turns. Watching reads the
gradients once, whatever the batch is, so its part falls as the batch grows. A small network with the same layers is
analyzed, and its laws are written for the large one.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits

import geoflow as gf

RATE = 0.05
STEPS = 20  # a turn: twice as many as lie between two looks at the parameters
Turn = Callable[[], float]  # so many further steps of a run: their processor time


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


def in_jax(hidden: int, batch: int, momentum: float) -> dict[str, Turn]:
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

    def turns(optimizer: Any, watched: bool) -> Turn:
        @jax.jit
        def step(p: Any, s: Any) -> Any:
            updates, s = optimizer.update(jax.grad(loss)(p, images, labels), s, p)
            return optax.apply_updates(p, updates), s

        run = start, optimizer.init(start)

        def turn() -> float:
            nonlocal run
            begin = time.process_time()
            for _ in range(STEPS):
                run = step(*run)
            jax.block_until_ready(run)
            seconds = time.process_time() - begin
            if watched:
                flags = monitor.flags(monitor.state(run[1]))
                assert not flags, flags
            return seconds

        return turn

    plain = optax.sgd(RATE, momentum or None)
    return {"plain": turns(plain, False), "watched": turns(monitor.wrap(plain), True)}


def in_torch(hidden: int, batch: int, momentum: float) -> dict[str, Turn]:
    import torch

    torch.set_num_threads(1)
    nn = torch.nn
    flow, laws = laws_of_the_large(hidden)
    names = {"W1": "0.weight", "b1": "0.bias", "W2": "2.weight", "b2": "2.bias", "W3": "4.weight"}
    monitor = gf.watch(flow, rate=RATE, momentum=momentum, laws=laws, names=names)
    data: Any = load_digits()
    images = torch.tensor(data.data[:batch] / 16, dtype=torch.float32)
    labels = torch.tensor(data.target[:batch])

    def turns(watched: bool) -> Turn:
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Linear(64, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 10, bias=False),
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=momentum)
        watch = monitor.torch(model, optimizer) if watched else None

        def turn() -> float:
            begin = time.process_time()
            for _ in range(STEPS):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(images), labels).backward()
                optimizer.step()
            seconds = time.process_time() - begin
            assert watch is None or not watch.flags(), watch.flags()
            return seconds

        return turn

    return {"plain": turns(False), "watched": turns(True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--momentum", type=float, default=0.0)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--torch", action="store_true")
    given = parser.parse_args()
    turns = (in_torch if given.torch else in_jax)(given.hidden, given.batch, given.momentum)
    for turn in turns.values():
        turn()
    orders = itertools.cycle([("plain", "watched"), ("watched", "plain")])
    rounds = [{n: turns[n]() / STEPS for n in next(orders)} for _ in range(given.rounds)]
    print(
        f"hidden {given.hidden}, batch {given.batch}, momentum {given.momentum:g}: {said(rounds)}"
    )


def said(rounds: Sequence[Mapping[str, float]]) -> str:
    columns = {n: [r[n] for r in rounds] for n in ("plain", "watched")}
    plain, watched = (1e3 * statistics.median(c) for c in columns.values())
    low, middle, high = statistics.quantiles(
        [100 * (r["watched"] / r["plain"] - 1) for r in rounds]
    )
    least = 100 * (min(columns["watched"]) / min(columns["plain"]) - 1)
    return (
        f"{plain:.2f} ms of processor time a step, watched {watched:.2f} ms, {middle:+.1f} % "
        f"({low:+.1f} to {high:+.1f}), least turns {least:+.1f} %"
    )


if __name__ == "__main__":
    main()
