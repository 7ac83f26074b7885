"""The tables of known answers as `.geo` texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from . import bodies
from .bodies import Body

FOLDER = Path(__file__).parent

# id prefix → model; the first that fits is taken
MODELS: dict[str, Callable[[dict[str, Any]], Body]] = {
    "blockfisher_": lambda c: bodies.block_fisher(c["dims"]),
    "dampedblockfisher_": lambda c: bodies.block_fisher(c["dims"], damping=3),
    "diagfisher_": lambda c: bodies.diagonal_fisher(c["dims"]),
    "fullfisher_": lambda c: bodies.full_fisher(c["dims"]),
    "uv_arcsinh_": lambda c: bodies.arcsinh(c["dims"]),
    "wd_": lambda c: bodies.decayed(c["dims"], decay_rates(c)),
    "mom_nmf_": lambda c: bodies.accelerated(bodies.nonnegative(c["dims"]), c["tau"]),
    "mom_icnn_": lambda c: bodies.accelerated(
        bodies.convex(c["dims"], "_bias" in c["id"]), c["tau"]
    ),
    "linear2_bias_": lambda c: bodies.linear_with_biases(c["dims"]),
    "linear2_lr_": lambda c: bodies.layer_rates(c["dims"]),
    "linear2_entrylr": lambda c: bodies.entry_rates(c["dims"]),
    "linear": lambda c: bodies.linear(c["dims"]),
    "relu": lambda c: bodies.relu(c["dims"], c["id"].endswith("_bias")),
    "homog2_": lambda c: bodies.squared_relu(c["dims"]),
    "gelu_mlp": lambda c: bodies.identifiable(c["dims"]),
    "prod_": lambda c: bodies.product(c["dims"]),
    "diag_uv_": lambda c: bodies.diagonal(c["dims"], squares=False),
    "diag_uu_vv_": lambda c: bodies.diagonal(c["dims"], squares=True),
    "sensing_": lambda c: bodies.sensing(c["dims"]),
    "conv1d_": lambda c: bodies.convolutions(c["dims"]),
    "res_linear_": lambda c: bodies.residual(c["dims"]),
    "res_relu_": lambda c: bodies.residual_relu(c["dims"]),
    "attention_": lambda c: bodies.attention(c["dims"]),
    "scale_invariant_": lambda c: bodies.scale_invariant(c["dims"]),
    "rms_scale": lambda c: bodies.rms_gain(c["dims"]),
    "tied_WW_": lambda c: bodies.tied(c["dims"]),
    "lora_": lambda c: bodies.low_rank(c["dims"]),
    "mom_linear": lambda c: bodies.linear_momentum(c["dims"], c["tau"]),
    "mom_relu": lambda c: bodies.without_laws(
        bodies.relu(c["dims"], "_bias" in c["id"]), *bodies.momentum(c["tau"])
    ),
    "mom_prod_": lambda c: bodies.without_laws(
        bodies.product(c["dims"]), *bodies.momentum(c["tau"])
    ),
    "nmf_": lambda c: bodies.nonnegative(c["dims"]),
    "uv_burg_": lambda c: bodies.burg(c["dims"]),
    "icnn_": lambda c: bodies.convex(c["dims"], c["id"].endswith("_bias")),
}


def reference_cases() -> list[dict[str, Any]]:
    """The cases counted by two engines."""
    return json.loads((FOLDER / "reference.json").read_text())["cases"]


def decay_rates(case: dict[str, Any]) -> tuple[int, int]:
    """The rate of each of the two layers."""
    rates = case["weight_decay"]
    if isinstance(rates, int):
        return rates, rates
    return rates[0], rates[-1]


def geo_text(case: dict[str, Any]) -> str:
    """The text of a reference case, its laws and count as claims."""
    return body_of(case).text(case["id"], case["count"], bool(case["laws_complete"]))


def body_of(case: dict[str, Any]) -> Body:
    """The model of a reference case, with its laws."""
    return next(make(case) for prefix, make in MODELS.items() if case["id"].startswith(prefix))


@dataclass(frozen=True)
class PeerCase:
    """A net that the papers' code was timed on. `laws` is None where that code gave no answer."""

    id: str
    text: str
    laws: int | None
    parameters: int


def peer_cases() -> Iterator[PeerCase]:
    """The nets of the families that the language reaches, each once."""
    seen: set[str] = set()
    for case in json.loads((FOLDER / "peer_times.json").read_text())["cases"]:
        make = FAMILIES.get(case["family"])
        name = "_".join([case["family"], *map(str, case["dims_output_first"])])
        name += "_bias" if case["bias"] else ""
        if make is None or name in seen:
            continue
        seen.add(name)
        dims, laws = case["dims_output_first"], case["laws"]
        body = make(dims, case["bias"], 1 if "tau = 1" in case["note"] else 0)
        yield PeerCase(name, body.text(name, laws, body.complete), laws, weights(dims))


def weights(dims: Sequence[int]) -> int:
    """The number of weights of a network."""
    return sum(a * b for a, b in pairwise(dims))


def all_laws(body: Body) -> Body:
    """The same, whose laws are known to be all."""
    return Body(body.lines, body.laws, complete=True)


def two_layer_momentum(dims: Sequence[int], tau: int) -> Body:
    """Heavy ball; ⟨u, v⟩ in the plane has a second rotation, which the layers share."""
    body = bodies.linear_momentum(dims, tau)
    if tuple(dims) != (1, 2, 1):
        return all_laws(body)
    mixed = "W[1].T @ W[2]'.T + W[2] @ W[1]' - W[2]' @ W[1] - W[1]'.T @ W[2].T"
    factor = "exp(tau*t) * " if tau else ""
    return all_laws(Body(body.lines, {**body.laws, "mixed": f"{factor}({mixed})"}))


# family → model of (dims output first, bias, tau); φ = U₁ ⋯ U_q reads the same from either end
FAMILIES: dict[str, Callable[[Sequence[int], bool, int], Body]] = {
    "lin": lambda d, bias, tau: all_laws(bodies.linear(d)),
    "linpoly": lambda d, bias, tau: all_laws(bodies.linear(d)),
    "relu": lambda d, bias, tau: all_laws(bodies.relu(d[::-1], bias)),
    "relupoly": lambda d, bias, tau: all_laws(bodies.relu(d[::-1], bias)),
    "lnnmf": lambda d, bias, tau: two_layer_momentum(d, tau),
    "relumf": lambda d, bias, tau: bodies.without_laws(
        bodies.relu(d[::-1], bias), *bodies.momentum(tau)
    ),
    "nmf": lambda d, bias, tau: all_laws(bodies.nonnegative(d)),
    "icnn": lambda d, bias, tau: all_laws(bodies.convex(d, bias)),
    "nmfmf": lambda d, bias, tau: bodies.accelerated(bodies.nonnegative(d), tau),
    "icnnmf": lambda d, bias, tau: bodies.without_laws(
        bodies.convex(d, bias), *bodies.momentum(tau)
    ),
}
