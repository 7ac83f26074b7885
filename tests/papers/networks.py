"""The cases that are networks, written as `network` with data in place of their `map`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .cases import body_of

Network = tuple[str, str]  # input, expression


def _layers(layer: str) -> Callable[[dict[str, Any]], Network]:
    """Layers one after the other, the last one linear; `layer` reads {x}, {W} and {b}."""

    def network(case: dict[str, Any]) -> Network:
        depth, value = len(case["dims"]) - 1, "x"
        for k in range(1, depth):
            bias = f" + b[{k}]" if "_bias" in case["id"] else ""
            value = layer.format(x=value, W=f"W[{k}]", b=bias)
        return "x[d[0]]", f"{value} @ W[{depth}]"

    return network


# id prefix → network; the first that fits is taken
NETWORKS: dict[str, Callable[[dict[str, Any]], Network]] = {
    "linear2_bias_": lambda _: ("x[d[0]]", "(x @ W1 + b1) @ W2 + b2"),
    "linear3_": _layers("({x} @ {W})"),
    "mom_linear3_": _layers("({x} @ {W})"),
    "relu": _layers("relu({x} @ {W}{b})"),
    "mom_relu": _layers("relu({x} @ {W}{b})"),
    "homog2_": lambda _: ("x[n]", "relu(W @ x)**2 @ V"),
    "gelu_mlp": lambda _: ("x[n]", "gelu(x @ W) @ V"),
    "conv1d_": lambda c: (
        f"x[1, {sum(c['dims']) + 1}]",
        "conv1d(conv1d(x, reshape(w1, (1, 1, k1))), reshape(w2, (1, 1, k2)))",
    ),
    "res_linear_": lambda _: ("x[n]", "x + x @ V @ U"),
    "res_relu_": lambda _: ("x[n]", "x + U @ relu(V @ x)"),
    "attention_": lambda _: ("X[3, d]", "softmax(X @ Q @ K.T @ X.T) @ X @ V @ O"),
    "scale_invariant_": lambda _: ("X[3, n]", "X @ w / norm(w)"),
    "rms_scale": lambda _: ("x[n]", "(rms_norm(x) * g) @ W"),
    "tied_WW_": lambda _: ("x[n]", "W @ W @ x"),
    "lora_": lambda _: ("x[m]", "W0 @ x + B @ (A @ x)"),
    "icnn_": lambda c: ("x[m]", f"U @ relu(V @ x{' + b' if '_bias' in c['id'] else ''})"),
    "mom_icnn_": lambda c: ("x[m]", f"U @ relu(V @ x{' + b' if '_bias' in c['id'] else ''})"),
}


def network_text(case: dict[str, Any]) -> str | None:
    """The case with a network for its map; None where it is none."""
    make = next((f for prefix, f in NETWORKS.items() if case["id"].startswith(prefix)), None)
    if make is None:
        return None
    inputs, network = make(case)
    body = body_of(case)
    lines = [line for line in body.lines if not line.startswith("map ")]
    body = replace(body, lines=(*lines, f"input {inputs}", f"network g = {network}"))
    return body.text(case["id"], case["count"], bool(case["laws_complete"]))
