"""Laws of a gradient flow along an optimizer's steps, over the same time at every step size.

A step of size η along the flow is an error of order η² in a law, and a time T has T/η of them: a law of the flow
drifts by O(η) under SGD, and by O(η) under momentum, whose limit is the gradient flow with time scaled by
1/(1 − μ). Adam follows another flow, so there laws drift whatever the step is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.analysis import analyze
from geoflow.deadline import Deadline
from geoflow.discretized import Discretized, Optimizer, Run, SteppedLaw
from geoflow.flow import Flow
from geoflow.laws.law import Law
from geoflow.results import VerifySettings
from geoflow.training.survival import why
from geoflow.training.watched import gradient_flow
from geoflow.verification import symbolic_values
from geoflow.verification.drift import make_observer
from geoflow.verification.laws import as_verified
from geoflow.verification.losses import find_losses
from geoflow.verification.trajectory import (
    draw_inputs,
    draw_runs,
    float64,
    generator,
    join,
    make_pull,
    split,
)

BETAS, EPSILON = (0.9, 0.999), 1e-8
MOST_STEPS = 1_000_000


@dataclass(frozen=True)
class Data:
    """What a network is trained on: inputs [k, *shape] by name, and targets `y`: classes [k] for softmax cross-entropy,
    or real numbers [k, *output] for the squared error."""

    inputs: Mapping[str, np.ndarray]
    y: np.ndarray
    name: str = "data"

    @property
    def loss(self) -> str:
        """The loss."""
        return "cross-entropy" if np.issubdtype(self.y.dtype, np.integer) else "squared"


def discretize(
    flow: Flow,
    steps: Sequence[float] = (1e-1, 1e-2, 1e-3),
    optimizer: Optimizer = "sgd",
    *,
    momentum: Sequence[float] = (0.9,),
    time: float = 2.0,
    data: Data | None = None,
    laws: Sequence[Law] | None = None,
    seed: int = 0,
    timeout: float | None = None,
) -> Discretized:
    """Drifts of the laws of gradient flow along runs of an optimizer, by step size and momentum.

    **Arguments**

    - `flow`: its metric counts; order, damping and decay do not.
    - `steps`, `optimizer`, `momentum`: runs are made at every step size, for `momentum` at every momentum too. `adam`
      has β = (0.9, 0.999).
    - `time`: η times the number of steps; with momentum μ that is divided by 1 − μ.
    - `data`: for a network; random without it. The initial point is random.
    - `laws`: those that are found, without it.
    - `timeout`: in seconds; no run but the first is begun afterwards.

    Raises:
        ValueError: steps or momenta that make no sense, or data that do not fit.
    """
    _verify(steps, optimizer, momentum, time)
    given, flow = flow, gradient_flow(flow)
    deadline = Deadline.after(timeout)
    found = analyze(flow, seed, deadline=deadline).laws if laws is None else laws
    symbolic = symbolic_values(flow, seed)
    study = _Study.of(flow, found, data, seed, symbolic)
    momenta = tuple(momentum) if optimizer == "momentum" else (0.0,)
    planned = [(m, step) for m in momenta for step in sorted(steps, reverse=True)]
    runs: list[Run] = []
    for m, step in planned:
        if runs and deadline.passed:
            break
        runs.append(study.run(optimizer, step, m, max(round(time * (1 - m) / step), 1)))
    notes = [] if flow is given else ["the laws are those of the gradient flow of this model"]
    notes += [f"step {r.step:g} diverges" for r in runs if r.diverged]
    if len(runs) < len(planned):
        notes.append(f"the time ran out after {len(runs)} of {len(planned)} runs")
    return Discretized(
        "",
        "",
        optimizer,
        time,
        study.data,
        study.loss,
        seed,
        tuple(SteppedLaw(str(law), law.status, why(flow, law, optimizer)) for law in found),
        tuple(runs),
        tuple(notes),
    )


def _verify(steps: Sequence[float], optimizer: str, momenta: Sequence[float], time: float) -> None:
    if optimizer not in ("sgd", "momentum", "adam"):
        raise ValueError(f"the optimizer is sgd, momentum or adam, not {optimizer!r}")
    if not steps or not all(0 < s < float("inf") for s in steps):
        raise ValueError("steps are positive numbers")
    if optimizer == "momentum" and (not momenta or not all(0 <= m < 1 for m in momenta)):
        raise ValueError("momenta are numbers from 0 to 1, 1 excluded")
    if not 0 < time < float("inf"):
        raise ValueError("the time is a positive number")
    if time / min(steps) > MOST_STEPS:
        raise ValueError(f"more than {MOST_STEPS} steps: take larger ones, or less time")


@dataclass(frozen=True)
class _Study:
    """A gradient, where it starts, and what is measured."""

    start: np.ndarray
    data: str
    loss: str
    _program: Callable[..., Any]

    @staticmethod
    def of(
        flow: Flow, laws: Sequence[Law], data: Data | None, seed: int, symbolic: Mapping[str, float]
    ) -> _Study:
        verified = tuple(as_verified(law, symbolic) for law in laws)
        constants = flow.constant_values(symbolic)
        settings = VerifySettings(losses=("squared",), trials=1)
        with float64():
            if flow.parametrization.data:
                fitting = _fitting(flow, data) if data is not None else None
                flow = flow.on_data(fitting or draw_inputs(flow, settings, seed))
            elif data is not None:
                raise ValueError("data are for a network, and this is a map of the parameters")
            drawn = draw_runs(flow, settings, seed, constants)
            observe = make_observer(flow, verified, generator(seed, 2))
            values = {n: jnp.asarray(v) for n, v in constants.items()}
            random = make_pull(flow, find_losses(("squared",)))
            batch = (drawn.features[0], drawn.labels[0], drawn.which[0])
            slope = None if data is None else jax.grad(_loss(data))

            def pull(point: Any) -> tuple[jax.Array, ...]:
                if slope is None:
                    return random(values, point, batch, 0.0)
                return (-slope(flow.output(values, point)[0]),)

            def velocity(state: jax.Array) -> jax.Array:
                point = split(flow, state)
                return join(flow, flow.velocity(values, point, pull(point)))

            program = jax.jit(
                _descent(velocity, lambda state: observe(split(flow, state))),
                static_argnames="optimizer",
            )
        name = f"random data, seed {seed}" if data is None else data.name
        return _Study(drawn.start[0], name, "squared" if data is None else data.loss, program)

    def run(self, optimizer: Optimizer, step: float, momentum: float, steps: int) -> Run:
        """One run."""
        with float64(), np.errstate(all="ignore"):
            state, changed, scales = jax.device_get(
                self._program(self.start, step, momentum, steps, optimizer=optimizer)
            )
            moved = float(np.linalg.norm(state - self.start) / np.linalg.norm(self.start))
            drifts = [_largest(c, s) for c, s in zip(changed, scales, strict=True)]
        *laws, control = drifts if np.isfinite(moved) else [float("nan")] * len(drifts)
        return Run(step, momentum, steps, moved, tuple(laws), control)


def _largest(change: np.ndarray, scale: np.ndarray) -> float:
    found = np.divide(change, scale, out=np.zeros_like(change), where=change != 0)
    return float(np.max(found, initial=0.0))


def _descent(velocity: Callable[[Any], Any], observe: Callable[[Any], Any]) -> Callable[..., Any]:
    """The last state, and by law the largest change and scale of each entry."""

    def descent(start: Any, step: Any, momentum: Any, steps: Any, *, optimizer: Optimizer) -> Any:
        first = [value for value, _ in observe(start)]
        scales = [scale for _, scale in observe(start)]
        still = [jnp.zeros_like(value) for value in first]
        zero = jnp.zeros_like(start)

        def body(number: Any, carry: Any) -> Any:
            state, m, v, changed, scales = carry
            g = velocity(state)
            if optimizer == "adam":
                m = BETAS[0] * m + (1 - BETAS[0]) * g
                v = BETAS[1] * v + (1 - BETAS[1]) * g * g
                unbiased = m / (1 - BETAS[0] ** (number + 1.0))
                size = jnp.sqrt(v / (1 - BETAS[1] ** (number + 1.0)))
                state = state + step * unbiased / (size + EPSILON)
            else:
                m = momentum * m + g
                state = state + step * m
            seen = observe(state)
            changed = [
                jnp.maximum(c, jnp.abs(value - begin))
                for c, begin, (value, _) in zip(changed, first, seen, strict=True)
            ]
            scales = [jnp.maximum(s, scale) for s, (_, scale) in zip(scales, seen, strict=True)]
            return state, m, v, changed, scales

        carry = (start, zero, zero, still, scales)
        state, _, _, changed, scales = jax.lax.fori_loop(0, steps, body, carry)
        return state, changed, scales

    return descent


def _loss(data: Data) -> Callable[[jax.Array], jax.Array]:
    """The mean loss of outputs [k, …]."""
    targets = jnp.asarray(data.y)

    def loss(output: jax.Array) -> jax.Array:
        if data.loss == "squared":
            return jnp.mean(jnp.sum((output - targets).reshape(len(targets), -1) ** 2, -1)) / 2
        chosen = jnp.take_along_axis(jax.nn.log_softmax(output, -1), targets[:, None], -1)
        return -jnp.mean(chosen)

    return loss


def _fitting(flow: Flow, data: Data) -> dict[str, jax.Array]:
    """The inputs, if they fit the network.

    Raises:
        ValueError: they do not.
    """
    inputs, k = {}, len(data.y)
    for datum in flow.parametrization.data:
        if datum.name not in data.inputs:
            raise ValueError(f"the data hold no {datum.name!r}, but {', '.join(data.inputs)} and y")
        value = np.asarray(data.inputs[datum.name])
        if datum.kind == "onehot" and np.issubdtype(value.dtype, np.integer):
            value = np.eye(datum.shape[-1])[value]
        if value.shape != (k, *datum.shape):
            raise ValueError(
                f"{datum.name} has shape {value.shape}, and {(k, *datum.shape)} is needed: y has {k} rows"
            )
        inputs[datum.name] = jnp.asarray(value, jnp.float64)
    (output,) = flow.parametrization.outputs[:1]
    if len(flow.parametrization.outputs) > 1:
        raise ValueError("data are for a network with one output")
    if data.loss == "squared" and data.y.shape[1:] != output:
        raise ValueError(f"y has shape {data.y.shape}, and {(k, *output)} is needed")
    classes = data.loss == "cross-entropy"
    if classes and (
        len(output) != 1 or data.y.ndim != 1 or not 0 <= data.y.min() <= data.y.max() < output[0]
    ):
        raise ValueError(f"y holds classes, and the network has outputs of shape {output}")
    return inputs
