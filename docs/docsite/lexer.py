"""Colours for `.geo` code. The words that begin statements are read from the grammar."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import ClassVar

from pygments.lexer import RegexLexer, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

_GRAMMAR = (files("geoflow.grammar") / "geo.lark").read_text(encoding="utf-8")
_STATEMENTS = sorted({m[1] for m in re.finditer(r'^\w+: "([a-z]+)"', _GRAMMAR, re.M)} - {"chain"})
_WITHIN = ("in", "on", "when", "for", "and", "or", "not", "order", "damping", "laws", "no", "of")
_WORDS = (*_WITHIN, "complete", "commuting", "depth", "coupled", "decoupled", "accelerated")
_WORDS = (*_WORDS, "symbolic")


class GeoLexer(RegexLexer):
    """A lexer for the language of geoflow."""

    name = "geo"
    aliases: ClassVar = ["geo"]
    filenames: ClassVar = ["*.geo"]
    tokens: ClassVar = {
        "root": [
            (r"#.*", Comment.Single),
            (r'"[^"\n]*"', String),
            (
                r"^([ \t]*)(" + words(_STATEMENTS, suffix=r"\b").get() + ")",
                lambda _, m, c=None: iter(
                    [(m.start(1), Text, m[1]), (m.start(2), Keyword, m[2])]
                ),
            ),
            (words(_WORDS, prefix=r"(?<![\w.])", suffix=r"\b(?!\s*[=(\[])"), Keyword.Type),
            (r"\d+(\.\d+)?(e[+-]?\d+)?", Number),
            (r"[^\W\d]\w*(?=\()", Name.Function),
            (r"[^\W\d]\w*", Name),
            (r"\*\*|->|\.\.|[-+*/@=<>!|']", Operator),
            (r"[()\[\]{},;:.]", Punctuation),
            (r"\s+", Text),
            (r".", Text),
        ]
    }
