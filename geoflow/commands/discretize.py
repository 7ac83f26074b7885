"""`geoflow discretize`: how far the laws of a flow drift at finite steps of an optimizer."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from geoflow.call import read_memory, read_pairs, read_seconds
from geoflow.commands.choices import Color, Memory, Overrides, Seed, Timeout
from geoflow.commands.sweep import chosen_model
from geoflow.engine import load_engine
from geoflow.faults import faults, refuse
from geoflow.report.page import open_console

if TYPE_CHECKING:
    from geoflow.discretized import Discretized
    from geoflow.flow import Flow
    from geoflow.laws.law import Law
    from geoflow.semantics.model import Model
    from geoflow.training.descent import Data


def discretize(
    file: Annotated[str, typer.Argument(help="A .geo file, `-` for standard input.")],
    step: Annotated[
        str, typer.Option("--step", metavar="A,B,…", help="Step sizes.")
    ] = "1e-1,1e-2,1e-3",
    optimizer: Annotated[
        Literal["sgd", "momentum", "adam"], typer.Option("--optimizer", help="The optimizer.")
    ] = "sgd",
    momentum: Annotated[
        str, typer.Option("--momentum", metavar="A,B,…", help="Momenta, for `momentum`.")
    ] = "0.9",
    time: Annotated[float, typer.Option("--time", help="Step size times number of steps.")] = 2.0,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", metavar="FILE", help="A .npz file: the network's inputs by name, targets y."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Which model of the file.")
    ] = None,
    format: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="How to print.")
    ] = "table",
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE", help="Draw drift against step size.")
    ] = None,
    overrides: Overrides = None,
    seed: Seed = 0,
    timeout: Timeout = None,
    memory: Memory = None,
    color: Color = "auto",
) -> None:
    """Measure how far the laws of gradient flow drift at finite steps, and name those that no step changes.

    A run is made for each step size (and momentum) over the same time, from a random point, on random data or --data.
    The laws are those that are found, and those of the file that hold.
    """
    with faults(seed):
        _check_plot(plot)
        steps, momenta = _numbers(step, "--step"), _numbers(momentum, "--momentum")
        chosen = chosen_model(file, model, read_pairs(overrides))
        given = _data(data)
        load_engine()
        from geoflow.lower import lower
        from geoflow.reach import reachable
        from geoflow.training.descent import discretize as study

        flow = reachable(chosen, lambda: lower(chosen, seed))
        limit, most, begin = read_seconds(timeout), read_memory(memory), monotonic()
        try:
            laws = reachable(chosen, lambda: _laws(chosen, flow, seed, limit, most))
            found = reachable(
                chosen,
                lambda: study(
                    flow,
                    steps,
                    optimizer,
                    momentum=momenta,
                    time=time,
                    data=given,
                    laws=laws,
                    seed=seed,
                    timeout=None if limit is None else max(limit - (monotonic() - begin), 0.0),
                ),
            )
        except ValueError as error:
            refuse(str(error))
        found = replace(found, model=chosen.name, file=file)
        if plot is not None:
            _draw(plot, found)
        _print(found, format, color)


def _laws(model: Model, flow: Flow, seed: int, timeout: float | None, memory: int) -> list[Law]:
    """The laws that the file claims and that hold, and those that are found beside them."""
    from geoflow.analysis import count, search
    from geoflow.claims import judge_laws
    from geoflow.deadline import Deadline
    from geoflow.training.watched import gradient_flow

    deadline, plain = Deadline.after(timeout), gradient_flow(flow)
    counted = count(plain, seed, deadline, memory)
    claimed = judge_laws(model, counted, deadline) if plain is flow else ()
    own = [j.law for j in claimed if j.law is not None]
    known = {str(law) for law in own}
    found = search(counted, deadline=deadline).laws
    return [*own, *(law for law in found if str(law) not in known)]


def _check_plot(plot: str | None) -> None:
    if plot is None:
        return
    if Path(plot).suffix.lower() not in (".png", ".svg", ".pdf"):
        refuse(f"a figure ends in .png, .svg or .pdf, got {plot!r}", "--plot drift.svg")
    if not Path(plot).absolute().parent.is_dir():
        refuse(f"there is no folder {str(Path(plot).parent)!r}")


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no list of numbers, such as 1e-1,1e-2", param_hint=option
        ) from None


def _data(path: str | None) -> Data | None:
    """The data of a file."""
    if path is None:
        return None
    import numpy as np

    from geoflow.training.descent import Data

    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        refuse(f"{path} is no .npz file that can be read: {error}")
    if "y" not in found:
        refuse(f"{path} holds no y, the targets, but {', '.join(found) or 'nothing'}")
    y = found.pop("y")
    return Data(found, y, Path(path).name)


def _draw(plot: str, found: Discretized) -> None:
    from geoflow.report.stepsizes import draw_discretized

    try:
        draw_discretized(plot, found)
    except OSError as error:
        refuse(f"{plot} cannot be written: {error.strerror or error}")


def _print(found: Discretized, format: Literal["table", "csv", "json"], color: Color) -> None:
    from geoflow.report import machine
    from geoflow.report.stepsizes import discretized_csv, discretized_data, render_discretized

    match format:
        case "table":
            render_discretized(found, open_console(sys.stdout, color))
        case "csv":
            typer.echo(discretized_csv(found), nl=False)
        case "json":
            typer.echo(machine.dumps(machine.plain(discretized_data(found))), nl=False)
