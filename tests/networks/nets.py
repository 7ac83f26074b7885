"""Networks as JAX functions, and their fields with real gates in floating point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.dynamics import Dynamics
from geoflow.dynamics.gradient import Gradient
from geoflow.exact.floats import Floats
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.flow import Flow
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.gates import real_gates
from geoflow.lossclass import AnyLoss, LossClass
from geoflow.metric import Euclidean
from geoflow.parametrization import Block, Datum, MetricOn

Shapes = Mapping[str, tuple[int, ...]]
LAYERS: Shapes = {"U": (2, 3), "V": (3, 2)}
SCALARS: Shapes = {"x": (), "y": (), "z": ()}


def network(
    function: Callable[[Mapping[str, Any]], Any],
    params: Shapes,
    data: Shapes | None = None,
    *,
    loss: LossClass = AnyLoss(),
    dynamics: Dynamics | None = None,
    positive: tuple[str, ...] = (),
) -> Flow:
    """The flow of a function of parameters and data by name."""

    def phi(_: Any, values: Any) -> tuple[jax.Array, ...]:
        found = function(values)
        several = found if isinstance(found, tuple) else (found,)
        return tuple(jnp.asarray(v) for v in several)

    blocks = tuple(Block(n, s, positive=n in positive) for n, s in params.items())
    inputs = tuple(Datum(n, s) for n, s in (data or {}).items())
    metrics = (MetricOn(Euclidean(), tuple(params)),)
    return Flow.of_model(blocks, phi, metrics, dynamics or Gradient(), {}, "g", loss, inputs)


def two_layers(activation: Callable[[Any], Any], params: Shapes = LAYERS, **options: Any) -> Flow:
    """U · activation(V x)."""
    width = params["V"][1]
    return network(
        lambda t: t["U"] @ activation(t["V"] @ t["x"]), params, {"x": (width,)}, **options
    )


def mismatch(flow: Flow, other: Flow | None = None, trials: int = 4) -> float:
    """The greatest relative difference between the traced field (of `other`, if given), with the gates of points and
    data, and JAX's gradient of the network."""
    generator, p = Generator.of(other or flow), flow.parametrization
    rng, worst, compared = np.random.default_rng(1), 0.0, 0
    for _ in range(trials):
        theta = {b.name: rng.standard_normal(b.shape) for b in p.parameters}
        data = {d.name: rng.standard_normal(d.shape) for d in p.data}
        cotangent = tuple(rng.standard_normal(s) for s in p.outputs)
        own = [*data.values(), *cotangent]
        gates = [np.zeros(c.shape) for c in generator.controls[len(own) :]]
        letter = Letter(
            np.ones((1, 1)), tuple(v[None, None] for v in map(np.asarray, [*own, *gates]))
        )
        place = {n: v[None, None] for n, v in theta.items()}
        try:
            real = real_gates(generator, Floats(), {}, place, letter)
        except UnluckyPoint:
            continue
        floats = Letter(real.weight, tuple(np.asarray(c, dtype=float) for c in real.controls))
        found = generator(Floats(), {}, place, floats)
        with jax.enable_x64(True):
            exact = p.gradient(
                {},
                jax.tree.map(jnp.asarray, theta),
                tuple(map(jnp.asarray, cotangent)),
                jax.tree.map(jnp.asarray, data),
            )
            exact = {n: np.asarray(v) for n, v in exact.items()}
        for name, value in exact.items():
            got = np.broadcast_to(found[name][0, 0], value.shape)
            worst = max(worst, float(np.max(np.abs(got - value)) / (1 + np.max(np.abs(value)))))
        compared += 1
    assert compared, "no datum could be compared"
    return worst
