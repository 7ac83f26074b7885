"""Figures of laws and control along a trajectory: what stays, beside what a function that is no law
does.

Drawn on matplotlib's `Figure` itself, without pyplot: no window, no global state, whatever back end
the host uses.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geoflow.replacing import replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAW_COLOURS = ("#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # further laws are grey
CONTROL_COLOUR = "#d55e00"
GREY = "#6b6b6b"
SUFFIXES = (".png", ".svg", ".pdf")
LONGEST = 60  # characters of a law in the legend
FLOOR = 1e-17  # below round-off: where a change of exactly 0 is drawn


class Curves(Protocol):
    """Relative changes along one trajectory, `run`: `laws` has [time, entry] by law's text,
    `control` [time]. Beyond `tolerance` a law would count as drifting."""

    @property
    def run(self) -> str: ...  # noqa: D102

    @property
    def times(self) -> np.ndarray: ...  # noqa: D102

    @property
    def laws(self) -> Mapping[str, np.ndarray]: ...  # noqa: D102

    @property
    def control(self) -> np.ndarray: ...  # noqa: D102

    @property
    def tolerance(self) -> float: ...  # noqa: D102


def plot_laws(path: str | Path, curves: Curves, title: str = "") -> None:
    """Write a figure: the relative change of every law and of the control, and its size on a
    logarithmic scale.

    Raises:
        ValueError: the suffix is not one of `SUFFIXES`.
        OSError: it cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"a figure ends in {', '.join(SUFFIXES)}, got {path.name!r}")
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "geoflow", "font.size": 9.0}):
        figure = Figure(figsize=(7.0, 5.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.0, 1.2))
        _draw_changes(above, curves)
        _draw_sizes(below, curves)
        figure.align_ylabels()
        above.set_title(_heading(title, curves.run), loc="left", fontsize=10, parse_math=False)
        handles, labels = above.get_legend_handles_labels()
        legend = figure.legend(handles, labels, loc="outside lower left", frameon=False)
        for text in legend.get_texts():
            text.set_parse_math(False)
        save_figure(figure, path, dpi=160)


def save_figure(figure: Figure, path: str | Path, dpi: float | None = None) -> None:
    """Write a figure in the format of its suffix, in one step or not at all.

    Raises:
        OSError: it cannot be written.
    """
    suffix = Path(path).suffix.lower()
    written = io.BytesIO()
    undated = {"Date": None} if suffix == ".svg" else None
    figure.savefig(written, format=suffix[1:], dpi=dpi or "figure", metadata=undated)
    replace_file(Path(path), written.getvalue())


@dataclass(frozen=True)
class DriftLine:
    """The size of a law's relative change along a trajectory, both [time]."""

    name: str
    times: np.ndarray
    sizes: np.ndarray

    @property
    def largest(self) -> float:
        """The drift."""
        return float(np.max(self.sizes))


def svg_of_drifts(kept: DriftLine, lost: DriftLine, tolerance: float) -> str:
    """An SVG element, to stand in a page, of a law kept and a law lost. Its text has the colour of
    the page's text, its lines those of the page's `--kept` and `--lost`, if it has them."""
    from geoflow.report.inline import TEXT, drawn, plain_axes, power_of_ten

    def draw(axes: Any) -> None:
        for line, word, colour in ((kept, "kept", LAW_COLOURS[0]), (lost, "lost", CONTROL_COLOUR)):
            _draw_drift(axes, line, word, colour)
        axes.axhline(tolerance, color=TEXT, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
        _note(axes, f"tolerance {power_of_ten(tolerance)}", (0.01, tolerance), "left", TEXT)
        axes.set_yscale("log")
        lowest = max(float(np.min(_above_floor(kept.sizes[1:]))), FLOOR)
        axes.set_ylim(10.0 ** np.floor(np.log10(lowest) - 1), 30.0)
        axes.set_yticks([10.0**k for k in range(-15, 1, 3)])
        axes.yaxis.set_major_formatter(lambda value, _: power_of_ten(value))
        axes.minorticks_off()
        axes.set_ylim(10.0 ** np.floor(np.log10(lowest) - 1), 30.0)
        axes.set_ylabel("relative change")
        axes.set_xlabel("time t")
        plain_axes(axes)
        axes.margins(x=0)

    return drawn(draw, (5.4, 3.3), {"kept": LAW_COLOURS[0], "lost": CONTROL_COLOUR})


def _draw_drift(axes: Any, line: DriftLine, word: str, colour: str) -> None:
    """A line and, at its end, what it is."""
    sizes = _above_floor(line.sizes[1:])  # at the start nothing has changed
    axes.plot(line.times[1:], sizes, color=colour, linewidth=2.0)
    later = sizes[len(sizes) // 3 :]
    height = float(np.max(later)) * 2
    _note(axes, f"{line.name} is {word}", (0.99, height), "right", colour)


def _note(axes: Any, text: str, place: tuple[float, float], side: str, colour: str) -> None:
    axes.annotate(
        text,
        place,
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 3),
        textcoords="offset points",
        ha=side,
        color=colour,
        parse_math=False,
    )


def _above_floor(sizes: np.ndarray) -> np.ndarray:
    return np.maximum(sizes, FLOOR)


def _heading(title: str, run: str) -> str:
    return f"{title}, {run}" if title else run


def _draw_changes(axes: Any, curves: Curves) -> None:
    """Changes as they are: laws lie on zero."""
    axes.plot(
        curves.times, curves.control, color=CONTROL_COLOUR, linewidth=2.0, label="control, no law"
    )
    unnamed = len(curves.laws) - len(LAW_COLOURS)
    for number, (text, changes) in enumerate(curves.laws.items()):
        label = _label(text, changes.shape[1]) if number < len(LAW_COLOURS) else None
        if number == len(LAW_COLOURS):
            label = f"and {unnamed} more law{'s' * (unnamed > 1)}"
        for entry in range(changes.shape[1]):
            axes.plot(
                curves.times,
                changes[:, entry],
                color=_colour(number),
                linewidth=1.5,
                label=label if entry == 0 else None,
            )
    axes.set_ylabel("relative change")
    _bare(axes)


def _draw_sizes(axes: Any, curves: Curves) -> None:
    """Sizes on a logarithmic scale: the largest entry of each law, the control, the tolerance."""
    times = curves.times[1:]  # at the start nothing has changed
    axes.plot(times, _size(curves.control[:, None]), color=CONTROL_COLOUR, linewidth=2.0)
    for number, changes in enumerate(curves.laws.values()):
        if changes.shape[1]:
            axes.plot(times, _size(changes), color=_colour(number))
    axes.axhline(curves.tolerance, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.annotate(
        f"tolerance {curves.tolerance:.0e}",
        (1.0, curves.tolerance),
        xycoords=axes.get_yaxis_transform(),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="right",
        color=GREY,
    )
    axes.set_yscale("log")
    axes.set_ylabel("its size, largest entry")
    axes.set_xlabel("time t")
    _bare(axes)


def _size(changes: np.ndarray) -> np.ndarray:
    return np.maximum(np.max(np.abs(changes[1:]), axis=1), FLOOR)


def _colour(number: int) -> str:
    return LAW_COLOURS[number] if number < len(LAW_COLOURS) else GREY


def _label(text: str, entries: int) -> str:
    short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return f"{short} ({entries} entries)" if entries > 1 else short


def _bare(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0)
