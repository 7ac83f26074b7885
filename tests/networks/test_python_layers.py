"""The program of a network against JAX, layer by layer, and its count against the network written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import geoflow as gf
from geoflow.exact.floats import Floats
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.gates import real_gates
from tests.networks.layers import ACTIVATIONS, PAIRS, activated, plain

QUICK = {"equinox MLP", "equinox Conv1d", "linen LayerNorm", "nnx BatchNorm"}
WINDOWS: dict[str, Callable[[Any], Any]] = {
    "SAME max": lambda x: nn.max_pool(x, (2, 3), (2, 1), "SAME"),
    "SAME average": lambda x: nn.avg_pool(x, (2, 3), (2, 1), "SAME"),
    "min": lambda x: lax.reduce_window(x, jnp.inf, lax.min, (1, 2, 2, 1), (1, 2, 1, 1), "SAME"),
    "dilated": lambda x: lax.reduce_window(
        x, 0.0, lax.add, (1, 2, 2, 1), (1, 1, 1, 1), "VALID", (1, 2, 1, 1), (1, 1, 2, 1)
    ),
}
KERNELS: dict[str, tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]] = {
    "same": ({"window_strides": (1, 1), "padding": "SAME"}, (1, 2, 4, 3), (2, 2, 2, 2)),
    "cut, strided and dilated": (
        {
            "window_strides": (2, 1),
            "padding": ((1, -1), (0, 2)),
            "lhs_dilation": (1, 2),
            "rhs_dilation": (2, 1),
        },
        (1, 2, 5, 4),
        (3, 2, 2, 3),
    ),
    "depthwise": (
        {"window_strides": (1, 1), "padding": "VALID", "feature_group_count": 2},
        (1, 2, 3, 3),
        (4, 1, 2, 2),
    ),
    "groups of the batch": (
        {"window_strides": (1, 1), "padding": "VALID", "batch_group_count": 2},
        (2, 1, 3, 3),
        (2, 1, 2, 2),
    ),
}


def error_of(flow: gf.Flow) -> tuple[float, float]:
    """The greatest difference between the flow's program, with the gates that it really has, and JAX; and the
    greatest value."""
    generator, ring = Generator.of(flow), Floats()
    rng = np.random.default_rng(0)
    point = {b.name: rng.normal(size=(1, 1, *b.shape)) for b in flow.state}
    own = [rng.normal(size=(1, 1, *c.shape)) for c in flow.control_blocks]
    empty = [np.zeros((1, 1, *g.shape)) for g in generator.program.gates]
    letter = Letter(np.zeros((1, 1)), (*own, *empty))
    real = real_gates(generator, ring, {}, point, letter)
    found = generator(ring, {}, point, Letter(real.weight, tuple(map(ring.literal, real.controls))))
    with jax.enable_x64(True):
        place = {n: jnp.asarray(v[0, 0]) for n, v in point.items()}
        true = flow.controls({}, place, tuple(jnp.asarray(c[0, 0]) for c in own))
    apart = [np.max(np.abs(np.asarray(found[n][0, 0]) - np.asarray(true[n]))) for n in true]
    return float(max(apart)), float(max(np.max(np.abs(v)) for v in true.values()))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in PAIRS],
)
def test_a_library_network_has_the_count_of_the_network_written_out(name: str):
    library, written = (gf.Flow.of_network(*n) for n in PAIRS[name]())
    counts = [gf.count_laws(flow) for flow in (library, written)]
    assert counts[0].upper == counts[1].upper
    assert counts[0].upper < library.parameter_count
    error, size = error_of(library)
    assert error < 1e-12 * max(size, 1.0)
    assert size > 0.01


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_program_of_an_activation_is_its_gradient(name: str):
    error, size = error_of(gf.Flow.of_network(*activated(name)))
    assert error < 1e-12
    assert size > 0.01


@pytest.mark.parametrize("name", WINDOWS)
def test_pooling(name: str):
    network = plain(
        lambda p, x: WINDOWS[name](jnp.einsum("bhwc,dc->bhwd", x, p["W"])) ** 2,
        jnp.ones((1, 5, 4, 2)),
        W=(2, 2),
    )
    error, size = error_of(gf.Flow.of_network(*network))
    assert error < 1e-12 * size


@pytest.mark.parametrize("name", KERNELS)
def test_convolutions(name: str):
    settings, image, kernel = KERNELS[name]
    network = plain(
        lambda p, x: lax.conv_general_dilated(x * p["s"], p["K"], **settings) ** 2,
        jnp.ones(image),
        K=kernel,
        s=image,
    )
    error, size = error_of(gf.Flow.of_network(*network))
    assert error < 1e-12 * size


LOOPS: dict[str, Callable[[Any, Any], Any]] = {
    "scan": lambda p, x: lax.scan(lambda c, w: (jnp.tanh(w @ c), c), x, p["W"])[1],
    "reversed": lambda p, x: lax.scan(lambda c, w: (w @ c, c), x, p["W"], reverse=True)[0],
    "fori_loop": lambda p, x: lax.fori_loop(0, 3, lambda k, c: p["W"][k] @ c, x),
    "cond": lambda p, x: lax.cond(x[0] > 0, lambda: p["W"][0] @ x, lambda: p["W"][1] @ x),
    "at set": lambda p, x: (p["W"][0] @ x).at[0].set((p["W"][1] @ x)[1]),
    "dynamic update": lambda p, x: lax.dynamic_update_slice(p["W"][0], p["W"][1, :1], (1, 0)) @ x,
    "checkpoint": lambda p, x: jax.checkpoint(lambda v: jnp.sin(p["W"][0] @ v))(p["W"][1] @ x),
    "variance": lambda p, x: jax.nn.standardize(jnp.ravel(p["W"] @ x)),
    "logsumexp": lambda p, x: jax.nn.logsumexp(p["W"] @ x),
    "associative": lambda p, x: lax.cumsum(p["W"][0] @ x),
    "exact gelu": lambda p, x: jax.nn.gelu(p["W"] @ x, approximate=False),
    "hyperbolic": lambda p, x: jnp.sinh(p["W"][0] @ x) + jnp.cosh(p["W"][1] @ x),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_and_branches(name: str):
    error, size = error_of(gf.Flow.of_network(*plain(LOOPS[name], jnp.ones(2), W=(3, 2, 2))))
    assert error < 1e-12
    assert size > 0.01


def test_a_variance_is_no_gate():
    """max(0, E[z²] − E[z]²) is E[z²] − E[z]²: a free gate there would give a law of scale too many."""
    flow = gf.Flow.of_network(*PAIRS["linen LayerNorm"]()[0])
    result = gf.analyze(flow)
    assert not Generator.of(flow).program.gates
    assert result.count.of == "flow"
    assert (result.count.lower, result.count.upper) == (5, 5)


class Residual(nn.Module):
    """Two norms, the first of the input itself, the second of what a root already made."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = x + nn.Dense(2, use_bias=False)(nn.LayerNorm()(x))
        return x + nn.Dense(2, use_bias=False)(nn.LayerNorm()(x))


def test_norms_before_layers_with_skips_have_no_gates():
    module, x = Residual(), jnp.ones((3, 2))
    variables = module.init(jax.random.PRNGKey(0), x)
    result = gf.analyze(gf.Flow.of_network(module.apply, variables, x))
    assert not Generator.of(result.flow).program.gates
    assert (result.count.upper, result.count.status, result.count.of) == (6, "proved", "flow")


def test_a_question_whether_a_variance_is_zero_stays_one():
    """Only the share that JAX's derivative gives to ties is known."""
    flow = gf.Flow.of_network(
        *plain(
            lambda p, x: jnp.where(
                (v := jnp.maximum(0.0, jnp.mean((z := p["W"] @ x) ** 2) - jnp.mean(z) ** 2)) == 0,
                z,
                v * z,
            ),
            jnp.ones(2),
            W=(1, 2),
        )
    )
    assert Generator.of(flow).program.gates


def test_what_is_no_variance_stays_a_gate():
    network = plain(
        lambda p, x: jax.nn.relu(jnp.mean((z := p["W"] @ x) ** 2) - 2 * jnp.mean(z) ** 2),
        jnp.ones(2),
        W=(2, 2),
    )
    assert Generator.of(gf.Flow.of_network(*network)).program.gates
