"""Drifts of laws along a run of SGD, against those that its settings explain, on scikit-learn's digits."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sklearn.datasets import load_digits

import geoflow as gf
from geoflow.analysis import Analysis
from geoflow.training.monitor import Monitor, WatchState

RATE, DECAY, STEPS = 0.1, 0.01, 15
SHAPES = {"W1": (6, 16), "b1": (6,), "W2": (5, 6), "b2": (5,), "W3": (10, 5)}


def mlp(params: Any, x: jax.Array) -> jax.Array:
    h = jax.nn.relu(params["W1"] @ x + params["b1"])
    h = jax.nn.relu(params["W2"] @ h + params["b2"])
    return params["W3"] @ h


@cache
def analysis() -> Analysis:
    params = {n: np.zeros(s) for n, s in SHAPES.items()}
    flow = gf.Flow.of_network(mlp, params, np.zeros(16), loss=gf.CrossEntropy())
    return gf.analyze(flow)


def digits() -> tuple[np.ndarray, np.ndarray]:
    data: Any = load_digits()
    images = (data.images[:200] - 8) / 8
    return images.reshape(200, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(200, 16), data.target[:200]


def loss(params: Any, images: Any, labels: Any) -> jax.Array:
    logits = jax.vmap(lambda x: mlp(params, x))(images)
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))


def train(
    monitor: Monitor,
    optimizer: Any,
    gradient: Callable[..., Any] | None = None,
    dtype: Any = jnp.float64,
) -> WatchState:
    """Mini-batches of 20 digits, from seed 0."""
    rng = np.random.default_rng(0)
    images, labels = digits()
    params: Any = {
        n: jnp.asarray(rng.standard_normal(s) / np.sqrt(s[-1]), dtype) for n, s in SHAPES.items()
    }
    optimizer = monitor.wrap(optimizer)
    state = optimizer.init(params)
    slope = gradient or jax.grad(loss)

    @jax.jit
    def step(params: Any, state: Any, images: Any, labels: Any) -> Any:
        updates, state = optimizer.update(slope(params, images, labels), state, params)
        return optax.apply_updates(params, updates), state

    for _ in range(STEPS):
        batch = rng.choice(200, 20, replace=False)
        params, state = step(params, state, jnp.asarray(images[batch], dtype), labels[batch])
    return monitor.state(state)


@pytest.fixture(autouse=True)
def _wide() -> Any:
    with jax.enable_x64(True):
        yield


def decayed(mask: Any = None) -> Any:
    return optax.add_decayed_weights(DECAY, mask=mask)


RUNS = {
    "sgd": ({}, optax.sgd(RATE)),
    "decoupled decay": ({"decay": DECAY}, optax.chain(decayed(), optax.sgd(RATE))),
    "momentum": ({"momentum": 0.9}, optax.sgd(RATE, 0.9)),
    "momentum, coupled decay": (
        {"momentum": 0.9, "decay": DECAY, "decoupled": False},
        optax.chain(decayed(), optax.sgd(RATE, 0.9)),
    ),
    "momentum, decoupled decay": (
        {"momentum": 0.9, "decay": DECAY},
        optax.chain(optax.trace(0.9), decayed(), optax.scale(-RATE)),
    ),
    "Nesterov, coupled decay": (
        {"momentum": 0.9, "nesterov": True, "decay": DECAY, "decoupled": False},
        optax.chain(decayed(), optax.sgd(RATE, 0.9, nesterov=True)),
    ),
    "Nesterov, decoupled decay": (
        {"momentum": 0.9, "nesterov": True, "decay": DECAY},
        optax.chain(optax.trace(0.9, nesterov=True), decayed(), optax.scale(-RATE)),
    ),
    "a schedule": (
        {"rate": lambda k: RATE / (1 + k)},
        optax.sgd(lambda k: RATE / (1 + k)),
    ),
    "decay on one layer, said": (
        {"decay": {"W2": DECAY}},
        optax.chain(decayed({n: n == "W2" for n in SHAPES}), optax.sgd(RATE)),
    ),
}


QUICK = {"sgd", "momentum", "decoupled decay", "decay on one layer", "momentum that was not said"}


def marked(names: Iterable[str]) -> list[Any]:
    return [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in names]


@pytest.mark.parametrize("name", marked(RUNS))
def test_predicted_is_measured(name: str) -> None:
    said, optimizer = RUNS[name]
    monitor = gf.watch(analysis(), every=5, **{"rate": RATE, **said})
    state = train(monitor, optimizer)
    record = monitor.record(state)
    assert len(record.laws) == 3 and record.step == STEPS
    for law in record.laws:
        assert law.unexplained < 1e-12
    assert max(law.drift for law in record.laws) > 1e-4  # there is something to explain
    assert monitor.flags(state) == ()


def test_sgd_drifts_by_the_square_of_the_step_times_the_law_at_the_gradient() -> None:
    """The identity itself, with no more than the law."""
    rng = np.random.default_rng(1)
    images, labels = digits()
    theta = {n: jnp.asarray(rng.standard_normal(s)) for n, s in SHAPES.items()}
    g = jax.grad(loss)(theta, images[:7], labels[:7])
    after = {n: (1 - RATE * DECAY) * theta[n] - RATE * g[n] for n in theta}
    for law in analysis().laws[:2]:
        h = law.jax()
        expected = (1 - RATE * DECAY) ** 2 * h(theta) + RATE**2 * h(g)
        assert np.allclose(h(after), expected, rtol=0, atol=1e-12)


WRONG = {
    "decay on one layer": (
        optax.chain(decayed({n: n == "W2" for n in SHAPES}), optax.sgd(RATE)),
        "W2: decays at rate 0.01, the settings say 0",
    ),
    "decay on a bias": (
        optax.chain(decayed({n: n == "b1" for n in SHAPES}), optax.sgd(RATE)),
        "b1: decays at rate 0.01, the settings say 0",
    ),
    "rate of one layer": (
        optax.partition(
            {"own": optax.sgd(2 * RATE), "rest": optax.sgd(RATE)},
            {n: "own" if n == "W3" else "rest" for n in SHAPES},
        ),
        "W3: moves at learning rate 0.2, the settings say 0.1",
    ),
    "another optimizer": (optax.adam(RATE), "along no combination"),
    "momentum that was not said": (optax.sgd(RATE, 0.9), "along no combination"),
}


@pytest.mark.parametrize("name", marked(WRONG))
def test_what_the_settings_do_not_explain_is_flagged(name: str) -> None:
    optimizer, cause = WRONG[name]
    monitor = gf.watch(analysis(), rate=RATE)
    state = train(monitor, optimizer)
    found = monitor.flags(state)
    assert any(line.startswith(("from step 0", "from step 9")) for line in found)
    assert any(cause in line for line in found)
    assert monitor.row(state)["flags"] >= 1


def test_single_precision_flags_a_decay_and_no_honest_run() -> None:
    monitor = gf.watch(analysis(), rate=RATE)
    assert monitor.flags(train(monitor, optax.sgd(RATE), dtype=jnp.float32)) == ()
    wrong = optax.chain(decayed({n: n == "W2" for n in SHAPES}), optax.sgd(RATE))
    found = monitor.flags(train(monitor, wrong, dtype=jnp.float32))
    assert any(line.startswith("W2: decays at rate 0.01") for line in found)


@pytest.mark.parametrize("kind", ["penalty", "tied"])
def test_a_gradient_of_another_model_is_flagged(kind: str) -> None:
    def slope(params: Any, images: Any, labels: Any) -> Any:
        def other(p: Any) -> jax.Array:
            if kind == "penalty":
                return loss(p, images, labels) + 0.01 * jnp.sum(p["W2"] ** 2)
            return loss(p | {"b2": p["W2"][:, 0] + p["b2"]}, images, labels)

        return jax.grad(other)(params)

    monitor = gf.watch(analysis(), rate=RATE)
    found = monitor.flags(train(monitor, optax.sgd(RATE), slope))
    assert found[-1].startswith("every parameter moves as the settings say")


def test_other_optimizers_are_logged_and_not_predicted(tmp_path: Path) -> None:
    monitor = gf.watch(analysis(), optimizer="other", csv=tmp_path / "laws.csv")
    state = train(monitor, optax.adam(0.01))
    row = monitor.row(state)
    assert monitor.flags(state) == () and len(monitor.notes) == 3
    assert not any(key.endswith("/predicted") for key in row)
    monitor.row(state)
    with (tmp_path / "laws.csv").open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == list(row) and len(rows) == 2 and float(rows[0][1]) == row[header[1]]


def test_by_hand_from_a_file(tmp_path: Path) -> None:
    """Without a wrapper; decay and momentum of the file are no part of what is watched."""
    path = tmp_path / "linear.geo"
    path.write_text("param U[3, 2], V[2, 2]\nmap phi = U @ V.T\nflow order 2 damping 1\n")
    monitor = gf.watch(path, rate=RATE, every=1, names={"U": "encoder.U"})
    rng = np.random.default_rng(0)
    params: Any = {
        "encoder": {"U": jnp.asarray(rng.standard_normal((3, 2)))},
        "V": jnp.asarray(rng.standard_normal((2, 2))),
    }
    state = monitor.start(params)
    for _ in range(3):
        g = jax.grad(lambda p: jnp.sum((p["encoder"]["U"] @ p["V"].T - 1) ** 2))(params)
        after = jax.tree.map(lambda x, y: x - RATE * y, params, g)
        state, params = jax.jit(monitor.update)(state, params, g, after), after
    row = monitor.row(state)
    assert row["step"] == 3
    assert row["U.T @ U - V.T @ V/unexplained"] < 1e-14 < 1e-4 < row["U.T @ U - V.T @ V/drift"]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="refuted"):
        gf.watch(analysis(), rate=RATE, laws=["sum(W1**2, axis=1) + b1**2"])
    with pytest.raises(ValueError, match="learning rate"):
        gf.watch(analysis())
    with pytest.raises(ValueError, match="no parameter"):
        gf.watch(analysis(), rate=RATE, decay={"W9": 0.1})
    with pytest.raises(ValueError, match="not in the tree"):
        gf.watch(analysis(), rate=RATE).start({"W1": jnp.zeros((6, 16))})
    with pytest.raises(TypeError, match=r"takes a \.geo file"):
        gf.watch(3, rate=RATE)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="needs momentum"):
        gf.watch(analysis(), rate=RATE, nesterov=True)


def _run(step: Callable[[Any, Any], Any], steps: int) -> list[Any]:
    rng = np.random.default_rng(0)
    params: Any = {"U": jnp.asarray(rng.standard_normal((3, 2))), "V": jnp.ones((2, 2))}
    target = jnp.asarray(rng.standard_normal((3, 2)))
    found = [params]
    for _ in range(steps):
        g = jax.grad(lambda p: jnp.sum((p["U"] @ p["V"].T - target) ** 2))(params)
        params = step(params, g)
        found.append(params)
    return found


def test_assert_conserved() -> None:
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": np.zeros((3, 2)), "V": np.zeros((2, 2))})
    small = _run(lambda p, g: jax.tree.map(lambda x, y: x - 1e-4 * y, p, g), 60)
    gf.assert_conserved(flow, along=small, tolerance=1e-4)
    gf.assert_conserved(flow, along=small, laws=["U.T @ U - V.T @ V"], tolerance=1e-4)
    large = _run(lambda p, g: jax.tree.map(lambda x, y: x - 0.05 * y, p, g), 5)
    with pytest.raises(AssertionError, match=r"U.T @ U - V.T @ V drifts by"):
        gf.assert_conserved(flow, along=large)
    with pytest.raises(AssertionError, match="nothing is tested"):
        gf.assert_conserved(flow, along=small[:1] * 5)
    with pytest.raises(ValueError, match="at least two"):
        gf.assert_conserved(flow, along=small[:1])
    nan = [*small, jax.tree.map(lambda x: x * jnp.nan, small[-1])]
    with pytest.raises(AssertionError, match="not finite"):
        gf.assert_conserved(flow, along=nan)
    with pytest.raises(ValueError, match="refuted"):
        gf.assert_conserved(flow, along=small, laws=["U.T @ U"])


def test_rows_with_other_keys_are_refused(tmp_path: Path) -> None:
    log = gf.CsvLog(tmp_path / "a.csv")
    for k in itertools.repeat(1, 2):
        log({"step": k})
    with pytest.raises(ValueError, match="other keys"):
        log({"loss": 1.0})
