"""Words of `.geo` code and what they are, for highlighters. Those that begin statements are read from the grammar."""

from __future__ import annotations

import re
from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from geoflow.syntax.grammar import grammar_text

__all__ = ["GeoLexer"]

_RULES = re.finditer(r'^\w+: "([a-z]+)"', grammar_text(), re.M)
_STATEMENTS = sorted({rule[1] for rule in _RULES} - {"chain"})
_WITHIN = [
    *("in", "on", "when", "for", "and", "or", "not", "of", "no", "order", "damping", "laws"),
    *("complete", "commuting", "depth", "coupled", "decoupled", "accelerated", "symbolic"),
]


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
                rf"^([ \t]*)({words(_STATEMENTS, suffix=chr(92) + 'b').get()})",
                bygroups(Text, Keyword),
            ),
            (words(_WITHIN, prefix=r"(?<![\w.])", suffix=r"\b(?!\s*[=(\[])"), Keyword.Type),
            (r"\d+(\.\d+)?(e[+-]?\d+)?", Number),
            (r"[^\W\d]\w*(?=\()", Name.Function),
            (r"[^\W\d]\w*", Name),
            (r"\*\*|->|\.\.|[-+*/@=<>!|']", Operator),
            (r"[()\[\]{},;:.]", Punctuation),
            (r"\s+", Text),
            (r".", Text),
        ]
    }
