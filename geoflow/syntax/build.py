"""Turns lark's tree into ours, without recursion: one dataclass a rule, with its span."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

from lark import Token, Tree

from geoflow.diagnostics import DiagnosticError, Source, Span
from geoflow.syntax import messages, tree

# Rules whose children are the fields of their class, in order.
_CLASSES: dict[str, type[tree.Node]] = {
    "model": tree.ModelLine,
    "use": tree.Use,
    "dim_item": tree.DimItem,
    "const_item": tree.ConstItem,
    "param_item": tree.ParamItem,
    "family": tree.Family,
    "range": tree.Range,
    "input_item": tree.InputItem,
    "let": tree.Let,
    "def": tree.Def,
    "map": tree.Map,
    "network": tree.Network,
    "metric": tree.Metric,
    "flow": tree.Flow,
    "adaptive_flow": tree.AdaptiveFlow,
    "decay": tree.Decay,
    "loss": tree.Loss,
    "at_named": tree.AtNamed,
    "assignment": tree.Assignment,
    "control": tree.Control,
    "field": tree.Field,
    "gates": tree.Gates,
    "law": tree.Law,
    "expect_laws": tree.ExpectLaws,
    "expect_no_laws": tree.ExpectNoLaws,
    "expect_property": tree.ExpectProperty,
    "expect_depth": tree.ExpectDepth,
    "sweep_item": tree.SweepItem,
    "target": tree.Target,
    "binary": tree.Binary,
    "unary": tree.Unary,
    "velocity": tree.Dotted,
    "index": tree.Index,
    "slice": tree.Slice,
    "call": tree.Call,
    "keyword": tree.Keyword,
    "function": tree.Function,
    "chain": tree.Chain,
    "comprehension": tree.Comprehension,
    "negation": tree.Negation,
    "conjunction": tree.Both,
    "disjunction": tree.Either,
}
# Rules whose class has one field, the tuple of the children.
_LISTS: dict[str, type[tree.Node]] = {
    "dim": tree.Dim,
    "const": tree.Const,
    "param": tree.Param,
    "input": tree.Input,
    "at_point": tree.AtPoint,
    "search": tree.Search,
    "tuple": tree.Sequence,
    "list": tree.List,
}
# Rules that are only a tuple of their children.
_TUPLES = frozenset(("names", "shape", "items", "arguments", "targets"))


def build(root: Tree[Token] | Token, within: Span) -> Any:
    """Our tree for a tree of lark's, of the text of a span. Raises `DiagnosticError` for what the
    grammar cannot say.
    """
    source, start = within.source, within.start
    if isinstance(root, Token):
        return _leaf(root, source, start)
    built: dict[int, Any] = {}
    for node in _children_first(root):
        children = [
            built.pop(id(child)) if isinstance(child, Tree) else _leaf(child, source, start)
            for child in node.children
        ]
        built[id(node)] = _node(node, children, source, start)
    return built[id(root)]


def _children_first(root: Tree[Token]) -> list[Tree[Token]]:
    order: list[Tree[Token]] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += [child for child in node.children if isinstance(child, Tree)]
    return order[::-1]


def _leaf(token: Token | None, source: Source, start: int) -> Any:
    if token is None:
        return None
    span = Span(source, start + (token.start_pos or 0), start + (token.end_pos or 0))
    if token.type == "NAME":
        return tree.Name(span, str(token))
    if token.type == "NUMBER":
        return tree.Numeral(span, str(token))
    if token.type == "TIME":
        return tree.TimeName(span)
    if token.type == "STRING":
        return tree.Text(span, token[1:-1])
    return str(token)


def _node(node: Tree[Token], children: list[Any], source: Source, start: int) -> Any:
    rule = str(node.data)
    if rule in _TUPLES:
        return tuple(children)
    span = Span(source, start + node.meta.start_pos, start + node.meta.end_pos)
    if rule in _LISTS:
        entries = tuple(child for child in children if child is not None)
        return _LISTS[rule](span, entries)  # type: ignore[call-arg]
    if rule in _SPECIAL:
        return _SPECIAL[rule](span, children)
    return _CLASSES[rule](span, *children)


def _group(span: Span, children: list[Any]) -> tree.Expression:
    return dataclasses.replace(children[0], span=span)


def _option(span: Span, children: list[Any]) -> tree.Option:
    # `[ "(" arguments ")" ]` leaves None where there are no brackets at all
    return tree.Option(span, *children)


def _comparison(span: Span, children: list[Any]) -> tree.Comparison:
    return tree.Comparison(span, tuple(children[::2]), tuple(children[1::2]))


def _sign(span: Span, children: list[Any]) -> tree.Sign:
    sign = tree.Sign(span, *children)
    if sign.operator not in (">", ">=") or sign.bound.text.strip("0."):
        raise DiagnosticError(messages.bad_sign(span))
    return sign


def _verify(span: Span, settings: list[Any]) -> tree.Verify:
    for before, after in itertools.pairwise(settings):
        if not {";", "\n"} & set(span.source.text[before.span.end : after.span.start]):
            raise DiagnosticError(messages.unseparated_settings(after.name.span))
    return tree.Verify(span, tuple(settings))


def _setting(span: Span, children: list[Any]) -> tree.Setting:
    return tree.Setting(span, children[0], tuple(children[1:]))


def _sweep(span: Span, children: list[Any]) -> tree.Sweep:
    return tree.Sweep(span, tuple(children[:-1]), children[-1])


_SPECIAL: dict[str, Callable[[Span, list[Any]], Any]] = {
    "group": _group,
    "condition_group": _group,
    "transpose": lambda span, children: tree.Transposed(span, children[0]),
    "option": _option,
    "comparison": _comparison,
    "sign": _sign,
    "verify": _verify,
    "setting": _setting,
    "sweep": _sweep,
}
