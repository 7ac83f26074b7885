"""Expressions as MathML, in the shape in which they are written."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from geoflow.exhibits import Math
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, Time, Velocity, walk

MOST = 800  # parts of a formula that can still be read
_SUM, _PRODUCT, _NEGATION, _POWER, _ATOM = 1, 2, 3, 4, 5
_GREEK = frozenset(
    (
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
        *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi"),
        *("psi", "omega"),
    )
)
_NORMS = {"layer_norm": "LN", "batch_norm": "BN", "rms_norm": "RMS"}
_Done = dict[int, tuple[Math, int]]


def identifier(text: str) -> Math:
    """A letter, slanted, or a word, upright."""
    return Math("mi", text)


def operator(text: str) -> Math:
    """A sign."""
    return Math("mo", text)


def row(*parts: Math) -> Math:
    """Parts side by side; one part is itself."""
    return parts[0] if len(parts) == 1 else Math("mrow", parts)


def up(base: Math, exponent: Math) -> Math:
    """A base with a superscript."""
    return Math("msup", (base, exponent))


def low(base: Math, index: Math) -> Math:
    """A base with a subscript."""
    return Math("msub", (base, index))


def fenced(inner: Math, left: str = "(", right: str = ")") -> Math:
    """A formula in brackets that grow with it."""
    return Math("mrow", (operator(left), inner, operator(right)))


def listed(parts: list[Math]) -> Math:
    """Parts with commas between."""
    joined = [part for each in parts for part in (operator(","), each)]
    return row(*joined[1:]) if joined else Math("mrow", ())


def applied(name: Math, *arguments: Math) -> Math:
    """A function of its arguments; U+2061 says to those who listen that it is applied."""
    return row(name, operator("\u2061"), fenced(listed(list(arguments))))


def name_math(name: str) -> Math:
    """`W[1]` and `W1` are W with an index, `tau` is τ, `w(U)` is w of U, `layers.0.weight` a word."""
    match = re.fullmatch(r"([^\W\d_]+)(?:\[(.*)\]|\((.*)\)|(\d+))?", name)
    if match is None:
        return Math("upright", name)
    base = identifier(_letter(match[1]))
    if match[3]:
        return low(base, name_math(match[3]))
    index = match[2] or match[4]
    return low(base, Math("mn", index)) if index else base


def _letter(word: str) -> str:
    if word.lower() not in _GREEK:
        return word
    case = "SMALL" if word[0].islower() else "CAPITAL"
    spelled = {"lambda": "LAMDA"}.get(word.lower(), word.upper())
    return unicodedata.lookup(f"GREEK {case} LETTER {spelled}")


def number_math(value: Fraction) -> Math:
    """A rational."""
    size = Math("mn", str(abs(value.numerator)))
    if value.denominator != 1:
        size = Math("mfrac", (size, Math("mn", str(value.denominator))))
    return row(operator("−"), size) if value < 0 else size


def expr_math(root: Expr) -> Math | None:
    """The formula; None where it has more than `MOST` parts."""
    done: _Done = {}
    sizes: dict[int, int] = {}
    for node in walk(root):
        arguments = node.arguments if isinstance(node, Apply) else ()
        sizes[id(node)] = 1 + sum(sizes[id(a)] for a in arguments)
        if sizes[id(node)] > MOST:
            return None
        done[id(node)] = _math(node, done)
    return done[id(root)][0]


def _math(node: Expr, done: _Done) -> tuple[Math, int]:
    match node:
        case Number(value):
            whole = value.denominator == 1
            return number_math(value), (
                _NEGATION if value < 0 and whole else _ATOM if whole else _PRODUCT
            )
        case Constant(name) | Parameter(name):
            return name_math(name), _ATOM
        case Velocity(name):
            return Math("mover", (name_math(name), operator("˙"))), _ATOM
        case Time():
            return identifier("t"), _ATOM
        case Apply():
            return _operation(node, done)


def _operation(node: Apply, done: _Done) -> tuple[Math, int]:
    def bare(argument: Expr) -> Math:
        return done[id(argument)][0]

    def at(argument: Expr, precedence: int) -> Math:
        inner, own = done[id(argument)]
        return inner if own >= precedence else fenced(inner)

    a = node.arguments
    match node.operation:
        case "add" | "sub" as op:
            sign = operator("+" if op == "add" else "−")
            return row(at(a[0], _SUM), sign, at(a[1], _PRODUCT)), _SUM
        case "mul" | "matmul" as op:
            elementwise = op == "mul" and a[0].shape and a[1].shape
            both_numbers = isinstance(a[1], Number)
            sign = "⊙" if elementwise else "·" if both_numbers else "\u2062"  # invisible times
            return row(at(a[0], _PRODUCT), operator(sign), at(a[1], _POWER)), _PRODUCT
        case "div":
            return Math("mfrac", (bare(a[0]), bare(a[1]))), _PRODUCT
        case "neg":
            return row(operator("−"), at(a[0], _NEGATION)), _NEGATION
        case "pow":
            exponent = number_math(node.option("exponent"))
            if a[0].shape:
                exponent = row(operator("∘"), exponent)
            return up(at(a[0], _ATOM), exponent), _POWER
        case "transpose":
            return up(at(a[0], _ATOM), operator("⊤")), _POWER
        case "exp":
            return up(identifier("e"), bare(a[0])), _POWER
        case "inv":
            return up(at(a[0], _ATOM), number_math(Fraction(-1))), _POWER
        case "index":
            items = [
                Math("mn", str(i)) if isinstance(i, int) else _slice(i)
                for i in node.option("items")
            ]
            return low(at(a[0], _ATOM), listed(items)), _ATOM
        case "sqrt":
            return Math("msqrt", (bare(a[0]),)), _ATOM
        case "abs":
            return fenced(bare(a[0]), "|", "|"), _ATOM
        case "norm":
            return fenced(bare(a[0]), "‖", "‖"), _ATOM
        case "outer":
            return row(at(a[0], _ATOM), up(at(a[1], _ATOM), operator("⊤"))), _PRODUCT
        case "stack":
            return fenced(listed([bare(x) for x in a]), "[", "]"), _ATOM
        case "sum" | "mean" | "prod" as op:
            sign = operator("∏" if op == "prod" else "∑")
            axis = node.option("axis")
            if op == "mean":
                sign = Math("upright", "mean")
            if axis is not None:
                sign = low(sign, Math("mtext", f"axis {axis}"))
            if op == "mean":
                return row(sign, operator("\u2061"), fenced(bare(a[0]))), _ATOM
            return row(sign, at(a[0], _NEGATION)), _PRODUCT
        case "conv1d" | "conv2d":
            return row(at(a[1], _POWER), operator("∗"), at(a[0], _NEGATION)), _PRODUCT
        case other:
            return _function(other, [bare(x) for x in a], a), _ATOM


def _function(name: str, arguments: list[Math], trees: tuple[Expr, ...]) -> Math:
    match name:
        case "sigmoid":
            return applied(identifier("σ"), *arguments)
        case "trace":
            return applied(Math("upright", "tr"), *arguments)
        case "maximum" | "minimum":
            return applied(Math("upright", name[:3]), *arguments)
        case "leaky_relu":
            return applied(low(Math("upright", "relu"), arguments[1]), arguments[0])
        case "layer_norm" | "batch_norm" | "rms_norm":
            head = Math("upright", _NORMS[name])
            pairs = zip(arguments[1:], trees[1:], strict=True)
            gains = [m for m, tree in pairs if not isinstance(tree, Number)]
            return applied(low(head, listed(gains)) if gains else head, arguments[0])
        case "eye":
            return identifier("I")
        case _:
            return applied(Math("upright", name.replace("_", " ")), *arguments)


def _slice(bounds: tuple[int, int, int]) -> Math:
    start, stop, step = bounds
    text = f"{start}:{stop}" + (f":{step}" if step != 1 else "")
    return Math("mtext", text)
