"""The tree of expressions and conditions: one frozen dataclass a grammar rule.

Two trees are equal when they say the same, wherever they were written: spans do not take part in
comparisons. Optional parts are None, repeated parts tuples. Brackets leave no node: the printer
puts them back.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

from geoflow.diagnostics import Span


@dataclass(frozen=True)
class Node:
    """Any part of a tree."""

    span: Span = field(compare=False, repr=False)


@functools.cache
def _fields(kind: type[Node]) -> tuple[str, ...]:
    return tuple(entry.name for entry in dataclasses.fields(kind) if entry.name != "span")


def parts(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in the order they were written."""
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Numeral(Node):
    """`3`, `0.25`, `1e-6`, as written."""

    text: str


@dataclass(frozen=True)
class Name(Node):
    """A name, where it is used and where it is declared."""

    text: str


@dataclass(frozen=True)
class TimeName(Node):
    """The time `t`."""


@dataclass(frozen=True)
class Text(Node):
    """A string in double quotes, without them."""

    value: str


@dataclass(frozen=True)
class Unary(Node):
    """`-x` or `+x`."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary(Node):
    """`left operator right` with one of `+ - * / @ **`."""

    left: Expression
    operator: str
    right: Expression


@dataclass(frozen=True)
class Transposed(Node):
    """`x.T`."""

    operand: Expression


@dataclass(frozen=True)
class Dotted(Node):
    """`U'`, the velocity of U."""

    operand: Expression


@dataclass(frozen=True)
class Slice(Node):
    """`start:stop:step` inside an index."""

    start: Expression | None = None
    stop: Expression | None = None
    step: Expression | None = None


@dataclass(frozen=True)
class Index(Node):
    """`x[i, a:b]`, or a member of a family, `W[1]`."""

    operand: Expression
    items: tuple[Expression | Slice, ...]


@dataclass(frozen=True)
class Sequence(Node):
    """`(a, b)`: axes or a shape."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class List(Node):
    """`[a, b]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Range(Node):
    """`first..last`, both ends included."""

    first: Expression
    last: Expression


@dataclass(frozen=True)
class Comprehension(Node):
    """`[body for variable in range]`."""

    body: Expression
    variable: Name
    range: Range


@dataclass(frozen=True)
class Chain(Node):
    """`chain(state = start; variable in range: body)`."""

    state: Name
    start: Expression
    variable: Name
    range: Range
    body: Expression


@dataclass(frozen=True)
class Keyword(Node):
    """`name = value` among arguments."""

    name: Name
    value: Expression


@dataclass(frozen=True)
class Function(Node):
    """`variable -> body` among arguments."""

    variable: Name
    body: Expression


@dataclass(frozen=True)
class Call(Node):
    """`function(arguments)`."""

    function: Name
    arguments: tuple[Argument, ...]


Expression = (
    Numeral
    | Name
    | TimeName
    | Unary
    | Binary
    | Transposed
    | Dotted
    | Index
    | Sequence
    | List
    | Comprehension
    | Chain
    | Call
)
Argument = Expression | Keyword | Function | Text

# ---------------------------------------------------------------- conditions


@dataclass(frozen=True)
class Comparison(Node):
    """`a < b <= c`: one operator fewer than operands."""

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Both(Node):
    """`left and right`."""

    left: Condition
    right: Condition


@dataclass(frozen=True)
class Either(Node):
    """`left or right`."""

    left: Condition
    right: Condition


@dataclass(frozen=True)
class Negation(Node):
    """`not condition`."""

    operand: Condition


Condition = Comparison | Both | Either | Negation
