"""The sum of the absolute terms of an expression: the natural scale of a drift."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from geoflow.expr.evaluate import Environment, apply_operation, leaf_value
from geoflow.expr.tree import Apply, Expr, walk


def magnitude(root: Expr, env: Environment) -> jax.Array:
    """`|U|.T @ |U| + |V|.T @ |V|` for `U.T @ U - V.T @ V`."""
    values: dict[int, Any] = {}
    for node in walk(root):
        if not isinstance(node, Apply):
            values[id(node)] = jnp.abs(leaf_value(node, env))
            continue
        arguments = [values[id(a)] for a in node.arguments]
        if node.operation == "sub":
            value = arguments[0] + arguments[1]
        elif node.operation == "neg":
            value = arguments[0]
        else:
            value = jnp.abs(apply_operation(node, arguments))
        values[id(node)] = value
    return values[id(root)]
