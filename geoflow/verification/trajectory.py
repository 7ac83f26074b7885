"""Trajectories z' = F₀(z) + G_a(z), a = −∇f(φ(θ)), in float64 for random losses and initial points.

Dopri8 with an adaptive step (diffrax): explicit, of order 8, so that a tolerance near round-off
costs few steps. All runs (trials × losses) and everything observed along them are one compiled
program with one batch axis: nested axes double the time of tracing the solver's loop, 0.9 s instead
of 0.5 s. The solver's tolerance is an argument of that program, so that a second, stricter pass
compiles nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.lifting import PIECEWISE
from geoflow.exact.program import trace
from geoflow.expr.tree import depends_on_time
from geoflow.flow import Flow
from geoflow.parametrization import Block
from geoflow.results import VerifySettings
from geoflow.verification.losses import Loss, cotangent, draw_features, draw_labels, find_losses

SOLVER_TOLERANCE = 1e-11
STRICTER = 1e-2  # factor of the second pass
MAX_STEPS = 4096
SAVED = 50
_TRIES = 200  # of initial points
MOST_INPUTS = 8  # data at which a network is evaluated at every step

Point = dict[str, jax.Array]
Observe = Callable[[Point], Any]


@dataclass(frozen=True)
class Runs:
    """What is integrated, arrays [run, …]. `typical` is the root mean square of the initial points'
    coordinates."""

    names: tuple[str, ...]  # "trial 1 (squared)"
    trials: np.ndarray
    which: np.ndarray
    start: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    times: np.ndarray  # [time]
    typical: float


@dataclass(frozen=True)
class Solved:
    """Trajectories. `states` [run, time, N]; `push` [run, time] is the norm of G_a relative to that
    of z; `observed` is what the observer returned, each array [run, time, …]. `reached` is by run
    the last time that was reached, where it is not the end; beyond it there are no numbers."""

    states: np.ndarray
    push: np.ndarray
    observed: Any
    reached: tuple[float | None, ...]


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """64 bits, and none of the host's stricter settings, inside; nothing changes outside."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.debug_nans(False))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        yield


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Random numbers that one seed gives for one purpose."""
    return np.random.default_rng([seed % 2**64, purpose])


def symbolic_values(flow: Flow, seed: int) -> dict[str, float]:
    """Values for the symbolic constants: seeded, between 1/2 and 3/2. At 1 a law with a misplaced
    constant would pass."""
    rng = generator(seed, 1)
    return {name: float(rng.uniform(0.5, 1.5)) for name in flow.symbolic_constants}


def start_time(flow: Flow, constants: Mapping[str, float]) -> float:
    """0, or 1 where the drift is not finite at 0."""
    if not any(depends_on_time(e) for e in flow.dynamics.expressions()):
        return 0.0
    with float64():
        values = {name: jnp.asarray(value) for name, value in constants.items()}
        point = {
            b.name: jnp.zeros(()) if b.kind == "time" else jnp.ones(b.shape) for b in flow.state
        }
        finite = [jnp.all(jnp.isfinite(v)) for v in flow.drift(values, point).values()]
        return 0.0 if all(map(bool, finite)) else 1.0


def draw_runs(
    flow: Flow, settings: VerifySettings, seed: int, constants: Mapping[str, float]
) -> Runs:
    """Seeded data and initial points: each trial has one point and one set of features, shared by
    its losses."""
    losses = find_losses(settings.losses)
    rng = generator(seed, 0)
    first = start_time(flow, constants)
    start, features, labels, names = [], [], [], []
    for trial in range(settings.trials):
        point = _draw_point(rng, flow, first, constants)
        x = draw_features(rng, settings.data, seen_size(flow))
        for loss in losses:
            names.append(f"trial {trial + 1} ({loss.name})")
            start.append(point)
            features.append(x)
            labels.append(draw_labels(rng, loss, x))
    start = np.stack(start)
    moving = start[:, 1:] if flow.state[0].kind == "time" else start
    return Runs(
        names=tuple(names),
        trials=np.repeat(np.arange(settings.trials), len(losses)),
        which=np.tile(np.arange(len(losses)), settings.trials),
        start=start,
        features=np.stack(features),
        labels=np.stack(labels),
        times=np.linspace(first, first + settings.time, SAVED),
        typical=float(np.sqrt(np.mean(moving**2))),
    )


def draw_inputs(flow: Flow, settings: VerifySettings, seed: int) -> dict[str, jax.Array]:
    """Data for a network, [k, *shape] by input: Gaussian numbers, or random classes."""
    rng = generator(seed, 3)
    count = min(settings.data, MOST_INPUTS)
    inputs = {}
    for datum in flow.parametrization.data:
        values = rng.standard_normal((count, *datum.shape))
        if datum.kind == "onehot":
            values = (values == values.max(axis=-1, keepdims=True)).astype(float)
        inputs[datum.name] = jnp.asarray(values)
    return inputs


def is_piecewise(flow: Flow) -> bool:
    """Whether the output has kinks."""
    values = {b.name: jax.ShapeDtypeStruct(b.shape, np.float64) for b in flow.parameters}
    values |= {d.name: jax.ShapeDtypeStruct(d.shape, np.float64) for d in flow.parametrization.data}
    constants = {n: jax.ShapeDtypeStruct((), np.float64) for n in flow.constants}
    program = trace(flow.parametrization.phi, constants, values)
    return any(i.primitive in PIECEWISE for i in program.instructions)


def seen_size(flow: Flow) -> int:
    """Number of entries of φ, or of controls for a system without φ."""
    shapes = flow.parametrization.outputs or flow.cotangents
    return sum(int(np.prod(s)) for s in shapes)


def _draw_point(
    rng: np.random.Generator, flow: Flow, time: float, constants: Mapping[str, float]
) -> np.ndarray:
    """An initial point [N], in the open set of the flow's verdicts if one is found there."""

    points = np.stack(
        [
            np.concatenate([np.ravel(_draw(rng, block, time)) for block in flow.state])
            for _ in range(_TRIES if flow.dynamics.local else 1)
        ]
    )
    inside = in_open_set(flow, constants, points) if flow.dynamics.local else [True]
    return points[np.argmax(inside)]


def in_open_set(flow: Flow, constants: Mapping[str, float], states: np.ndarray) -> np.ndarray:
    """Which of some states [state, N] lie in the open set of a flow that has verdicts for one only."""
    with float64():
        p, values = flow.parametrization, {n: jnp.asarray(v) for n, v in constants.items()}
        inside = jax.vmap(lambda z: flow.dynamics.inside(p, values, split(flow, z)))
        return np.asarray(inside(states))


def _draw(rng: np.random.Generator, block: Block, time: float) -> np.ndarray:
    """Coordinates of natural size: a product of two such matrices has entries of order 1. They stay
    away from zero, where many metrics are singular."""
    if block.kind == "time":
        return np.asarray(time)
    normal = rng.standard_normal(block.shape)
    size = 1 / np.sqrt(block.shape[-1]) if len(block.shape) > 1 else 1.0
    if block.kind == "velocity" or (block.kind == "moment" and not block.positive):
        return normal * size / 2
    away = np.abs(normal) + 0.25
    return (away if block.positive else np.copysign(away, normal)) * size


def split(flow: Flow, state: Any) -> dict[str, Any]:
    """The blocks of a flat state [..., N]."""
    point, offset = {}, 0
    for block in flow.state:
        flat = state[..., offset : offset + block.size]
        point[block.name] = flat.reshape(state.shape[:-1] + block.shape)
        offset += block.size
    return point


def join(flow: Flow, point: Mapping[str, jax.Array]) -> jax.Array:
    """The flat state [N] of a point's blocks."""
    return jnp.concatenate([jnp.ravel(point[block.name]) for block in flow.state])


Integrator = Callable[[Runs, float], Solved]


def make_integrator(
    flow: Flow, losses: tuple[Loss, ...], constants: Mapping[str, float], observe: Observe
) -> Integrator:
    """A function (runs, solver tolerance) → `Solved`, compiled at its first call."""
    program = jax.jit(
        jax.vmap(_one_run(flow, losses, observe), in_axes=(0, 0, 0, 0, None, None, None, None))
    )

    def integrate(runs: Runs, tolerance: float) -> Solved:
        arrays = (runs.start, runs.features, runs.labels, runs.which)
        with float64(), np.errstate(all="ignore"):
            values = {name: np.float64(value) for name, value in constants.items()}
            solved = program(
                *arrays, values, runs.times, tolerance, max(tolerance * runs.typical, 1e-300)
            )
            states, push, observed, succeeded = jax.tree.map(np.asarray, solved)
        reached = tuple(
            _last_time(bool(done), state, runs.times)
            for done, state in zip(succeeded, states, strict=True)
        )
        return Solved(states, push, observed, reached)

    return integrate


Pull = Callable[[Any, Point, Any, Any], tuple[jax.Array, ...]]


def make_pull(flow: Flow, losses: tuple[Loss, ...]) -> Pull:
    """The cotangent of the loss, for (constants, point, (features, labels, which), time); open-loop controls for a
    system without φ."""
    shapes = flow.parametrization.outputs or flow.cotangents
    ends = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]

    def pieces(flat: jax.Array) -> tuple[jax.Array, ...]:
        parts = zip(jnp.split(flat, ends) if shapes else (), shapes, strict=True)
        return tuple(part.reshape(s) for part, s in parts)

    def pull(constants: Any, point: Point, args: Any, time: Any) -> tuple[jax.Array, ...]:
        features, labels, which = args
        if not flow.parametrization.outputs:
            return pieces(features[0] * jnp.sin(2 * time * features[1] + features[2]))
        flat = jnp.concatenate([jnp.ravel(y) for y in flow.output(constants, point)])
        a = pieces(cotangent(losses, which, features, labels, flat))
        return flow.parametrization.loss.project(shapes, a)

    return pull


def make_velocity(flow: Flow, losses: tuple[Loss, ...]) -> Callable[..., jax.Array]:
    """z' as a function of (constants, time, flat state, data)."""
    pull = make_pull(flow, losses)

    def velocity(constants: Any, time: Any, state: jax.Array, args: Any) -> jax.Array:
        point = split(flow, state)
        return join(flow, flow.velocity(constants, point, pull(constants, point, args, time)))

    return velocity


def _one_run(flow: Flow, losses: tuple[Loss, ...], observe: Observe) -> Callable[..., Any]:
    """One trajectory as a JAX function of its data."""
    import diffrax  # here, not above: a check without verification is spared its 0.4 s

    pull, moving = make_pull(flow, losses), make_velocity(flow, losses)

    def run(
        start: jax.Array,
        features: jax.Array,
        labels: jax.Array,
        which: jax.Array,
        constants: Any,
        times: jax.Array,
        rtol: jax.Array,
        atol: jax.Array,
    ) -> tuple[jax.Array, jax.Array, Any, jax.Array]:
        def velocity(time: Any, state: jax.Array, args: Any) -> jax.Array:
            return moving(constants, time, state, args)

        data = (features, labels, which)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(velocity),
            diffrax.Dopri8(),
            times[0],
            times[-1],
            dt0=None,
            y0=start,
            args=data,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            adjoint=diffrax.ForwardMode(),
            max_steps=MAX_STEPS,
            throw=False,
        )

        def look(state: jax.Array, time: jax.Array) -> tuple[jax.Array, Any]:
            point = split(flow, state)
            a = pull(constants, point, data, time)
            still = tuple(jnp.zeros_like(x) for x in a)
            pushed = join(flow, flow.velocity(constants, point, a))
            pushed = pushed - join(flow, flow.velocity(constants, point, still))
            return jnp.linalg.norm(pushed) / jnp.linalg.norm(state), observe(point)

        assert solution.ys is not None
        push, observed = jax.vmap(look)(solution.ys, times)
        succeeded = jnp.asarray(solution.result == diffrax.RESULTS.successful)
        return solution.ys, push, observed, succeeded

    return run


def _last_time(succeeded: bool, states: np.ndarray, times: np.ndarray) -> float | None:
    """The last time with finite `states` [time, N] of a run that did not reach the end."""
    finite = np.all(np.isfinite(states), axis=1)
    if succeeded and finite.all():
        return None
    return float(np.max(times, where=finite, initial=times[0]))
