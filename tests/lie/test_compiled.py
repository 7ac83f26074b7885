"""Words by a compiled program are the interpreter's, residue by residue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.exact.primefield import PrimeField
from geoflow.exact.residues import Residues
from geoflow.lie import compiled
from geoflow.lie.bracket import Generator
from geoflow.lie.closure import close
from geoflow.lie.compiled import CompiledWords
from geoflow.lie.point import free_letter, whole_point

LARGEST = 4194287  # the largest prime below 2^22 that is 3 mod 4


def array(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, np.float32)


def linear(**options: Any) -> gf.Flow:
    return gf.Flow(lambda p: p[0] @ p[1].T, [array(3, 4), array(2, 4)], **options)


def relu_net() -> gf.Flow:
    def apply(weights: list[jax.Array], x: jax.Array) -> jax.Array:
        return weights[2] @ jax.nn.relu(weights[1] @ jax.nn.relu(weights[0] @ x))

    return gf.Flow.of_network(apply, [array(5, 3), array(4, 5), array(2, 4)], array(3))


def moved() -> gf.Flow:
    """Sums, transposes, slices, joins, negations and powers."""

    def phi(u: jax.Array) -> jax.Array:
        ends = jnp.concatenate([u[:1].ravel(), -(u[1:, :2] ** 3).ravel()])
        return jnp.stack([ends.sum(), (u.T * u.T[::-1]).sum() - 7 * jnp.sum(u[2:, 3:]) ** 5])

    return gf.Flow(phi, array(3, 4))


FLOWS: dict[str, Callable[[], gf.Flow]] = {
    "linear": linear,
    "momentum": lambda: linear(order=2, damping=2),
    "ReLU": relu_net,
    "moved": moved,
}


@pytest.mark.parametrize("name", FLOWS)
def test_every_residue_is_the_same(name: str):
    generator, rng, prime = Generator.of(FLOWS[name]()), np.random.default_rng(0), LARGEST
    words, field = CompiledWords(generator), PrimeField(prime)
    assert words.possible
    whole = {b.name: rng.integers(0, prime, (1, 1, *b.shape)) for b in generator.flow.state}
    whole[generator.flow.state[-1].name][:] = prime // 2  # the largest residue, and all alike
    place = whole_point(generator, field, whole)
    for depth in (0, 2 if name == "linear" else 1):
        letters = [free_letter(generator, place, rng, 6) for _ in range(depth + 1)]
        exact = generator.rows(generator.word(field, place.constants, place.point, letters), 6)
        found = words.rows(field, place.constants, place.point, letters)
        assert found.dtype == np.int64
        assert np.array_equal(found, exact)
    assert jnp.ones(1).dtype == np.float32


def test_products_are_exact_at_the_largest_residues():
    with jax.enable_x64(True):
        ring, top = Residues(float(LARGEST)), float(LARGEST // 2)
        for inner in (1024, 1025):
            a, b = jnp.full((1, 1, 3, inner), top), jnp.full((1, 1, inner, 2), -top)
            expected = -inner * int(top) ** 2 % LARGEST
            for left, right in ((a, b), (a[:, :, :1], b), (a, b[..., :1])):
                found = np.asarray(ring.nonnegative(ring.matmul(left, right)))
                assert np.all(found == expected)


@pytest.mark.parametrize(
    "phi",
    [
        lambda x: x[0] / x[1],
        lambda x: x[0] * 0.5 * x[1],
        lambda x: jnp.sqrt(x[0]) * x[1],
        lambda x: x[np.array([1, 0])] * x,
    ],
    ids=["division", "fraction", "root", "gather"],
)
def test_what_looks_at_values_is_left_to_the_interpreter(phi: Callable[[jax.Array], jax.Array]):
    words = CompiledWords(Generator.of(gf.Flow(phi, array(2))))
    assert not words.possible
    assert not words.pays(PrimeField(LARGEST), 5)


def test_small_work_and_large_primes_are_not_compiled():
    words = CompiledWords(Generator.of(linear()))
    assert words.possible
    assert not words.pays(PrimeField(LARGEST), 0)
    assert words.pays(PrimeField(LARGEST), 20)
    assert not words.pays(PrimeField(67108859), 20)


def test_a_count_is_the_same_compiled(monkeypatch: pytest.MonkeyPatch):
    flow = gf.Flow(lambda p: p[0] @ p[1].T, [array(2, 250), array(2, 250)])
    monkeypatch.setattr("geoflow.lie.point.BATCH", 5)  # the first rows of a run are so many
    plain = close(Generator.of(flow), 0, Deadline()).certificate
    monkeypatch.setattr(compiled, "_NUMBERS_FOR_AN_INSTRUCTION", 0)
    calls: list[int] = []
    rows = CompiledWords.rows
    monkeypatch.setattr(CompiledWords, "rows", lambda *given: calls.append(1) or rows(*given))
    assert close(Generator.of(flow), 0, Deadline()).certificate == plain
    assert calls
