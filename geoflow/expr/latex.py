"""Expressions as LaTeX, in the shape in which they are written."""

from __future__ import annotations

import re
from fractions import Fraction

from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, Time, Velocity, walk

_SUM, _PRODUCT, _NEGATION, _POWER, _ATOM = 1, 2, 3, 4, 5
_GREEK = {
    "alpha",
    "beta",
    "gamma",
    "delta",
    "eta",
    "theta",
    "lambda",
    "mu",
    "phi",
    "psi",
    "rho",
    "sigma",
    "tau",
    "omega",
}


def latex_name(name: str) -> str:
    """`W[1]` → W_{1}, `layers.0.weight` → \\mathrm{layers.0.weight}, `tau` → \\tau."""
    match = re.fullmatch(r"([A-Za-z])(?:\[(.*)\]|(\d+))?", name)
    if match:
        index = match[2] or match[3]
        return match[1] + (f"_{{{index}}}" if index else "")
    if name in _GREEK:
        return f"\\{name}"
    escaped = re.sub(r"([_%&#${}])", r"\\\1", name)
    return f"\\mathrm{{{escaped}}}"


def latex_expr(root: Expr) -> str:
    """LaTeX without dollar signs."""
    done: dict[int, tuple[str, int]] = {}
    for node in walk(root):
        done[id(node)] = _latex(node, done)
    return done[id(root)][0]


def _number(value: Fraction) -> tuple[str, int]:
    if value.denominator == 1:
        return str(value), _ATOM if value >= 0 else _NEGATION
    sign = "-" if value < 0 else ""
    return f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}", _PRODUCT


def _latex(node: Expr, done: dict[int, tuple[str, int]]) -> tuple[str, int]:
    match node:
        case Number(value):
            return _number(value)
        case Constant(name) | Parameter(name):
            return latex_name(name), _ATOM
        case Velocity(name):
            return f"\\dot{{{latex_name(name)}}}", _ATOM
        case Time():
            return "t", _ATOM
        case Apply():
            return _operation(node, done)


def _operation(node: Apply, done: dict[int, tuple[str, int]]) -> tuple[str, int]:
    def at(argument: Expr, precedence: int) -> str:
        text, own = done[id(argument)]
        return text if own >= precedence else f"\\left({text}\\right)"

    a = node.arguments
    match node.operation:
        case "add" | "sub" as op:
            return f"{at(a[0], _SUM)} {'+' if op == 'add' else '-'} {at(a[1], _PRODUCT)}", _SUM
        case "mul" | "matmul" as op:
            elementwise = op == "mul" and a[0].shape and a[1].shape
            join = " \\odot " if elementwise else " "
            return f"{at(a[0], _PRODUCT)}{join}{at(a[1], _NEGATION)}", _PRODUCT
        case "div":
            return f"\\frac{{{done[id(a[0])][0]}}}{{{done[id(a[1])][0]}}}", _PRODUCT
        case "neg":
            return f"-{at(a[0], _NEGATION)}", _NEGATION
        case "pow":
            circle = "\\circ " if a[0].shape else ""
            return f"{at(a[0], _ATOM)}^{{{circle}{node.option('exponent')}}}", _POWER
        case "transpose":
            return f"{at(a[0], _ATOM)}^\\top", _ATOM
        case "index":
            items = ",".join(str(i) if isinstance(i, int) else ":" for i in node.option("items"))
            return f"{{{at(a[0], _ATOM)}}}_{{[{items}]}}", _ATOM
        case "sqrt":
            return f"\\sqrt{{{done[id(a[0])][0]}}}", _ATOM
        case "sum":
            axis = node.option("axis")
            below = "" if axis is None else f"_{{\\mathrm{{axis}}\\,{axis}}}"
            return f"\\textstyle\\sum{below} {at(a[0], _NEGATION)}", _PRODUCT
        case "inv":
            return f"{at(a[0], _ATOM)}^{{-1}}", _ATOM
        case "abs":
            return f"\\left|{done[id(a[0])][0]}\\right|", _ATOM
        case "sigmoid":
            return f"\\sigma\\left({done[id(a[0])][0]}\\right)", _ATOM
        case "maximum" | "minimum" as name:
            listed = ", ".join(done[id(x)][0] for x in a)
            return f"\\{name[:3]}\\left({listed}\\right)", _ATOM
        case "conv1d" | "conv2d":
            return f"{at(a[1], _POWER)} \\ast {at(a[0], _NEGATION)}", _PRODUCT
        case "leaky_relu":
            slope = done[id(a[1])][0]
            return f"\\operatorname{{relu}}_{{{slope}}}\\left({done[id(a[0])][0]}\\right)", _ATOM
        case "layer_norm" | "batch_norm" | "rms_norm" as name:
            kind = {"layer_norm": "LN", "batch_norm": "BN", "rms_norm": "RMS"}[name]
            gains = [done[id(x)][0] for x in a[1:] if not isinstance(x, Number)]
            below = f"_{{{', '.join(gains)}}}" if gains else ""
            return f"\\operatorname{{{kind}}}{below}\\left({done[id(a[0])][0]}\\right)", _ATOM
        case "log" | "exp" | "det" | "tanh" as name:
            return f"\\{name}\\left({done[id(a[0])][0]}\\right)", _ATOM
        case "trace":
            return f"\\operatorname{{tr}}\\left({done[id(a[0])][0]}\\right)", _ATOM
        case "norm":
            return f"\\left\\|{done[id(a[0])][0]}\\right\\|", _ATOM
        case "outer":
            return f"{at(a[0], _ATOM)} {at(a[1], _ATOM)}^\\top", _PRODUCT
        case "stack":
            return f"\\left[{', '.join(done[id(x)][0] for x in a)}\\right]", _ATOM
        case other:
            name = other.replace("_", "\\_")
            return (
                f"\\operatorname{{{name}}}\\left({', '.join(done[id(x)][0] for x in a)}\\right)",
                _ATOM,
            )
