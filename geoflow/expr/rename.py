"""An expression in parameters of other names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from geoflow.expr.tree import Apply, Expr, Parameter, Velocity, walk


def renamed(expr: Expr, names: Mapping[str, str]) -> Expr:
    """The expression with parameters renamed; those without a new name stay."""
    done: dict[int, Expr] = {}
    for node in walk(expr):
        match node:
            case Parameter(name) | Velocity(name):
                done[id(node)] = replace(node, name=names.get(name, name))
            case Apply(_, arguments):
                done[id(node)] = replace(node, arguments=tuple(done[id(a)] for a in arguments))
            case _:
                done[id(node)] = node
    return done[id(expr)]
