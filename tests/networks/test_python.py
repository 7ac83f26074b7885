"""`Flow.of_network`: names, what is trained, the user's own trees in laws, keywords, and claims that are refused."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.expr.build import power, subtract, total
from geoflow.expr.tree import Parameter
from geoflow.laws.differential import differentiate
from geoflow.laws.identity import decide
from geoflow.lie.bracket import Generator
from geoflow.lie.closure import close

KEY = jax.random.PRNGKey(0)


class Pair(NamedTuple):
    W: Any
    V: Any


class Mixed(eqx.Module):
    """Arrays beside what is not trained."""

    first: eqx.nn.Linear
    drop: eqx.nn.Dropout
    last: eqx.nn.Linear
    count: jax.Array
    name: str
    nothing: None
    key: jax.Array

    def __init__(self):
        self.first = eqx.nn.Linear(3, 2, use_bias=False, key=KEY)
        self.drop = eqx.nn.Dropout(0.5, inference=True)
        self.last = eqx.nn.Linear(2, 1, use_bias=False, key=KEY)
        self.count, self.name, self.nothing = jnp.arange(2), "mixed", None
        self.key = jax.random.key(0)

    def __call__(self, x: Any) -> Any:
        assert self.name == "mixed" and self.drop.p == 0.5
        return self.last(self.drop(jax.nn.relu(self.first(x)))) + self.count[1]


class Net(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.linear1 = nnx.Linear(3, 2, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(
            2, use_running_average=True, use_bias=False, use_scale=False, rngs=rngs
        )
        self.linear2 = nnx.Linear(2, 1, use_bias=False, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.linear2(nnx.relu(self.norm(self.linear1(x))))


def two_layers(p: Any, x: Any) -> Any:
    return p.V @ jax.nn.relu(p.W @ x)


X = jnp.ones(3)
LINEN = nn.Sequential([nn.Dense(2, use_bias=False), nn.relu, nn.Dense(1, use_bias=False)])
NETWORKS: dict[str, Any] = {
    "plain": (two_layers, Pair(jnp.ones((2, 3)), jnp.ones((1, 2))), X),
    "shapes": (
        two_layers,
        Pair(jax.ShapeDtypeStruct((2, 3), jnp.float16), np.ones((1, 2), np.float32)),
        jax.ShapeDtypeStruct((3,), jnp.float32),
    ),
    "equinox": (Mixed(), X),
    "linen": (LINEN.apply, LINEN.init(KEY, X), X),
    "nnx": (Net(nnx.Rngs(0)), X),
}
NAMES = {
    "plain": ["W", "V"],
    "shapes": ["W", "V"],
    "equinox": ["first.weight", "last.weight"],
    "linen": ["layers_0.kernel", "layers_2.kernel"],
    "nnx": ["linear1.kernel", "linear2.kernel"],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_one_network_in_every_dress(name: str):
    flow = gf.Flow.of_network(*NETWORKS[name])
    assert [b.name for b in flow.parameters] == NAMES[name]
    result = gf.analyze(flow)
    assert (result.count.lower, result.count.upper, result.count.status) == (2, 2, "proved")
    assert result.count.of == "path-lifting"
    (law,) = result.laws
    assert all(n in str(law) for n in NAMES[name])
    if name == "shapes":
        return
    own = NETWORKS[name][-2]
    value = law.jax()(own)
    assert value.shape == (2,)
    arrays = [np.asarray(x, np.float64) for x in jax.tree.leaves(own) if jnp.ndim(x) == 2]
    if name == "plain":
        expected = np.sum(arrays[1] ** 2, 0) - np.sum(arrays[0] ** 2, 1)
        assert np.allclose(value, expected) or np.allclose(value, -expected)
    point = {b.name: jnp.ones(b.shape) for b in flow.parameters}
    assert np.allclose(np.abs(law.at(point)), 2.0)


def test_a_law_is_kept_by_training():
    """Gradient descent with a small step, in the user's own library."""
    model, x = NETWORKS["equinox"]
    law = gf.find_laws(gf.Flow.of_network(model, x))[0].jax()

    def loss(m: Any) -> Any:
        return (m(jnp.array([0.3, -0.8, 0.5]))[0] - 2.0) ** 2

    before, step = law(model), 1e-4
    moved = model
    for _ in range(20):
        gradient = eqx.filter_grad(loss)(moved)
        moved = eqx.apply_updates(moved, jax.tree.map(lambda g: -step * g, gradient))
    change = np.abs(np.asarray(moved.first.weight - model.first.weight)).max()
    assert change > 1e-4
    assert np.abs(law(moved) - before).max() < 1e-2 * change


def test_a_wrong_law_is_refuted():
    flow = gf.Flow.of_network(*NETWORKS["plain"])
    generator = Generator.of(flow)
    place = close(generator, 0, Deadline()).point
    first, last = (Parameter(b.name, b.shape) for b in flow.parameters)
    laws = {
        "proved": subtract(total(power(first, 2), 1), total(power(last, 2), 0)),
        "refuted": subtract(total(power(first, 2), 1), power(total(last, 0), 3)),
    }
    for verdict, law in laws.items():
        assert decide(generator, differentiate(flow, [law]), [place], 0) == verdict


def test_keywords():
    _, params, x = NETWORKS["plain"]
    momentum = gf.Flow.of_network(two_layers, params, x, order=2)
    assert gf.count_laws(momentum).upper < momentum.dimension
    assert momentum.order == 2
    scaled = gf.Flow.of_network(two_layers, params, x, metric={"W": gf.Scaled(2)})
    assert [str(h) for h in gf.find_laws(scaled)] != [
        str(h) for h in gf.find_laws(gf.Flow.of_network(two_layers, params, x))
    ]
    assert gf.Flow.of_network(two_layers, params, x, gates="real").parametrization.gates == "real"
    with pytest.raises(ValueError, match="no parameter named 'Z'"):
        gf.Flow.of_network(two_layers, params, x, positive=["Z"])


def test_inputs_and_outputs_are_trees():
    def apply(p: Any, inputs: Any) -> Any:
        return {"a": p["x"] @ inputs["left"], "b": p["V"] @ inputs["right"][0]}

    params = {"x": jnp.ones((2, 2)), "V": jnp.ones((1, 3))}
    example = {"left": jnp.ones(2), "right": (jnp.ones(3),)}
    flow = gf.Flow.of_network(apply, params, example)
    assert [d.name for d in flow.parametrization.data] == ["x_.left", "x_.right.0"]
    assert len(flow.parametrization.outputs) == 2
    assert gf.count_laws(flow).upper == 0


def test_a_shared_matrix_is_one_parameter():
    flow = gf.Flow.of_network(lambda p, x: p["W"].T @ p["W"] @ x, {"W": jnp.ones((1, 2))}, X[:2])
    result = gf.analyze(flow)
    assert result.count.upper == 0


def test_tied_rows_of_an_embedding():
    """Token ids look rows up; E is read out again."""
    params = {"E": jnp.ones((4, 2)), "U": jnp.ones((2, 2))}
    ids = jnp.zeros(3, jnp.int32)
    flow = gf.Flow.of_network(lambda p, i: p["U"] @ p["E"][i].sum(0), params, ids)
    assert [(d.shape, d.kind) for d in flow.parametrization.data] == [((3, 4), "onehot")]
    result = gf.analyze(flow)
    assert (result.count.lower, result.count.upper, result.count.status) == (3, 3, "proved")
    assert [str(h) for h in result.laws] == ["E.T @ E - U.T @ U"]
    tied = gf.Flow.of_network(
        lambda p, i: jax.nn.one_hot(i, 4) @ p["E"] @ p["U"].T + 0 * p["E"][0, 0], params, ids
    )
    assert gf.count_laws(tied).upper == 3


def embedded(ids: Any) -> Any:
    return {
        "equinox": lambda m: jax.vmap(m)(ids),
        "linen": lambda v: nn.Embed(4, 2).apply(v, ids),
    }


@pytest.mark.parametrize("library", ["equinox", "linen"])
def test_lookups_of_libraries(library: str):
    """An embedding and a read-out have the laws of their product, and the lookups the values that JAX gives."""
    ids = jnp.array([2, 0, 3])
    table = (
        eqx.nn.Embedding(4, 2, key=KEY) if library == "equinox" else nn.Embed(4, 2).init(KEY, ids)
    )

    def apply(params: Any, i: Any) -> Any:
        return embedded(i)[library](params["table"]) @ params["U"]

    params = {"table": table, "U": jnp.ones((2, 2))}
    flow = gf.Flow.of_network(apply, params, ids)
    assert gf.count_laws(flow).upper == 3
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        point = {b.name: jnp.asarray(rng.normal(size=b.shape)) for b in flow.parameters}
        (found,) = flow.output({}, point, {"x": jax.nn.one_hot(ids, 4)})
        weight = next(v for n, v in point.items() if n != "U")
        assert np.allclose(found, weight[ids] @ point["U"])
