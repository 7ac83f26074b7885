"""Formulas, source text and drawings as pieces of a page. Every text is made visible and escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markupsafe import Markup, escape

from geoflow.exhibits import Math
from geoflow.report.visible import visible

_EMPTY = {"\u2061", "\u2062"}  # applied function, invisible times: said, not seen
_SVG_ID = re.compile(r'(?<= id=")([^"]+)(?=")')
_SVG_REFERENCE = re.compile(r"(?<=url\(#)([^)]+)(?=\))|(?<=href=\"#)([^\"]+)(?=\")")


def shown(text: str) -> Markup:
    """A text, escaped, with hidden characters as escapes; letters of any script, each run by itself."""
    return escape("\n".join(visible(line) for line in text.split("\n")))


def formula(math: Math, text: str, display: bool = False) -> Markup:
    """A `math` element; `text` is what is copied."""
    block = Markup(' display="block"') if display else Markup("")
    body, note = _part(math), shown(text)
    annotated = Markup('<semantics>{}<annotation encoding="text/plain">{}</annotation></semantics>')
    inner = annotated.format(body, note) if text else body
    return Markup("<math{}>{}</math>").format(block, inner)


def _part(math: Math) -> Markup:
    if isinstance(math.content, tuple):
        inner = Markup("").join(_part(part) for part in math.content)
    else:
        inner = math.content if math.content in _EMPTY else shown(math.content)
    if math.tag == "upright":
        return Markup('<mi mathvariant="normal">{}</mi>').format(inner)
    return Markup(f"<{math.tag}>{{}}</{math.tag}>").format(inner)


def code_lines(words: Iterable[tuple[str, str]]) -> Iterator[Markup]:
    """A source text line by line, each word in a span of its kind."""
    line = Markup("")
    for kind, piece in words:
        for number, part in enumerate(piece.split("\n")):
            if number:
                yield line
                line = Markup("")
            line += _word(kind, part.rstrip("\r"))
    if line:
        yield line


def _word(kind: str, text: str) -> Markup:
    if not text:
        return Markup("")
    plain = shown(text.expandtabs(4))
    safe = re.sub(r"\W", "", kind)
    return Markup('<span class="{}">{}</span>').format(safe, plain) if safe else plain


def own_ids(svg: str, prefix: str) -> str:
    """The drawing with identifiers that no other drawing of the page has."""
    svg = _SVG_ID.sub(lambda m: f"{prefix}-{m[0]}", svg)
    return _SVG_REFERENCE.sub(lambda m: f"{prefix}-{m[0]}", svg)
