"""Charts of a page's own tables.

`<!-- chart: x = parameters, y = "processor, s" -->` stands above a table. Its rows are points, on logarithmic axes;
rows whose first cells begin with the same word are one line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

from geoflow.report.figures import CONTROL_COLOUR, LAW_COLOURS
from geoflow.report.inline import TEXT, drawn, plain_axes, power_of_ten

_COLOURS = (LAW_COLOURS[0], CONTROL_COLOUR, *LAW_COLOURS[1:])
_CHART = re.compile(r'^<!-- chart: x = "?(?P<x>[^"\n]+?)"?, y = "?(?P<y>[^"\n]+?)"? -->\n', re.M)


class ChartRefused(ValueError):
    """The mark of a chart does not fit the table below it."""


@dataclass(frozen=True)
class Chart:
    """A mark: what to draw, and where it stands in the page."""

    x: str
    y: str
    points: dict[str, list[tuple[float, float]]]
    start: int
    end: int


def charts(text: str) -> tuple[Chart, ...]:
    """The charts of a page.

    Raises:
        ChartRefused: no table below a mark, or none with these columns.
    """
    return tuple(
        Chart(m["x"], m["y"], _points(m["x"], m["y"], text[m.end() :]), m.start(), m.end())
        for m in _CHART.finditer(text)
    )


def _points(x: str, y: str, below: str) -> dict[str, list[tuple[float, float]]]:
    lines = [line for line in below.lstrip().split("\n\n")[0].splitlines() if line.startswith("|")]
    if len(lines) < 3:
        raise ChartRefused(f"there is no table below the chart of {y}")
    head, _, *rows = ([c.strip() for c in line.strip("|").split("|")] for line in lines)
    if x not in head or y not in head:
        raise ChartRefused(f"the table has no columns {x} and {y}, but {', '.join(head)}")
    columns = head.index(x), head.index(y)
    found = [
        (row[0].split()[0], *(float(row[c].replace(",", "")) for c in columns)) for row in rows
    ]
    return {
        name: [(a, b) for _, a, b in group] for name, group in groupby(found, key=lambda f: f[0])
    }


def chart(of: Chart) -> str:
    """The chart as an HTML figure."""

    def draw(axes: Any) -> None:
        for (name, points), colour in zip(of.points.items(), _COLOURS, strict=False):
            xs, ys = zip(*points, strict=True)
            axes.plot(xs, ys, color=colour, linewidth=2.0, marker="o", markersize=5)
            axes.annotate(
                name, (xs[-1], ys[-1]), (0, 8), textcoords="offset points", ha="right", color=colour
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: power_of_ten(value))
        axes.minorticks_off()
        axes.grid(color=TEXT, alpha=0.12, linewidth=0.6)
        axes.margins(y=0.15)
        axes.set_xlabel(of.x)
        axes.set_ylabel(of.y)
        plain_axes(axes)

    colours = {"kept": LAW_COLOURS[0], "lost": CONTROL_COLOUR}
    words = escape(f"{of.y} by {of.x}, for {', '.join(of.points)}")
    return f'<figure class="drifts" role="img" aria-label="{words}">\n{drawn(draw, (5.4, 3.3), colours)}\n</figure>'
