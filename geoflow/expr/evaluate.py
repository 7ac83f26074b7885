"""Expressions as JAX functions.

Rational numbers that a float cannot hold, and named constants, are read from `Environment.constants`: they enter a
traced function as arguments with exact values, never as float literals (docs/method.md, "Constants").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from geoflow.expr import layers
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, Time, Velocity, walk
from geoflow.primitives import det, inv

Arrays = Mapping[str, jax.Array]


@dataclass(frozen=True)
class Environment:
    """Values for the leaves: arrays by name. `factors` holds the values of exponentials (see `expr.exponentials`)."""

    constants: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    velocities: Mapping[str, Any] = field(default_factory=dict)
    time: Any = None
    replaced: Mapping[int, Any] = field(default_factory=dict)  # node identity -> value


def is_literal(value: Fraction) -> bool:
    """Whether a float literal holds the number exactly in every float width."""
    return value.denominator == 1 and abs(value) < 2**20


def constant_name(value: Fraction) -> str:
    """The name under which an exact rational is passed to traced functions."""
    return str(value)


def rationals(roots: Iterable[Expr]) -> dict[str, Fraction]:
    """The numbers below `roots` that must be passed as arguments, by name."""
    return {
        constant_name(node.value): node.value
        for node in walk(*roots)
        if isinstance(node, Number) and not is_literal(node.value)
    }


def evaluate(roots: tuple[Expr, ...], env: Environment) -> tuple[jax.Array, ...]:
    """Values of the roots; shared nodes are computed once."""
    values: dict[int, Any] = dict(env.replaced)
    for node in walk(*roots):
        if id(node) not in values:
            values[id(node)] = _value(node, env, values)
    return tuple(values[id(root)] for root in roots)


def _value(node: Expr, env: Environment, values: dict[int, Any]) -> Any:
    if isinstance(node, Apply):
        return apply_operation(node, [values[id(a)] for a in node.arguments])
    return leaf_value(node, env)


def leaf_value(node: Number | Constant | Parameter | Velocity | Time, env: Environment) -> Any:
    """The value of a node without arguments."""
    match node:
        case Number(value):
            if is_literal(value):
                return jnp.asarray(float(value))
            return env.constants[constant_name(value)]
        case Constant(name):
            return env.constants[name]
        case Parameter(name):
            return env.parameters[name]
        case Velocity(name):
            return env.velocities[name]
        case Time():
            return env.time


def apply_operation(node: Apply, arguments: Sequence[Any]) -> jax.Array:
    """The operation of a node on values of its arguments."""
    return _RULES[node.operation](node, *arguments)


def _power(node: Apply, base: jax.Array) -> jax.Array:
    exponent: Fraction = node.option("exponent")
    if exponent.denominator == 1:
        return lax.integer_pow(base, int(exponent))
    return lax.integer_pow(lax.sqrt(base), exponent.numerator)


def _index(node: Apply, array: jax.Array) -> jax.Array:
    items = node.option("items")
    items = tuple(items) + tuple((0, n, 1) for n in array.shape[len(items) :])
    bounds = [(i, i + 1, 1) if isinstance(i, int) else i for i in items]
    if any(
        step < 0 for _, _, step in bounds
    ):  # lax.slice wants positive steps: slice, then reverse
        flipped = tuple(k for k, (_, _, step) in enumerate(bounds) if step < 0)
        bounds = [_forward(*b) for b in bounds]
    else:
        flipped = ()
    sliced = lax.slice(array, *(tuple(b[k] for b in bounds) for k in range(3)))
    sliced = lax.rev(sliced, flipped) if flipped else sliced
    return lax.squeeze(sliced, tuple(k for k, i in enumerate(items) if isinstance(i, int)))


def _forward(start: int, stop: int, step: int) -> tuple[int, int, int]:
    if step > 0:
        return start, stop, step
    taken = range(start, stop, step)
    return (taken[-1], taken[0] + 1, -step) if taken else (0, 0, -step)


def _reduce(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    return lambda node, a: function(
        a, axis=node.option("axis"), keepdims=bool(node.option("keepdims"))
    )


def _norm(node: Apply, a: jax.Array) -> jax.Array:
    return lax.sqrt(
        jnp.sum(a * a, axis=node.option("axis"), keepdims=bool(node.option("keepdims")))
    )


def _mean(node: Apply, a: jax.Array) -> jax.Array:
    total = jnp.sum(a, axis=node.option("axis"), keepdims=bool(node.option("keepdims")))
    return total / float(a.size // max(total.size, 1))


def _diag(_: Apply, a: jax.Array) -> jax.Array:
    if a.ndim == 1:
        return a[:, None] * np.eye(a.shape[0])
    return jnp.sum(a[: min(a.shape), : min(a.shape)] * np.eye(min(a.shape)), axis=1)


def _trace(_: Apply, a: jax.Array) -> jax.Array:
    return jnp.sum(a * np.eye(a.shape[0], a.shape[1]))


def _kron(_: Apply, a: jax.Array, b: jax.Array) -> jax.Array:
    rank = max(a.ndim, b.ndim)
    a, b = (jnp.reshape(x, (1,) * (rank - x.ndim) + x.shape) for x in (a, b))
    interleaved = [n for pair in zip(a.shape, b.shape, strict=True) for n in pair]
    left = jnp.reshape(a, [n if k % 2 == 0 else 1 for k, n in enumerate(interleaved)])
    right = jnp.reshape(b, [n if k % 2 else 1 for k, n in enumerate(interleaved)])
    shape = [n * m for n, m in zip(a.shape, b.shape, strict=True)]
    return jnp.reshape(left * right, shape)


_RULES: dict[str, Callable[..., jax.Array]] = {
    "add": lambda _, a, b: jnp.add(a, b),
    "sub": lambda _, a, b: jnp.subtract(a, b),
    "mul": lambda _, a, b: jnp.multiply(a, b),
    "div": lambda _, a, b: jnp.true_divide(a, b),
    "neg": lambda _, a: jnp.negative(a),
    "pow": _power,
    "matmul": lambda _, a, b: jnp.matmul(a, b),
    "transpose": lambda n, a: jnp.transpose(a, n.option("axes")),
    "index": _index,
    "sum": _reduce(jnp.sum),
    "prod": _reduce(jnp.prod),
    "mean": _mean,
    "norm": _norm,
    "trace": _trace,
    "det": lambda _, a: det(a),
    "inv": lambda _, a: inv(a),
    "diag": _diag,
    "outer": lambda _, a, b: jnp.reshape(a, (-1, 1)) * jnp.reshape(b, (1, -1)),
    "kron": _kron,
    "dot": lambda _, a, b: jnp.dot(a, b),
    "einsum": lambda n, *a: jnp.einsum(n.option("subscripts"), *a),
    "reshape": lambda n, a: jnp.reshape(a, n.option("shape")),
    "concat": lambda n, *a: jnp.concatenate(a, n.option("axis") or 0),
    "stack": lambda n, *a: jnp.stack(a, n.option("axis") or 0),
    "eye": lambda n: jnp.asarray(np.eye(n.option("size"))),
    "zeros": lambda n: jnp.asarray(np.zeros(n.option("shape"))),
    "ones": lambda n: jnp.asarray(np.ones(n.option("shape"))),
    "tril": lambda n: jnp.asarray(np.tri(n.option("size"))),
    "sqrt": lambda _, a: lax.sqrt(a),
    "exp": lambda _, a: lax.exp(a),
    "log": lambda _, a: lax.log(a),
    **layers.RULES,
}
