"""The equations of a traced function, those of the functions that it calls included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax


def equations(jaxpr: Any) -> Iterator[tuple[Any, Any]]:
    """Each equation with the jaxpr that it stands in."""
    for eqn in jaxpr.eqns:
        yield jaxpr, eqn
        for value in jax.tree.leaves(eqn.params, is_leaf=lambda x: hasattr(x, "eqns")):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from equations(inner)


def transposes(jaxpr: Any) -> bool:
    """Whether Jᵀa is linear in a: not for certain where a function says by itself what Jᵀa is (`custom_vjp`)."""
    return not any(eqn.primitive.name.startswith("custom_vjp") for _, eqn in equations(jaxpr))
