"""Drifts by step size as a table, CSV, JSON and a figure."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict
from typing import Any

from rich.console import Console

from geoflow.discretized import ROUND_OFF, Discretized
from geoflow.report.figures import CONTROL_COLOUR, GREY, LAW_COLOURS, save_figure
from geoflow.report.page import Page
from geoflow.report.visible import cell


def render_discretized(found: Discretized, console: Console) -> None:
    """A paragraph a law: the drift at each step size and the slope, and whether it survives every step."""
    page = Page(console)
    page.line(
        (found.model, "bold"),
        f"  {found.file}  {found.optimizer} over time {found.time:g}, {found.loss} loss, {found.data}",
    )
    slopes = {(s.law, s.momentum): s.slope for s in found.slopes}
    for number, law in enumerate(found.laws):
        survives = found.survives(number)
        page.blank()
        words = "survives every step size" if survives else ""
        page.columns(
            (("  ✓ " if survives else "    ", "green"), law.text),
            f"{words}: {law.exact}" if words and law.exact else words,
            "green",
        )
        for momentum in found.momenta:
            runs = [r for r in found.runs if r.momentum == momentum]
            cells = ", ".join(f"{_number(r.drifts[number])} at {r.step:g}" for r in runs)
            lead = (
                f"      momentum {momentum:g}  "
                if found.optimizer == "momentum"
                else "      drift  "
            )
            slope = slopes[law.text, momentum]
            tail = "" if slope is None else f"; drift ~ step^{slope:.2f}"
            page.paragraph(lead, cells + tail)
    if not found.laws:
        page.line("  no law of the flow is known")
    page.blank()
    controls = ", ".join(f"{_number(r.control)} at {r.step:g}" for r in found.runs)
    page.paragraph(("  control   ", "bold"), f"drift of a function that is no law: {controls}")
    for note in found.notes:
        page.paragraph(("  note      ", "cyan"), note)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "diverged"
    return "round-off" if value <= ROUND_OFF else f"{value:.1e}"


def discretized_csv(found: Discretized) -> str:
    """One line a law and run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["law", "step", "momentum", "steps", "drift", "moved", "control"])
    for number, law in enumerate(found.laws):
        for r in found.runs:
            drift = r.drifts[number]
            writer.writerow(
                [cell(law.text), r.step, r.momentum, r.steps, drift, r.moved, r.control]
            )
    return out.getvalue()


def discretized_data(found: Discretized) -> dict[str, Any]:
    """For `--format json`."""
    data = asdict(found)
    for number, law in enumerate(data["laws"]):
        law["survives"] = found.survives(number)
    return {"schema": 1, **data, "slopes": [asdict(s) for s in found.slopes]}


def draw_discretized(path: str, found: Discretized) -> None:
    """Drift against step size, both logarithmic: a line a law and momentum, and the control."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "geoflow", "font.size": 9.0}):
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        axes = figure.subplots()
        for place, momentum in enumerate(found.momenta):
            runs = [r for r in found.runs if r.momentum == momentum and not r.diverged]
            steps = [r.step for r in runs]
            style: Any = ("-", "--", ":", "-.")[place % 4]
            for number, law in enumerate(found.laws):
                colour = LAW_COLOURS[number] if number < len(LAW_COLOURS) else GREY
                drifts = [max(r.drifts[number], 1e-17) for r in runs]
                label = law.text if len(law.text) < 60 else law.text[:59] + "…"
                label += f", momentum {momentum:g}" if found.optimizer == "momentum" else ""
                shown = label if number <= len(LAW_COLOURS) else None
                axes.plot(steps, drifts, marker="o", linestyle=style, color=colour, label=shown)
            controls = [max(r.control, 1e-17) for r in runs]
            label = "control, no law" if place == 0 else None
            axes.plot(
                steps, controls, marker="x", color=CONTROL_COLOUR, linestyle=style, label=label
            )
        axes.axhline(ROUND_OFF, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("step size")
        axes.set_ylabel("largest relative drift")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#e4e4e4", linewidth=0.6)
        axes.set_title(f"{found.model}, {found.optimizer}", loc="left", parse_math=False)
        legend = figure.legend(loc="outside lower left", frameon=False)
        for text in legend.get_texts():
            text.set_parse_math(False)
        save_figure(figure, path, dpi=160)
