"""The group of all commands: what is wrong with an argument is told in geoflow's words, whatever library read it."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperGroup

_WORDS = (
    (r"Input should be a valid integer.*|.*is not a valid int(eger)?( range)?\.?", "a whole number is needed"),
    (r"Unable to parse input string as an integer, exceeded maximum size", "the number is too long"),
    (r"Input should be a finite number.*", "a finite number is needed"),
    (r"Input should be a valid number.*|.*is not a valid float( range)?\.?", "a number is needed"),
    (r"Input should be greater than or equal to (\S+)", r"at least \1 is needed"),
    (r"Input should be greater than (\S+)", r"more than \1 is needed"),
    (r"Input should be less than or equal to (\S+)", r"at most \1 is needed"),
    (r"Input should be less than (\S+)", r"less than \1 is needed"),
    (r"(\S+) is not in the range x>=(\S+)\.", r"at least \2 is needed"),
    (r"Value error, (.*)", r"\1"),
    (r"Input should be (.*)", r"it should be \1"),
)  # fmt: skip


def in_words(message: str) -> str:
    """What a library says of an argument, in geoflow's words."""
    for pattern, words in _WORDS:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found is not None:
            return found.expand(words)
    return message


class Commands(TyperGroup):
    """Typer's group, with other words for wrong arguments."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = in_words(error.message)
            raise
