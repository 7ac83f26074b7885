"""Quadratic laws by a solver that keeps them: at any step to round-off, if they are laws.

Beside a drift along an accurate trajectory, which is never zero and never exact, this decides: the Gauss–Legendre
method keeps a quadratic function of the state to round-off when it is a law. What is none changes at every step size,
by the same amount when the step is halved (the flow itself changes it), or by a power of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.flow import Flow
from geoflow.results import Collocation
from geoflow.verification.drift import VerifiedLaw, drift_of
from geoflow.verification.losses import Loss
from geoflow.verification.trajectory import Runs, float64, make_velocity, split

STEPS = 20  # over the time of the run, and twice as many
ROUND_OFF = 1e-11
MOST_COORDINATES = 150  # of the dense Jacobian of a step


def collocate(
    flow: Flow,
    losses: tuple[Loss, ...],
    constants: Mapping[str, float],
    runs: Runs,
    run: int,
    laws: Sequence[VerifiedLaw],
) -> tuple[Collocation, ...]:
    """Changes of the quadratic laws along one run at two step sizes; none where a step fails or the flow is large."""
    quadratic = tuple(law for law in laws if law.quadratic)
    if not quadratic or flow.dimension > MOST_COORDINATES:
        return ()
    program = jax.jit(_both(flow, losses, quadratic))
    with float64(), np.errstate(all="ignore"):
        values = {name: np.float64(value) for name, value in constants.items()}
        span = float(runs.times[-1] - runs.times[0])
        passes = []
        for steps in (STEPS, 2 * STEPS):
            succeeded, observed = program(
                runs.start[run],
                (runs.features[run], runs.labels[run], runs.which[run]),
                values,
                float(runs.times[0]),
                span / steps,
                steps,
            )
            if not bool(succeeded):
                return ()
            kept = steps + 1
            passes.append(
                [drift_of(np.asarray(v)[:kept], np.asarray(s)[:kept]) for v, s in observed]
            )
    return tuple(
        Collocation(law.text, span / STEPS, coarse, fine, max(coarse, fine) <= ROUND_OFF)
        for law, coarse, fine in zip(quadratic, *passes, strict=True)
        if np.isfinite(coarse) and np.isfinite(fine)
    )


def _both(
    flow: Flow, losses: tuple[Loss, ...], laws: tuple[VerifiedLaw, ...]
) -> Callable[..., Any]:
    """One run at a given step as a JAX function: whether all steps were made, and values and scales of the laws."""
    import diffrax

    from geoflow.solvers import GaussLegendre

    velocity = make_velocity(flow, losses)
    most = 2 * STEPS

    def run(start: Any, data: Any, constants: Any, first: Any, step: Any, steps: Any) -> Any:
        solver = GaussLegendre(2)
        term = diffrax.ODETerm(lambda t, y, args: velocity(constants, t, y, args))

        def advance(carry: Any, number: Any) -> Any:
            state, good = carry
            time = first + number * step
            after, _, _, _, result = solver.step(term, time, time + step, state, data, None, False)
            going = number < steps
            good &= ~going | (result == diffrax.RESULTS.successful)
            state = jnp.where(going, after, state)
            return (state, good), state

        (_, good), states = jax.lax.scan(advance, (start, jnp.asarray(True)), jnp.arange(most))
        states = jnp.concatenate([start[None], states])

        def look(state: jax.Array) -> list[tuple[jax.Array, jax.Array]]:
            point = split(flow, state)
            return [(jnp.asarray(law.value(point)), jnp.asarray(law.scale(point))) for law in laws]

        return good & jnp.all(jnp.isfinite(states)), jax.vmap(look)(states)

    return run
