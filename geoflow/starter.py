"""Commented model files to start from, one a kind of flow."""

from __future__ import annotations

from typing import Literal

FlowKind = Literal["gradient", "momentum", "mirror"]

_HEAD = """\
# {name}.geo: {what}
# Check it with `geoflow check {name}.geo`. Text after a `#` is a comment.
model {name}

# Sizes are exact integers; `geoflow check -D n=5 {name}.geo` overrides one.
dim n = 4, r = 2, m = 3

"""
_GRADIENT = (
    _HEAD
    + """\
# What is trained, with shapes.
param U[n, r], V[m, r]

# All that the data and the loss can see of the parameters. `@`, `.T` and indexing are NumPy's.
map phi = U @ V.T

# The flow is U' = -dL/dU, V' = -dL/dV, for every loss L that depends on phi alone.
metric euclidean
flow order 1

# Claims. Each entry of a law is constant along the flow, whatever the loss:
law balance = U.T @ U - V.T @ V
# ... and there are exactly so many independent laws, the ones above:
expect laws = r*(r + 1)/2
expect complete
"""
)
_MOMENTUM = (
    _HEAD
    + """\
# An exact number; decimals are exact too.
const tau = 1/2

# What is trained, with shapes.
param U[n, r], V[m, r]

# All that the data and the loss can see of the parameters. `@`, `.T` and indexing are NumPy's.
map phi = U @ V.T

# Heavy ball: U'' + tau U' = -dL/dU, for every loss L that depends on phi alone.
metric euclidean
flow order 2 damping tau

# Claims. In a law, U' is the velocity of U and t is the time:
law angular = exp(tau*t) * (U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)
# ... and there are exactly so many independent laws, the ones above:
expect laws = r*(r - 1)/2
expect complete
"""
)
_MIRROR = (
    _HEAD
    + """\
# What is trained, with shapes; the entropy needs positive entries.
param U[n, r] > 0, V[m, r] > 0

# All that the data and the loss can see of the parameters. `@`, `.T` and indexing are NumPy's.
map phi = U @ V.T

# The mirror flow of the potential sum(u*log(u) - u): U' = -U * dL/dU, entry by entry.
# Other potentials: mirror(log_barrier), mirror(power(3)), mirror(u -> u**2/2 - log(u)).
metric mirror(entropy) on U, V
flow order 1

# Claims. Each entry of a law is constant along the flow, whatever the loss:
law mass = sum(U, axis=0) - sum(V, axis=0)
# ... and there are exactly so many independent laws, the ones above:
expect laws = r
expect complete
"""
)
_STARTERS: dict[FlowKind, tuple[str, str]] = {
    "gradient": (_GRADIENT, "a two-layer linear network under gradient flow"),
    "momentum": (_MOMENTUM, "a two-layer linear network with momentum"),
    "mirror": (_MIRROR, "non-negative matrix factorization under mirror flow"),
}


def starter(name: str, flow: FlowKind = "gradient") -> str:
    """The text of a commented model called `name`."""
    text, what = _STARTERS[flow]
    return text.replace("{name}", name).replace("{what}", what)
