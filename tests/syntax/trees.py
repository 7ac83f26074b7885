"""Random trees: every kind of statement and expression, with spans of no meaning."""

from __future__ import annotations

from hypothesis import strategies as st

from geoflow.diagnostics import Source, Span
from geoflow.syntax import tree

HERE = Span(Source("random", ""), 0, 0)


def _node(kind: type, *parts: st.SearchStrategy) -> st.SearchStrategy:
    return st.builds(lambda *values: kind(HERE, *values), *parts)


def _tuple(items: st.SearchStrategy, least: int = 1, most: int = 3) -> st.SearchStrategy:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


words = st.sampled_from(
    ["U", "V", "n", "order", "laws", "model", "tt", "on2", "θ", "_x", "T", "no"]
)
names = _node(tree.Name, words)
numerals = _node(tree.Numeral, st.sampled_from(["0", "3", "12", "0.5", "1e-6", "2.50"]))
texts = _node(tree.Text, st.sampled_from(["ij,jk->ik", "layers.geo", ""]))


def _larger(inner: st.SearchStrategy) -> st.SearchStrategy:
    ranges = _node(tree.Range, inner, inner)
    slices = _node(tree.Slice, st.none() | inner, st.none() | inner, st.none() | inner)
    arguments = st.one_of(
        inner, _node(tree.Keyword, names, inner), _node(tree.Function, names, inner), texts
    )
    return st.one_of(
        _node(tree.Unary, st.sampled_from("+-"), inner),
        _node(tree.Binary, inner, st.sampled_from(["+", "-", "*", "/", "@", "**"]), inner),
        _node(tree.Transposed, inner),
        _node(tree.Dotted, inner),
        _node(tree.Index, inner, _tuple(inner | slices)),
        _node(tree.Sequence, _tuple(inner)),
        _node(tree.List, _tuple(inner)),
        _node(tree.Comprehension, inner, names, ranges),
        _node(tree.Chain, names, inner, names, ranges, inner),
        _node(tree.Call, names, _tuple(arguments, 0)),
    )


expressions = st.recursive(names | numerals | st.just(tree.TimeName(HERE)), _larger, max_leaves=12)
simple = st.recursive(names | numerals, _larger, max_leaves=4)
ranges = _node(tree.Range, simple, simple)


def _comparison(parts: tuple[list[tree.Expression], list[str]]) -> tree.Comparison:
    operands, operators = parts
    return tree.Comparison(HERE, tuple(operands), tuple(operators[: len(operands) - 1]))


comparisons = st.tuples(
    st.lists(simple, min_size=2, max_size=3),
    st.lists(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), min_size=2, max_size=2),
).map(_comparison)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        _node(tree.Both, inner, inner),
        _node(tree.Either, inner, inner),
        _node(tree.Negation, inner),
    ),
    max_leaves=4,
)

families = st.none() | _node(tree.Family, st.none() | names, ranges)
shapes = st.none() | _tuple(simple)
signs = st.none() | _node(
    tree.Sign, st.sampled_from([">", ">="]), _node(tree.Numeral, st.just("0"))
)
option_arguments = st.none() | _tuple(
    st.one_of(simple, _node(tree.Keyword, names, simple), _node(tree.Function, names, simple)), 0
)
options = _node(tree.Option, names, option_arguments)
single_targets = _node(tree.Target, names, st.none() | simple)
target_lists = _tuple(single_targets)
targets = st.none() | target_lists
when = st.none() | conditions
settings = _node(tree.Setting, names, _tuple(numerals | options))

statements = st.one_of(
    _node(tree.ModelLine, names),
    _node(tree.Use, texts),
    _node(tree.Dim, _tuple(_node(tree.DimItem, names, families, expressions))),
    _node(tree.Const, _tuple(_node(tree.ConstItem, names, st.none() | expressions))),
    _node(tree.Param, _tuple(_node(tree.ParamItem, names, families, shapes, signs))),
    _node(tree.Input, _tuple(_node(tree.InputItem, names, shapes, st.none() | expressions))),
    _node(tree.Let, names, expressions),
    _node(tree.Def, names, _tuple(names), expressions),
    _node(tree.Map, names, expressions),
    _node(tree.Network, names, expressions),
    _node(tree.Metric, options, targets),
    _node(tree.Flow, numerals, st.none() | expressions, st.none() | st.just("accelerated")),
    _node(tree.AdaptiveFlow, options.filter(lambda option: option.name.text != "order")),
    _node(tree.Decay, expressions, targets, st.none() | st.sampled_from(["coupled", "decoupled"])),
    _node(tree.Loss, options),
    _node(tree.AtNamed, names),
    _node(tree.AtPoint, _tuple(_node(tree.Assignment, single_targets, expressions))),
    _node(tree.Control, names, shapes),
    _node(tree.Field, single_targets, expressions),
    _node(tree.Gates, names),
    _node(tree.Law, names, expressions),
    _node(tree.ExpectLaws, targets, expressions, when),
    _node(tree.ExpectNoLaws, when),
    _node(tree.ExpectProperty, st.sampled_from(["complete", "commuting"]), when),
    _node(tree.ExpectDepth, expressions, when),
    _node(tree.Search, _tuple(options)),
    _node(tree.Verify, _tuple(settings, 0)),
    _node(tree.Sweep, _tuple(_node(tree.SweepItem, names, ranges)), when),
)
files = _node(tree.File, _tuple(statements, 0, 4))
