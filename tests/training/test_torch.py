"""Laws as PyTorch functions, and runs watched in PyTorch; skipped without it."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import numpy as np
import pytest

import geoflow as gf
from geoflow.analysis import Analysis
from geoflow.training.watched import Watched

torch: Any = pytest.importorskip("torch")
TorchProgram: Any = pytest.importorskip("geoflow.expr.torchprogram").TorchProgram

NAMES = {"W": "0.weight", "b": "0.bias", "V": "2.weight"}
RATE = 0.1


@cache
def analysis() -> Analysis:
    params = {"W": np.zeros((5, 4)), "b": np.zeros(5), "V": np.zeros((3, 5))}
    flow = gf.Flow.of_network(
        lambda p, x: p["V"] @ jax.nn.relu(p["W"] @ x + p["b"]),
        params,
        np.zeros(4),
        loss=gf.CrossEntropy(),
    )
    return gf.analyze(flow)


def network() -> Any:
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3, bias=False)).double()


def train(model: Any, optimizer: Any, steps: int = 15) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(60, 4, generator=generator, dtype=torch.float64)
    y = torch.randint(0, 3, (60,), generator=generator)
    for _ in range(steps):
        batch = torch.randint(0, 60, (10,), generator=generator)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True, "decay": 0.01, "decoupled": False},
        {"decay": 0.01, "decoupled": False},
    ],
)
def test_predicted_is_measured(said: dict[str, Any]) -> None:
    model = network()
    given = {k: v for k, v in said.items() if k in ("momentum", "nesterov")}
    optimizer = torch.optim.SGD(
        model.parameters(), lr=RATE, weight_decay=said.get("decay", 0.0), **given
    )
    watch = gf.watch(analysis(), rate=RATE, names=NAMES, every=5, **said).torch(model, optimizer)
    train(model, optimizer)
    record = watch.record()
    assert record.step == 15 and len(record.laws) == 2
    assert max(law.unexplained for law in record.laws) < 1e-12
    assert max(law.drift for law in record.laws) > 1e-4
    assert watch.flags() == () and watch.row()["flags"] == 0


def test_decay_on_one_layer_is_flagged() -> None:
    model = network()
    groups = [
        {"params": model[0].parameters()},
        {"params": model[2].parameters(), "weight_decay": 0.02},
    ]
    optimizer = torch.optim.SGD(groups, lr=RATE)
    watch = gf.watch(analysis(), rate=RATE, names=NAMES).torch(model, optimizer)
    train(model, optimizer)
    assert watch.flags()[-1] == "V: decays at rate 0.02, the settings say 0"


def test_tied_parameters_are_flagged() -> None:
    params = {"U": np.zeros((3, 3)), "V": np.zeros((3, 3))}
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, params)
    model = torch.nn.Module()
    model.U = torch.nn.Parameter(torch.eye(3, dtype=torch.float64) + 0.1)
    model.V = model.U
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    watch = gf.watch(flow, rate=RATE).torch(model, optimizer)
    (model.U @ model.V.T).square().sum().backward()
    optimizer.step()
    assert watch.flags()[0] == "U and V: one tensor, and two parameters of the flow"


def test_detach_and_refusals() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    watch = gf.watch(analysis(), rate=RATE, names=NAMES).torch(model, optimizer)
    watch.detach()
    train(model, optimizer, 2)
    assert watch.record().step == 0
    with pytest.raises(ValueError, match=r"no parameter '[WV]'"):
        gf.watch(analysis(), rate=RATE).torch(model, optimizer)
    with pytest.raises(ValueError, match="has shape"):
        gf.watch(analysis(), rate=RATE, names={**NAMES, "W": "2.weight"}).torch(model, optimizer)


@pytest.mark.parametrize(
    "text",
    [
        "U.T @ U - V.T @ V",
        "1/3*trace(U.T @ U) - sum(V**2)/3",
        "(U.T @ U)[0, 1:] - (V.T @ V)[0, 1:]",
        "concat([sum(U**2, axis=0), sum(V**2, axis=0)], axis=0)",
        "log(det(U.T @ U)) - log(det(V.T @ V))",
        'einsum("ij,ik->jk", U, U) - inv(V.T @ V + eye(2))',
        "sqrt(sum(U**2)) - norm(V)**3 + outer(U[0], V[0])[1, 1]",
        "[U[0, 0], V[0, ::2][0]]",
    ],
)
def test_torch_form_is_the_law(text: str) -> None:
    """Values of JAX and PyTorch agree, laws or not."""
    params = {"U": np.zeros((3, 2)), "V": np.zeros((4, 2))}
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, params)
    law = gf.check_law(flow, text).law
    rng = np.random.default_rng(0)
    point = {n: rng.standard_normal(v.shape) for n, v in params.items()}
    with jax.enable_x64(True):
        expected = np.asarray(law.jax()(point))
    tensors = {n: torch.tensor(v, requires_grad=True) for n, v in point.items()}
    value = law.torch()(tensors)
    assert np.allclose(value.detach().numpy(), expected, rtol=1e-12, atol=1e-12)
    value.sum().backward()
    assert tensors["U"].grad is not None


def test_a_program_has_the_values_and_scales_of_its_laws() -> None:
    texts = [
        "U.T @ U - V.T @ V",
        "sum(U**2, axis=0) - 1/3*sum(V**2, axis=0)",
        "log(det(U.T @ U)) - sum(U**3 - V[:3]) + trace(-eye(2) @ inv(V.T @ V))",
        "-U[::2, 0]",
    ]
    params = {"U": np.zeros((3, 2)), "V": np.zeros((4, 2))}
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, params)
    laws = tuple(gf.check_law(flow, text).law for text in texts)
    found = Watched(flow, laws, tuple(texts))
    constants: dict[str, float] = {}
    for law in laws:
        constants |= found.constants(law)
    program = TorchProgram([law.expression for law in laws], constants, scales=True)
    rng = np.random.default_rng(0)
    for width, tolerance in ((np.float64, 1e-12), (np.float32, 1e-4)):
        point = {n: rng.standard_normal(v.shape).astype(width) for n, v in params.items()}
        values, scales = program({n: torch.tensor(x) for n, x in point.items()})
        with jax.enable_x64(True):
            expected = [np.ravel(law.at(point)) for law in laws]
            sizes = [np.ravel(found.scale(law, point)) for law in laws]
        assert np.allclose(values.numpy(), np.concatenate(expected), rtol=tolerance, atol=tolerance)
        assert np.allclose(scales.numpy(), np.concatenate(sizes), rtol=tolerance)
        assert values.numpy().dtype == width


def test_a_program_computes_equal_parts_once() -> None:
    params = {"U": np.zeros((3, 2)), "V": np.zeros((4, 2))}
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, params)
    texts = ("sum(U**2, axis=0)", "sum(U**2, axis=1)", "sum(U**2, axis=0) - 2")
    laws = [gf.check_law(flow, text).law for text in texts]
    squares: list[Any] = []

    class Counted(torch.Tensor):
        @classmethod
        def __torch_function__(
            cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            squares.extend([func] if func is torch.square else [])
            return super().__torch_function__(func, types, args, kwargs or {})

    point = {n: torch.ones(v.shape).as_subclass(Counted) for n, v in params.items()}
    (values,) = TorchProgram([law.expression for law in laws], {})(point)
    assert values.tolist() == [3, 3, 2, 2, 2, 1, 1] and len(squares) == 1


def test_laws_of_velocities_are_refused() -> None:
    params = {"U": np.zeros((2, 2)), "V": np.zeros((2, 2))}
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, params, order=2, damping=1)
    law = gf.check_law(flow, "exp(t) * (U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)").law
    with pytest.raises(ValueError, match="no PyTorch form"):
        law.torch()
