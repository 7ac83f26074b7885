"""Traced programs: inlined, without dead code, with exact literals."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from .evaluation import program_of


def primitives(program) -> list[str]:
    return [i.primitive for i in program.instructions]


def test_calls_are_inlined():
    inner = jax.jit(lambda x: jax.checkpoint(lambda y: jnp.sin(y) * y)(x) + 1)
    assert primitives(program_of(lambda x: inner(inner(x)), ())) == ["sin", "mul", "add"] * 2


def test_derivatives_of_calls_are_inlined():
    inner = jax.checkpoint(lambda x: jax.jit(lambda y: y * y * y)(x))
    assert set(primitives(program_of(jax.grad(inner), ()))) <= {"mul", "add_any"}


def test_what_is_not_needed_is_removed():
    """d log(u)·v = v/u: the logarithm's value is gone."""
    program = program_of(lambda u, v: jax.jvp(jnp.log, (u,), (v,))[1], (), ())
    assert primitives(program) == ["div"]
    rooted = program_of(lambda u, v: jax.jvp(jnp.arctan, (u,), (v,))[1], (), ())
    assert "atan" not in primitives(rooted)


def test_equal_instructions_are_shared():
    program = program_of(lambda x: (x @ x) * (x @ x) + jnp.sum(x @ x), (2, 2))
    assert primitives(program).count("dot_general") == 1


def test_equal_bytes_of_different_types_are_not_shared():
    def function(x):
        return x * np.array([1.0, 0.0]) + x * np.frombuffer(np.array([1.0, 0.0]), np.int64)

    program = program_of(function, (2,))
    held = [
        program.literals[slot]
        for i in program.instructions
        for slot in i.inputs
        if slot in program.literals
    ]
    assert {a.dtype.kind for a in held} >= {"f"}
    assert len({tuple(a.ravel().tolist()) for a in held}) == 2


def test_literals_are_told_apart_from_decimals():
    program = program_of(lambda x: x * 0.1 + x * 0.5 + x * np.array([2.0, 1 / 3]), (2,))
    assert program.rounded_literals() == (0.1, 1 / 3)
    assert program_of(lambda x: x * 0.25 + 1e10, ()).rounded_literals() == ()


def test_unused_literals_are_not_named():
    def function(x):
        return jax.jvp(lambda u: u * u + 0.1, (x,), (x,))[1]

    assert program_of(function, ()).rounded_literals() == ()


def test_constants_on_branches_are_decided_by_integers_only():
    program = program_of(lambda x: jax.lax.switch(np.int32(2), [jnp.sin, jnp.cos, jnp.tanh], x), ())
    assert primitives(program) == ["tanh"]
    traced = program_of(lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.cos, x), ())
    assert primitives(traced) == ["gt", "cos", "sin", "select_n"]


def test_single_precision_arguments_are_traced_in_double():
    from geoflow.exact.program import trace

    program = trace(lambda p: p["a"] * p["b"], {"a": jnp.ones(2), "b": jnp.ones(2, jnp.int32)})
    assert primitives(program) == ["mul"]
    assert program.input_shapes == ((2,), (2,))
