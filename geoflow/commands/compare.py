"""`geoflow compare`: which laws live in two models or flows."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from geoflow.call import read_memory, read_pairs, read_seconds
from geoflow.commands.choices import Color, Memory, Overrides, Seed, Timeout
from geoflow.faults import faults, refuse
from geoflow.options import CheckOptions
from geoflow.report.page import open_console


def compare(
    files: Annotated[list[str], typer.Argument(help="Two files, or one with --flows.")],
    flows: Annotated[
        bool,
        typer.Option("--flows", help="Run the standard set of flows on one parametrization."),
    ] = False,
    format: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to print.")
    ] = "text",
    overrides: Overrides = None,
    seed: Seed = 0,
    timeout: Timeout = None,
    memory: Memory = None,
    color: Color = "auto",
) -> None:
    """Say which laws live in two models or flows, which die, and which are born."""
    with faults(seed):
        from geoflow.comparison import compare_files
        from geoflow.report import machine
        from geoflow.report.comparison import comparison_data, render_comparison

        if flows and len(files) != 1:
            refuse("--flows takes one file", "geoflow compare --flows model.geo")
        if not flows and len(files) < 2:
            refuse("two files are compared, or one with --flows", "geoflow compare a.geo b.geo")
        options = CheckOptions(
            read_pairs(overrides),
            seed,
            read_seconds(timeout),
            verify=False,
            memory=read_memory(memory),
        )
        comparison = compare_files(files, flows, options)
        if format == "json":
            typer.echo(machine.dumps(comparison_data(comparison)), nl=False)
        else:
            render_comparison(comparison, open_console(sys.stdout, color))
