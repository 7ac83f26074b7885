"""A matplotlib figure as an SVG element that stands in a page and takes the page's colours and font."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

TEXT = "#010203"  # stands for the colour of the page's text
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def drawn(
    draw: Callable[[Any], None],
    size: tuple[float, float],
    colours: Mapping[str, str],
    font: float = 11.0,
) -> str:
    """What `draw` draws on axes of so many inches; a colour of `colours` becomes the page's property of that name."""
    with matplotlib.rc_context(
        {"svg.hashsalt": "geoflow", "svg.fonttype": "none", "font.size": font}
    ):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        draw(axes)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    return _for_a_page(written.getvalue(), colours)


def plain_axes(axes: Any) -> None:
    """Two spines and the labels, in the colour of the text."""
    axes.tick_params(colors=TEXT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(TEXT)
    axes.xaxis.label.set_color(TEXT)
    axes.yaxis.label.set_color(TEXT)


def power_of_ten(value: float) -> str:
    """10⁻³."""
    return "10" + str(round(np.log10(value))).translate(_SUPERSCRIPT)


def _for_a_page(svg: str, colours: Mapping[str, str]) -> str:
    """The `svg` element alone, in the page's colours, font and width."""
    element = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.S)
    element = re.sub(r' (width|height)="[\d.]+pt"', "", element, count=2)
    element = re.sub(r" *font-family: [^;\"]*;", "", element)
    element = re.sub(
        r"\s*<style.*?</style>", "", element, flags=re.S
    )  # it is the page's, not its own
    element = re.sub(r"(?<=\.\d\d)\d+", "", element)  # a hundredth of a point is enough
    for name, colour in colours.items():
        element = element.replace(colour, f"var(--{name}, {colour})")
    return re.sub(r"\n\s*\n", "\n", element.replace(TEXT, "currentColor")).strip()
