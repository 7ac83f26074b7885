"""`geoflow sweep`: the counts of a family of models, the claims over all its sizes, a formula for the counts."""

from __future__ import annotations

import shlex
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from geoflow.call import read_memory, read_pairs, read_seconds, write
from geoflow.commands.choices import Color, Memory, Overrides, Seed, Timeout
from geoflow.faults import WRONG_CALL, faults, refuse, render_errors, version
from geoflow.memory import GIB, MOST_MEMORY
from geoflow.report.page import Page, open_console

if TYPE_CHECKING:
    from geoflow.rows import SweepReport
    from geoflow.semantics.model import Model
    from geoflow.sweep.journal import Journal
    from geoflow.sweep.sweep import Sweep, SweepOptions


def sweep(
    file: Annotated[str, typer.Argument(help="A .geo file, `-` for standard input.")],
    over: Annotated[
        list[str] | None,
        typer.Option("--over", metavar="NAME=A..B", help="Sweep a size (repeatable)."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Which model of the file.")
    ] = None,
    format: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="How to print.")
    ] = "table",
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE", help="Draw the counts as a heat map.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write a page with the heat map, HTML."),
    ] = None,
    rank_only: Annotated[
        bool, typer.Option("--rank-only", help="Fast: seek no laws; counts are probable.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes; all cores without it.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Run on a Dask cluster.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Keep finished rows in this file, JSON lines."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the rows of a sweep that was stopped.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Neither ask nor fill the cache of outcomes.")
    ] = False,
    overrides: Overrides = None,
    seed: Seed = 0,
    timeout: Timeout = None,
    memory: Memory = None,
    gates: Annotated[
        Literal["lifted", "real"] | None,
        typer.Option("--gates", help="How gates of piecewise functions are read."),
    ] = None,
    color: Color = "auto",
) -> None:
    """Count the laws of every model of a family, check its claims over all sizes, seek a formula.

    The family is what `sweep` in the file says, with the ranges of --over in place or beside;
    --timeout is for each model.
    """
    with faults(seed):
        from geoflow.report.progress import SweepProgress
        from geoflow.sweep.cache import DiskCache, NoCache, cache_folder
        from geoflow.sweep.grid import family
        from geoflow.sweep.sweep import Sweep, SweepOptions, run_sweep

        _check_targets(plot, out, page, resume)
        given = read_pairs(overrides)
        chosen = chosen_model(file, model, given)
        members = family(chosen, read_pairs(over, "--over", "n=1..6"), given)
        options = SweepOptions(
            seed,
            gates,
            rank_only,
            read_seconds(timeout),
            jobs or _cores(),
            scheduler,
            read_memory(memory),
        )
        whole = Sweep(members, options, NoCache() if no_cache else DiskCache(cache_folder()))
        if not whole.members:
            refuse("the condition of the sweep admits no sizes at all")
        whole.journal = _journal(whole, out, resume)
        with (
            closing(whole.cache),
            SweepProgress(open_console(sys.stderr, color)) as progress,
        ):
            try:
                report = run_sweep(whole, file, progress)
            except KeyboardInterrupt:
                _tell_kept(whole)
                raise
        notes = _draw(plot, report)
        if page is not None:
            _write_page(page, report, file, over, model, given, options)
        _print(report, format, color)
        for note in notes:
            Page(open_console(sys.stderr, color)).line(f"note: {note}")
    raise typer.Exit(report.exit_code)


def _tell_kept(sweep: Sweep) -> None:
    """What of a sweep that is ended from outside is on disk, and how it goes on."""
    page = Page(open_console(sys.stderr))
    total = len(sweep.members)
    if sweep.journal is not None:
        # a row may be done and not be written yet
        kept = sum(key in sweep.journal.known for key in sweep.keys)
        page.line(
            f"{kept} of {total} models are done, and kept in {sweep.journal.path}: "
            "the same command with --resume does the others"
        )
    else:
        done = len(sweep.rows())
        page.line(f"{done} of {total} models were done; their rows were not kept in a file")


def _check_targets(plot: str | None, out: Path | None, page: Path | None, resume: bool) -> None:
    """Refuses what cannot be written, before any work is done."""
    if plot is not None and Path(plot).suffix.lower() not in (".png", ".svg", ".pdf"):
        refuse(f"a figure ends in .png, .svg or .pdf, got {plot!r}", "--plot counts.svg")
    if page is not None and page.suffix.lower() not in (".html", ".htm"):
        refuse(f"a page ends in .html, got {str(page)!r}", "--report counts.html")
    for target in (Path(plot) if plot else None, out, page):
        if target is not None and not target.absolute().parent.is_dir():
            refuse(f"there is no folder {str(target.parent)!r}")
    if out is not None and out.exists() and not resume:
        refuse(f"{out} exists already", f"geoflow sweep … --out {out} --resume")


def chosen_model(file: str, name: str | None, given: dict[str, str]) -> Model:
    """The one model that is meant."""
    from geoflow.semantics import load, load_input

    models, diagnostics = load_input(given) if file == "-" else load(file, given)
    if render_errors(diagnostics, open_console(sys.stderr)):
        raise typer.Exit(WRONG_CALL)
    names = [m.name for m in models]
    if name is None and len(models) > 1:
        refuse(
            f"{file} holds {len(models)} models, and one is taken at a time",
            *(f"--model {each}" for each in names[:5]),
        )
    if name is not None and name not in names:
        refuse(f"{file} has no model {name!r}, but {', '.join(names)}")
    return next(m for m in models if name in (None, m.name))


def _cores() -> int:
    from joblib import cpu_count

    return cpu_count()


def _journal(sweep: Sweep, out: Path | None, resume: bool) -> Journal | None:
    """Where finished rows are written down."""
    from geoflow.sweep.cache import cache_folder
    from geoflow.sweep.journal import InUse, Journal
    from geoflow.sweep.sweep import journal_path

    path = out or journal_path(cache_folder(), sweep)
    try:
        return Journal.resume(path) if resume else Journal.begin(path)
    except InUse:
        reason = f"another sweep is writing to {path}"
        if out is not None or resume:
            refuse(reason, "wait for it, or name another file with --out")
        sweep.notes.append(f"rows are not kept on disk: {reason}")
        return None
    except OSError as error:
        reason = f"{path} cannot be written: {error.strerror or error}"
        if out is not None:
            refuse(reason)
        sweep.notes.append(f"rows are not kept on disk: {reason}")
        return None


def _write_page(
    page: Path,
    report: SweepReport,
    file: str,
    over: list[str] | None,
    model: str | None,
    given: dict[str, str],
    options: SweepOptions,
) -> None:
    from geoflow.report.web.document import Reproduction
    from geoflow.report.web.family import sweep_page

    words = ["geoflow", "sweep", file, "--report", str(page)]
    words += [word for text in over or () for word in ("--over", text)]
    words += [word for name, value in given.items() for word in ("-D", f"{name}={value}")]
    words += ["--model", model] if model is not None else []
    words += ["--seed", str(options.seed)] if options.seed else []
    words += ["--rank-only"] if options.rank_only else []
    words += ["--timeout", f"{options.timeout:g}"] if options.timeout is not None else []
    words += ["--memory", f"{options.memory / GIB:g}"] if options.memory != MOST_MEMORY else []
    words += ["--gates", options.gates] if options.gates else []
    again = Reproduction(shlex.join(words), version(), options.seed)
    write(page, sweep_page(report, again))


def _draw(plot: str | None, report: SweepReport) -> tuple[str, ...]:
    if plot is None:
        return ()
    from geoflow.report.heatmap import draw_sweep

    try:
        return draw_sweep(plot, report)
    except OSError as error:
        refuse(f"{plot} cannot be written: {error.strerror or error}")


def _print(report: SweepReport, format: Literal["table", "csv", "json"], color: Color) -> None:
    from geoflow.report import machine
    from geoflow.report.family import render_sweep, sweep_csv, sweep_data

    match format:
        case "table":
            render_sweep(report, open_console(sys.stdout, color))
        case "csv":
            typer.echo(sweep_csv(report), nl=False)
        case "json":
            typer.echo(machine.dumps(machine.plain(sweep_data(report))), nl=False)
