"""Expressions as one list of PyTorch operations: equal parts are computed once, and what reads no parameter once for
all calls, so that a call is little else than its tensor operations."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from geoflow.expr.torch import TorchPoint, apply_operation, leaf_value
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, walk

# Not negative where their arguments are not.
_NONNEGATIVE = frozenset(
    [
        "add",
        "mul",
        "div",
        "pow",
        "matmul",
        "transpose",
        "index",
        "sum",
        "prod",
        "mean",
        "norm",
        "trace",
        "diag",
        "outer",
        "kron",
        "dot",
        "einsum",
        "reshape",
        "concat",
        "stack",
        "eye",
        "zeros",
        "ones",
        "tril",
        "sqrt",
        "exp",
        "abs",
        "maximum",
        "minimum",
        "relu",
    ]
)


@dataclass(frozen=True)
class _Line:
    """A node, and the numbers of its arguments' values."""

    node: Expr
    arguments: tuple[int, ...]
    fixed: bool  # reads no parameter


class TorchProgram:
    """Values of expressions in one vector, by parameters; `absolute`: the sums of their absolute terms instead."""

    def __init__(
        self, roots: Sequence[Expr], constants: Mapping[str, float], absolute: bool = False
    ):
        self._constants = constants
        self._absolute = absolute
        self._lines: list[_Line] = []
        known: dict[Hashable, int] = {}
        at: dict[int, int] = {}
        for node in walk(*roots):
            arguments = tuple(at[id(a)] for a in node.arguments) if isinstance(node, Apply) else ()
            key = _key(node, arguments)
            if key not in known:
                known[key] = len(self._lines)
                fixed = isinstance(node, Number | Constant | Apply)
                fixed = fixed and all(self._lines[k].fixed for k in arguments)
                self._lines.append(_Line(node, arguments, fixed))
            at[id(node)] = known[key]
        self._outputs = [at[id(root)] for root in roots]
        self._moving = [(k, x) for k, x in enumerate(self._lines) if not x.fixed]
        self._fixed: dict[tuple[torch.dtype, torch.device], list[Any]] = {}

    def __call__(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The vector."""
        point = TorchPoint(parameters, self._constants)
        like = point.like
        values = self._begun(point, like).copy()
        for k, line in self._moving:
            values[k] = self._value(line, values, point, like)
        found = [values[k].reshape(-1) for k in self._outputs]
        return found[0] if len(found) == 1 else torch.cat(found)

    def _begun(self, point: TorchPoint, like: Tensor) -> list[Any]:
        """The values that read no parameter, once for every precision and device."""
        place = like.dtype, like.device
        if place not in self._fixed:
            values: list[Any] = [None] * len(self._lines)
            for k, line in enumerate(self._lines):
                if line.fixed:
                    values[k] = self._value(line, values, point, like)
            self._fixed[place] = values
        return self._fixed[place]

    def _value(self, line: _Line, values: list[Any], point: TorchPoint, like: Tensor) -> Tensor:
        node = line.node
        if not isinstance(node, Apply):
            value = leaf_value(node, point)
            return torch.abs(value) if self._absolute else value
        arguments = [values[k] for k in line.arguments]
        if self._absolute and node.operation in ("sub", "neg"):
            return arguments[0] if node.operation == "neg" else arguments[0] + arguments[1]
        value = apply_operation(node, arguments, like)
        if self._absolute and node.operation not in _NONNEGATIVE:
            return torch.abs(value)
        return value


def _key(node: Expr, arguments: tuple[int, ...]) -> Hashable:
    """Equal for equal values."""
    match node:
        case Apply(operation, _, shape, options):
            key = operation, arguments, shape, options
        case Number(value):
            key = "number", value
        case Constant(name) | Parameter(name):
            key = type(node), name
        case _:
            key = "node", id(node)
    try:
        hash(key)
    except TypeError:  # an option that is a list
        return "node", id(node)
    return key
