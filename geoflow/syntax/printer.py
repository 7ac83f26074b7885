"""The canonical text of a tree: `parse(text(tree)) == tree`, with brackets only where the grammar
needs them.

`+`, `-` and `@` stand between spaces, `*` and `/` do not, unless they share a chain with `@`, where
`A @ B*c` would be misread: it means `(A @ B) * c`. A sum of names and numbers is written without
spaces in an index, a shape and a range: `W[l+1]`, `1..L-1`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

from geoflow.diagnostics import GeoflowBug
from geoflow.syntax import tree

_SUM, _PRODUCT, _FACTOR, _POWER, _POSTFIX = range(5)
_LEVELS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "@": _PRODUCT, "**": _POWER}
_OR, _AND, _NOT = range(3)


def text(node: tree.File | tree.Statement | tree.Expression | tree.Condition) -> str:
    """The canonical text of a file, a statement, an expression or a condition."""
    if isinstance(node, tree.File):
        return "".join(_statement(statement) + "\n" for statement in node.statements)
    if isinstance(node, tree.Comparison | tree.Both | tree.Either | tree.Negation):
        return _condition(node)
    if isinstance(node, tree.Expression):
        return _expression(node)
    return _statement(node)


# ---------------------------------------------------------------- expressions


def _level(node: tree.Expression) -> int:
    if isinstance(node, tree.Binary):
        return _LEVELS[node.operator]
    return _FACTOR if isinstance(node, tree.Unary) else _POSTFIX


def _expression(node: tree.Expression, at_least: int = _SUM) -> str:
    written = _binary(node) if isinstance(node, tree.Binary) else _simple(node)
    return f"({written})" if _level(node) < at_least else written


def is_spaced(node: tree.Binary) -> bool:
    """Whether the operator asks for spaces, for itself and for the chain it belongs to."""
    return node.operator in ("+", "-", "@")


def is_short_sum(node: tree.Node) -> TypeGuard[tree.Binary]:
    """Whether an index is a sum of names and numbers, products of them included."""
    if not isinstance(node, tree.Binary) or _LEVELS[node.operator] != _SUM:
        return False
    waiting: list[tuple[tree.Expression, int]] = [(node, _SUM)]
    while waiting:
        part, at_least = waiting.pop()
        if isinstance(part, tree.Binary) and part.operator != "@":
            level = _LEVELS[part.operator]
            if level < at_least:  # brackets would be needed
                return False
            power = level == _POWER
            waiting.append((part.left, _POSTFIX if power else level))
            waiting.append((part.right, _FACTOR if power else level + 1))
        elif not isinstance(part, tree.Name | tree.Numeral | tree.TimeName):
            return False
    return True


def _index(node: tree.Expression) -> str:
    """An expression in an index, a shape or a range."""
    return _binary(node, short=True) if is_short_sum(node) else _expression(node)


def _binary(node: tree.Binary, short: bool = False) -> str:
    if node.operator == "**":
        return f"{_expression(node.left, _POSTFIX)}**{_expression(node.right, _FACTOR)}"
    level = _LEVELS[node.operator]
    steps: list[tuple[str, tree.Expression]] = []
    first: tree.Expression = node
    while isinstance(first, tree.Binary) and _LEVELS[first.operator] == level:
        steps.append((first.operator, first.right))
        first = first.left
    spaced = not short and (level == _SUM or any(operator == "@" for operator, _ in steps))
    written = [_expression(first, level)]
    for operator, operand in reversed(steps):
        written.append(f" {operator} " if spaced else operator)
        written.append(_expression(operand, level + 1))
    return "".join(written)


def _simple(node: tree.Expression) -> str:
    match node:
        case tree.Numeral() | tree.Name():
            return node.text
        case tree.TimeName():
            return "t"
        case tree.Unary():
            return node.operator + _expression(node.operand, _FACTOR)
        case tree.Transposed():
            return _expression(node.operand, _POSTFIX) + ".T"
        case tree.Dotted():
            return _expression(node.operand, _POSTFIX) + "'"
        case tree.Index():
            return f"{_expression(node.operand, _POSTFIX)}[{_indices(node.items)}]"
        case tree.Sequence():
            return (
                f"({_listed(node.items)},)" if len(node.items) == 1 else f"({_listed(node.items)})"
            )
        case tree.List():
            return f"[{_listed(node.items)}]"
        case tree.Comprehension():
            body = _expression(node.body)
            return f"[{body} for {node.variable.text} in {_range(node.range)}]"
        case tree.Chain():
            return (
                f"chain({node.state.text} = {_expression(node.start)}; "
                f"{node.variable.text} in {_range(node.range)}: {_expression(node.body)})"
            )
        case tree.Call():
            return f"{node.function.text}({_listed(node.arguments)})"
        case tree.Binary():
            return _binary(node)


def _listed(items: Iterable[tree.Argument | tree.Slice]) -> str:
    return ", ".join(_item(item) for item in items)


def _indices(items: Iterable[tree.Expression | tree.Slice]) -> str:
    return ", ".join(_item(i) if isinstance(i, tree.Slice) else _index(i) for i in items)


def _item(item: tree.Argument | tree.Slice) -> str:
    match item:
        case tree.Slice():
            start, stop, step = (
                "" if part is None else _index(part) for part in (item.start, item.stop, item.step)
            )
            return f"{start}:{stop}" + (f":{step}" if step else "")
        case tree.Keyword():
            return f"{item.name.text}={_expression(item.value)}"
        case tree.Function():
            return f"{item.variable.text} -> {_expression(item.body)}"
        case tree.Text():
            return f'"{item.value}"'
        case _:
            return _expression(item)


def _range(node: tree.Range) -> str:
    return f"{_index(node.first)}..{_index(node.last)}"


def _condition(node: tree.Condition, at_least: int = _OR) -> str:
    match node:
        case tree.Comparison():
            written = _expression(node.operands[0])
            for operator, operand in zip(node.operators, node.operands[1:], strict=True):
                written += f" {operator} {_expression(operand)}"
            return written
        case tree.Either():
            level, written = _OR, f"{_condition(node.left)} or {_condition(node.right, _AND)}"
        case tree.Both():
            level = _AND
            written = f"{_condition(node.left, _AND)} and {_condition(node.right, _NOT)}"
        case tree.Negation():
            level, written = _NOT, f"not {_condition(node.operand, _NOT)}"
    return f"({written})" if level < at_least else written


# ---------------------------------------------------------------- statements


def _statement(node: tree.Statement) -> str:
    match node:
        case tree.Broken():
            return node.text
        case tree.ModelLine():
            return f"model {node.name.text}"
        case tree.Use():
            return f'use "{node.path.value}"'
        case tree.Dim():
            return "dim " + ", ".join(
                f"{item.name.text}{_family(item.family)} = {_expression(item.value)}"
                for item in node.items
            )
        case tree.Const():
            return "const " + ", ".join(
                f"{item.name.text} symbolic"
                if item.value is None
                else f"{item.name.text} = {_expression(item.value)}"
                for item in node.items
            )
        case tree.Param():
            return "param " + ", ".join(
                item.name.text + _family(item.family) + _shape(item.shape) + _sign(item.sign)
                for item in node.items
            )
        case tree.Input():
            return "input " + ", ".join(
                item.name.text + _shape(item.shape) + _below(item.below) for item in node.items
            )
        case tree.Def():
            names = ", ".join(name.text for name in node.parameters)
            return f"def {node.name.text}({names}) = {_expression(node.body)}"
        case tree.Let() | tree.Map() | tree.Network() | tree.Law():
            return f"{type(node).__name__.lower()} {node.name.text} = {_expression(node.value)}"
        case tree.Field():
            return f"field {_target(node.target)}' = {_expression(node.value)}"
        case tree.Control():
            return f"control {node.name.text}{_shape(node.shape)}"
        case tree.ExpectLaws() | tree.ExpectNoLaws() | tree.ExpectProperty() | tree.ExpectDepth():
            return _expectation(node)
        case _:
            return _setup(node)


def _setup(node: tree.Statement) -> str:
    match node:
        case tree.Metric():
            return f"metric {_option(node.kind)}{_on(node.targets)}"
        case tree.Flow():
            damping = "" if node.damping is None else f" damping {_expression(node.damping)}"
            return f"flow order {node.order.text}{damping}" + (
                " accelerated" * bool(node.accelerated)
            )
        case tree.AdaptiveFlow():
            return f"flow {_option(node.kind)}"
        case tree.Decay():
            coupling = "" if node.coupling is None else f" {node.coupling}"
            return f"decay {_expression(node.rate)}{_on(node.targets)}{coupling}"
        case tree.Loss():
            return f"loss {_option(node.kind)}"
        case tree.AtNamed():
            return f"at {node.name.text}"
        case tree.AtPoint():
            values = (f"{_target(a.target)} = {_expression(a.value)}" for a in node.assignments)
            return f"at {{{', '.join(values)}}}"
        case tree.Gates():
            return f"gates {node.name.text}"
        case tree.Search():
            return "search " + ", ".join(_option(option) for option in node.options)
        case tree.Verify():
            return f"verify {{ {'; '.join(_setting(setting) for setting in node.settings)} }}"
        case tree.Sweep():
            items = (f"{item.name.text} in {_range(item.range)}" for item in node.items)
            return f"sweep {', '.join(items)}{_when(node.condition)}"
        case _:
            raise GeoflowBug(f"no text for {type(node).__name__}")


def _expectation(
    node: tree.ExpectLaws | tree.ExpectNoLaws | tree.ExpectProperty | tree.ExpectDepth,
) -> str:
    match node:
        case tree.ExpectLaws():
            of = "" if node.targets is None else f" of {_targets(node.targets)}"
            claim = f"laws{of} = {_expression(node.value)}"
        case tree.ExpectNoLaws():
            claim = "no laws"
        case tree.ExpectProperty():
            claim = node.property
        case tree.ExpectDepth():
            claim = f"depth = {_expression(node.value)}"
    return f"expect {claim}{_when(node.condition)}"


def _when(condition: tree.Condition | None) -> str:
    return "" if condition is None else f" when {_condition(condition)}"


def _on(targets: tuple[tree.Target, ...] | None) -> str:
    return "" if targets is None else f" on {_targets(targets)}"


def _targets(targets: tuple[tree.Target, ...]) -> str:
    return ", ".join(_target(target) for target in targets)


def _target(target: tree.Target) -> str:
    index = "" if target.index is None else f"[{_index(target.index)}]"
    return target.name.text + index


def _option(option: tree.Option) -> str:
    if option.arguments is None:
        return option.name.text
    given = (
        f"{each.name.text} = {_expression(each.value)}"
        if isinstance(each, tree.Keyword)
        else _item(each)
        for each in option.arguments
    )
    return f"{option.name.text}({', '.join(given)})"


def _setting(setting: tree.Setting) -> str:
    values = (
        value.text if isinstance(value, tree.Numeral) else _option(value)
        for value in setting.values
    )
    return f"{setting.name.text} {', '.join(values)}"


def _family(family: tree.Family | None) -> str:
    if family is None:
        return ""
    variable = "" if family.variable is None else f"{family.variable.text} in "
    return f"[{variable}{_range(family.range)}]"


def _shape(shape: tuple[tree.Expression, ...] | None) -> str:
    return "" if shape is None else f"[{_indices(shape)}]"


def _below(bound: tree.Expression | None) -> str:
    return "" if bound is None else f" below {_expression(bound)}"


def _sign(sign: tree.Sign | None) -> str:
    return "" if sign is None else f" {sign.operator} {sign.bound.text}"
