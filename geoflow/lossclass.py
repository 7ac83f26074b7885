"""Classes of losses: which cotangents a = −∇f(φ(θ)) occur. The largest is "any loss"; smaller ones keep more laws.

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

    def cotangent(
        self, outputs: Sequence[Shape], controls: Sequence[jax.Array]
    ) -> tuple[jax.Array, ...]:
        """The cotangent of free controls, linear."""
        ...

    def project(
        self, outputs: Sequence[Shape], cotangent: Sequence[jax.Array]
    ) -> tuple[jax.Array, ...]:
        """A cotangent of the class near any cotangent, in floating point."""
        ...


@dataclass(frozen=True)
class AnyLoss:
    """Every smooth loss: all cotangents."""

    text: str = "every data set and every loss"

    def free(self, outputs: Sequence[Shape]) -> tuple[Shape, ...]:
        """All."""
        return tuple(outputs)

    def cotangent(
        self, outputs: Sequence[Shape], controls: Sequence[jax.Array]
    ) -> tuple[jax.Array, ...]:
        """Themselves."""
        return tuple(controls)

    def project(
        self, outputs: Sequence[Shape], cotangent: Sequence[jax.Array]
    ) -> tuple[jax.Array, ...]:
        """Themselves."""
        return tuple(cotangent)


@dataclass(frozen=True)
class CrossEntropy:
    """Softmax cross-entropy over the last axis: its gradients sum to 0 there."""

    text: str = "every data set and softmax cross-entropy"

    def free(self, outputs: Sequence[Shape]) -> tuple[Shape, ...]:
        """One class fewer."""
        return tuple((*s[:-1], s[-1] - 1) if s else (0,) for s in outputs)

    def cotangent(
        self, outputs: Sequence[Shape], controls: Sequence[jax.Array]
    ) -> tuple[jax.Array, ...]:
        """The last entry is minus the sum of the others."""
        found = []
        for shape, b in zip(outputs, controls, strict=True):
            if not shape:
                found.append(jnp.zeros(()))
                continue
            last = -jnp.sum(b, axis=-1, keepdims=True)
            found.append(jnp.concatenate([b, last], axis=-1))
        return tuple(found)

    def project(
        self, outputs: Sequence[Shape], cotangent: Sequence[jax.Array]
    ) -> tuple[jax.Array, ...]:
        """Without the mean over the last axis."""
        return tuple(
            a - jnp.mean(a, axis=-1, keepdims=True) if a.shape else 0 * a for a in cotangent
        )


@dataclass(frozen=True)
class FewData:
    """k fixed data points, drawn from the seed as small integers. Of a map: cotangents in a k-dimensional subspace.
    Of a network: k inputs, with any cotangent at each (`Parametrization.on_few`)."""

    k: int
    seed: int = 0

    @property
    def text(self) -> str:
        """What a verdict says it holds for."""
        space = f"a {self.k}-dimensional space of cotangents drawn from seed {self.seed}"
        return f"every loss on {self.k} data points ({space})"

    def free(self, outputs: Sequence[Shape]) -> tuple[Shape, ...]:
        """k numbers."""
        return ((self.k,),)

    def cotangent(
        self, outputs: Sequence[Shape], controls: Sequence[jax.Array]
    ) -> tuple[jax.Array, ...]:
        """Combinations of k fixed cotangents."""
        return tuple(jnp.tensordot(controls[0], fixed, axes=1) for fixed in self._fixed(outputs))

    def inputs(self, data: Sequence[tuple[Shape, bool]]) -> list[np.ndarray]:
        """k inputs [k, *shape] of a network: small integers, or one-hot rows where the second value says so."""
        rng = np.random.default_rng([self.seed, 0x696E7075])
        found = []
        for shape, onehot in data:
            if onehot:
                scores = rng.random((self.k, *shape))
                found.append((scores == scores.max(-1, keepdims=True)).astype(np.float64))
            else:
                found.append(_integers(rng, (self.k, *shape)))
        return found

    @property
    def on_inputs(self) -> AnyLoss:
        """The class of losses of a network on its k inputs: every loss."""
        return AnyLoss(f"every loss on {self.k} inputs drawn from seed {self.seed}")

    def _fixed(self, outputs: Sequence[Shape]) -> list[np.ndarray]:
        rng = np.random.default_rng([self.seed, 0x64617461])
        return [_integers(rng, (self.k, *shape)) for shape in outputs]

    def project(
        self, outputs: Sequence[Shape], cotangent: Sequence[jax.Array]
    ) -> tuple[jax.Array, ...]:
        """Pairings with the fixed cotangents as coefficients: the loss sees k projections of φ."""
        fixed = self._fixed(outputs)
        axes = [tuple(range(-len(s), 0)) for s in outputs]
        pairings = [jnp.sum(f * a, axis=x) for f, a, x in zip(fixed, cotangent, axes, strict=True)]
        size = sum(float(np.sum(f**2)) for f in fixed) / self.k
        return self.cotangent(outputs, (sum(pairings[1:], pairings[0]) / size,))


def _integers(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Small integers, none of them 0: a parameter that is seen through one entry would be taken for unseen."""
    drawn = rng.integers(-99, 100, shape)
    return np.where(drawn == 0, 100, drawn).astype(np.float64)
