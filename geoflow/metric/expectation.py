"""The data of a network's Fisher metric: E_x JᵀFJ as a sum over finitely many outputs.

*gaussian*: x standard normal. With a Gaussian output and a network affine in x, J(x) = J(0) + Σ xᵢLᵢ, so
E JᵀJ = J(0)ᵀJ(0) + Σ LᵢᵀLᵢ: the map θ ↦ (g(θ, 0), g(θ, eᵢ) − g(θ, 0)) has this JᵀJ.
*points*: k integer points drawn from a seed, E the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.lifting import lift
from geoflow.exact.program import trace
from geoflow.metric.base import Arrays, Input, Output, Setting
from geoflow.metric.genericrank import vanishes_identically

_SAMPLE = 16  # points that stand for Gaussian data in floating point, where there is no formula
_TOP = 3


class Data(Protocol):
    """What the inputs of a network are drawn from."""

    @property
    def text(self) -> str:
        """How the metric names it; nothing for the default."""
        ...

    @property
    def full(self) -> bool:
        """Whether every input occurs: then range M is spanned by all J(x)ᵀa."""
        ...

    @property
    def mean(self) -> int:
        """The number that the sum over the outputs is divided by."""
        ...

    def seen(self, network: Output, inputs: Sequence[Input]) -> Output:
        """The map θ ↦ outputs whose JᵀFJ is the expectation, times `mean`."""
        ...


@dataclass(frozen=True)
class GaussianData:
    """Standard normal inputs."""

    text: str = ""
    full: bool = True
    mean: int = 1

    def seen(self, network: Output, inputs: Sequence[Input]) -> Output:
        """At 0 and, less that, at the unit vectors."""
        shapes = {x.name: x.shape for x in inputs}
        zero = {n: np.zeros(s) for n, s in shapes.items()}
        size = sum(prod(s) for s in shapes.values())
        units, start = {}, 0
        for name, shape in shapes.items():
            units[name] = np.zeros((size, *shape))
            units[name][start : start + prod(shape)] = np.eye(prod(shape)).reshape(-1, *shape)
            start += prod(shape)
        steps = _together(network, units)

        def outputs(constants: Arrays, theta: Arrays) -> tuple[jax.Array, ...]:
            origin = network(constants, {**theta, **_arrays(zero)})
            there = steps(constants, theta)
            return (*origin, *(y - y0 for y, y0 in zip(there, origin, strict=True)))

        return outputs


@dataclass(frozen=True)
class Points:
    """k fixed inputs, small integers drawn from a seed."""

    k: int
    seed: int = 0
    full: bool = False

    @property
    def text(self) -> str:
        """With the number of points."""
        return f"data = points({self.k})"

    @property
    def mean(self) -> int:
        """k."""
        return self.k

    def seen(self, network: Output, inputs: Sequence[Input]) -> Output:
        """At each point."""
        rng = np.random.default_rng([self.seed, 0x66697368])
        drawn = [{x.name: self._one(rng, x) for x in inputs} for _ in range(self.k)]
        return _together(network, {x.name: np.stack([d[x.name] for d in drawn]) for x in inputs})

    @staticmethod
    def _one(rng: np.random.Generator, x: Input) -> np.ndarray:
        if x.kind == "onehot":
            return np.eye(x.shape[-1])[rng.integers(0, x.shape[-1], x.shape[:-1])]
        return rng.integers(-_TOP, _TOP + 1, x.shape).astype(np.float64)


def _together(network: Output, inputs: Mapping[str, np.ndarray]) -> Output:
    """The network at many inputs, which are the first axis."""

    def outputs(constants: Arrays, theta: Arrays) -> tuple[jax.Array, ...]:
        return jax.vmap(lambda x: network(constants, {**theta, **x}))(_arrays(inputs))

    return outputs


def sampled(seed: int = 0) -> Points:
    """Points that stand for Gaussian data in floating point."""
    return Points(_SAMPLE, seed)


def is_piecewise(
    outputs: Output,
    known: Mapping[str, Fraction | None],
    shapes: Mapping[str, tuple[int, ...]],
) -> bool:
    """Whether outputs depend on gates (relu, max), which exact arithmetic takes as free."""
    constants = {n: jax.ShapeDtypeStruct((), np.float64) for n in known}
    theta = {n: jax.ShapeDtypeStruct(s, np.float64) for n, s in shapes.items()}
    return bool(lift(trace(outputs, constants, theta)).gates)


def is_affine(setting: Setting) -> bool:
    """Whether a network is shown to be affine in its inputs."""
    inputs = {x.name: x.shape for x in setting.inputs}
    if is_piecewise(setting.phi, setting.known, {**setting.shapes, **inputs}):
        return False  # the second difference of a relu is 0 between its kinks
    curvature, shapes = second_difference(setting.phi, setting.inputs)
    return vanishes_identically(curvature, setting.known, {**setting.shapes, **shapes})


def second_difference(
    network: Output, inputs: Sequence[Input]
) -> tuple[Callable[[Any, Any], jax.Array], dict[str, tuple[int, ...]]]:
    """∂²g in two directions of the inputs, flat, as a function of constants, θ, inputs and directions; and the shapes
    of the latter two. It vanishes iff a smooth g is affine in its inputs."""
    shapes = {x.name: x.shape for x in inputs}
    first = {n: f"{n} along" for n in shapes}
    second = {n: f"{n} across" for n in shapes}

    def curvature(constants: Any, values: Any) -> jax.Array:
        theta = {n: v for n, v in values.items() if n not in hidden}

        def at(x: Mapping[str, jax.Array]) -> tuple[jax.Array, ...]:
            return network(constants, {**theta, **x})

        def slope(x: Mapping[str, jax.Array]) -> tuple[jax.Array, ...]:
            return jax.jvp(at, (x,), ({n: values[k] for n, k in first.items()},))[1]

        x = {n: values[n] for n in shapes}
        bent = jax.jvp(slope, (x,), ({n: values[k] for n, k in second.items()},))[1]
        return jnp.concatenate([jnp.ravel(y) for y in bent])

    every = {k: shapes[n] for names in (first, second) for n, k in names.items()} | shapes
    hidden = set(every)
    return curvature, every


def _arrays(values: Mapping[str, np.ndarray]) -> dict[str, jax.Array]:
    return {n: jnp.asarray(v) for n, v in values.items()}
