"""What every metric provides."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Protocol

import jax

from geoflow.expr.tree import Expr, Parameter

Arrays = Mapping[str, jax.Array]


class Metric(Protocol):
    """A Riemannian metric M(θ) on some parameters."""

    @property
    def text(self) -> str:
        """How the verdict line names it: `Euclidean`, `entropy mirror`."""
        ...

    @property
    def positive(self) -> bool:
        """Whether the metric is defined for positive parameters only."""
        ...

    @property
    def quadratic(self) -> bool:
        """Whether M is one constant multiple of the identity on each parameter: then laws can be Gram matrices."""
        ...

    def constants(self) -> Mapping[str, Fraction | None]:
        """Exact constants that `apply_inverse` reads, by name; None for symbolic ones."""
        ...

    def apply_inverse(self, constants: Arrays, theta: Arrays, covector: Arrays) -> Arrays:
        """M(θ)⁻¹ · covector. `theta` and `covector` hold this metric's parameters by name."""
        ...

    def balanced(self, parameter: Parameter) -> tuple[Expr, ...]:
        """Elementwise functions F(u) from which laws are made: first uψ'(u) − ψ(u) of a potential ψ (a scaling
        symmetry conserves its differences), then ψ'(u) (a translation does). Constant factors are left out."""
        ...
