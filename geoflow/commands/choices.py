"""The options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer

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
Memory = Annotated[
    float | None,
    typer.Option("--memory", metavar="GIB", help="What elimination may take; 8 GiB without it."),
]
Color = Annotated[
    ColorChoice, typer.Option("--color", help="When to use colour; NO_COLOR switches it off too.")
]
