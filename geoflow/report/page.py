"""A console that prints lines as given: no styles guessed, nothing hidden let through."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, Literal

from rich.console import Console
from rich.text import Text

from geoflow.report.visible import visible, width

ColorChoice = Literal["auto", "always", "never"]
Part = str | tuple[str, str]  # a text, or a text and its style

UNATTENDED_WIDTH = 120  # where the output is no terminal, the same text on every machine


def open_console(file: IO[str], color: ColorChoice = "auto") -> Console:
    """A console on a file. Colour needs a terminal (or `always`), and NO_COLOR unset.

    rich alone would still send bold and underline under NO_COLOR; without a colour system it sends
    no escape at all.
    """
    plain = color == "never" or (color == "auto" and bool(os.environ.get("NO_COLOR")))
    terminal = file.isatty()
    return Console(
        file=file,
        color_system=None if plain else "auto",
        force_terminal=True if color == "always" else None,
        width=None if terminal else UNATTENDED_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


@dataclass(frozen=True)
class Page:
    """Prints lines of styled parts on a console; every part is made visible on its way."""

    console: Console

    @property
    def ascii_only(self) -> bool:
        """Whether the output cannot carry Unicode."""
        return self.console.options.ascii_only

    @property
    def width(self) -> int:
        """Cells in a line; on a very narrow terminal lines overflow."""
        return max(self.console.width, 40)

    def show(self, text: str) -> str:
        """The text as this console can show it."""
        return visible(text, self.ascii_only)

    def line(self, *parts: Part) -> None:
        """One line, never wrapped: a wrapped line would tear carets and columns apart."""
        self._print(self._text(parts))

    def paragraph(self, lead: Part, text: str, style: str = "") -> None:
        """Text wrapped to the page behind a lead, with a hanging indent of the lead's width."""
        lead_text = self._text((lead,))
        indent = lead_text.cell_len
        room = max(self.width - indent, 24)
        for paragraph in text.split("\n"):
            wrapped = self._text(((paragraph, style),)).wrap(self.console, room)
            for row in wrapped or [Text()]:
                row.rstrip()
                self._print(Text.assemble(lead_text, row))
                lead_text = Text(" " * indent)

    def columns(self, left: tuple[Part, ...], right: str, style: str = "", at: int = 44) -> None:
        """A left part and, from column `at` on, a right part, or below if there is no room."""
        head = self._text(left)
        if not right:
            self._print(head)
            return
        if head.cell_len > at - 2 or at + 30 > self.width:
            self._print(head)
            head = Text(" " * 12)
        else:
            head.append(" " * (at - head.cell_len))
        indent = head.cell_len
        for row in self._text(((right, style),)).wrap(self.console, max(self.width - indent, 24)):
            row.rstrip()
            self._print(Text.assemble(head, row))
            head = Text(" " * indent)

    def blank(self) -> None:
        """An empty line."""
        self.console.print()

    def _print(self, row: Text) -> None:
        """One row. On GitHub a line that begins with `::` would be a command, and a file may be called so."""
        begin = len(row.plain) - len(row.plain.lstrip())
        if row.plain.startswith("::", begin):
            row = Text.assemble(row[:begin], "\\x3a", row[begin + 1 :])
        self.console.print(row, soft_wrap=True)

    def _text(self, parts: tuple[Part, ...]) -> Text:
        pairs = [(part, "") if isinstance(part, str) else part for part in parts]
        return Text.assemble(*((self.show(text), style) for text, style in pairs))


def pad(text: str, cells: int) -> str:
    """`text` followed by spaces up to a width in cells."""
    return text + " " * max(0, cells - width(text))
