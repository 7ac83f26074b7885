"""One layer of softmax attention (three tokens of width four, two heads of size two) in plain JAX, Equinox and Flax.

By head QᵀQ − KᵀK and VVᵀ − OᵀO are conserved (arXiv 2506.06194): 3 + 3 laws for each, 12 in all.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

import geoflow as gf

KEY = jax.random.PRNGKey(0)
TOKENS = jnp.ones((3, 4))
HEADS = nn.MultiHeadDotProductAttention(num_heads=2, use_bias=False, deterministic=True)


def attention(p: Any, x: Any) -> Any:
    """By head Q, K, V [2, 4] and O [4, 2]."""
    total = jnp.zeros_like(x)
    for head in p:
        q, k, v = (x @ head[n].T for n in "QKV")
        total += jax.nn.softmax(q @ k.T) @ v @ head["O"].T
    return total


def by_head() -> Any:
    return [{n: jnp.ones((4, 2) if n == "O" else (2, 4)) for n in "QKVO"} for _ in range(2)]


MADE = {
    "plain": lambda: (attention, by_head(), TOKENS),
    "equinox": lambda: (
        lambda m, x: m(x, x, x), eqx.nn.MultiheadAttention(2, 4, key=KEY), TOKENS,
    ),
    "linen": lambda: (HEADS.apply, HEADS.init(KEY, TOKENS), TOKENS),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_twelve_laws(name: str):
    flow = gf.Flow.of_network(*MADE[name]())
    count = gf.count_laws(flow)
    assert flow.dimension == 64
    assert (count.upper, count.exact, count.of) == (12, True, "flow")


def test_the_laws_of_separate_heads():
    result = gf.analyze(gf.Flow.of_network(*MADE["plain"]()))
    assert result.certificate.exact
    laws = {str(law) for law in result.laws}
    assert len(laws) == 4
    for k in range(2):
        query, key, value, out = (f"theta[{k}.{n}]" for n in "QKVO")
        assert f"{key} @ {key}.T - {query} @ {query}.T" in laws
        assert f"{out}.T @ {out} - {value} @ {value}.T" in laws


def test_a_causal_mask_weighs_nothing_and_leaves_no_gate():
    causal = jnp.tril(jnp.ones((3, 3), bool))

    def masked(p: Any, x: Any) -> Any:
        scores = x @ p["Q"].T @ (x @ p["K"].T).T
        scores = jnp.where(causal, scores, -jnp.inf)
        return jax.nn.softmax(scores) @ x @ p["V"]

    params = {"Q": jnp.ones((2, 2)), "K": jnp.ones((2, 2)), "V": jnp.ones((2, 1))}
    count = gf.count_laws(gf.Flow.of_network(masked, params, jnp.ones((3, 2))))
    assert (count.upper, count.of) == (3, "flow")
