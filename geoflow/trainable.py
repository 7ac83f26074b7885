"""What is trained of a network's parameters: a JAX pytree, an Equinox module, Flax variables or a Flax nnx module.

Trained are the arrays of floating-point numbers (of Flax variables those in the collection `params`, of an nnx module
its `Param`s). Everything else stays as it is: functions, sizes, running means, random keys, the rate of a dropout.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


@dataclass(frozen=True)
class Trainable:
    """Arrays by name, and the function that puts others in their place."""

    arrays: Mapping[str, Any]
    rebuild: Callable[[Sequence[Any]], Any]


def trainable(params: Any) -> Trainable:
    """The trained arrays of `params`.

    Raises:
        ValueError: there are none, two have one name, or one is complex or not finite.
    """
    nnx = sys.modules.get("flax.nnx")
    if nnx is not None and isinstance(params, nnx.Module):
        graph, state, rest = nnx.split(params, nnx.Param, ...)
        return _of_tree(
            state, lambda filled: nnx.merge(graph, filled, _widened(rest), copy=True), ".value"
        )
    if nnx is not None and isinstance(params, nnx.State):
        return _of_tree(params, lambda filled: filled, ".value")
    linen = sys.modules.get("flax.linen")
    if linen is not None and isinstance(params, linen.Module):
        raise ValueError(
            "a Flax linen module holds no parameters: "
            "give Flow.of_network(model.apply, model.init(key, x), x)"
        )
    if _is_variables(params):
        others = {k: v for k, v in params.items() if k != "params"}
        return _of_tree(params["params"], lambda filled: {**_widened(others), "params": filled}, "")
    return _of_tree(params, lambda filled: filled, "")


def _widened(tree: Any) -> Any:
    """What is not trained, in the precision of the parameters that JAX is traced with."""

    def wide(leaf: Any) -> Any:
        narrow = hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)
        return jnp.asarray(leaf, jnp.float64) if narrow else leaf

    return jax.tree.map(wide, tree)


def _is_variables(params: Any) -> bool:
    """Flax variables: collections by name, one of them `params`."""
    return (
        isinstance(params, Mapping)
        and isinstance(params.get("params"), Mapping)
        and all(isinstance(v, Mapping) for v in params.values())
    )


def _of_tree(params: Any, whole: Callable[[Any], Any], ending: str) -> Trainable:
    paths, tree = jax.tree_util.tree_flatten_with_path(params)
    leaves = [leaf for _, leaf in paths]
    arrays: dict[str, Any] = {}
    places: list[int] = []
    for k, (path, leaf) in enumerate(paths):
        if not hasattr(leaf, "dtype") or not hasattr(leaf, "shape"):
            continue
        name = named(path).removesuffix(ending)
        if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
            raise ValueError(f"parameter {name!r} is complex; real numbers are needed")
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            continue
        if not isinstance(leaf, jax.ShapeDtypeStruct) and not _is_finite(leaf):
            raise ValueError(f"parameter {name!r} holds NaN or an infinite number")
        if name in arrays:
            raise ValueError(f"two parameters are named {name!r}; rename one of them")
        arrays[name] = leaf
        places.append(k)
    if not arrays:
        found = ", ".join(sorted({_kind(leaf) for leaf in leaves}))
        raise ValueError(
            "params holds no arrays of floating-point numbers, which are what is trained"
            + (f"; it holds: {found}" if found else "")
        )

    def rebuild(values: Sequence[Any]) -> Any:
        filled = list(leaves)
        for place, value in zip(places, values, strict=True):
            filled[place] = value
        return whole(jax.tree.unflatten(tree, filled))

    return Trainable(arrays, rebuild)


def named(path: Sequence[Any]) -> str:
    """The name of a leaf, by its path in the tree: `layers.0.weight`."""
    parts = [str(getattr(k, "key", getattr(k, "name", getattr(k, "idx", k)))) for k in path]
    name = ".".join(parts) or "theta"
    return f"theta[{name}]" if name[0].isdigit() else name


def _is_finite(leaf: Any) -> bool:
    if isinstance(leaf, Tracer):
        return True
    return bool(np.all(np.isfinite(np.asarray(leaf, dtype=np.float64))))


def _kind(leaf: Any) -> str:
    if not hasattr(leaf, "dtype"):
        return "Python " + ("numbers" if isinstance(leaf, int | float) else "objects")
    return f"arrays of {leaf.dtype}"
