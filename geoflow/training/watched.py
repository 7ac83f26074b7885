"""What a run is watched for: the laws of a gradient flow, from a model file, a function, a flow or an analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.analysis import Analysis
from geoflow.api import Loaded, analyze, check_law, load
from geoflow.dynamics import Gradient
from geoflow.expr.evaluate import rationals
from geoflow.expr.magnitude import magnitude
from geoflow.flow import Flow
from geoflow.laws.law import Law
from geoflow.laws.tokens import environment
from geoflow.trainable import named

Source = str | PathLike[str] | Loaded | Flow | Analysis | Callable[..., Any]
LONGEST = 60  # characters of a law's label


@dataclass(frozen=True)
class Watched:
    """Laws with labels, one each, and the parameters they are functions of."""

    flow: Flow
    laws: tuple[Law, ...]
    labels: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All parameters of the flow."""
        return tuple(b.name for b in self.flow.parameters)

    def constants(self, law: Law) -> dict[str, float]:
        """Values of the constants that the law reads."""
        exact = {**law.flow.constants, **rationals([law.expression])}
        return {n: 1.0 if v is None else float(v) for n, v in exact.items()}

    def scale(self, law: Law, point: Mapping[str, Any]) -> jax.Array:
        """The sum of the absolute terms of a law."""
        return magnitude(law.expression, environment(self.constants(law), point))


def watched(
    source: Source, *given: Any, laws: Sequence[Law | str] | None = None, seed: int = 0
) -> Watched:
    """The laws of gradient flow that are in `source`; momentum and decay are settings of the optimizer.

    Raises:
        DiagnosticError: the file is wrong, or the flow out of reach.
        TypeError: the source is none.
        ValueError: there is no law, or a law that is named does not hold.
    """
    flow, known = _flow(source, given)
    if laws is None:
        found = known if known is not None else analyze(flow, seed=seed).laws
    else:
        found = tuple(_own(flow, law, seed) for law in laws)
    if not found:
        raise ValueError("this flow has no known law, so there is nothing to watch")
    return Watched(flow, found, _labels(found))


def _flow(source: Source, given: tuple[Any, ...]) -> tuple[Flow, tuple[Law, ...] | None]:
    if isinstance(source, Analysis):
        flow = gradient_flow(source.flow)
        return flow, source.laws if flow is source.flow else None
    if isinstance(source, str | PathLike):
        source = load(source).flow()
    if isinstance(source, Loaded):
        source = source.flow()
    if isinstance(source, Flow):
        return gradient_flow(source), None
    if callable(source) and len(given) == 1:
        return Flow(source, given[0]), None
    if callable(source) and len(given) == 2:
        return Flow.of_network(source, *given), None
    raise TypeError(
        "watch takes a .geo file, a flow, an analysis, (phi, params) or (apply, params, x), not "
        f"one of type {type(source).__name__}"
    )


def gradient_flow(flow: Flow) -> Flow:
    """The gradient flow on the same parametrization and metric: momentum and decay are the optimizer's.

    Raises:
        ValueError: the flow is a system written out.
    """
    if not flow.parametrization.outputs:
        raise ValueError("a system written out is trained by no optimizer")
    if isinstance(flow.dynamics, Gradient) and flow.dynamics.decay is None:
        return flow
    return Flow.of_parts(flow.parametrization, Gradient())


def _own(flow: Flow, law: Law | str, seed: int) -> Law:
    if isinstance(law, Law):
        return law
    judged = check_law(flow, law, seed=seed)
    if not judged.holds:
        raise ValueError(f"{law} is no law of this flow: {judged.verdict}")
    return judged.law


def _labels(laws: Sequence[Law]) -> tuple[str, ...]:
    labels: list[str] = []
    for law in laws:
        text = str(law)
        short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        while short in labels:
            short += "'"
        labels.append(short)
    return tuple(labels)


def leaves(tree: Any, names: Sequence[str], renamed: Mapping[str, str]) -> dict[str, Any]:
    """The arrays of a tree by the flow's names; `renamed`: the tree's name by the flow's, where they differ.

    Raises:
        ValueError: a parameter is not in the tree, or of no array.
    """
    found = _named_leaves(tree)
    if isinstance(tree, Mapping) and isinstance(tree.get("params"), Mapping):
        found = {**_named_leaves(tree["params"]), **found}
    arrays = {}
    for name in names:
        own = renamed.get(name, name)
        if own not in found:
            there = ", ".join(sorted(found)[:8])
            raise ValueError(
                f"the parameter {own!r} of the flow is not in the tree, which holds {there}; "
                "say what it is called there with names={...}, or is it tied to another?"
            )
        arrays[name] = jnp.asarray(found[own])
    return arrays


def _named_leaves(tree: Any) -> dict[str, Any]:
    paths, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {
        named(path).removesuffix(".value"): leaf
        for path, leaf in paths
        if isinstance(leaf, jax.Array | np.ndarray | float | np.floating)
    }
