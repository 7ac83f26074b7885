"""What functions are called elsewhere, in NumPy, PyTorch, JAX and on paper, and what they are called here."""

from __future__ import annotations

_OURS = {
    "tr": "trace",
    "determinant": "det",
    "inverse": "inv",
    "ln": "log",
    "product": "prod",
    "average": "mean",
    "matmul": "dot",
    "concatenate": "concat",
    "cat": "concat",
    "identity": "eye",
    "tri": "tril",
    "absolute": "abs",
    "fabs": "abs",
    "max": "maximum",
    "min": "minimum",
    "logistic": "sigmoid",
    "expit": "sigmoid",
    "swish": "silu",
    "leakyrelu": "leaky_relu",
    "prelu": "leaky_relu",
    "rectifier": "relu",
    "conv": "conv1d",
    "maxpool": "max_pool",
    "maxpool1d": "max_pool",
    "maxpool2d": "max_pool",
    "max_pool1d": "max_pool",
    "max_pool2d": "max_pool",
    "avgpool": "avg_pool",
    "avgpool1d": "avg_pool",
    "avgpool2d": "avg_pool",
    "avg_pool1d": "avg_pool",
    "avg_pool2d": "avg_pool",
    "mean_pool": "avg_pool",
    "layernorm": "layer_norm",
    "rmsnorm": "rms_norm",
    "batchnorm": "batch_norm",
    "batchnorm1d": "batch_norm",
    "batchnorm2d": "batch_norm",
    "embed": "embedding",
    "one_hot": "embedding",
    "len": "size",
}
_SAME = frozenset(
    ("relu", "tanh", "sigmoid", "softplus", "gelu", "silu", "softmax", "conv1d", "conv2d")
)
_LAYERS = frozenset(
    ("leaky_relu", "silu", "max_pool", "avg_pool", "layer_norm", "rms_norm", "batch_norm")
)


def is_layer(name: str) -> bool:
    """Whether a name is that of a layer or an activation, here or elsewhere."""
    return name.lower() in _SAME or (ours(name) or name) in _LAYERS


def ours(name: str) -> str | None:
    """The name here of a function of another library; None where there is none that differs."""
    lower = name.lower()
    found = _OURS.get(lower) or (lower if lower in _SAME else None)
    return found if found != name else None
