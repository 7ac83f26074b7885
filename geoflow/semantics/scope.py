"""The names of a model and what they mean, and the order in which their definitions can be
evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from geoflow.diagnostics import Diagnostic, DiagnosticError, Span
from geoflow.expr.tree import Expr, Parameter
from geoflow.semantics import messages
from geoflow.semantics.order import circle, components
from geoflow.syntax import tree

Kind = Literal["size", "constant", "parameter", "input", "control", "let", "function"]
Locals = Mapping[str, Expr]


@dataclass(frozen=True)
class Members:
    """The members of a family, by index."""

    by_index: dict[int, Expr]

    @property
    def first(self) -> int:
        """The smallest index; the others follow it one by one."""
        return next(iter(self.by_index))

    @property
    def last(self) -> int:
        """The largest index."""
        return self.first + len(self.by_index) - 1


@dataclass(frozen=True)
class Declared:
    """A declared name. Its meaning is None where its definition is wrong: then its uses say nothing
    more.
    """

    name: str
    kind: Kind
    span: Span
    meaning: Expr | Members | tree.Def | None


@dataclass
class Scope:
    """Names in order of declaration. `open`: names may be missing because a statement or a file
    could not be read.
    """

    names: dict[str, Declared] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    open: bool = False
    tokens: set[str] = field(default_factory=set)  # inputs that are integers, one-hot
    _suggestions: int = 50  # each compares a name with all others: enough for any reader

    def declare(self, declared: Declared) -> None:
        """Add a name."""
        self.names[declared.name] = declared

    def find(self, name: tree.Name, local: Locals) -> Declared:
        """The declaration of a name. Raises an empty `DiagnosticError` where it is known to be
        broken.
        """
        self.verify_declared(name, local)
        declared = self.names.get(name.text)
        if declared is None or declared.meaning is None:
            raise DiagnosticError
        return declared

    def verify_declared(self, name: tree.Name, local: Locals) -> None:
        """Raise where the name is unknown, and would not be known from what could not be read."""
        if name.text not in self.names and not self.open and name.text not in self.broken:
            raise DiagnosticError(messages.unknown_name(name, self.candidates(local)))

    def is_input(self, expr: Expr) -> bool:
        """Whether an expression is an input."""
        return self._is_a("input", expr)

    def is_control(self, expr: Expr) -> bool:
        """Whether an expression is a control."""
        return self._is_a("control", expr)

    def are_tokens(self, expr: Expr) -> bool:
        """Whether an expression is an input of integers."""
        return self.is_input(expr) and isinstance(expr, Parameter) and expr.name in self.tokens

    def _is_a(self, kind: Kind, expr: Expr) -> bool:
        declared = self.names.get(expr.name) if isinstance(expr, Parameter) else None
        return declared is not None and declared.kind == kind and declared.meaning is expr

    def candidates(self, local: Locals) -> set[str]:
        """The names that an unknown one may have been meant to be."""
        self._suggestions -= 1
        return {*self.names, *local} if self._suggestions >= 0 else set()


Definition = (
    tree.DimItem
    | tree.ConstItem
    | tree.ParamItem
    | tree.InputItem
    | tree.Control
    | tree.Let
    | tree.Def
)


def in_order(
    definitions: dict[str, Definition],
) -> tuple[list[str], list[Diagnostic], set[str]]:
    """The names ordered so that each comes after those it needs, the circles found, and the names
    that need themselves. Of names that all need each other one circle is told.
    """
    graph = {
        name: list({used.text: None for used in free_names(definition) if used.text in definitions})
        for name, definition in definitions.items()
    }
    order: list[str] = []
    diagnostics: list[Diagnostic] = []
    circular: set[str] = set()
    for names in components(graph):
        order += names
        if len(names) > 1 or names[0] in graph[names[0]]:
            first = min(names, key=lambda name: definitions[name].name.span.start)
            path = circle(graph, first, set(names))
            diagnostics.append(messages.circular(path, definitions[path[0]].name.span))
            circular.update(names)
    return order, diagnostics, circular


def free_names(node: tree.Node, called: bool = True) -> Iterator[tree.Name]:
    """The names used below a node that the node itself does not bind; `called`: functions too."""
    waiting: list[tuple[tree.Node, frozenset[str]]] = [(node, frozenset())]
    while waiting:
        current, bound = waiting.pop()
        if isinstance(current, tree.Name):
            if current.text not in bound:
                yield current
            continue
        uses = _uses(current)
        if isinstance(current, tree.Call) and not called:
            uses = uses[1:]
        waiting += [(part, bound | extra) for part, extra in reversed(uses)]


def called_functions(node: tree.Node) -> Iterator[tree.Name]:
    """The functions called below a node."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, tree.Call):
            yield current.function
        waiting += reversed(list(tree.parts(current)))


def _uses(node: tree.Node) -> Sequence[tuple[tree.Node, frozenset[str]]]:
    """The parts of a node that use names, each with the names bound there."""
    nothing: frozenset[str] = frozenset()
    match node:
        case tree.Comprehension():
            return [(node.body, frozenset((node.variable.text,))), (node.range, nothing)]
        case tree.Chain():
            inside = frozenset((node.state.text, node.variable.text))
            return [(node.start, nothing), (node.range, nothing), (node.body, inside)]
        case tree.Function():
            return [(node.body, frozenset((node.variable.text,)))]
        case tree.Keyword():
            return [(node.value, nothing)]
        case tree.Def():
            return [(node.body, frozenset(name.text for name in node.parameters))]
        case tree.Let() | tree.ConstItem():
            return [] if node.value is None else [(node.value, nothing)]
        case tree.DimItem():
            value = (node.value, _variable(node.family))
            return [value] if node.family is None else [(node.family.range, nothing), value]
        case tree.Control():
            return [(size, nothing) for size in node.shape or ()]
        case tree.InputItem():
            bound = () if node.below is None else (node.below,)
            return [(size, nothing) for size in (*(node.shape or ()), *bound)]
        case tree.ParamItem():
            shape = [(size, _variable(node.family)) for size in node.shape or ()]
            return shape if node.family is None else [(node.family.range, nothing), *shape]
        case _:
            return [(part, nothing) for part in tree.parts(node)]


def _variable(family: tree.Family | None) -> frozenset[str]:
    if family is None or family.variable is None:
        return frozenset()
    return frozenset((family.variable.text,))
