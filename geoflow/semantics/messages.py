"""What is wrong with a model (GEO02xx to GEO05xx): names and shapes. Constructors take meaning and
hold the prose.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from fractions import Fraction

from geoflow.diagnostics import Diagnostic, Fix, Related, Span
from geoflow.expr.tree import Shape
from geoflow.semantics.shapes import words
from geoflow.syntax import printer, tree
from geoflow.syntax.foreign import instead, ours
from geoflow.syntax.habits import without_superscript

_LONGEST_SHOWN = 60


def shown(node: tree.Expression) -> str:
    """The expression's canonical text in backquotes, cut where it is long."""
    text = printer.text(node)
    return f"`{text}`" if len(text) <= _LONGEST_SHOWN else f"`{text[:_LONGEST_SHOWN]} …`"


def close_name(name: str, candidates: Iterable[str]) -> str | None:
    """The one candidate that is close, if exactly one is."""
    candidates = sorted(set(candidates) - {name})
    same = [candidate for candidate in candidates if candidate.casefold() == name.casefold()]
    if len(same) == 1:
        return same[0]
    near = difflib.get_close_matches(name, candidates, n=2, cutoff=0.7)
    return near[0] if len(near) == 1 else None


def did_you_mean(span: Span, near: str | None) -> tuple[tuple[str, ...], Fix | None]:
    """The hint at a name close by, and the fix that puts it there."""
    return ((f"did you mean `{near}`?",), Fix(span, near)) if near else ((), None)


# ---------------------------------------------------------------- names


def unknown_name(name: tree.Name, candidates: Iterable[str]) -> Diagnostic:
    """A name that nothing declares."""
    near = close_name(name.text, candidates)
    hints, fix = did_you_mean(name.span, near)
    written = without_superscript(name.text)
    if written is not None:
        hints, fix = (f"write `{written}`",), Fix(name.span, written)
    elif _is_a_size(name.span):
        hints = (*hints, f"declare a size with `dim {name.text} = …`")
    elif near is None:
        hints = ("declare it with `dim`, `const`, `param`, `let`, or `input` where it is data",)
    message = f"`{name.text}` is not declared."
    return Diagnostic("GEO0201", message, name.span, "unknown name", hints=hints, fix=fix)


def _is_a_size(span: Span) -> bool:
    """Whether a name stands in the brackets of a declaration."""
    before = span.source.line(span.line)[: span.column - 1]
    declares = re.match(r"\s*(param|input|control)\b", before) is not None
    return declares and before.count("[") > before.count("]")


def unknown_function(name: tree.Name, candidates: Iterable[str]) -> Diagnostic:
    """A call of something that is no function."""
    candidates = set(candidates)
    near = ours(name.text)
    known = instead(name.text) if near not in candidates else None
    if near not in candidates:
        near = close_name(name.text, candidates)
    hints, fix = did_you_mean(name.span, near)
    if known is not None:
        hints, fix = (known,), None
    message = f"There is no function `{name.text}`."
    return Diagnostic("GEO0207", message, name.span, "unknown function", hints=hints, fix=fix)


def defined_twice(name: tree.Name, first: Span) -> Diagnostic:
    """A second declaration of a name."""
    return Diagnostic(
        "GEO0202",
        f"`{name.text}` is declared twice.",
        name.span,
        "declared again here",
        related=(Related(first, "first declared here"),),
    )


def builtin_name(name: tree.Name) -> Diagnostic:
    """A definition with the name of a built-in function."""
    return Diagnostic(
        "GEO0205",
        f"`{name.text}` is a function of the language and cannot be defined again.",
        name.span,
        "not free to be a function's name",
    )


def circular(names: list[str], span: Span) -> Diagnostic:
    """Definitions that need each other; `names` ends with its first entry."""
    path = " → ".join(f"`{name}`" for name in names[:8]) + (" → …" if len(names) > 8 else "")
    return Diagnostic("GEO0203", f"`{names[0]}` is defined by itself: {path}.", span, "circular")


def bare_family(name: tree.Name, what: str, first: int) -> Diagnostic:
    """A family used without an index."""
    return Diagnostic(
        "GEO0204",
        f"`{name.text}` is a family of {what}, used here without its index.",
        name.span,
        "which member?",
        hints=(f"write `{name.text}[{first}]` or another of its members",),
    )


def bad_member(name: tree.Name, span: Span, index: int, first: int, last: int) -> Diagnostic:
    """An index outside the range of a family."""
    return Diagnostic(
        "GEO0204",
        f"`{name.text}[{index}]` does not exist: `{name.text}` has members {first} to {last}.",
        span,
        "out of range",
    )


def family_takes_one_index(name: tree.Name, span: Span) -> Diagnostic:
    """`W[1, 2]` or `W[1:2]` of a family."""
    return Diagnostic(
        "GEO0204",
        f"`{name.text}` is a family and takes exactly one index.",
        span,
        "not one index",
        hints=(f"an entry of a member is written `{name.text}[1][0, 2]`",),
    )


def empty_family(span: Span, first: int, last: int) -> Diagnostic:
    """A family over an empty range."""
    return Diagnostic("GEO0204", f"The range {first}..{last} is empty.", span, "no members")


def wrong_kind(span: Span, message: str, label: str, *hints: str) -> Diagnostic:
    """Something of the wrong kind for its place."""
    return Diagnostic("GEO0206", message, span, label, hints=hints)


def wrong_arguments(span: Span, message: str, label: str = "", *hints: str) -> Diagnostic:
    """A function called with arguments it does not take."""
    return Diagnostic("GEO0208", message, span, label, hints=hints)


def not_a_count(span: Span, what: str, value: Fraction) -> Diagnostic:
    """A number of laws, or a depth, that is a fraction or negative."""
    message = f"A {what} is a whole number, zero or more, and this is {value}."
    return wrong_kind(span, message, f"{value}")


# ---------------------------------------------------------------- shapes and sizes

_VERBS = {
    "+": "adds {0} and {1}",
    "-": "subtracts {1} from {0}",
    "*": "multiplies {0} by {1}, entry by entry",
    "/": "divides {0} by {1}, entry by entry",
    "@": "multiplies {0} by {1}",
    "**": "raises {0} to {1}",
}


def operands_misfit(
    node: tree.Binary,
    left: Shape,
    right: Shape,
    code: str,
    reason: str,
    related: tuple[Related, ...],
) -> Diagnostic:
    """Two operands whose shapes do not fit the operator between them."""
    does = _VERBS[node.operator].format(words(left), words(right))
    hints = _transpose_hints(node, left, right) if code == "GEO0301" else ()
    message = f"{shown(node)} {does}."
    return Diagnostic(code, message, node.span, reason, related=related, hints=hints)


def _transpose_hints(node: tree.Binary, left: Shape, right: Shape) -> tuple[str, ...]:
    def flipped(operand: tree.Expression) -> tree.Expression:
        if isinstance(operand, tree.Transposed):
            return operand.operand
        return tree.Transposed(operand.span, operand)

    def suggestion(
        a: tree.Expression, b: tree.Expression, operator: str = node.operator
    ) -> tuple[str, ...]:
        text = printer.text(tree.Binary(node.span, a, operator, b))
        return (f"write `{text}`",) if len(text) <= _LONGEST_SHOWN else ()

    if node.operator == "@":
        if len(right) == 2 and left[-1:] == right[1:]:
            return suggestion(node.left, flipped(node.right))
        if len(left) == 2 and left[:1] == right[:1]:
            return suggestion(flipped(node.left), node.right)
    elif node.operator == "*" and len(left) <= 2 and len(right) <= 2 and left[-1:] == right[:1]:
        return suggestion(node.left, node.right, "@")
    elif len(left) == len(right) == 2 and left == right[::-1]:
        return suggestion(node.left, flipped(node.right))
    return ()


def call_misfit(
    name: tree.Name,
    span: Span,
    shapes: list[Shape],
    code: str,
    reason: str,
    related: tuple[Related, ...],
) -> Diagnostic:
    """Arguments whose shapes a function does not take."""
    of = " and ".join(words(shape) for shape in shapes[:3]) + (" …" if len(shapes) > 3 else "")
    message = f"`{name.text}` does not take {of}: {reason}."
    return Diagnostic(code, message, span, reason, related=related)


def unequal_list(span: Span, first: Shape, other: Shape) -> Diagnostic:
    """A bracketed list whose entries have different shapes."""
    return Diagnostic(
        "GEO0301",
        f"This list holds {words(first)} and {words(other)}; an array needs equal shapes.",
        span,
        f"{words(other)}, unlike the first",
        hints=("`concat([A, B], axis=0)` joins arrays along an axis they have",),
    )


def bad_index(span: Span, reason: str) -> Diagnostic:
    """An index that does not fit the array."""
    return Diagnostic("GEO0302", f"This index does not fit: {reason}.", span, reason)


def bad_size(span: Span, what: str, value: object) -> Diagnostic:
    """A size that is not a positive integer."""
    return Diagnostic(
        "GEO0303", f"{what} must be a positive integer, and this is {value}.", span, f"{value}"
    )


def too_large(span: Span, message: str, label: str = "too large", *hints: str) -> Diagnostic:
    """A parameter, an array or an expression beyond the limits."""
    return Diagnostic("GEO0304", message, span, label, hints=hints)


def nested_too_deeply(span: Span) -> Diagnostic:
    """Functions that call functions, or expressions in them, beyond the limit."""
    return Diagnostic(
        "GEO0106",
        "With its functions written out, this is nested too deeply.",
        span,
        "too deep",
        hints=("name parts of it with `let`",),
    )


def scalar_needed(span: Span, what: str, shape: Shape) -> Diagnostic:
    """An array where one number is needed."""
    return Diagnostic("GEO0305", f"{what} must be a scalar, and this is {words(shape)}.", span)


def sizes_without_range(name: tree.Name, sizes: tree.List) -> Diagnostic:
    """A list where one size is wanted: a family whose range is missing."""
    ranged = f"{name.text}[0..{max(len(sizes.items) - 1, 0)}]"
    return Diagnostic(
        "GEO0305",
        f"The size `{name.text}` must be a scalar, and this is a list.",
        sizes.span,
        "one size is wanted",
        hints=(f"a family of sizes has a range: write `dim {ranged} = {printer.text(sizes)}`",),
    )


def no_velocity(span: Span) -> Diagnostic:
    """A velocity in a flow of order 1."""
    message = f"`{span.text}` is a velocity, and a flow of order 1 has none."
    note = "θ' = M⁻¹Jᵀa is then given by θ and the loss, so the state is θ alone"
    hint = "write `flow order 2`, or `.T` for a transpose"
    return Diagnostic("GEO0404", message, span, "no velocity here", notes=(note,), hints=(hint,))


def no_velocity_written_out(span: Span) -> Diagnostic:
    """A velocity in a system written out."""
    message = f"`{span.text}` is given by its `field`, and is no coordinate of its own."
    hint = "write what the field says in its place"
    note = "a system written out is of order 1: its state is what `param` declares"
    return Diagnostic("GEO0404", message, span, "no velocity here", notes=(note,), hints=(hint,))


def no_velocity_of_adaptive(span: Span) -> Diagnostic:
    """A velocity in an adaptive flow."""
    message = f"`{span.text}` is a velocity, and an adaptive flow has none among its coordinates."
    hint = "momentum is `flow order 2 damping …`"
    return Diagnostic("GEO0405", message, span, "no velocity here", hints=(hint,))


# ---------------------------------------------------------------- reach


def unsupported_function(name: tree.Name) -> Diagnostic:
    """A function of the language that is not supported yet."""
    return Diagnostic(
        "GEO0501",
        f"`{name.text}` is not supported in a model yet.",
        name.span,
        "not supported yet",
        notes=(
            "expressions are built from + - * / @, powers, sums, products, sqrt, norm, det and "
            "inv; laws may use exp and log, a network exp, log, tanh, relu and their like",
        ),
    )


def not_algebraic(operation: str, span: Span, place: str, in_map: bool) -> Diagnostic:
    """exp, relu and their like where only rational functions and roots are supported."""
    return Diagnostic(
        "GEO0501",
        f"`{operation}` is not supported in {place} yet.",
        span,
        "not a rational function",
        notes=("the count is made in exact arithmetic, which needs rational functions or roots",),
        hints=("of data, it may stand in a `network`: `input x[n]`",) if in_map else (),
    )


# ---------------------------------------------------------------- data


def input_out_of_place(name: str, span: Span, place: str) -> Diagnostic:
    """An input outside a network."""
    reason = {
        "a map": "what depends on data is a network",
        "a law": "a law is a function of the parameters, whatever the data",
    }
    because = next((why for words, why in reason.items() if place.startswith(words)), "")
    message = f"The input `{name}` cannot stand in {place}" + (f": {because}." if because else ".")
    hints = ("write `network` in place of `map`",) if place == "a map" else ()
    return Diagnostic("GEO0410", message, span, f"depends on `{name}`", hints=hints)


def network_without_data(name: str, span: Span, inputs: list[str]) -> Diagnostic:
    """A network that is a function of the parameters alone."""
    message = f"The network `{name}` uses no input: it is a function of the parameters alone."
    hint = f"write `map {name} = …`"
    hint += f", or use `{inputs[0]}`" if inputs else ", or declare the data with `input x[n]`"
    return Diagnostic("GEO0410", message, span, "no data", hints=(hint,))


def input_without_network(span: Span) -> Diagnostic:
    """`input` in a model with a map."""
    message = "An `input` belongs to a model with `network`, and this one has a map."
    hints = ("write `network` in place of `map`, or leave the input out",)
    return Diagnostic("GEO0410", message, span, "no network", hints=hints)


def token_index(node: tree.Name) -> Diagnostic:
    """`E[tokens]`."""
    message = f"An index is a constant integer, and `{node.text}` is data."
    hint = f"the rows that tokens choose are `embedding(E, {node.text})`"
    return wrong_kind(node.span, message, "depends on the data", hint)


def datum_index(node: tree.Name) -> Diagnostic:
    """`E[x]` with an input x of real numbers."""
    message = f"An index is a constant integer, and `{node.text}` is data."
    hint = f"declare tokens, `input {node.text}[T] below V`, and write `embedding(E, {node.text})`"
    return wrong_kind(node.span, message, "depends on the data", hint)


def no_tokens(node: tree.Call) -> Diagnostic:
    """`embedding(E, x)` of real numbers."""
    message = "The second argument of `embedding` is made of tokens: `input tokens[T] below V`."
    return wrong_arguments(node.span, message, "no tokens", "a product of matrices is `X @ E`")


def bad_exponent(span: Span, reason: str) -> Diagnostic:
    """An exponent outside what is supported."""
    return Diagnostic(
        "GEO0502",
        f"This exponent is not supported: {reason}.",
        span,
        "not a constant integer or half-integer up to 64",
        notes=(
            "fields are evaluated exactly modulo a prime, where whole powers and square roots have values",
        ),
    )


def division_by_zero(span: Span) -> Diagnostic:
    """A quotient by the constant 0."""
    note = "a law is judged at a generic point, and here no point has a value"
    return Diagnostic("GEO0503", "This divides by zero.", span, "zero", notes=(note,))


def number_too_large(span: Span, bits: int) -> Diagnostic:
    """A number beyond the limit."""
    note = "constants are exact rational numbers, kept with all their digits"
    message = f"This number has more than {bits} bits."
    return Diagnostic("GEO0504", message, span, "too large", notes=(note,))
