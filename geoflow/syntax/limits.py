"""Refuses trees too deep for the passes that follow them by recursion.

The depth counts nesting, not the length of `a + b + c`, whose left spine every pass follows in a
loop; that has a limit of its own, because the expression it stands for is as deep as it is long.
"""

from __future__ import annotations

from geoflow.diagnostics import DiagnosticError
from geoflow.syntax import messages, tree
from geoflow.syntax.layout import DEEPEST_NESTING

LONGEST_CHAIN = 1000


def verify_depth(root: tree.Node) -> None:
    """Raise `DiagnosticError` where the tree is nested too deeply or has too long a chain of
    operations.
    """
    # node, its depth, the operations above it in its chain
    waiting: list[tuple[tree.Node, int, int]] = [(root, 0, 0)]
    while waiting:
        node, depth, chained = waiting.pop()
        if depth > DEEPEST_NESTING:
            raise DiagnosticError(messages.nested_too_deeply(node.span, DEEPEST_NESTING))
        if chained > LONGEST_CHAIN:
            raise DiagnosticError(messages.chain_too_long(root.span, LONGEST_CHAIN))
        if isinstance(node, tree.Binary) and node.operator != "**":
            waiting.append((node.left, depth, chained + 1))
            waiting.append((node.right, depth + 1, 0))
        else:
            waiting += [(part, depth + 1, 0) for part in tree.parts(node)]
