"""`geoflow lsp`: the language server, on standard input and output."""

from __future__ import annotations

import gc
from typing import Annotated

import typer

from geoflow.faults import faults, refuse, version


def lsp(
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Speak over standard streams: the only way there is.")
    ] = True,
) -> None:
    """Serve editors: diagnostics, hover, completion, formatting, quick fixes."""
    with faults(0):
        try:
            from geoflow.server.server import build
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in ("pygls", "lsprotocol"):
                raise
            refuse("the language server needs pygls", "pip install 'geoflow[lsp]'")
        server = build(version())
        gc.freeze()
        gc.set_threshold(100_000, 20, 100)  # a pause is worse than memory
        server.start_io()
