"""Recognizes what people write by habit from Python, NumPy, C or paper, and says what to write here.

Each recognizer looks at one place where the grammar could not go on. It answers only where what was
meant is clear from the text; everything else is told by what the grammar expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from geoflow.diagnostics import Diagnostic, Fix, Span
from geoflow.syntax import messages
from geoflow.syntax.foreign import instead, is_layer, ours

_LONGEST_SHOWN = 60
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWER = re.compile(r"(?<![⁰¹²³⁴⁵⁶⁷⁸⁹])[⁰¹²³⁴⁵⁶⁷⁸⁹]+$")
_NAMED = ("law", "map", "network", "let")
_EXAMPLES = {"law": "h", "map": "phi", "network": "g", "let": "a"}
_MODULES = frozenset(("np", "jnp", "numpy", "jax", "torch", "math", "scipy", "sympy", "sp", "tf"))
_OF_LAYERS = frozenset(("nn", "F", "eqx"))  # modules for their layers; F may be a matrix
_TRANSPOSES = frozenset(("t", "transpose", "mT", "mt", "H", "adjoint"))
_COMPARED = frozenset((">", "<", ">=", "<=", "!="))
_PRODUCTS = frozenset(("dot", "matmul", "mm"))
_OPERAND = re.compile(r"(?:(?<![\w.])[^\W\d]\w*(?:\[[^\[\]]*\])*|\([^()]*\))(?:\.T|')*$")
_CALLED = re.compile(r"\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)")


@dataclass(frozen=True)
class Failure:
    """Where a statement could not be parsed further, and what the grammar would have taken."""

    statement: Span
    here: Span
    expected: frozenset[str]

    @property
    def word(self) -> str:
        """The word that the statement begins with."""
        word = re.match(r"\w*", self.statement.text)
        return word.group() if word else ""

    @property
    def rest(self) -> str:
        """The statement after its first word."""
        return self.statement.text.removeprefix(self.word).strip()

    @property
    def before(self) -> str:
        """The statement up to the place."""
        return self.here.source.text[self.statement.start : self.here.start]

    @property
    def after(self) -> str:
        """The statement after the place."""
        return self.here.source.text[self.here.end : self.statement.end]

    def wider(self, left: int, right: int) -> Span:
        """The place with some characters more on each side."""
        return Span(self.here.source, self.here.start - left, self.here.end + right)


@dataclass(frozen=True)
class _Advice:
    """What to write instead of the text marked."""

    hint: str
    span: Span
    replacement: str | None = None


def missing_name(failure: Failure) -> Diagnostic | None:
    """What is wrong with `law U.T @ U`, wherever in the expression the grammar gave up."""
    return _nameless(failure) if _has_no_name(failure) else None


def recognize(failure: Failure) -> Diagnostic | None:
    """What is wrong and what to write, if the mistake is a known one."""
    for recognizer in _RECOGNIZERS:
        advice = recognizer(failure)
        if advice is not None:
            expected = ("EQUAL",) if advice.replacement == "=" else failure.expected
            told = messages.unexpected_text(advice.span, expected)
            fix = None if advice.replacement is None else Fix(advice.span, advice.replacement)
            return replace(told, hints=(advice.hint,), fix=fix)
    return None


def without_superscript(name: str) -> str | None:
    """`V.T` for `Vᵀ`, `x**2` for `x²`; None where the name ends with neither."""
    base = name.removesuffix("ᵀ")
    if base != name:
        return f"{base}.T"
    power = _POWER.search(name)
    return f"{name[: power.start()]}**{_digits(power.group())}" if power else None


def attribute_hint(before: str, attribute: str, after: str) -> str | None:
    """What to write for `np.sum(U)`, `U.sum()` or `U.t`."""
    operand_found = _OPERAND.search(before)
    operand = operand_found.group() if operand_found else "x"
    call = _CALLED.match(after)
    arguments = call.group(1).strip() if call else ""
    if operand in _MODULES | _OF_LAYERS and (known := instead(attribute)) is not None:
        return known
    if operand in _MODULES or (operand in _OF_LAYERS and is_layer(attribute)):
        return _from_module(attribute, after)
    if attribute in _TRANSPOSES:
        return f"write `{operand}.T`"
    if attribute in _PRODUCTS:
        return f"write `{operand} @ {arguments or '…'}`"
    if call is None:
        return None
    if operand.startswith("(") and operand.endswith(")"):
        operand = operand[1:-1]
    return _short(f"{attribute}({operand}{', ' if arguments else ''}{arguments})")


def _from_module(attribute: str, after: str) -> str:
    path = re.match(r"(?:\.\w+)*", after)
    rest = path.group() if path else ""
    written = (attribute + rest).rpartition(".")[2]
    name = ours(written) or written
    call = _CALLED.match(after, len(rest))
    arguments = call.group(1).strip() if call else "…"
    again = _CALLED.match(after, call.end()) if call and not arguments else None
    if again is not None:  # nn.ReLU()(x)
        arguments = again.group(1).strip()
    arguments = re.sub(r"\bdim(?=\s*=)", "axis", arguments)
    if name in _TRANSPOSES:
        return _short(f"{arguments}.T") if arguments.isidentifier() else "a transpose is `x.T`"
    if name in _PRODUCTS:
        return _short(" @ ".join(part.strip() for part in arguments.split(",")))
    return _short(f"{name}({arguments})" if call else name)


def _short(text: str) -> str:
    return f"write `{text}`" if len(text) <= _LONGEST_SHOWN else "write it as in `sum(x, axis=0)`"


def _digits(superscript: str) -> str:
    return superscript.translate(_SUPERSCRIPTS)


# ---------------------------------------------------------------- names and equations


def _has_no_name(failure: Failure) -> bool:
    rest = failure.rest
    if failure.word not in _NAMED or not rest or not failure.before.strip():
        return False
    if re.match(r"[^\W\d]\w*\s*([:=]|$|[\s#]\s*[\w(\[])", rest):
        return False
    left, _, right = _sides(rest)
    zero = failure.word == "law" and right == "0"
    return not (left and right) or zero or not re.match(r"[^\W\d]\w*\s*[(\[]", left)


def _nameless(failure: Failure) -> Diagnostic:
    name = _EXAMPLES[failure.word]
    left, _, right = _sides(failure.rest.lstrip(":= "))
    value = left if right in ("", "0") else _difference(left, right)
    text = f"{failure.word} {name} = {value}"
    if "\n" in text or "#" in text or len(text) > _LONGEST_SHOWN:
        text = f"{failure.word} {name} = …"
    span = failure.statement
    rest = Span(span.source, span.end - len(failure.rest), span.end)
    return messages.needs_a_name(rest, failure.word, text)


def _sides(text: str) -> tuple[str, str, str]:
    """The two sides of the first equals sign outside brackets."""
    depth = 0
    for mark in re.finditer(r"[()\[\]{}]|(?<![<>!])==?", text):
        if mark.group()[0] == "=" and not depth:
            return text[: mark.start()].strip(), mark.group(), text[mark.end() :].strip()
        depth += (mark.group() in "([{") - (mark.group() in ")]}")
    return text, "", ""


def _difference(left: str, right: str) -> str:
    return f"{left} - ({right})" if re.search("[+-]", right) else f"{left} - {right}"


def _colon(failure: Failure) -> _Advice | None:
    here, colon = failure.here, failure.here.text == ":"
    if not colon or failure.word not in _NAMED or "EQUAL" not in failure.expected:
        return None
    span = failure.wider(0, 1) if failure.after.startswith("=") else here
    value = failure.after.removeprefix("=").strip()
    text = f"{failure.before.strip()} = {value}"
    shown = text if len(text) <= _LONGEST_SHOWN and "\n" not in text else "law h = …"
    return _Advice(f"write `{shown}`", span, " =")


def _python_function(failure: Failure) -> _Advice | None:
    if failure.word != "def" or failure.here.text != ":" or "EQUAL" not in failure.expected:
        return None
    return _Advice("a definition is one line: `def f(x) = 2*x`", failure.here)


def _condition(failure: Failure) -> _Advice | None:
    """`where(x > 0, a, b)`."""
    if failure.here.text not in _COMPARED or failure.word not in (*_NAMED, "def"):
        return None
    hint = "there are no truth values here; write `relu(x)`, `abs(x)`, `maximum(a, b)` or `minimum(a, b)`"
    return _Advice(hint, failure.here)


def _doubled_equal(failure: Failure) -> _Advice | None:
    if failure.here.text == "=" and failure.before.endswith("="):
        return _Advice("write one `=`", failure.wider(1, 0), "=")
    if failure.here.text == "==" and "EQUAL" in failure.expected:
        return _Advice("write one `=`", failure.here, "=")
    return None


def _equation(failure: Failure) -> _Advice | None:
    if failure.word != "law" or failure.here.text not in ("=", "=="):
        return None
    right = failure.after.strip()
    if right == "0":
        span = failure.wider(0, len(failure.after))
        hint = f"drop `{span.text}`: a law is conserved, whatever its value"
        return _Advice(hint, span, "")
    text = _difference(failure.before.strip(), right)
    shown = text if len(text) <= _LONGEST_SHOWN and "\n" not in text else "law h = left - (right)"
    return _Advice(f"a law is one expression: write `{shown}`", failure.here)


# ---------------------------------------------------------------- separators and lines


def _semicolon(failure: Failure) -> _Advice | None:
    if failure.here.text != ";" or failure.word in ("verify", "at"):
        return None
    if not failure.after.strip("; \t"):
        return _Advice("no semicolon is needed at the end of a line", failure.here, "")
    return _Advice("write each statement on a line of its own", failure.here)


def _slashes(failure: Failure) -> _Advice | None:
    if failure.here.text != "/":
        return None
    left = failure.before.endswith("/")
    if not left and not failure.after.startswith("/"):
        return None
    span = failure.wider(1, 0) if left else failure.wider(0, 1)
    return _Advice("a comment begins with `#`, a quotient is written `/`", span)


def _next_line(failure: Failure) -> _Advice | None:
    text = failure.here.text
    begins = not failure.before and text[:1] in tuple("@+-*/.=<>")
    backslash = text == "\\" and not failure.after.split("\n")[0].strip()
    ends = text == "" and failure.before.rstrip().endswith(("@", "+", "-", "*", "/"))
    if begins or backslash or ends:
        hint = "to go on on the next line, put the expression in brackets"
        return _Advice(hint, failure.here)
    return None


# ---------------------------------------------------------------- shapes, ranges, products


def _round_shape(failure: Failure) -> _Advice | None:
    if failure.here.text != "(" or failure.word not in ("param", "input", "control"):
        return None
    name = re.search(r"(?<!\w)[^\W\d]\w*(?:\[[^\[\]]*\])?\s*$", failure.before)
    sizes = _CALLED.match("(" + failure.after)
    if name is None or sizes is None:
        return None
    shape = ", ".join(size.strip() for size in sizes.group(1).split(",") if size.strip())
    text = f"{name.group().strip()}[{shape}]"
    hint = f"a shape is in square brackets: `{failure.word} {text}`"
    return _Advice(hint, failure.here)


def _tokens(failure: Failure) -> _Advice | None:
    """`input k[T] < V`, `input k[T] in 0..V-1`."""
    text = failure.here.text
    if failure.word != "input" or text not in ("<", "<=", "in", ":") or not failure.before.strip():
        return None
    declared = failure.before.rpartition(",")[2] if "]" not in failure.before else failure.before
    declared = declared.removeprefix("input").strip()
    bound = failure.after.strip() if text == "<" else ""
    return _Advice(_short(f"input {declared} below {bound or 'V'}"), failure.here)


def _python_range(failure: Failure) -> _Advice | None:
    called = re.search(r"\bin\s+(range\s*\(([^()]*)\))\s*$", failure.before)
    if called is None:
        return None
    bounds = [bound.strip() for bound in called.group(2).split(",")]
    first, end = ("0", bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
    if len(bounds) > 2 or not re.fullmatch(r"[^\W\d]\w*|[1-9][0-9]{0,8}", end):
        return _Advice("a range is written `0..2` or `1..3`, both ends included", failure.here)
    last = str(int(end) - 1) if end.isdecimal() else f"{end}-1"
    start = failure.statement.start
    span = Span(failure.here.source, start + called.start(1), start + called.end(1))
    hint = f"a range is written `{first}..{last}`, both ends included"
    return _Advice(hint, span, f"{first}..{last}")


def _flow(failure: Failure) -> _Advice | None:
    if failure.word != "flow" or "damping" in failure.statement.text or not failure.here.text:
        return None
    said = failure.before + failure.here.text
    if re.search(r"momentum|nesterov|heavy", said, re.IGNORECASE):
        return _Advice("momentum is written `flow order 2 damping …`", failure.here)
    return _Advice("write `flow order 1` or `flow order 2 damping …`", failure.here)


def _superscript(failure: Failure) -> _Advice | None:
    text = failure.here.text
    if not text or not failure.before.strip():
        return None
    written = without_superscript(text)
    if written is None or not written.startswith((".T", "**")):
        return None
    return _Advice(f"write `{written}`", failure.here, written)


def _missing_operator(failure: Failure) -> _Advice | None:
    text = failure.here.text
    values = (*_NAMED, "def", "field", "dim", "const")
    if failure.word not in values or "MULTIPLICATIVE" not in failure.expected:
        return None
    if text in messages.RESERVED - {"t"} or not re.match(r"[\w(\[]", text):
        return None
    if text[0].isdigit() and re.match(r"[\w.]", failure.after):
        return None
    return _Advice("an operator such as `@` or `*` is missing", failure.here)


_RECOGNIZERS: tuple[Callable[[Failure], _Advice | None], ...] = (
    _colon,
    _python_function,
    _doubled_equal,
    _equation,
    _semicolon,
    _slashes,
    _next_line,
    _round_shape,
    _tokens,
    _python_range,
    _flow,
    _superscript,
    _condition,
    _missing_operator,
)
