"""The command line: reads the arguments, calls the pipeline, hands its report to a renderer.

Exit codes: 0 every claim holds, 1 a claim is refuted or undecided or a trajectory drifts, 2 the
file or the call is wrong, or the machine has no room for it, 3 a fault of geoflow, 130 interrupted,
143 terminated. Everything heavy is imported inside the commands that need it.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from geoflow.call import expand, read_memory, read_pairs, read_seconds, write
from geoflow.commands import report as page
from geoflow.commands.catalog import catalog
from geoflow.commands.choices import Color, Memory, Overrides, Seed, Timeout
from geoflow.commands.compare import compare
from geoflow.commands.discretize import discretize
from geoflow.commands.fmt import fmt
from geoflow.commands.group import Commands
from geoflow.commands.lsp import lsp
from geoflow.commands.recheck import recheck
from geoflow.commands.sweep import sweep
from geoflow.faults import WRONG_CALL, faults, refuse, render_errors, version
from geoflow.options import CheckOptions
from geoflow.report.page import Page, open_console
from geoflow.results import Report
from geoflow.signals import ended_by_signals
from geoflow.starter import FlowKind

if TYPE_CHECKING:
    from geoflow.report.formulas import Names
    from geoflow.report.live import LiveReport

USAGE = """\
geoflow says what the training of a model conserves, proves it, and confirms it by integration.
  geoflow new > linear.geo        a commented model to start from; `geoflow catalog` lists more
  geoflow check linear.geo        its laws, and the verdict on what the file claims
  geoflow report linear.geo -o p.html   the same as a page; `geoflow laws`: the laws alone
  geoflow explain GEO0301         what a message means; `geoflow COMMAND --help` for more

Example:
  model linear
  param U[4, 2], V[3, 2]
  map phi = U @ V.T
  law balance = U.T @ U - V.T @ V
  expect complete"""

app = typer.Typer(
    cls=Commands,
    add_completion=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The entry point of the `geoflow` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name the encoding lacks must not end the run
            stream.reconfigure(errors="backslashreplace")
    with ended_by_signals():
        try:
            with faults(0):  # what the commands' own guard cannot see
                app(prog_name="geoflow")
        except typer.Exit as ending:
            sys.exit(ending.exit_code)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"geoflow {version()}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def _geoflow(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Conservation laws of training flows: counted exactly, proved, confirmed by integration."""
    if context.invoked_subcommand is None:
        typer.echo(USAGE)


@app.command()
def check(
    paths: Annotated[
        list[str],
        typer.Argument(help="Files, folders (all .geo files below), `-` for standard input."),
    ],
    format: Annotated[
        Literal["full", "concise", "json", "github", "sarif"],
        typer.Option("--format", help="How to print."),
    ] = "full",
    overrides: Overrides = None,
    seed: Seed = 0,
    timeout: Timeout = None,
    memory: Memory = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not integrate trajectories.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="A probable claim fails.")] = False,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE", help="Draw laws along a trajectory.")
    ] = None,
    gates: Annotated[
        Literal["lifted", "real"] | None,
        typer.Option("--gates", help="How gates of piecewise functions are read."),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="One line a model.")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="All laws, ranks and seconds too.")
    ] = False,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", metavar="FILE", help="Write a certificate as JSON."),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Count every member of a `sweep` anew.")
    ] = False,
    color: Color = "auto",
) -> None:
    """Say how many laws a model has, which, and whether the claims of the file hold."""
    with faults(seed):
        from geoflow.report.live import LiveReport

        _check_targets(plot, certificate, no_verify)

        options = CheckOptions(
            read_pairs(overrides),
            seed,
            read_seconds(timeout),
            not no_verify,
            strict,
            plot,
            formulas=format == "json",
            gates=gates,
            certificate=certificate is not None,
            memory=read_memory(memory),
        )
        out, err = open_console(sys.stdout, color), open_console(sys.stderr, color)
        stream = format == "full" and not quiet and out.is_terminal
        with LiveReport(out, err, stream=stream, verbose=verbose) as live:
            from geoflow.pipeline import check_paths
            from geoflow.sweep.claim import OverSizes

            over_sizes = OverSizes(cached=not no_cache)
            try:
                report = check_paths(expand(paths), options, live, over_sizes)
            except KeyboardInterrupt:
                if format in ("full", "concise"):  # what a program reads is whole or not there
                    _print_finished(live, format == "full" and not quiet, out, verbose)
                raise
        _print_report(
            report, "quiet" if quiet and format == "full" else format, out, verbose, live.shown
        )
        if certificate is not None:
            _write_certificate(certificate, report)
    raise typer.Exit(report.exit_code)


def _print_finished(live: LiveReport, full: bool, out: Console, verbose: bool) -> None:
    """The models whose verdict was known when the check was ended, and no summary: it is not all of them."""
    from geoflow.report import terminal

    left = [model for place, model in live.finished.items() if place not in live.shown]
    if full:
        terminal.render_models(left, out, verbose=verbose)
    else:
        terminal.render_quiet(Report(tuple(left), (), 0, 0.0), out)


def _check_targets(plot: str | None, certificate: Path | None, no_verify: bool) -> None:
    """Refuses files that cannot be written before any work is done."""
    if plot is not None:
        if no_verify:
            refuse("--plot draws a trajectory, which --no-verify leaves out")
        if Path(plot).suffix.lower() not in (".png", ".svg", ".pdf"):
            refuse(f"a figure ends in .png, .svg or .pdf, got {plot!r}", "--plot laws.png")
    for target in (Path(plot) if plot else None, certificate):
        if target is not None and not target.absolute().parent.is_dir():
            refuse(f"there is no folder {str(target.parent)!r}")


def _print_report(
    report: Report,
    format: Literal["full", "concise", "json", "github", "sarif", "quiet"],
    out: Console,
    verbose: bool,
    shown: set[tuple[str, str]],
) -> None:
    from geoflow.report import machine, terminal

    match format:
        case "full":
            terminal.render_full(report, out, verbose=verbose, already_shown=shown)
        case "concise":
            terminal.render_concise(report, out)
        case "quiet":
            terminal.render_quiet(report, out)
        case "json":
            typer.echo(machine.dumps(machine.to_json(report)), nl=False)
        case "github":
            from geoflow.report.annotations import to_annotations

            typer.echo(to_annotations(report), nl=False)
        case "sarif":
            from geoflow.report.sarif import to_sarif

            typer.echo(machine.dumps(to_sarif(report, version())), nl=False)


def _write_certificate(path: Path, report: Report) -> None:
    from geoflow.certificates.document import file_text

    write(path, file_text([m.document for m in report.models if m.document is not None]))


@app.command()
def laws(
    file: Annotated[str, typer.Argument(help="A .geo file, `-` for standard input.")],
    format: Annotated[
        Literal["text", "latex", "sympy", "python", "json"],
        typer.Option("--format", help="How to write the laws."),
    ] = "text",
    overrides: Overrides = None,
    seed: Seed = 0,
    timeout: Timeout = None,
    memory: Memory = None,
    color: Color = "auto",
) -> None:
    """Print the laws of a model, and nothing else."""
    with faults(seed):
        from geoflow.pipeline import check_paths
        from geoflow.report.formulas import formula_text, missing_formulas

        if format == "python" and file == "-":
            refuse(
                "--format python needs a file, not standard input",
                "geoflow laws model.geo --format python",
            )
        options = CheckOptions(
            read_pairs(overrides),
            seed,
            read_seconds(timeout),
            verify=False,
            formulas=format in ("sympy", "json"),
            memory=read_memory(memory),
        )
        report = check_paths([file], options)
        err = open_console(sys.stderr, color)
        if render_errors(report.diagnostics, err):
            raise typer.Exit(WRONG_CALL)
        names = _names(file, options) if format == "python" else None
        typer.echo(formula_text(report, format, names), nl=False)
        for line in missing_formulas(report):
            Page(err).line(line)


def _names(file: str, options: CheckOptions) -> dict[tuple[str, str], Names]:
    """The parameters and constants of each model, which a report does not list."""
    from geoflow.semantics import load

    models, _ = load(Path(file), options.overrides)  # named as the report names them
    return {
        (model.file, model.name): (
            tuple(parameter.name for parameter in model.parameters),
            {constant.name: constant.value for constant in model.constants},
        )
        for model in models
    }


app.command()(compare)
app.command()(page.report)
app.command()(recheck)
app.command()(sweep)
app.command()(discretize)
app.command()(fmt)
app.command()(lsp)
app.command()(catalog)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The model's name.")] = "linear",
    flow: Annotated[FlowKind, typer.Option("--flow", help="The kind of flow.")] = "gradient",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Print a commented model to start from."""
    from geoflow.starter import starter
    from geoflow.syntax.messages import RESERVED

    if not (name.isidentifier() and name.isascii()) or name in RESERVED:
        refuse(
            "a model's name is made of letters, digits and _, begins with no digit, and is no "
            f"word of the language ({', '.join(sorted(RESERVED))})",
            "geoflow new my_model",
        )
    text = starter(name, flow)
    if output is None:
        typer.echo(text, nl=False)
    elif output.exists() and not force:
        refuse(f"{output} exists already", f"geoflow new {name} -o {output} --force")
    else:
        write(output, text)


@app.command()
def explain(
    code: Annotated[
        str | None, typer.Argument(help="A code such as GEO0301; without one, all are listed.")
    ] = None,
    color: Color = "auto",
) -> None:
    """Explain a diagnostic code, with an example and how it is mended."""
    from geoflow.report.explain import explanation, index, near, readable

    out = open_console(sys.stdout, color)
    if code is None:
        Page(out).console.print(index(), soft_wrap=True)
        return
    try:
        page = readable(explanation(code))
    except KeyError:
        candidates = near(code)
        refuse(
            f"there is no code {code}",
            *(f"geoflow explain {candidate}" for candidate in candidates),
        )
    if out.is_terminal and not out.options.ascii_only:
        from rich.markdown import Markdown

        out.print(Markdown(page))
    else:
        for line in page.splitlines():
            Page(out).line(line)
