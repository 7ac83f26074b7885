"""Expressions as functions of PyTorch tensors, from the tree itself.

Numbers are exact rationals until they meet a tensor, and take its precision and device then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
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
            values[id(node)] = operation(node, point.like)(*arguments)
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


def operation(node: Apply, like: Tensor) -> Callable[..., Tensor]:
    """The operation of a node as a function of its arguments, its options read; `like` has the precision and device of
    all."""
    if node.operation in _MADE:
        return partial(_MADE[node.operation], node, like)
    if node.operation not in _RULES:
        raise UnsupportedInTorch(f"a law with `{node.operation}` has no PyTorch form yet")
    return _RULES[node.operation](node)


def _index(node: Apply) -> Callable[[Tensor], Tensor]:
    items = node.option("items")
    if all(isinstance(item, int) or item[2] > 0 for item in items):
        places = tuple(item if isinstance(item, int) else slice(*item) for item in items)
        return lambda a: a[places]

    def index(a: Tensor) -> Tensor:
        for axis, item in reversed(list(enumerate(items))):
            if isinstance(item, int):
                a = a.select(axis, item)
            else:
                taken = torch.tensor(list(range(*item)), device=a.device, dtype=torch.long)
                a = torch.index_select(a, axis, taken)
        return a

    return index


def _axes(node: Apply) -> tuple[int, ...]:
    axis = node.option("axis")
    if axis is None:
        return tuple(range(len(node.arguments[0].shape)))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _sum(node: Apply) -> Callable[[Tensor], Tensor]:
    axes, keep = _axes(node), bool(node.option("keepdims"))
    return (lambda a: torch.sum(a, axes, keep)) if axes else (lambda a: a)


def _mean(node: Apply) -> Callable[[Tensor], Tensor]:
    axes, keep = _axes(node), bool(node.option("keepdims"))
    return (lambda a: torch.mean(a, axes, keep)) if axes else (lambda a: a)


def _norm(node: Apply) -> Callable[[Tensor], Tensor]:
    total = _sum(node)
    return lambda a: torch.sqrt(total(a * a))


def _prod(node: Apply) -> Callable[[Tensor], Tensor]:
    axes, keep = sorted(_axes(node), reverse=True), bool(node.option("keepdims"))

    def product(a: Tensor) -> Tensor:
        for axis in axes:
            a = a.prod(axis, keepdim=keep)
        return a

    return product


def _transpose(node: Apply) -> Callable[[Tensor], Tensor]:
    axes = node.option("axes") or tuple(range(len(node.shape)))[::-1]
    return lambda a: a.permute(axes)


def _power(node: Apply) -> Callable[[Tensor], Tensor]:
    exponent = node.option("exponent")
    if exponent == 2:
        return torch.square
    if exponent.denominator == 1:
        whole = int(exponent)
        return lambda a: a**whole
    half = exponent.numerator
    return lambda a: torch.sqrt(a) ** half


def _outer(a: Tensor, b: Tensor) -> Tensor:
    return torch.outer(a.reshape(-1), b.reshape(-1))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a, b) if a.ndim == b.ndim == 1 else torch.matmul(a, b)


def _plain(function: Callable[..., Tensor]) -> Callable[[Apply], Callable[..., Tensor]]:
    return lambda _: function


def _reshape(node: Apply) -> Callable[[Tensor], Tensor]:
    shape = node.option("shape")
    return lambda a: a.reshape(shape)


def _of_many(function: Callable[..., Tensor]) -> Callable[[Apply], Callable[..., Tensor]]:
    def rule(node: Apply) -> Callable[..., Tensor]:
        axis = node.option("axis") or 0
        return lambda *a: function(a, axis)

    return rule


_RULES: dict[str, Callable[[Apply], Callable[..., Tensor]]] = {
    "add": _plain(torch.add),
    "sub": _plain(torch.sub),
    "mul": _plain(torch.mul),
    "div": _plain(torch.div),
    "neg": _plain(torch.neg),
    "pow": _power,
    "matmul": _plain(torch.matmul),
    "transpose": _transpose,
    "index": _index,
    "sum": _sum,
    "prod": _prod,
    "mean": _mean,
    "norm": _norm,
    "trace": _plain(torch.trace),
    "det": _plain(torch.linalg.det),
    "inv": _plain(torch.linalg.inv),
    "diag": _plain(torch.diag),
    "outer": _plain(_outer),
    "kron": _plain(torch.kron),
    "dot": _plain(_dot),
    "einsum": lambda n: partial(torch.einsum, n.option("subscripts")),
    "reshape": _reshape,
    "concat": _of_many(torch.cat),
    "stack": _of_many(torch.stack),
    "sqrt": _plain(torch.sqrt),
    "exp": _plain(torch.exp),
    "log": _plain(torch.log),
    "abs": _plain(torch.abs),
    "maximum": _plain(torch.maximum),
    "minimum": _plain(torch.minimum),
    "relu": _plain(torch.relu),
    "tanh": _plain(torch.tanh),
    "sigmoid": _plain(torch.sigmoid),
    "softplus": _plain(torch.nn.functional.softplus),
    "silu": _plain(torch.nn.functional.silu),
    "softmax": lambda n: partial(torch.softmax, dim=n.option("axis")),
}

_MADE: dict[str, Callable[[Apply, Tensor], Tensor]] = {
    "eye": lambda n, like: torch.eye(n.option("size"), dtype=like.dtype, device=like.device),
    "zeros": lambda n, like: like.new_zeros(n.option("shape")),
    "ones": lambda n, like: like.new_ones(n.option("shape")),
    "tril": lambda n, like: torch.tril(like.new_ones((n.option("size"),) * 2)),
}
