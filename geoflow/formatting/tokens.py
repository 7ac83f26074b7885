"""The words of a statement, each with the comments written at it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from geoflow.diagnostics import Span

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>"[^"\n]*")
      | (?P<number>[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?(?!\w))
      | (?P<name>[^\W\d]\w*)
      | (?P<transpose>\.T(?!\w))
      | (?P<operator>\*\*|->|\.\.|<=|>=|==|!=|[-+*/@<>=])
      | (?P<mark>[()\[\]{},;:'])
      | (?P<newline>\n)
      | (?P<blank>[ \t\r\f]+)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A word, where it starts, the comments on lines of their own before it, and the one that ends
    its line.
    """

    kind: str
    text: str
    start: int
    before: tuple[str, ...] = ()
    after: str | None = None

    @property
    def commented(self) -> bool:
        """Whether a comment stands at it."""
        return bool(self.before) or self.after is not None


def tokens(span: Span) -> tuple[Token, ...]:
    """The words of a statement that the grammar accepts."""
    found: list[Token] = []
    pending: list[str] = []
    fresh = False  # whether a line has begun since the last word
    for match in _TOKEN.finditer(span.source.text, span.start, span.end):
        match match.lastgroup:
            case "comment":
                text = comment(match.group())
                if fresh or not found:
                    pending.append(text)
                else:
                    found[-1] = replace(found[-1], after=text)
            case "newline":
                fresh = True
            case "blank":
                pass
            case kind:
                token = Token(kind or "", match.group(), match.start(), tuple(pending))
                found.append(token)
                pending, fresh = [], False
    return tuple(found)


def comment(text: str) -> str:
    """A comment with one blank after its mark, and none at its end."""
    text = text.rstrip()
    return text if len(text) < 2 or text[1] in "#! " else f"# {text[1:].lstrip()}"


def without(tokens: Sequence[Token], dropped: frozenset[int]) -> tuple[Token, ...]:
    """The tokens without some, whose comments go to their neighbours."""
    kept: list[Token] = []
    pending: tuple[str, ...] = ()
    for index, token in enumerate(tokens):
        if index not in dropped:
            kept.append(replace(token, before=(*pending, *token.before)))
            pending = ()
            continue
        pending = (*pending, *token.before)
        if token.after is None:
            continue
        if kept and kept[-1].after is None and not pending:
            kept[-1] = replace(kept[-1], after=token.after)
        else:
            pending = (*pending, token.after)
    return tuple(kept)
