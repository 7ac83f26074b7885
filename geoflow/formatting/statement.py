"""A statement as a document: its words with canonical blanks, and the places where it may break.

Lines end only inside brackets. A bracket is broken around its elements, one a line; an expression
before its loosest operators. Where a definition has no bracket to break, brackets are put around
what it defines.
"""

from __future__ import annotations

from collections.abc import Callable

from geoflow.formatting.documents import Choice, Document, Group, Line, Nest, Remark
from geoflow.formatting.spacing import OR, PRODUCT, Reading, read
from geoflow.formatting.tokens import Token, tokens, without
from geoflow.syntax import tree
from geoflow.syntax.layout import STATEMENT_WORDS

_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_DEFINING = (tree.Let, tree.Def, tree.Map, tree.Network, tree.Law, tree.Field)
_SHORT = 40
_NO_SETTINGS = STATEMENT_WORDS - {"loss"}
_Parts = list[Document]


def document(statement: tree.Statement) -> tuple[Document, ...]:
    """The document of a statement."""
    words = tokens(statement.span)
    reading = read(statement, words)
    words = without(words, _Words(words, reading).superfluous())
    if isinstance(statement, _DEFINING):
        words = _without_outer_brackets(words, reading)
    layout = _Words(_comments_after_commas(words), reading)
    if isinstance(statement, _DEFINING):
        return tuple(layout.definition())
    return tuple(layout.run(0, len(words)))


def _comments_after_commas(words: tuple[Token, ...]) -> tuple[Token, ...]:
    """The words with the comment before a comma after it."""
    moved = list(words)
    for index in range(1, len(moved)):
        word, comma = moved[index - 1 : index + 1]
        if comma.text == "," and not comma.commented and word.after is not None:
            moved[index - 1] = Token(word.kind, word.text, word.start, word.before)
            moved[index] = Token(comma.kind, comma.text, comma.start, (), word.after)
    return tuple(moved)


def _without_outer_brackets(words: tuple[Token, ...], reading: Reading) -> tuple[Token, ...]:
    """A definition without brackets around all that it defines."""
    while True:
        layout = _Words(words, reading)
        first, last = layout.equals() + 1, len(words) - 1
        whole = layout.partner.get(first) == last and layout.kind(first) == "group"
        if not whole or words[first].commented or words[last].commented:
            return words
        words = without(words, frozenset((first, last)))


class _Words:
    """The words of a statement, their brackets matched."""

    def __init__(self, words: tuple[Token, ...], reading: Reading):
        self.words = words
        self.reading = reading
        self.partner: dict[int, int] = {}
        opened: list[int] = []
        for index, word in enumerate(words):
            if word.kind == "mark" and word.text in _CLOSERS:
                opened.append(index)
            elif word.kind == "mark" and word.text in ")]}":
                self.partner[opened.pop()] = index

    # ------------------------------------------------------------ what the words are

    def equals(self) -> int:
        """The index of the `=` of a definition."""
        index = 0
        while self.words[index].text != "=":
            index = self.partner.get(index, index) + 1
        return index

    def kind(self, opener: int) -> str:
        """What a bracket is: group, list (with commas), single, index, comprehension, chain,
        verify.
        """
        word, first = self.words[opener], self.words[0].text
        if word.text == "{":
            return "verify" if first == "verify" else "list"
        if word.text == "(":
            before = self.words[opener - 1]
            if before.text == "chain":
                return "chain"
            if before.start in self.reading.called:
                return "list"
            commas = self._marks(opener, ",")
            if commas == [self.partner[opener] - 1]:
                return "single"
            return "list" if commas else "group"
        if self._attached(opener):
            return "index"
        inside = self._level(opener)
        return "comprehension" if any(self.words[i].text == "for" for i in inside) else "list"

    def _attached(self, opener: int) -> bool:
        """Whether a square bracket belongs to what stands before it."""
        word, before = self.words[opener], self.words[opener - 1]
        return word.start not in self.reading.lists and before.text not in _CLOSERS

    def _level(self, opener: int) -> list[int]:
        """The words directly inside a bracket, brackets inside it left out."""
        return self._direct(opener + 1, self.partner[opener])

    def _direct(self, first: int, end: int) -> list[int]:
        found: list[int] = []
        while first < end:
            found.append(first)
            first = self.partner.get(first, first) + 1
        return found

    def _marks(self, opener: int, mark: str) -> list[int]:
        return [index for index in self._level(opener) if self.words[index].text == mark]

    def superfluous(self) -> frozenset[int]:
        """The commas at the end of lists, and what separates settings: they follow the layout."""
        found: set[int] = set()
        for opener, closer in self.partner.items():
            kind = self.kind(opener)
            if kind == "verify":
                found.update(self._marks(opener, ";"))
            elif kind != "single" and self.words[closer - 1].text == ",":
                found.add(closer - 1)
        return frozenset(found)

    # ------------------------------------------------------------ documents

    def definition(self) -> _Parts:
        """A definition; brackets come around what is defined where it has to be broken."""
        start = self.equals() + 1
        head, end = self.run(0, start), len(self.words)
        if not self._breaks(start, end):
            return [*head, " ", *self.run(start, end)]
        body = self._operation(start, end)
        return [*head, " ", Group((Choice("("), Nest((Line(), *body)), Line(), Choice(")")))]

    def _breaks(self, first: int, end: int) -> frozenset[int]:
        """The loosest operators directly between two places, before which a line may end."""
        levels = self.reading.levels
        direct = [i for i in self._direct(first, end) if self.words[i].start in levels]
        loosest = min((levels[self.words[i].start] for i in direct), default=OR)
        if loosest == PRODUCT and self._ends_in_brackets(first, end):
            return frozenset()
        return frozenset(i for i in direct if levels[self.words[i].start] == loosest)

    def _ends_in_brackets(self, first: int, end: int) -> bool:
        """Whether a product ends in brackets, which are broken instead, after a short beginning."""
        last = self._direct(first, end)[-1]
        beginning = sum(len(word.text) + 1 for word in self.words[first:last])
        return last in self.partner and self.kind(last) == "group" and beginning <= _SHORT

    def _operation(self, first: int, end: int) -> _Parts:
        """An expression that may be broken before its loosest operators."""
        return self.run(first, end, self._breaks(first, end))

    def run(
        self, first: int, end: int, breaks: frozenset[int] = frozenset(), late: bool = False
    ) -> _Parts:
        """Words in a row; `late`: the comment after the last is left to the caller."""
        parts: _Parts = []
        for index in self._direct(first, end):
            if index > first:
                gap = self._gap(index)
                parts.append(Line(gap) if index in breaks else gap)
            closer = self.partner.get(index)
            last = index if closer is None else closer
            parts += self._word(index) if closer is None else self._bracket(index, closer)
            if not (late and last == end - 1):
                parts += self._after(last)
        return parts

    def _word(self, index: int) -> _Parts:
        word = self.words[index]
        return [*(Remark(comment, True) for comment in word.before), word.text]

    def _after(self, index: int) -> _Parts:
        comment = self.words[index].after
        return [] if comment is None else [Remark(comment, False)]

    def _bracket(self, opener: int, closer: int) -> _Parts:
        build: dict[str, Callable[[int, int], Document]] = {
            "list": self._list,
            "single": self._list,
            "verify": self._settings,
            "comprehension": self._comprehension,
            "chain": self._chain,
        }
        kind = self.kind(opener)
        before = [Remark(comment, True) for comment in self.words[opener].before]
        if kind in build and closer > opener + 1:
            return [*before, build[kind](opener, closer)]
        commented = any(word.commented for word in self.words[opener + 1 : closer])
        if kind == "group" or commented or self.words[opener].after or self.words[closer].before:
            body = self._operation(opener + 1, closer)
            return [*before, self._around(opener, closer, body)]
        inside = self.run(opener + 1, closer)
        return [*before, self.words[opener].text, *inside, self.words[closer].text]

    def _around(
        self, opener: int, closer: int, body: _Parts, comma: bool = False, flat: str = ""
    ) -> Group:
        """A bracket that is broken around its body."""
        end: _Parts = [
            *([Choice(",")] if comma else []),
            *(self._after(closer - 1) if comma else []),
        ]
        inside = (*self._after(opener), Line(flat), *body, *end)
        before = tuple(Remark(comment, True) for comment in self.words[closer].before)
        return Group(
            (
                self.words[opener].text,
                Nest((*inside, *before)),
                Line(flat),
                self.words[closer].text,
            )
        )

    def _list(self, opener: int, closer: int) -> Group:
        commas = self._marks(opener, ",")
        starts = [opener + 1, *(comma + 1 for comma in commas)]
        body: _Parts = []
        for start, end in zip(starts, [*commas, closer], strict=True):
            if start == end:
                break  # after the comma of `(a,)`
            late = end == closer
            operation = self.run(start, end, self._breaks(start, end), late)
            body.append(Group(tuple(operation)))
            if not late:
                body += [*self._word(end), *self._after(end)]
                body += [Line(" ")] if end + 1 < closer else []
        return self._around(opener, closer, body, comma=self.kind(opener) != "single")

    def _settings(self, opener: int, closer: int) -> Group:
        starts = [i for i in self._level(opener) if self.words[i].start in self.reading.settings]
        body: _Parts = []
        for start, end in zip(starts, [*starts[1:], closer], strict=True):
            body += self.run(start, end)
            if end < closer and self.words[end].text in _NO_SETTINGS:
                body.append("; ")  # on a line of its own it would begin a statement
            elif end < closer:
                body += [Choice("", ";"), Line(" ")]
        return self._around(opener, closer, body, flat=" ")

    def _comprehension(self, opener: int, closer: int) -> Group:
        level = self._level(opener)
        each = next(index for index in level if self.words[index].text == "for")
        body = Group(tuple(self._operation(opener + 1, each)))
        inside = Group((body, Line(" "), *self.run(each, closer)))
        return self._around(opener, closer, [inside])

    def _chain(self, opener: int, closer: int) -> Group:
        semicolon = self._marks(opener, ";")[0]
        colon = next(i for i in self._marks(opener, ":") if i > semicolon)
        parts: _Parts = []
        for start, end in ((opener + 1, semicolon), (semicolon + 1, colon)):
            parts += [*self.run(start, end), *self._word(end), *self._after(end), Line(" ")]
        body = Group(tuple(self._operation(colon + 1, closer)))
        return self._around(opener, closer, [*parts, body])

    # ------------------------------------------------------------ blanks

    def _gap(self, index: int) -> str:
        """What stands between a word and the one before it."""
        before, word = self.words[index - 1], self.words[index]
        tight, prefix = self.reading.tight, self.reading.prefix
        if word.text in (",", ";", "'", ":") or word.kind == "transpose":
            return ""
        if before.start in prefix or before.text == ":":
            return ""
        operator = before if before.kind == "operator" else word
        if operator.kind == "operator" and word.start not in prefix:
            return "" if operator.start in tight else " "
        if before.kind == "operator":  # and the word is a sign
            return "" if before.start in tight else " "
        if word.text == "(" and (before.start in self.reading.called or before.text == "chain"):
            return ""
        return "" if word.text == "[" and self._attached(index) else " "
