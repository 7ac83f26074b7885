"""Classes of losses: which cotangents a = −∇f(φ(θ)) occur. "Any loss" is the largest class; smaller ones keep more laws.

A class is a linear map from free controls b to cotangents a.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

Shape = tuple[int, ...]


class LossClass(Protocol):
    """The cotangents that the losses of a class give."""

    @property
    def text(self) -> str:
        """What a verdict says it holds for."""
        ...

    def free(self, outputs: Sequence[Shape]) -> tuple[Shape, ...]:
        """Shapes of the free controls."""
        ...

    def cotangent(self, outputs: Sequence[Shape], controls: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
        """The cotangent of free controls, linear."""
        ...


@dataclass(frozen=True)
class AnyLoss:
    """Every smooth loss: all cotangents."""

    text: str = "every data set and every loss"

    def free(self, outputs: Sequence[Shape]) -> tuple[Shape, ...]:
        """All."""
        return tuple(outputs)

    def cotangent(self, outputs: Sequence[Shape], controls: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
        """Themselves."""
        return tuple(controls)


@dataclass(frozen=True)
class CrossEntropy:
    """Softmax cross-entropy over the last axis: its gradients sum to 0 there."""

    text: str = "every data set and softmax cross-entropy"

    def free(self, outputs: Sequence[Shape]) -> tuple[Shape, ...]:
        """One class fewer."""
        return tuple((*s[:-1], s[-1] - 1) if s else (0,) for s in outputs)

    def cotangent(self, outputs: Sequence[Shape], controls: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
        """The last entry is minus the sum of the others."""
        found = []
        for shape, b in zip(outputs, controls, strict=True):
            if not shape:
                found.append(jnp.zeros(()))
                continue
            last = -jnp.sum(b, axis=-1, keepdims=True)
            found.append(jnp.concatenate([b, last], axis=-1))
        return tuple(found)


@dataclass(frozen=True)
class FewData:
    """k fixed data points: cotangents in a k-dimensional subspace, drawn from the seed as small integers."""

    k: int
    seed: int = 0

    @property
    def text(self) -> str:
        """What a verdict says it holds for."""
        return f"every loss on {self.k} data points (a {self.k}-dimensional space of cotangents drawn from seed {self.seed})"

    def free(self, outputs: Sequence[Shape]) -> tuple[Shape, ...]:
        """k numbers."""
        return ((self.k,),)

    def cotangent(self, outputs: Sequence[Shape], controls: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
        """Combinations of k fixed cotangents."""
        rng = np.random.default_rng([self.seed, 0x64617461])
        found = []
        for shape in outputs:
            fixed = rng.integers(-99, 100, (self.k, *shape)).astype(np.float64)
            found.append(jnp.tensordot(controls[0], fixed, axes=1))
        return tuple(found)
