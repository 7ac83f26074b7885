"""Programs of a few instructions by sparse and by dense arithmetic, nilpotents and all."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from geoflow.exact.interpreter import run
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.sparse import evaluator, values
from geoflow.exact.sparse.evaluator import Number, SparseEvaluator
from geoflow.exact.sparse.layout import MOVES, Layout
from geoflow.exact.sparse.values import Fixed, Space, Sparse, TooDense

PRIME, COUNT = 67108859, 4
FIELD, SPACE = PrimeField(PRIME), Space(PRIME, COUNT)
TWICE = np.array([2, 0, 0])
CASES: dict[str, tuple[Callable, tuple[tuple[int, ...], ...]]] = {
    "sum": (lambda x, y: x + y, ((2, 3), (2, 3))),
    "sum of an input and itself": (lambda x, y: x + x - y, ((2, 3), (2, 3))),
    "difference": (lambda x, y: (x - y, -x), ((2, 3), (2, 3))),
    "spread": (lambda x, y: (x - y, x * y, y - x), ((2, 3), (1, 3))),
    "scalar": (lambda x, y: (x * y, x + y), ((2, 3), ())),
    "numbers": (lambda x, y: (x * 2, x * 0, x * 1, y * -1, 3 - x), ((2, 3), ())),
    "product": (lambda x, y: x * y * x, ((5,), (5,))),
    "powers": (lambda x, y: (x**2, x**3, y**4, jnp.square(y)), ((3,), (2, 2))),
    "negative power": (lambda x, y: (1 + x) ** -2 * y, ((3,), (3,))),
    "quotient": (lambda x, y: x / (1 + y), ((3,), (3,))),
    "quotient of numbers": (lambda x, y: (x / 3, y / np.arange(1.0, 4)), ((3,), (3,))),
    "matrices": (lambda x, y: x @ y, ((2, 3), (3, 4))),
    "many axes": (lambda x, y: jnp.einsum("zabc,dbza->zcd", x, y), ((2, 2, 3, 2), (3, 3, 2, 2))),
    "no common axis": (lambda x, y: jnp.tensordot(x, y, 0), ((2,), (3,))),
    "inner product": (lambda x, y: x @ y, ((4,), (4,))),
    "three factors": (lambda x, y: x @ (y @ x), ((3, 3), (3, 3))),
    "sums over axes": (lambda x, y: (x.sum(0), x.sum((0, 2)), y.sum()), ((2, 3, 2), (3,))),
    "shapes": (lambda x, y: (x.reshape(3, 2), x.T, x[None], y.squeeze(1)), ((2, 3), (2, 1))),
    "order": (lambda x, y: lax.reshape(x, (6,), dimensions=(1, 0)) + y, ((2, 3), (6,))),
    "slices": (lambda x, y: (x[1:, ::2], x[::-1], y[2]), ((3, 4), (3,))),
    "gathered": (lambda x, y: (x[TWICE] * y, jnp.take(y, TWICE)), ((3,), (3,))),
    "scattered": (lambda x, y: x.at[TWICE].add(y), ((4,), (3,))),
    "rows scattered": (lambda x, y: x.at[TWICE].add(y), ((4, 2), (3, 2))),
    "joined with numbers": (
        lambda x, y: (jnp.concatenate([x, np.array([5.0, 6.0])]), jnp.stack([np.ones(3), y])),
        ((2,), (3,)),
    ),
    "joined": (lambda x, y: (jnp.concatenate([x, y, x]), jnp.stack([y, y])), ((2, 2), (3, 2))),
    "taken apart": (lambda x, y: (*jnp.split(x, 2), *jnp.unstack(y)), ((4,), (2, 3))),
    "padded": (lambda x, y: lax.pad(x, 0.0, [(1, 2, 1)]) @ y, ((3,), (8,))),
    "chosen": (lambda x, y: jnp.where(np.array([True, False, True]), x, y), ((3,), (3,))),
    "running sums": (lambda x, y: jnp.cumsum(x) * y, ((4,), (4,))),
    "numbers alone": (lambda x, y: (jnp.cumsum(np.ones(3)), jnp.ones(2) * 3.0), ((1,), (1,))),
    "inputs alone": (lambda x, y: (y, x), ((2,), (3,))),
}
KINDS = ("fixed", "fixed and moved", "varied", "moved", "few", "zero")


def number(
    rng: np.random.Generator, shape: tuple[int, ...], kind: str
) -> tuple[Number, np.ndarray]:
    """Coefficients of 1, e₁, e₂ and e₁·e₂, as sparse values and as one array [4, batch, …]."""
    size = math.prod(shape)
    array = rng.integers(1, PRIME, (4, COUNT, size)) * (rng.random((4, COUNT, size)) < 0.6)
    if kind.startswith("fixed"):
        array[0] = array[0, :1]
    if kind == "fixed":
        array[1:] = 0
    if kind == "moved":
        array[0] = 0
    if kind == "few":
        array[1] = 0
        array *= rng.random(array.shape) < 0.3
    if kind == "zero":
        array[:] = 0
    found: Number = {}
    for mask, part in enumerate(array):
        batch, index = np.nonzero(part)
        if kind.startswith("fixed") and mask == 0:
            found[0] = Fixed(SPACE, part[0])
        elif len(batch) or kind == "zero":
            found[mask] = Sparse(size, batch, index, part[batch, index])
    return found, array.reshape(4, COUNT, *shape)


def check(function: Callable, shapes, kinds, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    program = trace(function, *(jax.ShapeDtypeStruct(s, np.float64) for s in shapes))
    inputs = [number(rng, s, k) for s, k in zip(shapes, kinds, strict=True)]
    expected = run(program, FIELD, [array for _, array in inputs])
    sparse = SparseEvaluator(Layout(program), FIELD, SPACE)
    for found, dense, shape in zip(
        sparse.run([n for n, _ in inputs], [], program.outputs),
        expected,
        program.output_shapes,
        strict=True,
    ):
        out = np.zeros((4, COUNT, math.prod(shape)), dtype=np.int64)
        places = np.random.default_rng(1).permutation(out[0].size)
        batch, index = np.divmod(places, max(math.prod(shape), 1))
        for mask, value in found.items():
            entries = value.entries()
            assert value.size == math.prod(shape)
            out[mask, entries.batch, entries.index] = entries.values
            assert np.array_equal(value.at(batch, index), out[mask, batch, index])
        full = np.zeros((4, COUNT, *shape), dtype=np.int64)
        full[: len(dense)] = dense
        assert np.array_equal(out.reshape(full.shape), full)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("first", KINDS)
def test_sparse_and_dense_arithmetic_agree(name: str, first: str, monkeypatch: pytest.MonkeyPatch):
    function, shapes = CASES[name]
    for small in (0, values.SMALL):  # recipes are kept, or carried out
        monkeypatch.setattr(values, "SMALL", small)
        for second in KINDS:
            check(function, shapes, (first, second))


@pytest.mark.parametrize("name", CASES)
def test_relations_are_between_the_entries_of_what_is_moved(name: str):
    function, shapes = CASES[name]
    program = trace(function, *(jax.ShapeDtypeStruct(s, np.float64) for s in shapes))
    layout = Layout(program)
    for ins in (i for i in program.instructions if i.primitive in MOVES):
        for output, pieces in zip(ins.outputs, layout.moves(ins), strict=True):
            for slot, relation in pieces:
                assert relation.inside == layout.size(slot)
                assert relation.outside == layout.size(output)


def test_holes_filled_with_a_number_are_refused():
    shape = jax.ShapeDtypeStruct((3,), np.float64)
    program = trace(lambda x: lax.pad(x, 1.0, [(1, 0, 0)]), shape)
    value, _ = number(np.random.default_rng(0), (3,), "varied")
    with pytest.raises(UnsupportedPrimitive):
        SparseEvaluator(Layout(program), FIELD, SPACE).run([value], [], program.outputs)


def test_a_primitive_without_any_rule_is_refused():
    program = trace(lambda x: jnp.sort(x), jax.ShapeDtypeStruct((3,), np.float64))
    for kind in ("fixed", "varied"):
        value, _ = number(np.random.default_rng(0), (3,), kind)
        with pytest.raises(UnsupportedPrimitive) as refused:
            SparseEvaluator(Layout(program), FIELD, SPACE).run([value], [], program.outputs)
        assert "sort" in str(refused.value)


def test_what_would_be_too_large_when_dense_is_refused(monkeypatch: pytest.MonkeyPatch):
    """Four coefficients of four generators with five entries each."""
    program = trace(lambda x: jnp.cumsum(x), jax.ShapeDtypeStruct((5,), np.float64))
    value, _ = number(np.random.default_rng(0), (5,), "varied")
    for most, fits in ((4 * COUNT * 5, True), (4 * COUNT * 5 // 2, False)):
        monkeypatch.setattr(evaluator, "_MOST_DENSE", most)
        monkeypatch.setattr(values, "MOST_ENTRIES", 2**24)
        sparse = SparseEvaluator(Layout(program), FIELD, SPACE)
        if fits:
            sparse.run([value], [], program.outputs)
        else:
            with pytest.raises(TooDense):
                sparse.run([value], [], program.outputs)


def test_values_are_forgotten_when_nothing_reads_them_any_more():
    program = trace(lambda x: ((x * x) * x) * x, jax.ShapeDtypeStruct((5,), np.float64))
    value, _ = number(np.random.default_rng(0), (5,), "varied")
    sparse = SparseEvaluator(Layout(program), FIELD, SPACE)
    sparse.run([value], [], program.outputs)
    assert set(sparse.values) == set(program.outputs)
