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
    """One operation on the values of earlier lines."""

    node: Expr
    operation: str
    arguments: tuple[int, ...]
    fixed: bool  # reads no parameter


@dataclass(frozen=True)
class _Compiled:
    """For one precision and device: the values that are fixed, and the other operations in order."""

    values: list[Any]
    operations: list[tuple[int, Callable[..., Tensor], tuple[int, ...]]]


class TorchProgram:
    """Values of expressions in one vector, by parameters; with `scales` also the sums of their absolute terms, as
    `expr.magnitude`, in a second one."""

    def __init__(self, roots: Sequence[Expr], constants: Mapping[str, float], scales: bool = False):
        self._constants = constants
        self._lines: list[_Line] = []
        self._known: dict[Hashable, int] = {}
        at: dict[int, int] = {}
        for node in walk(*roots):
            at[id(node)] = self._line(node, tuple(at[id(a)] for a in _arguments(node)))
        self._outputs = [[at[id(root)] for root in roots]]
        if scales:
            sizes: dict[int, int] = {}
            for node in walk(*roots):
                sizes[id(node)] = self._size(node, at, sizes)
            self._outputs.append([sizes[id(root)] for root in roots])
        needed = {k for outputs in self._outputs for k in outputs}
        for k in reversed(range(len(self._lines))):
            needed |= set(self._lines[k].arguments) if k in needed else set()
        self._needed = needed
        self._read = [
            (k, x.node.name)
            for k, x in enumerate(self._lines)
            if k in needed and isinstance(x.node, Parameter) and not x.operation
        ]
        self._compiled: dict[tuple[torch.dtype, torch.device], _Compiled] = {}

    def __call__(self, parameters: Mapping[str, Tensor]) -> list[Tensor]:
        """The vectors."""
        like = next(iter(parameters.values()))
        compiled = self._compiled.get((like.dtype, like.device)) or self._compile(like)
        values = compiled.values.copy()
        for k, name in self._read:
            values[k] = parameters[name]
        for k, function, places in compiled.operations:
            values[k] = function(*[values[p] for p in places])
        return [_joined([values[k] for k in outputs]) for outputs in self._outputs]

    def first(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The vector of values."""
        return self(parameters)[0]

    def _line(self, node: Expr, places: tuple[int, ...], name: str = "") -> int:
        """The line of an operation, that of the node unless one is named; a known one if there is."""
        name = name or (node.operation if isinstance(node, Apply) else "")
        key = _key(node, name, places)
        if key not in self._known:
            self._known[key] = len(self._lines)
            fixed = bool(name) or not isinstance(node, Parameter)
            fixed = fixed and all(self._lines[p].fixed for p in places)
            self._lines.append(_Line(node, name, places, fixed))
        return self._known[key]

    def _size(self, node: Expr, at: Mapping[int, int], sizes: Mapping[int, int]) -> int:
        """The line of the sum of a node's absolute terms; `at`: the lines of values."""
        if not isinstance(node, Apply):
            return self._line(node, (at[id(node)],), "abs")
        own = tuple(sizes[id(a)] for a in node.arguments)
        if node.operation == "neg":
            return own[0]
        if node.operation == "sub":
            return self._line(node, own, "add")
        if node.operation == "pow" and node.option("exponent") % 2 == 0:
            first = node.arguments[0]
            if not isinstance(first, Apply):
                return at[id(node)]  # |x|² = x², so that both vectors share it
        found = self._line(node, own)
        return self._line(node, (found,), "abs") if node.operation in _SIGNED else found

    def _compile(self, like: Tensor) -> _Compiled:
        found = _Compiled([None] * len(self._lines), [])
        point = TorchPoint({"": like}, self._constants)
        for k, line in enumerate(self._lines):
            if k not in self._needed or (isinstance(line.node, Parameter) and not line.operation):
                continue
            if not line.operation:
                found.values[k] = leaf_value(line.node, point)  # pyright: ignore[reportArgumentType]
                continue
            function = _PLAIN.get(line.operation) or operation(line.node, like)  # pyright: ignore[reportArgumentType]
            if line.fixed:
                found.values[k] = function(*[found.values[p] for p in line.arguments])
            else:
                found.operations.append((k, function, line.arguments))
        self._compiled[like.dtype, like.device] = found
        return found


_PLAIN: dict[str, Callable[..., Tensor]] = {"add": torch.add, "abs": torch.abs}


def _arguments(node: Expr) -> tuple[Expr, ...]:
    """What a node operates on."""
    return node.arguments if isinstance(node, Apply) else ()


def _joined(found: Sequence[Tensor]) -> Tensor:
    flat = [x if x.ndim == 1 else x.reshape(-1) for x in found]
    return flat[0] if len(flat) == 1 else torch.cat(flat)


def _key(node: Expr, name: str, places: tuple[int, ...]) -> Hashable:
    """Equal for equal values."""
    if name in _PLAIN:
        return name, places
    match node:
        case Apply(_, _, shape, options):
            key = name, places, shape, options
        case Number(value):
            key = "number", value
        case Constant(own) | Parameter(own):
            key = type(node), own
        case _:
            key = "node", id(node), name, places
    try:
        hash(key)
    except TypeError:  # an option that is a list
        return "node", id(node), name, places
    return key
