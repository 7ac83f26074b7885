"""Gauss–Legendre collocation as a diffrax solver: quadratic laws keep their values at every step size.

With stages kᵢ = f(Yᵢ), Yᵢ = y + s Σ aᵢⱼ kⱼ, a quadratic h changes in one step of size s by
Σᵢ 2 s bᵢ B(Yᵢ, kᵢ) + s² Σᵢⱼ (bᵢbⱼ − bᵢaᵢⱼ − bⱼaⱼᵢ) B(kᵢ, kⱼ). The second sum vanishes for these methods
(Cooper 1987), and B(Y, f(Y)) = 0 says that h is a law. So the change is no more than that of the equations of the
stages, which Newton's iteration solves to round-off.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, ClassVar

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
from jax.flatten_util import ravel_pytree

_NODES: dict[int, tuple[list[list[float]], list[float], list[float]]] = {
    2: ([[1 / 2]], [1.0], [1 / 2]),
    4: (
        [[1 / 4, 1 / 4 - sqrt(3) / 6], [1 / 4 + sqrt(3) / 6, 1 / 4]],
        [1 / 2, 1 / 2],
        [1 / 2 - sqrt(3) / 6, 1 / 2 + sqrt(3) / 6],
    ),
}


class GaussLegendre(diffrax.AbstractSolver):
    """The Gauss–Legendre method of order 2 (the implicit midpoint rule) or 4 (two stages), for constant steps.

    A conserved quadratic function of the state keeps its value to round-off, whatever the step. Between steps values
    are interpolated and keep nothing: save at steps (`SaveAt(steps=True)`, or `ts` on the grid of steps). There is no
    estimate of the error, so that the steps are those that you give (`ConstantStepSize`, `StepTo`).

    **Arguments**

    - `order`: 2 or 4.
    - `root_finder`: an Optimistix root finder for the equations of the stages; Newton's iteration, with a dense
      Jacobian, without one. It has to go to round-off for a law to keep its value to round-off.
    - `root_find_max_steps`: iterations after which a step has failed.
    """

    order_: int
    root_finder: optimistix.AbstractRootFinder | None
    root_find_max_steps: int

    term_structure: ClassVar = diffrax.AbstractTerm
    interpolation_cls: ClassVar[Callable[..., diffrax.ThirdOrderHermitePolynomialInterpolation]] = (
        diffrax.ThirdOrderHermitePolynomialInterpolation
    )

    def __init__(
        self,
        order: int = 2,
        root_finder: optimistix.AbstractRootFinder | None = None,
        root_find_max_steps: int = 20,
    ):
        if order not in _NODES:
            raise ValueError(f"Gauss–Legendre of order 2 or 4, not {order!r}")
        self.order_ = order
        self.root_finder = root_finder
        self.root_find_max_steps = root_find_max_steps

    def order(self, terms: Any) -> int:
        """The order of the method."""
        return self.order_

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> None:
        """There is no state."""

    def step(
        self,
        terms: Any,
        t0: Any,
        t1: Any,
        y0: Any,
        args: Any,
        solver_state: None,
        made_jump: Any,
    ) -> tuple[Any, None, dict[str, Any], None, diffrax.RESULTS]:
        """One step: the stages, then their combination."""
        flat, unflatten = ravel_pytree(y0)
        matrix, weights, nodes = (np.array(x) for x in _NODES[self.order_])
        control = terms.contr(t0, t1)
        length = t1 - t0

        def slope(time: Any, state: jax.Array) -> jax.Array:
            moved = terms.vf_prod(time, unflatten(state), args, control)
            return ravel_pytree(moved)[0]

        def slopes(stages: jax.Array) -> jax.Array:
            places = flat + jnp.asarray(matrix, flat.dtype) @ stages
            times = t0 + jnp.asarray(nodes, jnp.result_type(t0)) * length
            return jax.vmap(slope)(times, places)

        first = slope(t0, flat)
        solved = optimistix.root_find(
            lambda stages, _: slopes(stages) - stages,
            self.root_finder or _newton(flat.dtype),
            jnp.stack([first] * len(nodes)),
            throw=False,
            max_steps=self.root_find_max_steps,
        )
        # once more through the flow: what is left of the stages' error is then along the flow
        stages = slopes(solved.value)
        last = flat + jnp.asarray(weights, flat.dtype) @ stages
        dense = {
            "y0": y0,
            "y1": unflatten(last),
            "k0": unflatten(first),
            "k1": unflatten(slope(t1, last)),
        }
        return unflatten(last), None, dense, None, diffrax.RESULTS.promote(solved.result)

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Any:
        """The vector field."""
        return terms.vf(t0, y0, args)


def _newton(dtype: Any) -> optimistix.Newton:
    """Newton's iteration: it is quadratic, so a step below the square root of round-off is the last one needed."""
    tolerance = float(jnp.finfo(dtype).eps) ** 0.6
    return optimistix.Newton(rtol=tolerance, atol=tolerance)
