"""The counts of a sweep as a heat map: the last two sizes across and up, a panel for each value of the others."""

from __future__ import annotations

import math

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geoflow.report.figures import save_figure
from geoflow.rows import SweepReport, told

MOST_PANELS = 16
_MOST_LABELLED = 400  # cells with their number written in


def draw_sweep(path: str, report: SweepReport) -> tuple[str, ...]:
    """Write the figure; what was left out of it, as notes."""
    names = report.names
    panels: dict[tuple[tuple[str, int], ...], dict[tuple[int, int], float]] = {}
    for row in report.rows:
        up, across = [0, *(value for _, value in row.sizes)][-2:]
        laws = row.outcome.laws
        count = math.nan if laws is None else float(laws.upper)
        panels.setdefault(row.sizes[:-2], {})[across, up] = count
    kept = sorted(panels)[:MOST_PANELS]
    columns = math.ceil(math.sqrt(len(kept)))
    lines = math.ceil(len(kept) / columns)
    figure = Figure(figsize=(1.2 + 3.2 * columns, 0.8 + 2.8 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(report.model)
    counts = [c for cells in panels.values() for c in cells.values() if not math.isnan(c)]
    top = max(counts, default=1.0)
    for place, key in enumerate(kept, start=1):
        _panel(figure, (lines, columns, place), panels[key], names, top, told(key))
    with matplotlib.rc_context({"svg.hashsalt": "geoflow"}):
        save_figure(figure, path)
    left = len(panels) - len(kept)
    return (f"{left} more panels do not fit the figure",) if left else ()


def _panel(
    figure: Figure,
    place: tuple[int, int, int],
    cells: dict[tuple[int, int], float],
    names: tuple[str, ...],
    top: float,
    title: str,
) -> None:
    xs, ys = sorted({x for x, _ in cells}), sorted({y for _, y in cells})
    grid = [[cells.get((x, y), math.nan) for x in xs] for y in ys]
    axes = figure.add_subplot(*place)
    axes.imshow(grid, origin="lower", aspect="auto", cmap="viridis", vmin=0, vmax=max(top, 1))
    axes.set_xticks(range(len(xs)), [str(x) for x in xs])
    axes.set_yticks(range(len(ys)), [str(y) for y in ys] if len(names) > 1 else [""] * len(ys))
    up, across = ["", *names][-2:]
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_title(title, fontsize="medium")
    if len(cells) <= _MOST_LABELLED:
        for j, line in enumerate(grid):
            for i, count in enumerate(line):
                if not math.isnan(count):
                    dark = count < 0.6 * top
                    axes.text(
                        i, j, f"{count:.0f}", ha="center", va="center", fontsize="small",
                        color="white" if dark else "black",
                    )  # fmt: skip
