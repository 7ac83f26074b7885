"""The evidence as drawings: the rank by depth, and laws against a function that is no law along a trajectory."""

from __future__ import annotations

from typing import Any

import numpy as np

from geoflow.exhibits import Curves
from geoflow.report.figures import CONTROL_COLOUR, FLOOR, GREY, LAW_COLOURS
from geoflow.report.inline import TEXT, drawn, plain_axes, power_of_ten
from geoflow.results import Certificate

_SIZE = (4.3, 2.9)  # inches
_FONT = 10.5
_PAPER = "#fdfdfb"
_ROOM = 0.15  # of the height, for a number inside its bar
_COLOURS = {
    "paper": _PAPER,
    "control": CONTROL_COLOUR,
    "rest": GREY,
    **{f"law-{number}": colour for number, colour in enumerate(LAW_COLOURS, start=1)},
}


def colour_name(number: int) -> str:
    """The page's property for the law of that number; further laws share one."""
    return f"law-{number + 1}" if number < len(LAW_COLOURS) else "rest"


def rank_chart(certificate: Certificate) -> str:
    """Rank by depth, up to the dimension; what is left is the number of laws."""
    ranks, whole = certificate.ranks, certificate.dimension

    def draw(axes: Any) -> None:
        depths = np.arange(1, len(ranks) + 1)
        axes.bar(depths, np.array(ranks, dtype=float), width=0.62, color=LAW_COLOURS[0])
        axes.axhline(whole, color=TEXT, linewidth=1.0, linestyle=(0, (4, 3)))
        for depth, rank in zip(depths, ranks, strict=True):
            inside = rank > _ROOM * whole
            axes.annotate(
                str(rank),
                (depth, rank),
                xytext=(0, -3 if inside else 3),
                textcoords="offset points",
                ha="center",
                va="top" if inside else "bottom",
                color=_PAPER if inside else TEXT,
            )
        axes.annotate(
            f"dimension {whole}: {whole - certificate.rank} left", (0.0, whole), xycoords=axes.get_yaxis_transform(),
            xytext=(3, 3), textcoords="offset points", color=TEXT,
        )  # fmt: skip
        axes.set_xlim(0.4, max(len(ranks), 3) + 0.6)
        axes.set_ylim(0, whole * 1.16)
        axes.set_xticks(depths)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("depth of brackets")
        axes.set_ylabel("rank")
        plain_axes(axes)

    return drawn(draw, _SIZE, _COLOURS, _FONT)


def change_chart(curves: Curves) -> str:
    """Relative changes as they are: laws lie on zero."""

    def draw(axes: Any) -> None:
        axes.plot(curves.times, curves.control, color=CONTROL_COLOUR, linewidth=2.0)
        for number, law in reversed(list(enumerate(curves.laws))):
            axes.plot(curves.times, law.sizes, color=_colour(number), linewidth=1.8)
        axes.set_ylabel("relative change")
        _over_time(axes)

    return drawn(draw, _SIZE, _COLOURS, _FONT)


def size_chart(curves: Curves) -> str:
    """Their sizes on a logarithmic scale, with the tolerance."""
    control = _above_floor(np.abs(curves.control))
    laws = [_above_floor(np.array(law.sizes)) for law in curves.laws]

    def draw(axes: Any) -> None:
        times = curves.times[1:]  # at the start nothing has changed
        axes.plot(times, control[1:], color=CONTROL_COLOUR, linewidth=2.0)
        for number, sizes in reversed(list(enumerate(laws))):
            axes.plot(times, sizes[1:], color=_colour(number), linewidth=1.8)
        axes.axhline(curves.tolerance, color=TEXT, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
        axes.annotate(
            f"tolerance {power_of_ten(curves.tolerance)}", (0.0, curves.tolerance),
            xycoords=axes.get_yaxis_transform(), xytext=(3, 3), textcoords="offset points",
            color=TEXT,
        )  # fmt: skip
        axes.set_yscale("log")
        lowest = min((float(np.min(s[1:])) for s in (control, *laws)), default=FLOOR)
        floor = np.floor(np.log10(lowest)) - 0.3
        axes.set_yticks([10.0**k for k in range(-18, 4, 3)])
        axes.yaxis.set_major_formatter(lambda value, _: power_of_ten(value))
        axes.minorticks_off()
        axes.set_ylim(10.0**floor, max(10.0, 3 * float(np.max(control))))
        axes.set_ylabel("its size")
        _over_time(axes)

    return drawn(draw, _SIZE, _COLOURS, _FONT)


def _over_time(axes: Any) -> None:
    axes.set_xlabel("time t")
    axes.margins(x=0)
    plain_axes(axes)


def _above_floor(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, FLOOR)


def _colour(number: int) -> str:
    return LAW_COLOURS[number] if number < len(LAW_COLOURS) else GREY
