"""Rank mod p beside LAPACK's LU decomposition, and exact evaluation beside evaluation in floats.

    python -m benchmarks.rank --sizes 1000,2000,4000
    python -m benchmarks.rank --sizes 10240 --no-flint --nets 64,64,64,32

All of a line is measured in one run, in turns, and the least of each is taken: what counts is the ratio. Evaluation is
in processor time. Memory is that of a process of its own which is given rows in batches, as a count is. On a busy
machine set OPENBLAS_NUM_THREADS=1, or threads that wait for each other are measured.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import flint
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.exact.elimination import BATCH, PRODUCT_BITS, RowSpace
from geoflow.exact.primefield import draw_prime
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.closure import close
from geoflow.lie.point import ModularPoint, draw_point, free_letter

SEED = 0


@dataclass(frozen=True)
class Seconds:
    """Wall time, and processor time of all threads."""

    wall: float = math.inf
    processor: float = math.inf


def least(actions: Sequence[Callable[[], Any]], turns: int) -> list[Seconds]:
    """The least times of each, taken in turns."""
    best = [Seconds()] * len(actions)
    for _ in range(turns):
        for k, action in enumerate(actions):
            wall, processor = time.perf_counter(), time.process_time()
            action()
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            best[k] = Seconds(min(best[k].wall, wall), min(best[k].processor, processor))
    return best


def gibibytes() -> float:
    """The most memory that this process ever held: not `ru_maxrss` on Linux, which carries it over from the parent."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**30  # bytes on a Mac


def rank_memory(size: int, prime: int) -> float:
    """GiB that a full rank takes, in this process."""
    rng, before = np.random.default_rng(SEED), gibibytes()
    space = RowSpace(size, prime)
    for start in range(0, size, BATCH):
        space.add(rng.integers(0, prime, (min(BATCH, size - start), size)))
    return gibibytes() - before


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """The value of a function called in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def rank_line(size: int, turns: int, with_flint: bool) -> str:
    """One size: a random matrix, which has full rank."""
    rng = np.random.default_rng(SEED)
    prime = draw_prime(rng, PRODUCT_BITS)
    rows, floats = rng.integers(0, prime, (size, size)), rng.standard_normal((size, size))
    actions: list[Callable[[], Any]] = [
        lambda: scipy.linalg.lu_factor(floats),
        lambda: RowSpace(size, prime).add(rows),
    ]
    if with_flint:
        matrix = flint.nmod_mat(size, size, rows.ravel().tolist(), prime)
        actions.append(lambda: matrix.rank())
    lu, here, *other = least(actions, turns)
    there = f"{other[0].wall:.2f}" if other else ""
    memory = alone(rank_memory, size, prime)
    return (
        f"| {size:,} | {lu.wall:.2f} | {here.wall:.2f} | {here.wall / lu.wall:.2f} "
        f"| {here.processor / lu.processor:.2f} | {there} | {memory:.2f} | {size**2 / 2**27:.2f} |"
    )


def relu_net(widths: Sequence[int]) -> gf.Flow:
    """A ReLU network without biases as a plain JAX function."""

    def apply(weights: list[jax.Array], x: jax.Array) -> jax.Array:
        *hidden, last = weights
        for w in hidden:
            x = jax.nn.relu(w @ x)
        return last @ x

    shapes = zip(widths[1:], widths[:-1], strict=True)
    weights = [jax.ShapeDtypeStruct(s, jnp.float32) for s in shapes]
    return gf.Flow.of_network(apply, weights, jax.ShapeDtypeStruct((widths[0],), jnp.float32))


def product_of(*shapes: tuple[int, int]) -> gf.Flow:
    """A linear network."""
    weights = [jax.ShapeDtypeStruct(s, jnp.float32) for s in shapes]
    return gf.Flow(lambda w: jnp.linalg.multi_dot(w) if len(w) > 1 else w[0], weights)


FLOWS: dict[str, Callable[[], gf.Flow]] = {
    "ReLU 64, 64, 64, 32": lambda: relu_net((64, 64, 64, 32)),
    "UV, 64 × 16 × 64": lambda: product_of((64, 16), (16, 64)),
    "UVW, 20 × 20 each": lambda: product_of((20, 20), (20, 20), (20, 20)),
}


def float_words(generator: Generator) -> Callable[..., jax.Array]:
    """Right-nested brackets of the same fields in float64, jitted, by nested JVPs: [batch, N]."""
    gates = len(generator.program.gates)

    def field(point: Any, letter: tuple[jax.Array, ...]) -> Any:
        own = letter[: len(letter) - gates]
        return generator.flow.controls({}, point, own)

    def word(point: Any, letters: list[tuple[jax.Array, ...]]) -> Any:
        if len(letters) == 1:
            return field(point, letters[0])
        along = field(point, letters[0])
        inner, moved = jax.jvp(lambda z: word(z, letters[1:]), (point,), (along,))
        _, back = jax.jvp(lambda z: field(z, letters[0]), (point,), (inner,))
        return jax.tree.map(jnp.subtract, moved, back)

    def rows(point: Any, letters: list[tuple[jax.Array, ...]]) -> jax.Array:
        values = jax.vmap(word, (None, 0))(point, letters)
        return jnp.concatenate([v.reshape(len(v), -1) for v in values.values()], axis=1)

    return jax.jit(rows)


def in_floats(place: ModularPoint, letters: Sequence[Letter]) -> tuple[Any, Any]:
    """The point and letters as floats of size 1."""
    p = place.field.p
    point = {n: jnp.asarray(v[0, 0] / p) for n, v in place.point.items()}
    return point, [tuple(jnp.asarray(c[0] / p) for c in x.controls) for x in letters]


def evaluation_lines(name: str, flow: gf.Flow, depths: Sequence[int], turns: int) -> list[str]:
    """Milliseconds per row, mod p and in floats."""
    generator, rng = Generator.of(flow), np.random.default_rng(SEED)
    place, lines = draw_point(generator, rng), []
    words = float_words(generator)
    for depth in depths:
        count = BATCH if depth == 0 else 256
        letters = [free_letter(generator, place, rng, count) for _ in range(depth + 1)]
        with jax.enable_x64(True):
            point, floats = in_floats(place, letters)
            actions: list[Callable[[], Any]] = [
                partial(exact_words, generator, place, letters),
                lambda point=point, floats=floats: np.asarray(words(point, floats)),
            ]
            start = time.perf_counter()
            actions[1]()
            compiling = time.perf_counter() - start
            here, there = (1000 * s.processor / count for s in least(actions, turns))
        lines.append(
            f"| {name} | {flow.dimension:,} | {depth} | {here:.3f} | {there:.3f} "
            f"| {here / there:.1f} | {compiling:.1f} |"
        )
    return lines


def exact_words(generator: Generator, place: ModularPoint, letters: list[Letter]) -> np.ndarray:
    """Rows of residues."""
    word = generator.word(place.field, place.constants, place.point, letters)
    return generator.rows(word, letters[0].weight.shape[1])


def count_line(widths: Sequence[int]) -> str:
    """The whole count of a ReLU network at two points."""
    start, processor = time.perf_counter(), time.process_time()
    found = close(Generator.of(relu_net(widths)), SEED, Deadline()).certificate
    wall, used = time.perf_counter() - start, time.process_time() - processor
    laws = found.dimension - found.rank
    name = ", ".join(map(str, widths))
    return (
        f"| {name} | {found.dimension:,} | {laws} | {wall:.1f} | {used:.1f} | {gibibytes():.2f} |"
    )


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", default="1000,2000,4000", help="sizes of square matrices")
    parser.add_argument("--no-flint", action="store_true", help="leave out python-flint")
    parser.add_argument("--depth", type=int, default=2, help="deepest brackets to evaluate")
    parser.add_argument("--nets", nargs="*", default=["20,30,20,15"], help="ReLU nets to count")
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    if given.sizes:
        columns = (
            "LU, s | rank, s | rank / LU | by processor time | flint, s | rank, GiB | matrix, GiB"
        )
        print(f"| size | {columns} |")
        print("|--:|--:|--:|--:|--:|--:|--:|--:|")
        for size in map(int, given.sizes.split(",")):
            print(rank_line(size, given.turns, not given.no_flint), flush=True)
    if given.depth >= 0:
        columns = "mod p, ms a row | floats, ms a row | ratio | compiling the floats, s"
        print(f"\n| flow | variables | depth | {columns} |")
        print("|---|--:|--:|--:|--:|--:|--:|")
        for name, make in FLOWS.items():
            lines = evaluation_lines(name, make(), range(given.depth + 1), given.turns)
            print("\n".join(lines), flush=True)
    if given.nets:
        print("\n| ReLU net | variables | laws, at most | wall, s | processor, s | GiB |")
        print("|---|--:|--:|--:|--:|--:|")
        for net in given.nets:
            print(alone(count_line, [int(w) for w in net.split(",")]), flush=True)


if __name__ == "__main__":
    main()
