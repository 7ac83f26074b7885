"""Real networks on real data: their conservation laws along gradient flow (diffrax) and gradient descent (optax).

    python examples/training/digits.py --network mlp --out digits.svg

A network is written in plain JAX, geoflow counts and finds its laws, and it is then trained on scikit-learn's digits
(8 by 8 pixels, 10 classes) by softmax cross-entropy. Along the flow every law keeps its value; gradient descent with
step η lets a quadratic law h drift by η²·h(g) a step, exactly, so the drift shrinks with η. A control, a random
quadratic function of the parameters, does neither. Needs scikit-learn and optax beside geoflow.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits

import geoflow as gf

Params = dict[str, jax.Array]
CLASSES = 10
KINK_STEP = 1e-3  # fixed steps: a flow with kinks is not smooth enough for an adaptive order


@dataclass(frozen=True)
class Network:
    """`apply(params, x)` gives the logits of one image x, in the shape of `example`."""

    apply: Callable[[Params, jax.Array], jax.Array]
    shapes: dict[str, tuple[int, ...]]
    example: tuple[int, ...]


def mlp(params: Params, x: jax.Array) -> jax.Array:
    """Two hidden ReLU layers on 16 averaged pixels."""
    h = jax.nn.relu(params["W1"] @ x + params["b1"])
    h = jax.nn.relu(params["W2"] @ h + params["b2"])
    return params["W3"] @ h


def attention(params: Params, x: jax.Array) -> jax.Array:
    """One softmax attention head over the rows of the image, then a linear layer on the mean."""
    queries, keys = x @ params["Q"], x @ params["K"]
    mixed = jax.nn.softmax(queries @ keys.T, axis=-1) @ x @ params["V"] @ params["O"].T
    return params["W"] @ jnp.mean(mixed, axis=0)


NETWORKS = {
    "mlp": Network(
        mlp,
        {"W1": (12, 16), "b1": (12,), "W2": (8, 12), "b2": (8,), "W3": (CLASSES, 8)},
        (16,),
    ),
    "attention": Network(
        attention,
        {"Q": (8, 3), "K": (8, 3), "V": (8, 3), "O": (8, 3), "W": (CLASSES, 8)},
        (8, 8),
    ),
}


@dataclass(frozen=True)
class Curve:
    """Relative changes [time] of the laws and of the control, and the loss [time]."""

    times: np.ndarray
    laws: dict[str, np.ndarray]
    control: np.ndarray
    loss: np.ndarray


def digits(network: Network, count: int) -> tuple[jax.Array, jax.Array]:
    """Images in the shape that the network takes, centred, and their labels."""
    data = load_digits()
    images = (data.images[:count] - 8) / 8
    if network.example == (16,):
        images = images.reshape(count, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(count, 16)
    return jnp.asarray(images), jnp.asarray(data.target[:count])


def initial(network: Network, seed: int) -> Params:
    """Gaussian weights of size 1/√(fan-in)."""
    rng = np.random.default_rng(seed)
    return {
        name: jnp.asarray(rng.standard_normal(shape) / np.sqrt(shape[-1]))
        for name, shape in network.shapes.items()
    }


def cross_entropy(
    network: Network, images: jax.Array, labels: jax.Array
) -> Callable[[Params], jax.Array]:
    """The mean loss over the images as a function of the parameters."""

    def loss(params: Params) -> jax.Array:
        logits = jax.vmap(lambda x: network.apply(params, x))(images)
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))

    return loss


def measures(
    laws: tuple[Any, ...], params: Params, seed: int
) -> Callable[[Params], dict[str, jax.Array]]:
    """Values of all laws, and of a random quadratic form, by name."""
    rng = np.random.default_rng(seed)
    random = {n: jnp.asarray(rng.standard_normal(v.shape)) for n, v in params.items()}
    functions = {str(law): law.jax() for law in laws}

    def measured(params: Params) -> dict[str, jax.Array]:
        control = sum(jnp.sum(random[n] * v**2) for n, v in params.items())
        return {**{n: f(params) for n, f in functions.items()}, "control": jnp.asarray(control)}

    return measured


def curve(times: np.ndarray, values: dict[str, Any], loss: np.ndarray, size: float) -> Curve:
    """Changes since the beginning, relative to the size |θ|² of the initial point."""
    changes = {
        n: np.abs(
            np.asarray(v).reshape(len(times), -1) - np.asarray(v).reshape(len(times), -1)[0]
        ).max(1)
        / size
        for n, v in values.items()
    }
    control = changes.pop("control")
    return Curve(times, changes, control, loss)


def gradient_flow(
    loss: Callable[[Params], jax.Array], params: Params, measured: Any, time: float
) -> Curve:
    """θ' = −∇L(θ), integrated by diffrax."""
    times = np.linspace(0.0, time, 40)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, theta, _: jax.tree.map(jnp.negative, jax.grad(loss)(theta))),
        diffrax.Dopri5(),
        0.0,
        time,
        dt0=KINK_STEP,
        y0=params,
        saveat=diffrax.SaveAt(ts=times),
        max_steps=int(2 * time / KINK_STEP),
    )
    values = jax.vmap(measured)(solution.ys)
    return curve(times, values, np.asarray(jax.vmap(loss)(solution.ys)), _size(params))


def gradient_descent(
    loss: Callable[[Params], jax.Array], params: Params, measured: Any, step: float, time: float
) -> Curve:
    """θ ← θ − η∇L(θ) by optax, up to the same time η·steps."""
    optimizer = optax.sgd(step)

    def update(state: Any, _: None) -> tuple[Any, Any]:
        theta, inner = state
        value, gradient = jax.value_and_grad(loss)(theta)
        change, inner = optimizer.update(gradient, inner)
        return (optax.apply_updates(theta, change), inner), (measured(theta), value)

    steps = max(int(time / step), 2)
    _, (values, losses) = jax.lax.scan(update, (params, optimizer.init(params)), None, steps)
    return curve(step * np.arange(steps), values, np.asarray(losses), _size(params))


def _size(params: Params) -> float:
    return float(sum(jnp.sum(v**2) for v in params.values()))


def study(
    name: str, count: int, time: float, steps: tuple[float, ...], seed: int
) -> tuple[Any, dict[str, Curve]]:
    """The analysis of a network, and its curves by method."""
    network = NETWORKS[name]
    with jax.enable_x64(True):
        params = initial(network, seed)
        example = jax.ShapeDtypeStruct(network.example, jnp.float64)
        flow = gf.Flow.of_network(network.apply, params, example, loss=gf.CrossEntropy())
        analysis = gf.analyze(flow, seed=seed)
        loss = cross_entropy(network, *digits(network, count))
        measured = measures(analysis.laws, params, seed)
        curves = {"gradient flow": gradient_flow(loss, params, measured, time)}
        for step in steps:
            curves[f"gradient descent, step {step:g}"] = gradient_descent(
                loss, params, measured, step, time
            )
    return analysis, curves


def draw(curves: dict[str, Curve], title: str, path: str) -> None:
    """One panel a method: laws against the control, on a log axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(curves), figsize=(4 * len(curves), 3.2), sharey=True, squeeze=False
    )
    for axis, (method, found) in zip(axes[0], curves.items(), strict=True):
        for text, change in found.laws.items():
            axis.semilogy(found.times, np.maximum(change, 1e-17), lw=1.5, label=text)
        axis.semilogy(
            found.times, np.maximum(found.control, 1e-17), "k--", lw=1, label="control (no law)"
        )
        axis.set(title=method, xlabel="time")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("relative change")
    axes[0][-1].legend(fontsize=6)
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Study one network, print what was found, draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--network", choices=sorted(NETWORKS), default="mlp")
    parser.add_argument("--out", default="digits.svg", help="the figure")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--time", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    analysis, curves = study(given.network, given.images, given.time, (0.1, 0.01), given.seed)
    print(f"{analysis.count.upper} laws ({analysis.count.status})")
    for method, found in curves.items():
        drift = max(float(c.max()) for c in found.laws.values())
        print(
            f"{method}: loss {found.loss[0]:.3f} → {found.loss[-1]:.3f}, "
            f"laws drift by {drift:.1e}, the control by {found.control.max():.1e}"
        )
    draw(curves, f"{given.network} on digits, seed {given.seed}", given.out)
    print(f"drawn to {given.out}")


if __name__ == "__main__":
    main()
