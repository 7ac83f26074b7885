"""Expressions as text of the language, with no more parentheses than needed: `U.T @ U - V.T @ V`."""

from __future__ import annotations

from fractions import Fraction

from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, Time, Velocity, walk

_SUM, _PRODUCT, _NEGATION, _POWER, _ATOM = 1, 2, 3, 4, 5
_INFIX = {
    "add": ("+", _SUM),
    "sub": ("-", _SUM),
    "mul": ("*", _PRODUCT),
    "div": ("/", _PRODUCT),
    "matmul": ("@", _PRODUCT),
}


def print_expr(root: Expr) -> str:
    """The text of an expression, which parses back to it."""
    done: dict[int, tuple[str, int]] = {}
    for node in walk(root):
        done[id(node)] = _print(node, done)
    return done[id(root)][0]


def print_number(value: Fraction) -> tuple[str, int]:
    """A rational and the precedence of its text."""
    if value < 0:
        return str(value), _NEGATION if value.denominator == 1 else _PRODUCT
    return str(value), _ATOM if value.denominator == 1 else _PRODUCT


def _print(node: Expr, done: dict[int, tuple[str, int]]) -> tuple[str, int]:
    match node:
        case Number(value):
            return print_number(value)
        case Constant(name) | Parameter(name):
            return name, _ATOM
        case Velocity(name):
            return f"{name}'", _ATOM
        case Time():
            return "t", _ATOM
        case Apply():
            return _print_operation(node, done)


def _print_operation(node: Apply, done: dict[int, tuple[str, int]]) -> tuple[str, int]:
    def at(argument: Expr, precedence: int) -> str:
        text, own = done[id(argument)]
        return text if own >= precedence else f"({text})"

    operation, arguments = node.operation, node.arguments
    if operation in _INFIX:
        sign, precedence = _INFIX[operation]
        left, right = at(arguments[0], precedence), at(arguments[1], precedence + 1)
        space = "" if sign in "*/" else " "
        return f"{left}{space}{sign}{space}{right}", precedence
    if operation == "neg":
        return f"-{at(arguments[0], _NEGATION)}", _NEGATION
    if operation == "pow":
        exponent = node.option("exponent")
        text = str(exponent) if exponent.denominator == 1 and exponent >= 0 else f"({exponent})"
        return f"{at(arguments[0], _ATOM)}**{text}", _POWER
    if operation == "transpose" and node.option("axes") is None:
        return f"{at(arguments[0], _ATOM)}.T", _ATOM
    if operation == "index":
        return (
            f"{at(arguments[0], _ATOM)}[{', '.join(map(_print_item, node.option('items')))}]",
            _ATOM,
        )
    if operation == "stack" and not node.option("axis"):
        return f"[{', '.join(done[id(a)][0] for a in arguments)}]", _ATOM
    return _print_call(node, [done[id(a)][0] for a in arguments]), _ATOM


def _print_item(item: int | tuple[int, int, int]) -> str:
    if isinstance(item, int):
        return str(item)
    start, stop, step = item
    return f"{start or ''}:{stop if stop >= 0 else ''}" + (f":{step}" if step != 1 else "")


# Arguments and options that need not be written, with what they are then.
_UNSAID: dict[str, tuple[tuple[int, str, int], ...]] = {
    "layer_norm": ((1, "g", 1), (2, "b", 0), (3, "eps", 0)),
    "batch_norm": ((1, "g", 1), (2, "b", 0), (3, "eps", 0)),
    "rms_norm": ((1, "g", 1), (2, "eps", 0)),
}
_DEFAULTS = {"stride": 1, "padding": 0, "groups": 1}


def _print_layer(node: Apply, texts: list[str]) -> str:
    """The call of a normalization, a convolution or a pooling, without what goes without saying."""
    said = [texts[0]]
    for position, name, value in _UNSAID.get(node.operation, ()):
        argument = node.arguments[position]
        if not (isinstance(argument, Number) and argument.value == value):
            said.append(f"{name}={texts[position]}")
    if node.operation in ("conv1d", "conv2d"):
        said.append(texts[1])
        for name, value in _DEFAULTS.items():
            given = node.option(name)
            if given not in (value, (value,) * (len(node.arguments[1].shape) - 2)):
                said.append(f"{name}={_print_sizes(given)}")
    if node.operation in ("max_pool", "avg_pool"):
        window, stride = node.option("k"), node.option("stride")
        said.append(_print_sizes(window))
        said += [f"stride={_print_sizes(stride)}"] if stride != window else []
    return f"{node.operation}({', '.join(said)})"


def _print_sizes(sizes: int | tuple[int, ...]) -> str:
    if isinstance(sizes, int) or len(sizes) == 1:
        return str(sizes if isinstance(sizes, int) else sizes[0])
    return str(sizes)


_LAYERS = frozenset((*_UNSAID, "conv1d", "conv2d", "max_pool", "avg_pool"))


def _print_call(node: Apply, texts: list[str]) -> str:
    if node.operation in _LAYERS:
        return _print_layer(node, texts)
    if node.operation == "einsum":
        texts = [f'"{node.option("subscripts")}"', *texts]
    elif node.operation in ("concat", "stack"):
        texts = [f"[{', '.join(texts)}]"]
    for name, value in node.options:
        if name in ("subscripts",) or value is None or value is False:
            continue
        if name in ("shape", "size"):
            texts.append(str(list(value)) if isinstance(value, tuple) else str(value))
        else:
            texts.append(f"{name}={str(value).lower() if isinstance(value, bool) else value}")
    return f"{node.operation}({', '.join(texts)})"
