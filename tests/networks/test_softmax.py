"""Softmaxes: shifts that cancel are removed, those that do not stay, masks weigh nothing; always JAX's gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoflow.analysis import analyze, assumptions, count
from geoflow.laws.search import Where
from geoflow.lie.bracket import Generator
from tests.networks.nets import mismatch, network, two_layers

SIZE = 3  # square scores: axes that are confused are not noticed by shapes
CAUSAL = np.tril(np.ones((SIZE, SIZE))) > 0
HEAD = {"Q": (2, 2), "K": (2, 2), "V": (2, 2)}


def attention(weights):
    """A head whose weights are a function of the scores."""

    def output(t):
        x = t["x"]
        return weights((x @ t["Q"]) @ (x @ t["K"]).T) @ (x @ t["V"])

    return network(output, HEAD, {"x": (SIZE, 2)})


def normalized(e, axis=-1):
    return e / e.sum(axis, keepdims=True)


def shifted(s, axis=-1, stop=False):
    m = s.max(axis, keepdims=True)
    return jnp.exp(s - (jax.lax.stop_gradient(m) if stop else m))


CANCELS = {
    "softmax": jax.nn.softmax,
    "over the first axis": lambda s: jax.nn.softmax(s, axis=0),
    "over both axes": lambda s: jax.nn.softmax(s, axis=(0, 1)),
    "two over different axes": lambda s: jax.nn.softmax(s, axis=0) @ jax.nn.softmax(s, axis=1),
    "of a transpose": lambda s: jax.nn.softmax(s.T).T,
    "of a softmax": lambda s: jax.nn.softmax(3 * jax.nn.softmax(s)),
    "log softmax": jax.nn.log_softmax,
    "logsumexp": lambda s: s * jax.nn.logsumexp(s, axis=1, keepdims=True),
    "logsumexp over the first axis": lambda s: s * jax.nn.logsumexp(s, axis=0),
    "logaddexp": lambda s: jnp.logaddexp(s, s.T),
    "log sigmoid": jax.nn.log_sigmoid,
    "by hand": lambda s: normalized(shifted(s, stop=True)),
    "squares": lambda s: normalized(shifted(s, stop=True) ** 2),
}
STAYS = {
    "no denominator": lambda s: shifted(s, stop=True),
    "another denominator": lambda s: shifted(s, stop=True) / jnp.exp(s).sum(-1, keepdims=True),
    "sums over the other axis": lambda s: normalized(shifted(s, axis=1, stop=True), axis=0),
    "rows of a transpose": lambda s: normalized(
        jnp.exp(s - jax.lax.stop_gradient(s.max(1))[None, :]), axis=1
    ),
    "one factor too many": lambda s: shifted(s, stop=True) * normalized(shifted(s, stop=True)),
    "transposed by a reshape": lambda s: normalized(
        jnp.reshape(shifted(s, axis=1, stop=True), (SIZE, SIZE), order="F"), axis=1
    ),
}


@pytest.mark.parametrize("name", CANCELS)
def test_a_shift_that_cancels_is_no_gate(name):
    flow = attention(CANCELS[name])
    assert not Generator.of(flow).program.gates
    assert mismatch(flow) < 1e-12


@pytest.mark.parametrize("name", STAYS)
def test_a_shift_that_does_not_cancel_is_one(name):
    flow = attention(STAYS[name])
    assert Generator.of(flow).program.gates
    assert mismatch(flow) < 1e-12


def test_a_shift_with_its_derivative_is_right_too():
    assert mismatch(attention(lambda s: normalized(shifted(s)))) < 1e-12


MASKS = {
    "−∞": lambda s: jnp.where(CAUSAL, s, -jnp.inf),
    "−1e9": lambda s: jnp.where(CAUSAL, s, -1e9),
    "not": lambda s: jnp.where(~CAUSAL, -1e9, s),
    "smallest float": lambda s: jnp.where(CAUSAL, s, jnp.finfo(jnp.float32).min),
    "added": lambda s: s + jnp.where(CAUSAL, 0.0, -1e9),
    "added −∞": lambda s: jnp.where(CAUSAL, 0.0, -jnp.inf) + s,
    "subtracted": lambda s: s - 1e9 * (1 - CAUSAL),
    "multiplied": lambda s: s * CAUSAL - 1e10 * (1 - CAUSAL),
    "tril = 0": lambda s: jnp.where(jnp.tril(jnp.ones((SIZE, SIZE))) == 0, -1e9, s),
    "positions": lambda s: jnp.where(jnp.arange(SIZE)[:, None] >= jnp.arange(SIZE), s, -1e30),
    "scaled after": lambda s: jnp.where(CAUSAL, s, -1e9) * 0.5,
    "−∞ scaled after": lambda s: jnp.where(CAUSAL, s, -jnp.inf) * 0.5,
    "divided after": lambda s: jnp.where(CAUSAL, s, -jnp.inf) / jnp.sqrt(2.0),
}


@pytest.mark.parametrize("name", MASKS)
def test_masks_weigh_nothing(name):
    flow = attention(lambda s: jax.nn.softmax(MASKS[name](s)))
    generator = Generator.of(flow)
    assert not generator.program.gates
    assert not any(np.any(np.abs(v) > 1e6) for v in generator.program.used_literals())
    assert mismatch(flow) < 1e-12


def test_a_large_number_that_masks_is_named():
    def said(mask):
        return assumptions(count(attention(lambda s: jax.nn.softmax(mask(s)))))

    assert any("weighing exactly 0" in text for text in said(MASKS["−1e9"]))
    assert not any("weighing" in text for text in said(MASKS["−∞"]))
    assert not any("weighing" in text for text in said(lambda s: s))


def test_a_row_without_scores_is_no_mask():
    """All weigh the same there: the large numbers cancel."""
    rows = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 1]]) > 0
    generator = Generator.of(attention(lambda s: jax.nn.softmax(jnp.where(rows, s, -1e9))))
    assert not generator.program.readings


def test_a_mask_of_minus_ten_is_no_mask():
    flow = attention(lambda s: jax.nn.softmax(jnp.where(CAUSAL, s, -10.0)))
    assert not Generator.of(flow).program.readings
    assert mismatch(flow) < 1e-12


def test_the_count_of_a_head():
    for weights in (jax.nn.softmax, lambda s: jax.nn.softmax(MASKS["−∞"](s))):
        found = analyze(attention(weights), where=Where(degree=1))
        assert found.count.upper == 3  # Q and K: d(d + 1)/2 with d = 2; V alone keeps nothing
        assert found.certificate.balls is not None and found.certificate.balls.rank == 9
        assert found.count.exact


def test_softplus_is_no_piecewise_function():
    generator = Generator.of(two_layers(jax.nn.softplus))
    assert not generator.program.gates
    assert generator.estimated
