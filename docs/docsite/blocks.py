"""The fenced code blocks of a page, with the mark that an HTML comment above a block gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(
    r"^(?:<!-- *(?P<mark>[^\n]*?) *-->\n+)?```(?P<kind>\w+)\n(?P<body>.*?)^```$\n?", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fenced block: the line of its first line of code, its language, mark and text, and where it
    stands in the page, mark and fences included."""

    line: int
    kind: str
    mark: str
    body: str
    start: int
    end: int

    def marked(self, word: str) -> str | None:
        """What follows `word:` in the mark; None for another mark."""
        name, colon, rest = self.mark.partition(":")
        return rest.strip() if name.strip() == word and (colon or not rest) else None


def blocks(text: str, kind: str) -> tuple[Block, ...]:
    """The fenced blocks of a kind."""
    return tuple(
        Block(
            text.count("\n", 0, m.start("body")) + 1,
            m["kind"],
            m["mark"] or "",
            m["body"],
            m.start(),
            m.end(),
        )
        for m in _FENCE.finditer(text)
        if m["kind"] == kind
    )
