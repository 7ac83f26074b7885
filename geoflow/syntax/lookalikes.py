"""Warns of a text that reads otherwise than it is: characters that are not seen, and names that look like others.

A comment may hold characters that turn the direction of a line, or that a terminal takes for commands; a name may hold
a Cyrillic letter that looks like a Latin one. The text means what its characters say, and the reader is told of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

from geoflow.diagnostics import Diagnostic, Related, Source, Span

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NAME = re.compile(r"#[^\n]*|\"[^\"\n]*\"?|(?P<name>[^\W\d]\w*)")
# letters of other scripts that look like Latin ones
_LATIN = str.maketrans(
    "аеорсухіѕјһԁԛԝɡ" "АВЕЅЗІЈКМНОРСТУХ" "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" "оοօ" "աոս" "ӏǀ",
    "aeopcyxisjhdqwg" "ABES3IJKMHOPCTYX" "ABEZHIKMNOPTYX" "ooo" "wnu" "ll",
)  # fmt: skip


def lookalikes(source: Source, words: Collection[str] = ()) -> Iterator[Diagnostic]:
    """The warnings about a text: one of hidden characters, one for each name that looks like another name of the text,
    or like one of `words`."""
    if source.text.isascii() and source.text.isprintable():
        return
    hidden = list(_HIDDEN.finditer(source.text))
    if hidden:
        yield _hidden(Span(source, hidden[0].start(), hidden[0].end()), len(hidden) - 1)
    if not source.text.isascii():
        yield from _names(source, words)


def _hidden(span: Span, more: int) -> Diagnostic:
    turns = span.text in _TURNING
    what = "turns the direction in which the line is shown" if turns else "is not seen"
    notes = (f"there are {more} more such characters",) if more else ()
    return Diagnostic(
        "GEO0112",
        f"The character {_called(span.text)} {what}.",
        span,
        "here",
        notes=notes,
        hints=("take it out, so that the text reads as it is",),
        severity="warning",
    )


def _names(source: Source, words: Collection[str]) -> Iterator[Diagnostic]:
    by_look: dict[str, dict[str, Span | None]] = {word: {word: None} for word in words}
    for match in _NAME.finditer(source.text):
        name = match["name"]
        if name is None:
            continue
        known = by_look.setdefault(skeleton(name), {})
        if name in known:
            continue
        span = Span(source, *match.span("name"))
        if known:
            yield _alike(span, *next(iter(known.items())))
        known[name] = span


def skeleton(name: str) -> str:
    """What a name looks like: the same for names that cannot be told apart."""
    return name if name.isascii() else unicodedata.normalize("NFKC", name).translate(_LATIN)


def _alike(span: Span, other: str, place: Span | None) -> Diagnostic:
    odd = span.text if not span.text.isascii() else other
    letters = dict.fromkeys(c for c in odd if not c.isascii())
    return Diagnostic(
        "GEO0112",
        f"The name `{span.text}` looks like `{other}`, and is another.",
        span,
        "another name",
        related=() if place is None else (Related(place, "looks the same"),),
        notes=(f"`{odd}` is written with {', '.join(map(_called, letters))}",),
        hints=("write both with the letters of one script",),
        severity="warning",
    )


def _called(character: str) -> str:
    name = unicodedata.name(character, "a control character")
    return f"U+{ord(character):04X} ({name})"
