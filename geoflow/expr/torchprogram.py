"""Expressions as one list of PyTorch operations: equal parts are computed once, and what reads no parameter once for
all calls, so that a call is little else than its tensor operations."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from geoflow.expr.torch import TorchPoint, leaf_value, operation
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, walk

# May be negative where their arguments are not. `sub` and `neg` have rules of their own.
_SIGNED = frozenset(("log", "det", "inv"))


@dataclass(frozen=True)
class _Line:
    """A node, and the numbers of its arguments' values."""

    node: Expr
    arguments: tuple[int, ...]
    fixed: bool  # reads no parameter


@dataclass(frozen=True)
class _Compiled:
    """For one precision and device: the values that are fixed, the places of parameters, and operations in order."""

    values: list[Any]
    read: list[tuple[int, str]]
    operations: list[tuple[int, Callable[..., Tensor], tuple[int, ...]]]


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
                fixed = not isinstance(node, Parameter)
                fixed = fixed and all(self._lines[k].fixed for k in arguments)
                self._lines.append(_Line(node, arguments, fixed))
            at[id(node)] = known[key]
        self._outputs = [at[id(root)] for root in roots]
        self._compiled: dict[tuple[torch.dtype, torch.device], _Compiled] = {}

    def __call__(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The vector."""
        like = next(iter(parameters.values()))
        compiled = self._compiled.get((like.dtype, like.device)) or self._compile(like)
        values = compiled.values.copy()
        for k, name in compiled.read:
            x = parameters[name]
            values[k] = torch.abs(x) if self._absolute else x
        for k, function, arguments in compiled.operations:
            values[k] = function(*[values[a] for a in arguments])
        found = [values[k] if values[k].ndim == 1 else values[k].reshape(-1) for k in self._outputs]
        return found[0] if len(found) == 1 else torch.cat(found)

    def _compile(self, like: Tensor) -> _Compiled:
        found = _Compiled([None] * len(self._lines), [], [])
        point = TorchPoint({"": like}, self._constants)
        for k, line in enumerate(self._lines):
            node = line.node
            if isinstance(node, Parameter):
                found.read.append((k, node.name))
            elif not isinstance(node, Apply):
                value = leaf_value(node, point)
                found.values[k] = torch.abs(value) if self._absolute else value
            elif line.fixed:
                arguments = [found.values[a] for a in line.arguments]
                found.values[k] = self._operation(node, like)(*arguments)
            else:
                found.operations.append((k, self._operation(node, like), line.arguments))
        self._compiled[like.dtype, like.device] = found
        return found

    def _operation(self, node: Apply, like: Tensor) -> Callable[..., Tensor]:
        function = operation(node, like)
        if not self._absolute:
            return function
        if node.operation in ("sub", "neg"):
            return torch.add if node.operation == "sub" else torch.clone
        if node.operation in _SIGNED:
            return lambda *a: torch.abs(function(*a))
        return function


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
