"""Expressions as functions of PyTorch tensors, from the tree itself.

Numbers are exact rationals until they meet a tensor, and take its precision and device then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, Time, Velocity, walk


class UnsupportedInTorch(ValueError):
    """An operation that laws do not have, such as a convolution."""


@dataclass(frozen=True)
class TorchPoint:
    """Values for the leaves: tensors by name, floats by constant."""

    parameters: Mapping[str, Tensor]
    constants: Mapping[str, float] = field(default_factory=dict)
    velocities: Mapping[str, Tensor] = field(default_factory=dict)
    time: Any = 0.0

    @property
    def like(self) -> Tensor:
        """A tensor with the precision and device of all."""
        return next(iter(self.parameters.values()))


def evaluate(root: Expr, point: TorchPoint) -> Tensor:
    """The value of an expression."""
    values: dict[int, Tensor] = {}
    for node in walk(root):
        if isinstance(node, Apply):
            arguments = [values[id(a)] for a in node.arguments]
            values[id(node)] = apply_operation(node, arguments, point.like)
        else:
            values[id(node)] = leaf_value(node, point)
    return values[id(root)]


def torch_law(expression: Expr, constants: Mapping[str, float]) -> Callable[..., Tensor]:
    """A law as a function of a module, or of tensors by name."""

    def law(parameters: Any) -> Tensor:
        given = parameters
        if isinstance(parameters, torch.nn.Module):
            given = dict(parameters.named_parameters(remove_duplicate=False))
        return evaluate(expression, TorchPoint(given, constants))

    return law


def leaf_value(node: Number | Constant | Parameter | Velocity | Time, point: TorchPoint) -> Tensor:
    """The value of a node without arguments."""
    match node:
        case Parameter(name):
            return point.parameters[name]
        case Velocity(name):
            return point.velocities[name]
        case Number(value):
            return point.like.new_tensor(float(value))
        case Constant(name):
            return point.like.new_tensor(point.constants[name])
        case Time():
            return torch.as_tensor(point.time, dtype=point.like.dtype, device=point.like.device)


def apply_operation(node: Apply, arguments: list[Tensor], like: Tensor) -> Tensor:
    """The operation of a node on values of its arguments; `like` has the precision and device of all."""
    if node.operation in _MADE:
        return _MADE[node.operation](node, like)
    if node.operation not in _RULES:
        raise UnsupportedInTorch(f"a law with `{node.operation}` has no PyTorch form yet")
    return _RULES[node.operation](node, *arguments)


def _index(node: Apply, a: Tensor) -> Tensor:
    for axis, item in reversed(list(enumerate(node.option("items")))):
        if isinstance(item, int):
            a = a.select(axis, item)
            continue
        start, stop, step = item
        if step > 0:
            a = a[(slice(None),) * axis + (slice(start, stop, step),)]
        else:
            places = torch.tensor(list(range(start, stop, step)), device=a.device)
            a = torch.index_select(a, axis, places.long())
    return a


def _axes(node: Apply, a: Tensor) -> tuple[int, ...]:
    axis = node.option("axis")
    if axis is None:
        return tuple(range(a.ndim))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _sum(node: Apply, a: Tensor) -> Tensor:
    axes = _axes(node, a)
    return a.sum(axes, keepdim=bool(node.option("keepdims"))) if axes else a


def _mean(node: Apply, a: Tensor) -> Tensor:
    axes = _axes(node, a)
    return a.mean(axes, keepdim=bool(node.option("keepdims"))) if axes else a


def _prod(node: Apply, a: Tensor) -> Tensor:
    for axis in sorted(_axes(node, a), reverse=True):
        a = a.prod(axis, keepdim=bool(node.option("keepdims")))
    return a


def _transpose(node: Apply, a: Tensor) -> Tensor:
    return a.permute(node.option("axes") or tuple(range(a.ndim))[::-1])


def _power(node: Apply, a: Tensor) -> Tensor:
    exponent = node.option("exponent")
    if exponent.denominator == 1:
        return a ** int(exponent)
    return torch.sqrt(a) ** exponent.numerator


def _diag(_: Apply, a: Tensor) -> Tensor:
    return torch.diag(a)


def _dot(_: Apply, a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a, b) if a.ndim == b.ndim == 1 else torch.matmul(a, b)


_RULES: dict[str, Callable[..., Tensor]] = {
    "add": lambda _, a, b: a + b,
    "sub": lambda _, a, b: a - b,
    "mul": lambda _, a, b: a * b,
    "div": lambda _, a, b: a / b,
    "neg": lambda _, a: -a,
    "pow": _power,
    "matmul": lambda _, a, b: torch.matmul(a, b),
    "transpose": _transpose,
    "index": _index,
    "sum": _sum,
    "prod": _prod,
    "mean": _mean,
    "norm": lambda n, a: torch.sqrt(_sum(n, a * a)),
    "trace": lambda _, a: torch.trace(a),
    "det": lambda _, a: torch.linalg.det(a),
    "inv": lambda _, a: torch.linalg.inv(a),
    "diag": _diag,
    "outer": lambda _, a, b: torch.outer(a.reshape(-1), b.reshape(-1)),
    "kron": lambda _, a, b: torch.kron(a, b),
    "dot": _dot,
    "einsum": lambda n, *a: torch.einsum(n.option("subscripts"), *a),
    "reshape": lambda n, a: a.reshape(n.option("shape")),
    "concat": lambda n, *a: torch.cat(a, n.option("axis") or 0),
    "stack": lambda n, *a: torch.stack(a, n.option("axis") or 0),
    "sqrt": lambda _, a: torch.sqrt(a),
    "exp": lambda _, a: torch.exp(a),
    "log": lambda _, a: torch.log(a),
    "abs": lambda _, a: torch.abs(a),
    "maximum": lambda _, a, b: torch.maximum(a, b),
    "minimum": lambda _, a, b: torch.minimum(a, b),
    "relu": lambda _, a: torch.relu(a),
    "tanh": lambda _, a: torch.tanh(a),
    "sigmoid": lambda _, a: torch.sigmoid(a),
    "softplus": lambda _, a: torch.nn.functional.softplus(a),
    "silu": lambda _, a: torch.nn.functional.silu(a),
    "softmax": lambda n, a: torch.softmax(a, n.option("axis")),
}

_MADE: dict[str, Callable[[Apply, Tensor], Tensor]] = {
    "eye": lambda n, like: torch.eye(n.option("size"), dtype=like.dtype, device=like.device),
    "zeros": lambda n, like: like.new_zeros(n.option("shape")),
    "ones": lambda n, like: like.new_ones(n.option("shape")),
    "tril": lambda n, like: torch.tril(like.new_ones((n.option("size"),) * 2)),
}
