"""What to do about a JAX primitive without an exact value, where that is known."""

from __future__ import annotations

DROPOUT = (
    "use inference mode (`equinox.nn.inference_mode(model)`, Flax's `deterministic=True` or "
    "`model.eval()`)"
)
_ORDER = "an order of values is no piecewise linear gate here; compare with jnp.maximum, or pool"
_ARGUMENT = "a position has no derivative; multiply with a softmax, or use jnp.max"
_CURES = {
    "sort": _ORDER,
    "top_k": _ORDER,
    "approx_top_k": _ORDER,
    "argmax": _ARGUMENT,
    "argmin": _ARGUMENT,
    "while": "its number of steps depends on parameters or inputs; use `jax.lax.scan` or a Python loop",
    "switch": "it chooses among more than two by a value; nest `jnp.where`",
    "convert_element_type": "it rounds to integers or to 16 bits; keep float32, and give token ids as integer inputs",
    "reduce_precision": "it rounds; keep float32",
    "floor": "it rounds; a step has no derivative",
    "ceil": "it rounds; a step has no derivative",
    "round": "it rounds; a step has no derivative",
    "lu": "it compares absolute values; use geoflow.det or geoflow.inv",
    "cholesky": "take geoflow.inv where an inverse is meant",
    "triangular_solve": "use geoflow.inv",
    "eigh": "eigenvalues are no rational functions; give the map in other terms",
    "svd": "singular values are no rational functions; give the map in other terms",
    "fft": "write the transform as a product with its matrix",
    "pure_callback": "code outside JAX cannot be seen; write it in jax.numpy",
    "io_callback": "code outside JAX cannot be seen; write it in jax.numpy",
    "debug_callback": "leave `jax.debug` calls out",
}


def cure(primitive: str) -> str:
    """What helps instead; empty where nothing is known."""
    return DROPOUT if is_random(primitive) else _CURES.get(primitive, "")


def is_random(primitive: str) -> bool:
    """Whether it draws random numbers."""
    return primitive.startswith(("random_", "threefry"))
