"""`det`, `inv` and `adjugate` as JAX primitives of their own.

JAX lowers `jnp.linalg.det` and `inv` to LU with pivoting, which compares absolute values and so means nothing in a
prime field or over polynomials. These primitives stay whole in a jaxpr; `exact.interpreter` evaluates them with ring
operations alone, and in floating point they are `jnp.linalg`'s. Arrays are `[..., n, n]`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

det_p = Primitive("geoflow_det")
inv_p = Primitive("geoflow_inv")
adjugate_p = Primitive("geoflow_adjugate")


def det(matrix: jax.Array) -> jax.Array:
    """Determinant of `matrix` [..., n, n], exact in every arithmetic."""
    return det_p.bind(_square(matrix))


def inv(matrix: jax.Array) -> jax.Array:
    """Inverse of `matrix` [..., n, n], exact in every arithmetic."""
    return inv_p.bind(_square(matrix))


def adjugate(matrix: jax.Array) -> jax.Array:
    """Adjugate of `matrix` [..., n, n]: `adjugate(A) @ A = det(A) I`, for singular matrices too."""
    return adjugate_p.bind(_square(matrix))


def _square(matrix: Any) -> jax.Array:
    matrix = jnp.asarray(matrix)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(f"a square matrix is needed, got shape {matrix.shape}")
    return matrix


def _adjugate_float(matrix: jax.Array) -> jax.Array:
    return jnp.linalg.det(matrix)[..., None, None] * jnp.linalg.inv(matrix)


def _det_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    return det(a), jnp.sum(jnp.swapaxes(adjugate(a), -1, -2) * ad.instantiate_zeros(da), (-2, -1))


def _inv_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    x = inv(a)
    return x, -(x @ ad.instantiate_zeros(da) @ x)


def _adjugate_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    da = ad.instantiate_zeros(da)
    adj, x = adjugate(a), inv(a)
    trace = jnp.sum(jnp.swapaxes(adj, -1, -2) * da, (-2, -1))[..., None, None]
    return adj, trace * x - adj @ da @ x


def _batch(primitive: Primitive, arguments: Any, axes: Any) -> Any:
    return primitive.bind(jnp.moveaxis(arguments[0], axes[0], 0)), 0


for _primitive, _float, _jvp, _drop in (
    (det_p, jnp.linalg.det, _det_jvp, 2),
    (inv_p, jnp.linalg.inv, _inv_jvp, 0),
    (adjugate_p, _adjugate_float, _adjugate_jvp, 0),
):
    _primitive.def_impl(_float)
    _primitive.def_abstract_eval(
        lambda a, drop=_drop: a.update(shape=a.shape[: len(a.shape) - drop])
    )
    mlir.register_lowering(_primitive, mlir.lower_fun(_float, multiple_results=False))
    ad.primitive_jvps[_primitive] = _jvp
    batching.primitive_batchers[_primitive] = partial(_batch, _primitive)
