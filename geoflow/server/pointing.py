"""What stands under a place of a text: the word, its part of the tree, the model it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from geoflow.diagnostics import Span
from geoflow.semantics.elaborate import Elaborated
from geoflow.semantics.reading import Survey
from geoflow.semantics.scope import Declared
from geoflow.syntax import tree

_WORD = re.compile(r'(?P<skip>#.*|"[^"\n]*"?)|[^\W\d]\w*')


@dataclass(frozen=True)
class Pointed:
    """A word. `above` are the nodes from its statement down to it, where it has a part in the tree;
    `name` is the last of them.
    """

    span: Span
    part: Elaborated | None
    above: tuple[tree.Node, ...] = ()

    @property
    def word(self) -> str:
        """The word itself."""
        return self.span.text

    @property
    def name(self) -> tree.Name | None:
        """The name that it is, if it is one."""
        last = self.above[-1] if self.above else None
        return last if isinstance(last, tree.Name) else None

    @property
    def statement(self) -> tree.Node | None:
        """The statement it stands in."""
        return self.above[0] if self.above else None

    @property
    def parent(self) -> tree.Node | None:
        """The node that the name is a part of."""
        return self.above[-2] if self.name is not None and len(self.above) > 1 else None

    @property
    def binder(self) -> tuple[tree.Node, tree.Name] | None:
        """The node that gives the name its meaning there, and where: for an index, an argument, the
        state of a chain.
        """
        for node in reversed(self.above):
            for bound in _bound(node):
                if bound.text == self.word:
                    return node, bound
        return None

    @property
    def declared(self) -> Declared | None:
        """What the model declares under this name."""
        if self.part is None or self.name is None or self.binder is not None:
            return None
        return self.part.scope.names.get(self.word)


def point(survey: Survey, offset: int) -> Pointed | None:
    """What stands at an offset: None in blanks, comments and strings."""
    source = survey.file.span.source
    line, _ = source.line_column(offset)
    start = source.line_start(line)
    for match in _WORD.finditer(source.line(line)):
        if start + match.start() <= offset <= start + match.end() and not match["skip"]:
            span = Span(source, start + match.start(), start + match.end())
            return Pointed(span, part_at(survey, offset), _down_to(survey, span))
    return None


def statement_at(survey: Survey, offset: int) -> tree.Statement | None:
    """The statement that an offset lies in."""
    for statement in survey.file.statements:
        if statement.span.start <= offset <= statement.span.end:
            return statement
    return None


def part_at(survey: Survey, offset: int) -> Elaborated | None:
    """The model that an offset belongs to; the first for what stands before all."""
    found = survey.parts[0] if survey.parts else None
    for part in survey.parts:
        head = part.opened.span
        if head.source is survey.file.span.source and head.start <= offset:
            found = part
    return found


def _down_to(survey: Survey, word: Span) -> tuple[tree.Node, ...]:
    statement = statement_at(survey, word.start)
    if statement is None:
        return ()
    path: list[tree.Node] = [statement]
    while True:
        below = [
            part
            for part in tree.parts(path[-1])
            if part.span.start <= word.start and word.end <= part.span.end
        ]
        if not below:
            return tuple(path)
        path.append(below[0])


def _bound(node: tree.Node) -> tuple[tree.Name, ...]:
    """The names that a node gives a meaning inside itself."""
    match node:
        case tree.Comprehension() | tree.Function():
            return (node.variable,)
        case tree.Chain():
            return (node.state, node.variable)
        case tree.Def():
            return node.parameters
        case tree.ParamItem() | tree.DimItem():
            variable = node.family.variable if node.family is not None else None
            return () if variable is None else (variable,)
        case _:
            return ()
