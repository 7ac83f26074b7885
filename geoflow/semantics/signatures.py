"""The functions of the language: which arguments each takes, and the operation it stands for.

A signature lists parameters in order, as NumPy's functions and the layers of networks have them;
arguments may be given in order or by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Kind = Literal[
    "array",
    "constant",
    "arrays",
    "rest",
    "axis",
    "one axis",
    "axes",
    "flag",
    "shape",
    "size",
    "sizes",
    "paddings",
    "subscripts",
]
ARRAYS: tuple[Kind, ...] = ("array", "constant", "arrays", "rest")


@dataclass(frozen=True)
class Signature:
    """The operation, and its parameters: name, kind, whether it must be given.

    `defaults`: the numbers that stand for arrays that are left out.
    """

    operation: str
    parameters: tuple[tuple[str, Kind, bool], ...]
    defaults: tuple[tuple[str, Fraction], ...] = ()


def _of_arrays(operation: str, *names: str) -> Signature:
    return Signature(operation, tuple((name, "array", True) for name in names))


def _reduction(operation: str) -> Signature:
    return Signature(
        operation, (("x", "array", True), ("axis", "axis", False), ("keepdims", "flag", False))
    )


def _joined(operation: str) -> Signature:
    return Signature(operation, (("arrays", "arrays", True), ("axis", "one axis", False)))


def _convolution(operation: str) -> Signature:
    return Signature(
        operation,
        (
            ("x", "array", True),
            ("K", "array", True),
            ("stride", "sizes", False),
            ("padding", "paddings", False),
            ("groups", "size", False),
        ),
    )


def _pooling(operation: str) -> Signature:
    return Signature(
        operation, (("x", "array", True), ("k", "sizes", True), ("stride", "sizes", False))
    )


def _normalization(operation: str, *gains: str) -> Signature:
    gained: tuple[tuple[str, Kind, bool], ...] = tuple((name, "array", False) for name in gains)
    return Signature(
        operation,
        (("x", "array", True), *gained, ("eps", "constant", False)),
        tuple((name, Fraction(name == "g")) for name in (*gains, "eps")),
    )


_ELEMENTWISE = ("sqrt", "exp", "log", "abs")
_ACTIVATIONS = ("relu", "tanh", "sigmoid", "softplus", "gelu", "silu")

FUNCTIONS: dict[str, Signature] = {
    **{name: _reduction(name) for name in ("sum", "prod", "mean", "norm")},
    **{
        name: _of_arrays(name, "x")
        for name in ("trace", "det", "inv", "diag", *_ELEMENTWISE, *_ACTIVATIONS)
    },
    **{name: _of_arrays(name, "a", "b") for name in ("outer", "kron", "dot", "maximum", "minimum")},
    **{name: _joined(name) for name in ("concat", "stack")},
    **{name: Signature(name, (("shape", "shape", True),)) for name in ("zeros", "ones")},
    **{name: Signature(name, (("size", "size", True),)) for name in ("eye", "tril")},
    **{name: _convolution(name) for name in ("conv1d", "conv2d")},
    **{name: _pooling(name) for name in ("max_pool", "avg_pool")},
    **{name: _normalization(name, "g", "b") for name in ("layer_norm", "batch_norm")},
    "rms_norm": _normalization("rms_norm", "g"),
    "einsum": Signature("einsum", (("subscripts", "subscripts", True), ("arrays", "rest", True))),
    "reshape": Signature("reshape", (("x", "array", True), ("shape", "shape", True))),
    "transpose": Signature("transpose", (("x", "array", True), ("axes", "axes", False))),
    "leaky_relu": Signature(
        "leaky_relu",
        (("x", "array", True), ("slope", "array", False)),
        (("slope", Fraction(1, 100)),),
    ),
    "softmax": Signature("softmax", (("x", "array", True), ("axis", "one axis", False))),
    "embedding": _of_arrays("embedding", "E", "tokens"),
    "size": Signature("size", (("x", "array", True), ("axis", "one axis", False))),
}

UNSUPPORTED = frozenset(("sin", "cos"))
