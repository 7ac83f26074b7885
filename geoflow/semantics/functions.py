"""The arguments of a call of a function of the language, read and checked against its signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.expr.tree import Expr, Number, Parameter, Shape, Time, Velocity, walk
from geoflow.semantics import messages, shapes
from geoflow.semantics.completion import complete
from geoflow.semantics.scope import Locals
from geoflow.semantics.signatures import ARRAYS, FUNCTIONS, Kind, Signature
from geoflow.syntax import tree

if TYPE_CHECKING:
    from geoflow.semantics.expressions import Expressions


def arguments(
    expressions: Expressions, node: tree.Call, local: Locals
) -> tuple[str, tuple[Expr, ...], dict[str, Any]]:
    """The operation of a call, its arrays and its options, checked against the signature."""
    name = node.function.text
    signature = FUNCTIONS[name]
    given = _assign(name, signature, node)
    arrays: list[Expr] = []
    options: dict[str, Any] = {}
    defaults = dict(signature.defaults)
    for parameter, kind, _ in signature.parameters:
        values = given.get(parameter, [])
        if kind in ARRAYS and not values:
            arrays.append(Number(defaults[parameter]))
        elif kind == "array":
            arrays.append(expressions.array(_one(name, values[0]), local))
        elif kind == "constant":
            arrays.append(_constant(expressions, name, values[0], local))
        elif kind in ("arrays", "rest"):
            arrays += _arrays(expressions, name, _plain(name, values), local, kind)
        elif values:
            options[parameter] = _READERS[kind](expressions, name, values[0], local)
    try:
        complete(signature.operation, arrays, options)
    except shapes.Misfit as misfit:
        of = [array.shape for array in arrays]
        raise DiagnosticError(
            messages.call_misfit(node.function, node.span, of, misfit.code, misfit.reason, ())
        ) from None
    return signature.operation, tuple(arrays), options


def _assign(name: str, signature: Signature, node: tree.Call) -> dict[str, list[tree.Argument]]:
    """The arguments by the name of their parameter."""
    given: dict[str, list[tree.Argument]] = {}
    names = [parameter for parameter, _, _ in signature.parameters]
    kinds = {parameter: kind for parameter, kind, _ in signature.parameters}
    position = 0
    for argument in node.arguments:
        if isinstance(argument, tree.Keyword):
            key, value = argument.name.text, argument.value
            if key not in names:
                known = ", ".join(f"`{other}`" for other in names)
                message = f"`{name}` has no argument `{key}`; it takes {known}."
                hints = ("write `axis`",) if key == "dim" and "axis" in names else ()
                raise DiagnosticError(messages.wrong_arguments(argument.span, message, "", *hints))
        else:
            if position >= len(names):
                raise DiagnosticError(_too_many(name, names, node))
            key, value = names[position], argument
            listed = isinstance(value, tree.List | tree.Comprehension)
            if kinds[key] != "rest" and not (kinds[key] == "arrays" and not listed):
                position += 1
        if key in given and kinds[key] not in ("rest", "arrays"):
            message = f"`{name}` is given `{key}` twice."
            raise DiagnosticError(messages.wrong_arguments(argument.span, message))
        given.setdefault(key, []).append(value)
    missing = [f"`{key}`" for key, _, needed in signature.parameters if needed and key not in given]
    if missing:
        message = f"`{name}` is called without {' and '.join(missing)}."
        raise DiagnosticError(messages.wrong_arguments(node.span, message))
    return given


def _too_many(name: str, names: list[str], node: tree.Call) -> Diagnostic:
    hint: tuple[str, ...] = ()
    if names[-1] == "shape":
        hint = (f"a shape is written in brackets: `{name}({'x, ' * (len(names) - 1)}(2, 3))`",)
    count = f"{len(names)} argument" + "s" * (len(names) != 1)
    return messages.wrong_arguments(node.span, f"`{name}` takes at most {count}.", "", *hint)


def _plain(name: str, values: list[tree.Argument]) -> list[tree.Expression]:
    plain: list[tree.Expression] = []
    for value in values:
        if isinstance(value, tree.Text | tree.Function | tree.Keyword):
            message = f"`{name}` takes an array here."
            raise DiagnosticError(messages.wrong_arguments(value.span, message, "not an array"))
        plain.append(value)
    return plain


def _arrays(
    expressions: Expressions, name: str, values: list[tree.Expression], local: Locals, kind: Kind
) -> list[Expr]:
    if kind == "arrays" and len(values) == 1:
        items = expressions.items(values[0], local)
        if items is None:
            message = f"`{name}` joins a list of arrays."
            hint = f"write `{name}([A, B], axis=0)`"
            raise DiagnosticError(
                messages.wrong_arguments(values[0].span, message, "one array", hint)
            )
        return [item for _, item in items]
    return [expressions.array(value, local) for value in values]


# ---------------------------------------------------------------- arguments that are no arrays

_Reader = Callable[["Expressions", str, tree.Argument, Locals], Any]


def _axis(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> Any:
    if isinstance(node, tree.Name) and node.text == "None":
        return None
    if isinstance(node, tree.Sequence | tree.List):
        return tuple(expressions.integer(item, "An axis", local) for item in node.items)
    return expressions.integer(_one(name, node), "An axis", local)


def _axes(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> Any:
    axes = _axis(expressions, name, node, local)
    return (axes,) if isinstance(axes, int) else axes


def _one_axis(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> int:
    return expressions.integer(_one(name, node), "The axis", local)


def _flag(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> bool:
    word = node.text if isinstance(node, tree.Name | tree.Numeral) else ""
    if word not in ("True", "False", "true", "false", "1", "0"):
        message = f"This argument of `{name}` is `True` or `False`."
        raise DiagnosticError(messages.wrong_arguments(node.span, message))
    return word in ("True", "true", "1")


def _shape(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> Shape:
    if not isinstance(node, tree.Sequence | tree.List):
        return (_shape_size(expressions, name, _one(name, node), local),)
    return tuple(_shape_size(expressions, name, item, local) for item in node.items)


def _shape_size(expressions: Expressions, name: str, node: tree.Expression, local: Locals) -> int:
    if name == "reshape":
        size = expressions.integer(node, "A size", local)
        if size == -1:
            return size
    return expressions.size(node, "A size", local)


def _size(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> int:
    return expressions.size(_one(name, node), "A size", local)


def _subscripts(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> str:
    if not isinstance(node, tree.Text):
        message = "The first argument of `einsum` is a string of subscripts."
        hint = 'write `einsum("ij,jk->ik", A, B)`'
        raise DiagnosticError(messages.wrong_arguments(node.span, message, "not a string", hint))
    try:
        return shapes.explicit_subscripts(node.value)
    except shapes.Misfit as misfit:
        message = f"These subscripts are not right: {misfit.reason}."
        raise DiagnosticError(messages.wrong_arguments(node.span, message)) from None


def _one(name: str, node: tree.Argument) -> tree.Expression:
    return _plain(name, [node])[0]


def _constant(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> Expr:
    expr = expressions.array(_one(name, node), local)
    value = expressions.value(expr)
    changes = any(isinstance(each, Parameter | Velocity | Time) for each in walk(expr))
    if expr.shape or changes or (value is not None and value < 0):
        message = f"This argument of `{name}` is a constant number, zero or more."
        raise DiagnosticError(messages.wrong_arguments(node.span, message))
    return expr


def _sizes(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> Shape:
    listed = node.items if isinstance(node, tree.Sequence | tree.List) else (_one(name, node),)
    return tuple(expressions.size(item, "A size", local) for item in listed)


def _paddings(expressions: Expressions, name: str, node: tree.Argument, local: Locals) -> Shape:
    listed = node.items if isinstance(node, tree.Sequence | tree.List) else (_one(name, node),)
    found = tuple(expressions.integer(item, "A padding", local) for item in listed)
    if min(found) < 0:
        message = f"A padding of `{name}` is zero or more."
        raise DiagnosticError(messages.wrong_arguments(node.span, message))
    return found


_READERS: dict[str, _Reader] = {
    "axis": _axis,
    "one axis": _one_axis,
    "axes": _axes,
    "flag": _flag,
    "shape": _shape,
    "size": _size,
    "sizes": _sizes,
    "paddings": _paddings,
    "subscripts": _subscripts,
}
