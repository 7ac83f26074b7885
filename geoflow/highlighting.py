"""Colours for `.geo` code, for Pygments: documentation, terminals, notebooks.

Words such as `laws` or `damping` are keywords only where the grammar asks for them. Inside brackets
no line begins a statement, unless it cannot be anything else, as in a text that is being written.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, include, words
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
    Whitespace,
)

from geoflow.semantics.signatures import FUNCTIONS
from geoflow.syntax.layout import STATEMENT_WORDS
from geoflow.syntax.messages import RESERVED

__all__ = ["GeoLexer"]

_NAME = r"[^\W\d]\w*"
_END = r"(?!\w)"
_LAST = r"(?=[ \t]*(?:#|$))"
# how statements begin: keywords, `#` for a number, and names that stand out, by their token
_HEADS = (
    ("model", Name.Class),
    ("def", Name.Function),
    ("flow", "order", "#", "damping"),
    ("flow", "order", "#"),
    ("expect", "laws", "of"),
    ("expect", "no", "laws"),
    *(("expect", word) for word in ("laws", "complete", "commuting", "depth")),
    *((word, Name.Builtin) for word in ("metric", "flow", "loss", "gates", "at", "search")),
    *((word,) for word in sorted(STATEMENT_WORDS)),
)
# words that are keywords later in some statements only
_WITHIN = {
    "flow": rf"accelerated{_LAST}",
    "decay": rf"(?:coupled|decoupled){_LAST}",
    "const": rf"symbolic{_END}(?!\s*=)",
    "input": rf"below{_END}(?=[ \t]*[\w(])",
    "expect": rf"(?:and|or|not){_END}",
    "sweep": rf"(?:and|or|not){_END}",
}


def _begins(head: tuple[Any, ...]) -> tuple[Any, ...]:
    """The rule for a beginning of a statement."""
    patterns: list[str] = [r"^([ \t]*)"]
    kinds: list[Any] = [Whitespace]
    for part in head:
        if len(kinds) > 1:
            patterns.append(r"([ \t]+)")
            kinds.append(Whitespace)
        word = part if isinstance(part, str) else _NAME
        patterns.append(r"([0-9]+)" if word == "#" else rf"({word}){_END}")
        kinds.append(Number if word == "#" else Keyword if word == part else part)
    state = head[0] if head[0] in _WITHIN else "statement"
    return ("".join(patterns), bygroups(*kinds), state)


def _starts_anew(*but: str) -> tuple[Any, ...]:
    """Leave a bracket or a statement before a line that can only be the next statement."""
    words_ = "|".join(sorted(STATEMENT_WORDS.difference(but)))
    joining = rf"(?:for|in|on|when|and|or){_END}"
    return (rf"(?=^[ \t]*(?:{words_}){_END}[ \t]+(?!{joining})[^\W\d])", Whitespace, "#pop")


def _within(word: str) -> list[Any]:
    """The rules inside a statement that has keywords of its own."""
    return [
        _starts_anew(),
        (r"\n", Whitespace, "#pop"),
        (r"[(\[{]", Punctuation, "condition" if word in ("expect", "sweep") else "bracket"),
        (rf"(?<![\w.]){_WITHIN[word]}", Keyword),
        include("expression"),
    ]


class GeoLexer(RegexLexer):
    """A lexer for the language of geoflow."""

    name = "geo"
    aliases: ClassVar = ["geo"]
    filenames: ClassVar = ["*.geo"]
    url = ""
    tokens: ClassVar = {
        "root": [
            (r"#.*", Comment.Single),
            *map(_begins, _HEADS),
            (r"\s+", Whitespace),
            (r"[(\[{]", Punctuation, "bracket"),
            include("expression"),
        ],
        "statement": [
            _starts_anew(),
            (r"\n", Whitespace, "#pop"),
            (r"\{", Punctuation, "braces"),
            (r"[(\[]", Punctuation, "bracket"),
            include("expression"),
        ],
        "bracket": [
            _starts_anew(),
            (r"[)\]}]", Punctuation, "#pop"),
            (r"[(\[{]", Punctuation, "#push"),
            include("expression"),
        ],
        "braces": [
            _starts_anew("loss"),
            (r"\}", Punctuation, "#pop"),
            (r"[(\[]", Punctuation, "bracket"),
            include("expression"),
        ],
        "condition": [
            _starts_anew(),
            (_WITHIN["expect"], Keyword),
            (r"[)\]}]", Punctuation, "#pop"),
            (r"[(\[{]", Punctuation, "#push"),
            include("expression"),
        ],
        "expression": [
            (r"#.*", Comment.Single),
            (r'"[^"\n]*"?', String),
            (rf"t{_END}", Name.Builtin.Pseudo),
            (words(sorted(RESERVED - {"t"}), suffix=_END), Keyword),
            (words(sorted(FUNCTIONS), suffix=r"(?=\s*\()"), Name.Builtin),
            (rf"{_NAME}(?=\s*\()", Name.Function),
            (_NAME, Name),
            (rf"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?{_END}", Number),
            (rf"\.T{_END}", Operator),
            (r"\*\*|->|\.\.|[<>=!]=|[-+*/@=<>']", Operator),
            (r"[()\[\]{},;:]", Punctuation),
            (r"\s+", Whitespace),
            (r".", Text),
        ],
        **{word: _within(word) for word in _WITHIN},
    }
