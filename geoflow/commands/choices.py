"""The options that commands share, and their reading."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geoflow.faults import refuse
from geoflow.report.page import ColorChoice

Overrides = Annotated[
    list[str] | None,
    typer.Option("-D", metavar="NAME=VALUE", help="Override a size or constant (repeatable)."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Where all random choices come from.")]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", help="Stop with a partial verdict after so long."),
]
Color = Annotated[
    ColorChoice, typer.Option("--color", help="When to use colour; NO_COLOR switches it off too.")
]


def read_overrides(
    texts: list[str] | None, option: str = "-D", example: str = "n=5"
) -> dict[str, str]:
    """The NAME=VALUE of a repeatable option."""
    pairs = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise typer.BadParameter(
                f"{text!r} is not of the form NAME=VALUE, such as {option} {example}",
                param_hint=option,
            )
        pairs[name] = value
    return pairs


def positive_seconds(timeout: float | None) -> float | None:
    """The seconds of `--timeout`, if they can be waited for."""
    if timeout is not None and not 0 < timeout < float("inf"):
        raise typer.BadParameter("a positive number of seconds is needed", param_hint="--timeout")
    return timeout


def write_file(path: Path, text: str) -> None:
    """Write a text, or end the command."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror or error}")
