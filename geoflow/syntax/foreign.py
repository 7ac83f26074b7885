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


_ORDER = "an order of values is no piecewise linear gate; compare with `maximum(a, b)`, or pool"
_POSITION = "a position has no derivative; multiply with a `softmax`, or write `maximum(a, b)`"
_RESHAPE = "write `reshape(x, (2, -1))`"
_ABSENT = {
    "dropout": "leave it out: laws are those of training without dropout",
    "sort": _ORDER,
    "topk": _ORDER,
    "top_k": _ORDER,
    "argmax": _POSITION,
    "argmin": _POSITION,
    "where": "write `relu(x)`, `abs(x)`, `maximum(a, b)` or `minimum(a, b)`",
    "clip": "write `minimum(maximum(x, a), b)`",
    "clamp": "write `minimum(maximum(x, a), b)`",
    "dense": "a layer is written out, `W @ x + b`, its weights declared with `param`",
    "sequential": "layers are written out, as in `W[2] @ relu(W[1] @ x + b)`",
    "multiheadattention": 'write `use "std/attention.geo"`, and `multi_head(Q, K, V, O, X)`',
    "flatten": _RESHAPE,
    "ravel": _RESHAPE,
    "view": _RESHAPE,
    "squeeze": _RESHAPE,
    "unsqueeze": _RESHAPE,
    "permute": "write `transpose(x, (1, 0))`",
    "square": "a power is written `x**2`",
    "pow": "a power is written `x**2`",
    "power": "a power is written `x**2`",
}
STANDARD = {
    "std/layers.geo": (
        "linear", "affine", "mlp", "mlp_gelu", "glu", "swiglu", "geglu", "bilinear", "residual",
        "residual_mlp",
    ),
    "std/attention.geo": (
        "attention", "causal_attention", "causal_softmax", "linear_attention", "multi_head",
        "causal_multi_head", "grouped_query", "rotary", "rotary_attention",
    ),
}  # fmt: skip
_PYTHON = "a file holds declarations, no Python; for a network in JAX call `gf.Flow.of_network`"
_BRANCH = (
    "there are no branches and loops; write `relu`, `maximum`, `[f for l in 1..3]` or `chain(…)`"
)
_STATEMENTS = {
    "import": _PYTHON,
    "from": _PYTHON,
    "class": _PYTHON,
    "return": "a definition is one line: `def f(x) = 2*x`",
    "if": _BRANCH,
    "for": _BRANCH,
    "while": _BRANCH,
    "weight_decay": "weight decay is written `decay 1/10`",
    "momentum": "momentum is written `flow order 2 damping 1/2`",
    "optimizer": "write `flow order 1`, `flow order 2 damping 1/2` or `flow adam(b1 = 1/10, b2 = 1/100)`",
    "lr": "a learning rate is written `metric scaled(1/10)`",
    "learning_rate": "a learning rate is written `metric scaled(1/10)`",
}


def instead(name: str) -> str | None:
    """What to do where a function of another library has none here that is like it; None where nothing is known."""
    for file, functions in STANDARD.items():
        if name in functions:
            return f'`{name}` comes with `use "{file}"`'
    if name == "Linear":
        return _ABSENT["dense"]
    return _ABSENT.get(name.lower())


def statement_instead(word: str) -> str | None:
    """What to write for a line that begins as in Python, or with an optimizer's setting."""
    return _STATEMENTS.get(word.lower())


def is_layer(name: str) -> bool:
    """Whether a name is that of a layer or an activation, here or elsewhere."""
    return name.lower() in _SAME or (ours(name) or name) in _LAYERS


def ours(name: str) -> str | None:
    """The name here of a function of another library; None where there is none that differs."""
    lower = name.lower()
    found = _OURS.get(lower) or (lower if lower in _SAME else None)
    return found if found != name else None
