"""The expression tree shared by the front end, the engine and the laws it finds.

Every node knows its shape. Trees are directed acyclic graphs: a shared node is one Python object, and every
traversal remembers what it has seen by identity, so that a reused `let` costs its size once.
Operations are named as in NumPy; the list of names, their argument counts and options is `OPERATIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Number:
    """An exact rational number."""

    value: Fraction
    shape: Shape = ()


@dataclass(frozen=True, eq=False)
class Constant:
    """A named constant of the model (`const tau = 1/2`, `const eta symbolic`); its value is the model's to know."""

    name: str
    shape: Shape = ()


@dataclass(frozen=True, eq=False)
class Parameter:
    """A trained parameter, by its full name (`U`, `W[1]`, `layers.0.weight`)."""

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Velocity:
    """The velocity of a parameter in a flow of order 2, written `U'`."""

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Time:
    """The time t."""

    shape: Shape = ()


@dataclass(frozen=True, eq=False)
class Apply:
    """An operation on expressions. `options` holds what is not an expression (axes, exponents, subscripts)."""

    operation: str
    arguments: tuple[Expr, ...]
    shape: Shape
    options: tuple[tuple[str, Any], ...] = field(default=())

    def option(self, name: str, default: Any = None) -> Any:
        """One option by name."""
        return dict(self.options).get(name, default)


Expr = Number | Constant | Parameter | Velocity | Time | Apply

# Those that are one of several functions on each side of a wall, and those that solve no polynomial equation.
PIECEWISE = frozenset(("relu", "leaky_relu", "abs", "maximum", "minimum", "max_pool"))
TRANSCENDENTAL = frozenset(("exp", "log", "tanh", "sigmoid", "softplus", "gelu", "silu", "softmax"))

# name: (least and greatest number of arguments (None: any), option names)
OPERATIONS: dict[str, tuple[int, int | None, tuple[str, ...]]] = {
    "add": (2, 2, ()),
    "sub": (2, 2, ()),
    "mul": (2, 2, ()),
    "div": (2, 2, ()),
    "neg": (1, 1, ()),
    "pow": (1, 1, ("exponent",)),  # exponent: Fraction, an integer or half an integer
    "matmul": (2, 2, ()),
    "transpose": (1, 1, ("axes",)),  # axes: tuple of ints; without it all axes reversed
    "index": (
        1,
        1,
        ("items",),
    ),  # items: tuple of int or (start, stop, step), all resolved and non-negative
    "sum": (1, 1, ("axis", "keepdims")),  # axis: int, tuple of ints or None
    "prod": (1, 1, ("axis", "keepdims")),
    "mean": (1, 1, ("axis", "keepdims")),
    "norm": (1, 1, ("axis", "keepdims")),
    "trace": (1, 1, ()),
    "det": (1, 1, ()),
    "inv": (1, 1, ()),
    "diag": (1, 1, ()),
    "outer": (2, 2, ()),
    "kron": (2, 2, ()),
    "dot": (2, 2, ()),
    "einsum": (1, None, ("subscripts",)),
    "reshape": (1, 1, ("shape",)),
    "concat": (1, None, ("axis",)),
    "stack": (1, None, ("axis",)),  # a bracketed list is a stack along axis 0
    "eye": (0, 0, ("size",)),
    "zeros": (0, 0, ("shape",)),
    "ones": (0, 0, ("shape",)),
    "tril": (0, 0, ("size",)),  # ones on and below the diagonal
    "sqrt": (1, 1, ()),
    "exp": (1, 1, ()),
    "log": (1, 1, ()),
    "abs": (1, 1, ()),
    "maximum": (2, 2, ()),
    "minimum": (2, 2, ()),
    "relu": (1, 1, ()),
    "leaky_relu": (2, 2, ()),  # x and the slope for x < 0
    "tanh": (1, 1, ()),
    "sigmoid": (1, 1, ()),
    "softplus": (1, 1, ()),
    "gelu": (1, 1, ()),
    "silu": (1, 1, ()),
    "softmax": (1, 1, ("axis",)),
    # x[C, L], kernel[C_out, C_in/groups, k]; strides and paddings: tuples, one number an axis
    "conv1d": (2, 2, ("stride", "padding", "groups")),
    "conv2d": (2, 2, ("stride", "padding", "groups")),
    "max_pool": (1, 1, ("k", "stride")),  # k: the window on the last one or two axes, a tuple
    "avg_pool": (1, 1, ("k", "stride")),
    "layer_norm": (4, 4, ()),  # x, gain, bias, ε; the numbers 1, 0, 0 where there is none
    "batch_norm": (4, 4, ()),
    "rms_norm": (3, 3, ()),  # x, gain, ε
}


def walk(*roots: Expr):
    """Every distinct node below the roots, arguments before the nodes that use them."""
    seen: set[int] = set()
    stack: list[tuple[Expr, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            yield node
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            if isinstance(node, Apply):
                stack.extend((argument, False) for argument in reversed(node.arguments))


def number(value: int | Fraction) -> Number:
    """An exact number."""
    return Number(Fraction(value))


def depends_on_time(expr: Expr) -> bool:
    """Whether t occurs."""
    return any(isinstance(node, Time) for node in walk(expr))
