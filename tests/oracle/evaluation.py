"""What an expression of the language means, by NumPy itself on arrays of SymPy numbers.

A text is rewritten into Python's syntax (`U'`, `1..3` and `chain` are not Python's) and its tree is walked; nothing of
geoflow is used.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

TIME = sympy.Symbol("t", positive=True)
SMALL_SLOPE = sympy.Rational(1, 100)
Values = Mapping[str, Any]


class Unread(Exception):
    """The oracle does not know this part of the language."""


def array(value: Any) -> Any:
    """An array of SymPy numbers; NumPy turns arrays without axes into bare objects."""
    found = np.empty(np.shape(value), dtype=object)
    given = np.asarray(value, dtype=object)
    for place in np.ndindex(*found.shape):
        found[place] = sympy.sympify(given[place])  # a number or an expression, never a text
    return found


def entrywise(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of one number as one of arrays."""

    def applied(x: Any) -> Any:
        return array(np.vectorize(function, otypes=[object])(array(x)))

    return applied


def velocity_of(symbol: Any) -> Any:
    """The symbol of a parameter's velocity."""
    return sympy.Symbol(f"{symbol.name}'", real=True)


@dataclass
class Gates:
    """Gates of piecewise functions: free symbols by what is compared with 0, in the order of their making."""

    by_value: dict[Any, Any] = field(default_factory=dict)

    def gate(self, value: Any) -> Any:
        """1 where the value is positive, 0 where it is negative."""
        if value.is_number:
            return sympy.Integer(1 if value > 0 else 0)
        if value not in self.by_value:
            self.by_value[value] = sympy.Symbol(f"gate{len(self.by_value)}")
        return self.by_value[value]

    def relu(self, z: Any, slope: Any = 0) -> Any:
        """z where positive, slope·z elsewhere."""
        m = self.gate(z)
        return m * z + (1 - m) * slope * z


def _axes(axis: Any) -> Any:
    if axis is None:
        return None
    if isinstance(axis, list | tuple):
        return tuple(int(a) for a in axis)
    return int(axis)


def _sum(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return array(np.sum(array(x), axis=_axes(axis), keepdims=bool(keepdims)))


def _prod(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return array(np.prod(array(x), axis=_axes(axis), keepdims=bool(keepdims)))


def _mean(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    total = _sum(x, axis, keepdims)
    return array(total / sympy.Rational(array(x).size, max(total.size, 1)))


def _norm(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return entrywise(sympy.sqrt)(_sum(array(x) ** 2, axis, keepdims))


def matrix(x: Any) -> Any:
    """As SymPy's matrix."""
    return sympy.Matrix(array(x).tolist())


def _diag(x: Any) -> Any:
    x = array(x)
    if x.ndim == 2:
        return array([x[i, i] for i in range(min(x.shape))])
    return array([[x[i] if i == j else 0 for j in range(len(x))] for i in range(len(x))])


def _whole(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, list | tuple):
        return tuple(int(n) for n in shape)
    return tuple(int(n) for n in np.ravel(shape))


def _conv1d(x: Any, kernel: Any) -> Any:
    x, kernel = array(x), array(kernel)
    length = x.shape[-1] - kernel.shape[-1] + 1
    return array(
        [[np.sum(k * x[:, i : i + kernel.shape[-1]]) for i in range(length)] for k in kernel]
    )


def _embedding(table: Any, tokens: Any) -> Any:
    return array(np.matmul(array(tokens), array(table)))


PLAIN: dict[str, Callable[..., Any]] = {
    "sum": _sum,
    "prod": _prod,
    "mean": _mean,
    "norm": _norm,
    "trace": lambda x: array(np.trace(array(x))),
    "det": lambda x: array(matrix(x).det(method="berkowitz")),
    "inv": lambda x: array(matrix(x).inv(method="ADJ").tolist()),
    "diag": _diag,
    "outer": lambda a, b: array(np.outer(array(a), array(b))),
    "kron": lambda a, b: array(np.kron(array(a), array(b))),
    "dot": lambda a, b: array(np.dot(array(a), array(b))),
    "einsum": lambda letters, *x: array(np.einsum(letters, *map(array, x))),
    "reshape": lambda x, shape: array(np.reshape(array(x), _whole(shape))),
    "transpose": lambda x, axes: array(np.transpose(array(x), _whole(axes))),
    "concat": lambda xs, axis=0: array(np.concatenate([array(x) for x in xs], int(axis))),
    "stack": lambda xs, axis=0: array(np.stack([array(x) for x in xs], int(axis))),
    "eye": lambda n: array(np.eye(int(n), dtype=int)),
    "zeros": lambda shape: array(np.zeros(_whole(shape), dtype=int)),
    "ones": lambda shape: array(np.ones(_whole(shape), dtype=int)),
    "tril": lambda n: array(np.tril(np.ones((int(n), int(n)), dtype=int))),
    "size": lambda x, axis=None: array(
        array(x).size if axis is None else array(x).shape[int(axis)]
    ),
    "sqrt": entrywise(sympy.sqrt),
    "log": entrywise(sympy.log),
    "exp": entrywise(sympy.exp),
    "tanh": entrywise(sympy.tanh),
    "sigmoid": entrywise(lambda x: 1 / (1 + sympy.exp(-x))),
    "softplus": entrywise(lambda x: sympy.log(1 + sympy.exp(x))),
    "silu": entrywise(lambda x: x / (1 + sympy.exp(-x))),
    "conv1d": _conv1d,
    "embedding": _embedding,
    "velocity": entrywise(velocity_of),
}


def piecewise(gates: Gates) -> dict[str, Callable[..., Any]]:
    """The functions that have gates."""

    def both(a: Any, b: Any, sign: int) -> Any:
        left, right = np.broadcast_arrays(array(a), array(b))
        found = np.empty(left.shape, dtype=object)
        for place in np.ndindex(*left.shape):
            m = gates.gate(sympy.expand(sign * (left[place] - right[place])))
            found[place] = m * left[place] + (1 - m) * right[place]
        return found

    return {
        "relu": entrywise(lambda z: gates.relu(sympy.expand(z))),
        "leaky_relu": lambda x, slope=SMALL_SLOPE: entrywise(
            lambda z: gates.relu(sympy.expand(z), array(slope).item())
        )(x),
        "abs": entrywise(lambda z: gates.relu(sympy.expand(z), -1)),
        "maximum": lambda a, b: both(a, b, 1),
        "minimum": lambda a, b: both(a, b, -1),
    }


def to_python(text: str) -> str:
    """The same expression in Python's syntax."""
    text = re.sub(r"([A-Za-z_]\w*(?:\[[^\[\]]*\])?)'", r"velocity(\1)", text)
    text = re.sub(r"\bin ([^\],;:]+?)\.\.([^\],;:]+)", r"in span(\1, \2)", text)
    text = re.sub(r"\b(\w+) -> ", r"lambda \1: ", text)
    while (begin := text.find("chain(")) >= 0 and (begin == 0 or not text[begin - 1].isalnum()):
        end = _closing(text, begin + len("chain"))
        start, rest = text[begin + len("chain(") : end].split(";", 1)
        where, body = rest.split(":", 1)
        name, first = start.split("=", 1)
        index, sizes = where.split(" in ", 1)
        made = f"CHAIN({first}, {sizes}, lambda {name.strip()}, {index.strip()}: {body})"
        text = text[:begin] + made + text[end + 1 :]
    return text


def _closing(text: str, begin: int) -> int:
    depth = 0
    for place in range(begin, len(text)):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise Unread("a bracket is not closed")


@dataclass(frozen=True)
class Evaluator:
    """Expressions under names."""

    names: Values
    ragged: bool = False  # whether a list at the top may hold different shapes

    def text(self, text: str) -> Any:
        """The value of a text."""
        python = to_python(text.strip())
        tree = ast.parse(python, mode="eval")
        return self._value(tree.body, python, self.names, top=True)

    def _value(self, node: ast.expr, source: str, names: Values, top: bool = False) -> Any:
        def value(n: ast.expr) -> Any:
            return self._value(n, source, names)

        match node:
            case ast.Constant(value=str() as letters):
                return letters
            case ast.Constant(value=None | bool() as plain):
                return plain
            case ast.Constant():
                return array(sympy.Rational(ast.get_source_segment(source, node)))
            case ast.Name(id=name):
                if name in names:
                    return names[name]
                raise Unread(f"the name {name}")
            case ast.UnaryOp(op=ast.USub(), operand=x):
                return array(-value(x))
            case ast.UnaryOp(op=ast.UAdd(), operand=x):
                return value(x)
            case ast.BinOp(left=a, op=op, right=b):
                return array(self._binary(op, array(value(a)), array(value(b))))
            case ast.Attribute(value=x, attr="T"):
                return array(value(x)).T
            case ast.Subscript(value=x, slice=items):
                return self._item(value(x), items, value)
            case ast.List(elts=items):
                values = [value(x) for x in items]
                if top and self.ragged:
                    return [array(x) for x in values]
                return array(np.stack([array(x) for x in values]))
            case ast.Tuple(elts=items):
                return tuple(value(x) for x in items)
            case ast.ListComp(elt=body, generators=[ast.comprehension() as each]):
                assert isinstance(each.target, ast.Name)
                index = each.target.id
                parts = [
                    self._value(body, source, {**names, index: array(i)}) for i in value(each.iter)
                ]
                if top and self.ragged:
                    return [array(x) for x in parts]
                return array(np.stack([array(x) for x in parts]))
            case ast.Lambda(args=arguments, body=body):
                own = [a.arg for a in arguments.args]
                return lambda *x: self._value(
                    body, source, {**names, **dict(zip(own, x, strict=True))}
                )
            case ast.Call(func=ast.Name(id="span"), args=[a, b]):
                return range(int(array(value(a)).item()), int(array(value(b)).item()) + 1)
            case ast.Call(func=ast.Name(id="CHAIN"), args=[first, sizes, step]):
                so_far, function = value(first), value(step)
                for i in value(sizes):
                    so_far = function(so_far, array(i))
                return so_far
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                function = names.get(f"{name}()", names.get(name))
                if not callable(function):
                    raise Unread(f"the function {name}")
                named = {str(k.arg): value(k.value) for k in keywords}
                if name in ("concat", "stack") and isinstance(args[0], ast.List):
                    return function(
                        [value(x) for x in args[0].elts], *map(value, args[1:]), **named
                    )
                return function(*map(value, args), **named)
        raise Unread(ast.dump(node))

    @staticmethod
    def _binary(op: ast.operator, a: Any, b: Any) -> Any:
        match op:
            case ast.Add():
                return a + b
            case ast.Sub():
                return a - b
            case ast.Mult():
                return a * b
            case ast.Div():
                return a / b
            case ast.MatMult():
                return np.matmul(a, b)
            case ast.Pow():
                return a**b
        raise Unread(type(op).__name__)

    def _item(self, of: Any, items: ast.expr, value: Callable[[ast.expr], Any]) -> Any:
        if isinstance(of, dict):
            return of[int(array(value(items)).item())]
        parts = items.elts if isinstance(items, ast.Tuple) else [items]

        def number(node: ast.expr | None) -> int | None:
            return None if node is None else int(array(value(node)).item())

        place = tuple(
            slice(number(p.lower), number(p.upper), number(p.step))
            if isinstance(p, ast.Slice)
            else number(p)
            for p in parts
        )
        return array(array(of)[place])
