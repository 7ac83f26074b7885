"""`geoflow catalog`: network blocks with their laws."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from geoflow.call import expand, read_memory, read_seconds
from geoflow.commands.choices import Color, Memory, Seed, Timeout
from geoflow.faults import WRONG_CALL, faults, render_errors
from geoflow.options import CheckOptions
from geoflow.report.page import open_console


def catalog(
    path: Annotated[
        str | None,
        typer.Argument(help="A folder or file of your own; without one, the blocks of geoflow."),
    ] = None,
    format: Annotated[
        Literal["text", "json", "markdown"], typer.Option("--format", help="How to print.")
    ] = "text",
    no_run: Annotated[bool, typer.Option("--no-run", help="List the entries only.")] = False,
    seed: Seed = 0,
    timeout: Timeout = None,
    memory: Memory = None,
    color: Color = "auto",
) -> None:
    """List network blocks: how many laws they have, which, and on whose word."""
    with faults(seed):
        from geoflow.catalog import check_catalog, read_catalog, shipped
        from geoflow.report import machine
        from geoflow.report.catalog import catalog_data, catalog_markdown, render_catalog
        from geoflow.report.live import LiveReport

        paths = expand([str(shipped()) if path is None else path])
        out, err = open_console(sys.stdout, color), open_console(sys.stderr, color)
        options = CheckOptions(
            seed=seed, timeout=read_seconds(timeout), verify=False, memory=read_memory(memory)
        )
        with LiveReport(out, err, stream=False) as live:
            found = read_catalog(paths) if no_run else check_catalog(paths, options, live)
        if format == "json":
            typer.echo(machine.dumps(catalog_data(found)), nl=False)
        elif render_errors(found.diagnostics, err):
            raise typer.Exit(WRONG_CALL)
        elif format == "markdown":
            typer.echo(catalog_markdown(found), nl=False)
        else:
            render_catalog(found, out)
    raise typer.Exit(found.exit_code)
