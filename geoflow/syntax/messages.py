"""What is wrong with a text (GEO01xx, GEO0205), one constructor a mistake: they take meaning and
hold the prose.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from geoflow.diagnostics import Diagnostic, Fix, Related, Span
from geoflow.syntax.foreign import statement_instead

RESERVED = frozenset(("t", "in", "on", "when", "for", "chain"))

# What the grammar's terminals are called when one was expected.
_TERMINALS = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": 'a string such as "layers.geo"',
    "TIME": "",
    "ADDITIVE": "`+` or `-`",
    "MULTIPLICATIVE": "`*`, `/` or `@`",
    "POWER": "`**`",
    "TRANSPOSE": "`.T`",
    "COMPARISON": "a comparison such as `>`",
    "PROPERTY": "`complete` or `commuting`",
    "COUPLING": "`coupled` or `decoupled`",
    "ACCELERATED": "`accelerated`",
    "EQUAL": "`=`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "SEMICOLON": "`;`",
    "QUOTE": "`'`",
    "$END": "the end of the statement",
    "__ANON_0": "`..`",
    "__ANON_1": "`->`",
}
_EXPRESSION_START = frozenset(("NAME", "NUMBER", "TIME", "LPAR", "LSQB", "CHAIN"))
_CONTINUATION = frozenset(
    ("ADDITIVE", "MULTIPLICATIVE", "POWER", "TRANSPOSE", "QUOTE", "LSQB", "LPAR", "COMPARISON")
)


def _expected_words(expected: Iterable[str]) -> tuple[str, ...]:
    """The expected terminals in the user's words; operators only where nothing else follows."""
    names = set(expected)
    words: list[str] = []
    if names >= _EXPRESSION_START:
        words.append("an expression")
        names -= _EXPRESSION_START | {"ADDITIVE", "STRING"}
    else:
        names = names - _CONTINUATION or names
    words += sorted(_TERMINALS.get(name, f"`{name.lower()}`") for name in names)
    return tuple(word for word in words if word)


def _one_of(words: tuple[str, ...]) -> str:
    if len(words) <= 1:
        return "".join(words)
    return ", ".join(words[:-1]) + " or " + words[-1]


def unexpected_text(span: Span, expected: Iterable[str]) -> Diagnostic:
    """A token that cannot stand where it stands; an empty span is the end of the statement."""
    words = _expected_words(expected)
    wanted = f"; expected {_one_of(words)}" if 0 < len(words) <= 6 else ""
    if not span.text:
        return Diagnostic("GEO0101", f"The statement is not complete{wanted}.", span, "ends here")
    comparing = span.text == "=" and "COMPARISON" in set(expected)
    hints = ("a comparison is written `==`",) if comparing else ()
    message = f"Unexpected `{span.text}`{wanted}."
    return Diagnostic("GEO0101", message, span, "not expected here", hints=hints)


_CHARACTER_HINTS = {
    "^": "a power is written `**`, a transpose `.T`",
    "!": "a negation is written `not`",
    "&": "write `and`",
    "|": "write `or`; a norm is `norm(x)`",
    "·": "write `*` or `@`",
    "×": "write `*` or `@`",
    "−": "write `-`",
    "“": 'write `"`',
    "”": 'write `"`',
    "≥": "write `>=`",
    "≤": "write `<=`",
    "⁻": "write `**(-1)`, or `inv(A)` for a matrix",
    "%": "comments begin with `#`",
}


def unexpected_character(span: Span) -> Diagnostic:
    """A character that the language does not have."""
    character = span.text
    shown = f"`{character}`"
    if not character.isprintable() or character.isspace() or unicodedata.combining(character):
        name = unicodedata.name(character, "control character").lower()
        shown = f"character U+{ord(character):04X} ({name})"
    hint = _CHARACTER_HINTS.get(character)
    return Diagnostic(
        "GEO0101",
        f"Unexpected {shown}.",
        span,
        label="not part of the language",
        hints=(hint,) if hint else (),
    )


_WHAT_IS_NAMED = {"law": "law", "map": "map", "network": "network", "let": "`let`"}


def needs_a_name(rest: Span, word: str, written: str) -> Diagnostic:
    """`law U.T @ U`: an expression where the name should be."""
    return Diagnostic(
        "GEO0101",
        f"A {_WHAT_IS_NAMED[word]} needs a name.",
        rest,
        label="no name before the expression",
        hints=(f"write `{written}`",),
    )


def unknown_attribute(span: Span, hint: str | None) -> Diagnostic:
    """Something other than `.T` after a point."""
    return Diagnostic(
        "GEO0101",
        f"`{span.text}` is not known; the only attribute is `.T`.",
        span,
        label="not an attribute",
        hints=(hint or "functions are called as in `sum(x, axis=0)`",),
    )


def unclosed_string(span: Span) -> Diagnostic:
    """A double quote without its partner on the line."""
    return Diagnostic("GEO0101", "This string is not closed.", span, label="opened here")


def not_a_statement(word: Span, near: str | None, assigned: bool) -> Diagnostic:
    """A line that begins with no statement word."""
    hints: tuple[str, ...] = ()
    fix = None
    known = statement_instead(word.text)
    if known is not None:
        hints = (known,)
    elif near is not None:
        hints, fix = (f"did you mean `{near}`?",), Fix(word, near)
    elif assigned:
        hints = (f"write `let {word.text} = …` to give an expression a name",)
    return Diagnostic(
        "GEO0101",
        f"`{word.text}` does not begin a statement.",
        word,
        label="expected a statement such as `param`, `map`, `law`",
        hints=hints,
        fix=fix,
    )


def reserved_name(span: Span) -> Diagnostic:
    """A keyword where a name is wanted."""
    what = "the time" if span.text == "t" else "a word of the language"
    return Diagnostic(
        "GEO0205",
        f"`{span.text}` is reserved: it is {what}.",
        span,
        label="not free to be a name",
        hints=(f"choose another name, such as `{span.text}0`",),
    )


def unseparated_settings(span: Span) -> Diagnostic:
    """Two settings of `verify` on one line without a semicolon."""
    return Diagnostic(
        "GEO0101",
        f"Unexpected `{span.text}`; settings are separated by `;` or a new line.",
        span,
        label="a new setting",
        hints=(f"write `; {span.text}`",),
    )


def bad_sign(span: Span) -> Diagnostic:
    """A bound of a parameter that is neither `> 0` nor `>= 0`."""
    return Diagnostic(
        "GEO0101",
        f"Unexpected `{span.text}`; a parameter can be declared `> 0` or `>= 0`.",
        span,
        label="not a sign",
    )


def malformed_number(span: Span) -> Diagnostic:
    """Digits that do not form a number."""
    text = span.text
    hint = "numbers look like 2, 0.5 or 1e-6"
    if text.startswith("."):
        hint = f"write `0{text}`"
    elif text.endswith("."):
        hint = f"write `{text[:-1]}` or `{text}0`"
    elif text[0].isdigit() and any(c.isalpha() for c in text) and "." not in text:
        digits = text[: next(i for i, c in enumerate(text) if not c.isdigit())]
        rest = text[len(digits) :]
        if rest.isidentifier() and not rest.startswith("_") and digits != "0":
            hint = f"write `{digits}*{rest}` for a product"
    return Diagnostic(
        "GEO0107", f"`{text}` is not a number.", span, label="malformed number", hints=(hint,)
    )


def unclosed_bracket(opener: Span, closer: str) -> Diagnostic:
    """A bracket that is never closed."""
    return Diagnostic(
        "GEO0102",
        f"`{opener.text}` is never closed.",
        opener,
        label=f"its `{closer}` is missing",
    )


def unmatched_bracket(closer: Span) -> Diagnostic:
    """A closing bracket that closes nothing."""
    return Diagnostic(
        "GEO0102", f"`{closer.text}` closes nothing.", closer, label="no open bracket"
    )


def crossed_bracket(closer: Span, opener: Span, wanted: str) -> Diagnostic:
    """`(` closed by `]`."""
    return Diagnostic(
        "GEO0102",
        f"`{closer.text}` cannot close `{opener.text}`.",
        closer,
        label=f"`{wanted}` is needed first",
        related=(Related(opener, "opened here"),),
    )


def nested_too_deeply(span: Span, limit: int) -> Diagnostic:
    """An expression inside an expression inside … beyond the limit."""
    return Diagnostic(
        "GEO0106",
        f"This is nested more than {limit} deep.",
        span,
        label=f"level {limit + 1}",
        hints=("name parts of it with `let`",),
    )


def chain_too_long(span: Span, limit: int) -> Diagnostic:
    """`a + a + a + …` beyond the limit."""
    return Diagnostic(
        "GEO0106",
        f"This is a chain of more than {limit} operations.",
        span,
        label="too long",
        hints=("name parts of it with `let`, or sum a list: `sum([… for i in 1..100], axis=0)`",),
    )


def statement_too_long(span: Span, limit: int) -> Diagnostic:
    """A statement beyond the size limit."""
    return Diagnostic(
        "GEO0108",
        f"This statement is longer than {limit:,} characters.",
        span,
        "too long",
        hints=("split it with `let`",),
    )


def cannot_read(name: str, reason: str) -> Diagnostic:
    """A file that is missing, a folder, or not readable."""
    return Diagnostic("GEO0103", f"`{name}` cannot be read: {reason}.")


def empty_folder(name: str) -> Diagnostic:
    """A folder in which there is nothing to read."""
    return Diagnostic("GEO0103", f"The folder `{name}` holds no `.geo` file.")


def not_text(name: str, offset: int | None) -> Diagnostic:
    """A file that is not UTF-8."""
    where = "" if offset is None else f" (byte {offset})"
    return Diagnostic("GEO0104", f"`{name}` is not a UTF-8 text{where}.")


def too_long(name: str, limit: int) -> Diagnostic:
    """A file beyond the size limit."""
    return Diagnostic("GEO0108", f"`{name}` is longer than {limit:,} bytes.")
