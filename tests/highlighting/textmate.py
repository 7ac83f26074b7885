"""What an editor makes of a TextMate grammar: a small interpreter of the parts that ours uses."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Rule = Mapping[str, Any]
Scopes = tuple[str, ...]


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@dataclass(frozen=True)
class Grammar:
    """A grammar as its JSON says it."""

    data: Rule

    def tokens(self, text: str) -> Iterator[tuple[int, str, Scopes]]:
        """The pieces of a text, each with where it starts and the scopes it has."""
        stack: list[Rule] = [self.data]
        offset = 0
        for line in text.split("\n"):
            for start, end, scopes in self._line(line, stack):
                yield offset + start, line[start:end], scopes
            offset += len(line) + 1

    def _line(self, line: str, stack: list[Rule]) -> Iterator[tuple[int, int, Scopes]]:
        at, pushed = 0, False
        while True:
            match, rule, ends = self._next(line, at, stack, pushed)
            if match is None:
                if at < len(line):
                    yield at, len(line), ()
                return
            if match.start() > at:
                yield at, match.start(), ()
            captures = "endCaptures" if ends else "beginCaptures" if "begin" in rule else ""
            scope = rule.get("name") if not captures else None
            yield from _captured(match, rule.get(captures, {}), scope)
            pushed = False
            if ends:
                stack.pop()
            elif captures:
                stack.append(rule)
                pushed = True
            assert match.end() > at or ends or pushed, "a rule that matches nothing"
            at = match.end()

    def _next(
        self, line: str, at: int, stack: list[Rule], pushed: bool
    ) -> tuple[re.Match[str] | None, Rule, bool]:
        """The first match from here on; of several the end, then the rule that is named first."""
        current = stack[-1]
        best: tuple[re.Match[str] | None, Rule, bool] = (None, current, False)
        if "end" in current:
            best = (_compiled(current["end"]).search(line, at), current, True)
        for rule in self._rules(current):
            found = _compiled(rule.get("begin") or rule["match"]).search(line, at)
            if found and (best[0] is None or found.start() < best[0].start()):
                best = (found, rule, False)
        return best

    def _rules(self, rule: Rule) -> Iterator[Rule]:
        for inner in rule["patterns"]:
            if "include" in inner:
                inner = self.data["repository"][inner["include"].removeprefix("#")]
            if "match" in inner or "begin" in inner:
                yield inner
            else:
                yield from self._rules(inner)


def _captured(
    match: re.Match[str], captures: Rule, scope: str | None
) -> Iterator[tuple[int, int, Scopes]]:
    """The pieces of a match: its groups have scopes of their own."""
    at = match.start()
    whole = captures.get("0", {}).get("name", scope)
    for number in sorted(captures):
        if number == "0" or match.start(int(number)) < 0:
            continue
        start, end = match.span(int(number))
        if start > at:
            yield at, start, (whole,) if whole else ()
        yield start, end, (captures[number]["name"],)
        at = end
    if match.end() > at:
        yield at, match.end(), (whole,) if whole else ()
