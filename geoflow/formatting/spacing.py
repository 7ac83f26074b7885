"""What the tree of a statement says of its words: which operators bind how, what a bracket is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from geoflow.formatting.tokens import Token
from geoflow.syntax import tree
from geoflow.syntax.printer import is_short_sum, is_spaced

OR, AND, COMPARISON, SUM, PRODUCT = range(5)
_LEVELS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT}


@dataclass
class Reading:
    """Where in the text, by the position of a word: `levels` of the operators at which a line may
    be broken, operators without blanks around (`tight`) or after them (`prefix`), the names that
    are `called`, the brackets that are `lists`, the `settings` of `verify`.
    """

    levels: dict[int, int] = field(default_factory=dict)
    tight: set[int] = field(default_factory=set)
    prefix: set[int] = field(default_factory=set)
    called: set[int] = field(default_factory=set)
    lists: set[int] = field(default_factory=set)
    settings: set[int] = field(default_factory=set)


def read(statement: tree.Statement, words: tuple[Token, ...]) -> Reading:
    """What the tree says of the words."""
    reading = Reading()
    places = [word.start for word in words]
    before = {place: previous for previous, place in itertools.pairwise(places)}
    after = dict(itertools.pairwise(places))
    short: set[int] = set()  # sums that are written without blanks
    spaced: dict[int, bool] = {}  # operations, each with the chain it belongs to
    for node in _all(statement):
        for sum_ in _indices(node):
            if is_short_sum(sum_) and "(" not in sum_.span.text:
                short.update(id(inner) for inner in _all(sum_))
        match node:
            case tree.Binary():
                place = before[node.right.span.start]
                level = _LEVELS.get(node.operator)
                if level is not None:
                    reading.levels[place] = level
                if id(node) not in spaced:
                    chain = list(_chain(node))
                    spaced |= dict.fromkeys(map(id, chain), any(map(is_spaced, chain)))
                if not spaced[id(node)] or id(node) in short:
                    reading.tight.add(place)
            case tree.Unary():
                reading.prefix.add(before[node.operand.span.start])
            case tree.Comparison():
                for operand in node.operands[1:]:
                    reading.levels[before[operand.span.start]] = COMPARISON
            case tree.Both() | tree.Either():
                level = AND if isinstance(node, tree.Both) else OR
                reading.levels[before[node.right.span.start]] = level
            case tree.Range():
                reading.tight.add(before[node.last.span.start])
            case tree.Call():
                reading.called.add(node.function.span.start)
                for argument in node.arguments:
                    if isinstance(argument, tree.Keyword):
                        reading.tight.add(after[argument.name.span.start])
            case tree.Def():
                reading.called.add(node.name.span.start)
            case tree.Option() if node.arguments is not None:
                reading.called.add(node.name.span.start)
            case tree.List() | tree.Comprehension():
                reading.lists.add(node.span.start)
            case tree.Setting():
                reading.settings.add(node.span.start)
    return reading


def _all(node: tree.Node) -> Iterator[tree.Node]:
    """A node and all below it, each before its parts."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += tree.parts(current)


def _indices(node: tree.Node) -> Iterable[tree.Node]:
    """The parts of a node that stand in an index, a shape or a range."""
    match node:
        case tree.Index():
            return node.items
        case tree.Slice():
            return tree.parts(node)
        case tree.Range():
            return (node.first, node.last)
        case tree.ParamItem() | tree.InputItem() | tree.Control():
            return node.shape or ()
        case tree.Target():
            return () if node.index is None else (node.index,)
        case _:
            return ()


def _chain(node: tree.Binary) -> Iterator[tree.Binary]:
    """An operation and those to its left on the same level, as far as no brackets are between."""
    level, first = _LEVELS.get(node.operator), node
    while True:
        yield first
        left = first.left
        if not isinstance(left, tree.Binary) or _LEVELS.get(left.operator) != level:
            return
        if left.span.start < left.left.span.start:  # brackets leave no node, but a wider span
            return
        first = left
