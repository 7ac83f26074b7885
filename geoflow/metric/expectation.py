"""The data of a network's Fisher metric: E_x JᵀFJ as a sum over finitely many outputs.

*gaussian*: x standard normal. With a Gaussian output and a network affine in x, J(x) = J(0) + Σ xᵢLᵢ, so
E JᵀJ = J(0)ᵀJ(0) + Σ LᵢᵀLᵢ: the map θ ↦ (g(θ, 0), g(θ, eᵢ) − g(θ, 0)) has this JᵀJ. *points*: k integer points drawn from a
seed, E the mean.
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

from geoflow.exact.gates import lift
from geoflow.exact.program import trace
from geoflow.metric.base import Arrays, Input, Output

_SAMPLE = 64  # points that stand for Gaussian data in floating point, where there is no formula
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
        units = []
        for name, shape in shapes.items():
            for k in range(prod(shape)):
                unit = np.zeros(prod(shape))
                unit[k] = 1
                units.append({**zero, name: unit.reshape(shape)})

        def outputs(constants: Arrays, theta: Arrays) -> tuple[jax.Array, ...]:
            origin = network(constants, {**theta, **_arrays(zero)})
            found = list(origin)
            for unit in units:
                there = network(constants, {**theta, **_arrays(unit)})
                found += [y - y0 for y, y0 in zip(there, origin, strict=True)]
            return tuple(found)

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
        points = self._drawn(inputs)

        def outputs(constants: Arrays, theta: Arrays) -> tuple[jax.Array, ...]:
            return tuple(y for x in points for y in network(constants, {**theta, **_arrays(x)}))

        return outputs

    def _drawn(self, inputs: Sequence[Input]) -> list[dict[str, np.ndarray]]:
        rng = np.random.default_rng([self.seed, 0x66697368])
        return [{x.name: self._one(rng, x) for x in inputs} for _ in range(self.k)]

    @staticmethod
    def _one(rng: np.random.Generator, x: Input) -> np.ndarray:
        if x.kind == "onehot":
            return np.eye(x.shape[-1])[rng.integers(0, x.shape[-1], x.shape[:-1])]
        return rng.integers(-_TOP, _TOP + 1, x.shape).astype(np.float64)


def sampled(seed: int = 0) -> Points:
    """Points that stand for Gaussian data in floating point."""
    return Points(_SAMPLE, seed)


def is_piecewise(
    outputs: Output,
    known: Mapping[str, Fraction | None],
    shapes: Mapping[str, tuple[int, ...]],
) -> bool:
    """Whether what is seen depends on gates (relu, max), which exact arithmetic takes as free."""
    constants = {n: jax.ShapeDtypeStruct((), np.float64) for n in known}
    theta = {n: jax.ShapeDtypeStruct(s, np.float64) for n, s in shapes.items()}
    return bool(lift(trace(outputs, constants, theta)).gates)


def second_difference(
    network: Output, inputs: Sequence[Input]
) -> tuple[Callable[[Any, Any], jax.Array], dict[str, tuple[int, ...]]]:
    """∂²g in two directions of the inputs, flat, as a function of constants, θ, inputs and directions; and the shapes
    of the latter two. It vanishes iff g is affine in its inputs."""
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
