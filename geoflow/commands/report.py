"""`geoflow report`: a check as one HTML file, which needs no network to be read."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from geoflow.call import expand, read_memory, read_pairs, read_seconds, write
from geoflow.commands.choices import Color, Memory, Overrides, Seed, Timeout
from geoflow.engine import load_engine
from geoflow.faults import WRONG_CALL, faults, refuse, render_errors, version
from geoflow.memory import GIB, MOST_MEMORY
from geoflow.options import CheckOptions
from geoflow.report.page import Page, open_console
from geoflow.results import Report


def report(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders (all .geo files below), `-`; or one saved `check --format json`."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where the page is written.")
    ],
    title: Annotated[
        str, typer.Option("--title", help="The heading; without it, the model's name.")
    ] = "",
    overrides: Overrides = None,
    seed: Seed = 0,
    timeout: Timeout = None,
    memory: Memory = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not integrate trajectories.")
    ] = False,
    gates: Annotated[
        Literal["lifted", "real"] | None,
        typer.Option("--gates", help="How gates of piecewise functions are read."),
    ] = None,
    color: Color = "auto",
) -> None:
    """Write a page: verdict, model, laws, evidence, certificate, source. Exit codes are those of `check`."""
    with faults(seed):
        _verify_target(output)
        load_engine()
        from geoflow.report.web.document import Reproduction, report_page

        out, err = open_console(sys.stdout, color), open_console(sys.stderr, color)
        options = CheckOptions(
            read_pairs(overrides),
            seed,
            read_seconds(timeout),
            not no_verify,
            gates=gates,
            exhibit=True,
            memory=read_memory(memory),
        )
        saved = len(paths) == 1 and Path(paths[0]).suffix == ".json"
        found = _saved(paths[0]) if saved else _checked(paths, options, out, err)
        if render_errors(found.diagnostics, err):
            Page(err).line(f"{output}: not written")
            raise typer.Exit(WRONG_CALL)
        command = _command(paths, output, title, options)
        again = Reproduction(command, version(), found.models[0].seed if saved else seed)
        write(output, report_page(found, again, title))
        Page(out).line(f"{output}: {_told(found)}")
    raise typer.Exit(found.exit_code)


def _verify_target(output: Path) -> None:
    """Refuses a page that cannot be written before any work is done."""
    if output.suffix.lower() not in (".html", ".htm"):
        refuse(f"a page ends in .html, got {str(output)!r}", "geoflow report … -o report.html")
    if not output.absolute().parent.is_dir():
        refuse(f"there is no folder {str(output.parent)!r}")


def _checked(paths: list[str], options: CheckOptions, out: Console, err: Console) -> Report:
    from geoflow.pipeline import check_paths
    from geoflow.report.live import LiveReport
    from geoflow.sweep.claim import OverSizes

    with LiveReport(out, err, stream=False) as live:
        return check_paths(expand(paths), options, live, OverSizes())


def _saved(path: str) -> Report:
    from geoflow.report.saved import NotAReport, read_report
    from geoflow.stored import NotStored, read_file

    try:
        return read_report(read_file(Path(path)))
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror or error}")
    except (NotAReport, NotStored) as error:
        refuse(
            f"{path} is no report of geoflow: {error}",
            "geoflow check model.geo --format json > report.json",
        )


def _command(paths: list[str], output: Path, title: str, options: CheckOptions) -> str:
    """The call, without what it does not need."""
    words = ["geoflow", "report", *paths, "-o", str(output)]
    words += [
        word for name, value in options.overrides.items() for word in ("-D", f"{name}={value}")
    ]
    words += ["--seed", str(options.seed)] if options.seed else []
    words += ["--timeout", f"{options.timeout:g}"] if options.timeout is not None else []
    words += ["--memory", f"{options.memory / GIB:g}"] if options.memory != MOST_MEMORY else []
    words += [] if options.verify else ["--no-verify"]
    words += ["--gates", options.gates] if options.gates else []
    words += ["--title", title] if title else []
    return shlex.join(words)


def _told(report: Report) -> str:
    from geoflow.report.verdicts import summary

    return summary(report)
