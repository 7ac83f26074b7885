"""The nets of the papers as flows.

Widths are output first, as in the papers' code: φ = U₁ ⋯ U_q with U_l of d_{l-1} by d_l. A ReLU net
is its path-lifting: one product for each path, from an input or from a hidden bias.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from string import ascii_lowercase
from typing import Any

import flint
import jax
import jax.numpy as jnp
import numpy as np

from geoflow.flow import Flow
from geoflow.metric import Mirror

Damping = int | Callable[[Any], Any]
Params = dict[str, jax.Array]
Shapes = dict[str, jax.ShapeDtypeStruct]


def random_widths(count: int = 50, seed: int = 0) -> list[tuple[int, ...]]:
    """Widths of linear nets by the authors' recipe: depth 2 to 4, widths 2 to 5."""
    rng = np.random.RandomState(seed)  # the legacy generator is the one of `np.random.seed`
    return [
        tuple(int(rng.randint(2, 6)) for _ in range(depth + 1))
        for depth in (rng.randint(2, 5) for _ in range(count))
    ]


def linear(dims: Sequence[int]) -> Flow:
    """A linear net under gradient flow."""
    return Flow(product, matrices(dims))


def linear_momentum(dims: Sequence[int], damping: Damping) -> Flow:
    """A linear net under momentum."""
    return Flow(product, matrices(dims), order=2, damping=damping)


def relu(dims: Sequence[int], bias: bool) -> Flow:
    """A ReLU net, with biases on its hidden layers or none."""
    return Flow(paths, matrices(dims) | (biases(dims) if bias else {}))


def relu_momentum(dims: Sequence[int], bias: bool, damping: Damping) -> Flow:
    """A ReLU net under momentum."""
    return Flow(paths, parameters(dims, bias), order=2, damping=damping)


def nonnegative(dims: Sequence[int]) -> Flow:
    """A nonnegative factorization U₁ U₂ under the entropy mirror."""
    return Flow(product, matrices(dims), metric=Mirror("entropy"))


def nonnegative_momentum(dims: Sequence[int], damping: Damping) -> Flow:
    """The same under accelerated momentum: the metric is taken at τθ + θ'."""
    metric = Mirror("entropy")
    return Flow(product, matrices(dims), metric=metric, order=2, damping=damping, accelerated=True)


def convex(dims: Sequence[int], bias: bool) -> Flow:
    """A two-layer input-convex net: the entropy mirror on the output weights."""
    return Flow(paths, parameters(dims, bias), metric={"U1": Mirror("entropy")})


def convex_momentum(
    dims: Sequence[int], bias: bool, damping: Damping, accelerated: bool = False
) -> Flow:
    """The same under momentum, its metric taken at θ or (accelerated) at τθ + θ'."""
    return Flow(
        paths,
        parameters(dims, bias),
        metric={"U1": Mirror("entropy")},
        order=2,
        damping=damping,
        accelerated=accelerated,
    )


# family → flow of (widths, bias, damping)
FAMILIES: dict[str, Callable[[Sequence[int], bool, int], Flow]] = {
    "lin": lambda dims, bias, damping: linear(dims),
    "relu": lambda dims, bias, damping: relu(dims, bias),
    "linpoly": lambda dims, bias, damping: linear(dims),
    "relupoly": lambda dims, bias, damping: relu(dims, bias),
    "lnnmf": lambda dims, bias, damping: linear_momentum(dims, damping),
    "relumf": relu_momentum,
    "nmf": lambda dims, bias, damping: nonnegative(dims),
    "nmfmf": lambda dims, bias, damping: nonnegative_momentum(dims, damping),
    "icnn": lambda dims, bias, damping: convex(dims, bias),
    "icnnmf": convex_momentum,
}


def nesterov(t: Any) -> Any:
    """τ = 3/t."""
    return 3 / t


# what the papers' theory covers and their code was not timed on: name → flow of (widths, damping),
# with biases where there are any, and the widths
FURTHER: dict[str, tuple[Callable[[Sequence[int], Damping], Flow], Sequence[Sequence[int]]]] = {
    "linear": (linear_momentum, [(2, 2, 2), (3, 3, 3), (3, 3, 3, 3), (5, 5, 5)]),
    "ReLU, biases": (
        lambda dims, damping: relu_momentum(dims, True, damping),
        [(2, 2, 1), (3, 3, 1, 2), (1, 3, 3, 1), (5, 5, 5)],
    ),
    "NMF, accelerated": (nonnegative_momentum, [(5, 1, 4), (1, 2, 2), (5, 5, 5)]),
    "ICNN, biases, accelerated": (
        lambda dims, damping: convex_momentum(dims, True, damping, accelerated=True),
        [(2, 2, 2), (4, 3, 2), (4, 5, 2)],
    ),
}
DAMPINGS: dict[str, Damping] = {"1": 1, "3/t": nesterov}


def parameters(dims: Sequence[int], bias: bool) -> Shapes:
    """The matrices, and the biases of the hidden layers if there are any."""
    return matrices(dims) | (biases(dims) if bias else {})


def matrices(dims: Sequence[int]) -> Shapes:
    """U1, …, Uq."""
    return {f"U{i}": float_array(shape) for i, shape in enumerate(pairwise(dims), start=1)}


def biases(dims: Sequence[int]) -> Shapes:
    """b1, …, one for each hidden layer."""
    return {f"b{i}": float_array((width,)) for i, width in enumerate(dims[1:-1], start=1)}


def float_array(shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
    """An array of which only the shape matters."""
    return jax.ShapeDtypeStruct(shape, np.float64)


def product(params: Params) -> jax.Array:
    """U₁ ⋯ U_q."""
    result = params["U1"]
    for i in range(2, len(params) + 1):
        result = result @ params[f"U{i}"]
    return result


def paths(params: Params) -> list[jax.Array]:
    """The products of the weights along every path of a net."""
    weights = [params[name] for name in sorted(params) if name.startswith("U")]
    starts = {len(weights): along(weights)}
    for name in sorted(set(params) - {f"U{i}" for i in range(1, len(weights) + 1)}):
        layer = int(name.removeprefix("b"))
        starts[layer] = along([*weights[:layer], params[name]])
    return list(starts.values())


def along(factors: Sequence[jax.Array]) -> jax.Array:
    """x, y, z ↦ the array x[i, j] y[j, k] z[k, l]; a last factor may be a vector."""
    result = factors[0]
    for factor in factors[1:]:
        have = ascii_lowercase[: result.ndim]
        own = (have + ascii_lowercase[result.ndim])[-factor.ndim :] if factor.ndim > 1 else have[-1]
        result = jnp.einsum(f"{have},{own}->{have + own[1:]}", result, factor)
    return result


def balancedness_rank(dims: Sequence[int], seed: int = 0) -> int:
    """Rank over ℚ of the differentials of Uₗᵀ Uₗ − Uₗ₊₁ Uₗ₊₁ᵀ at a random integer point.

    Written out by hand, so that it shares nothing with the counts it is compared with.
    """
    rng = np.random.default_rng(seed)
    layers = [rng.integers(1, 2**10, shape) for shape in pairwise(dims)]
    columns = []
    for layer, weight in enumerate(layers):
        for direction in np.eye(weight.size, dtype=np.int64).reshape(-1, *weight.shape):
            change = [np.zeros((width, width), dtype=np.int64) for width in dims[1:-1]]
            if layer < len(change):
                change[layer] += direction.T @ weight + weight.T @ direction
            if layer > 0:
                change[layer - 1] -= direction @ weight.T + weight @ direction.T
            columns.append(np.concatenate([c.ravel() for c in change]))
    return flint.fmpz_mat(np.array(columns).tolist()).rank()
