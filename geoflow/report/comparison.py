"""A comparison of flows as a table, and as data."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from geoflow.report.page import Page
from geoflow.report.verdicts import SIGNS
from geoflow.report.visible import visible
from geoflow.results import ComparedFlow, Comparison

_ABSENT = "·"


def render_comparison(comparison: Comparison, console: Console) -> None:
    """One column a flow, one row a law; under the table, what the columns are."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("law")
    for number, _ in enumerate(comparison.flows, start=1):
        table.add_column(f"[{number}]", justify="center")
    table.add_row("number of laws", *(_count(flow) for flow in comparison.flows))
    for law in comparison.laws:
        signs = (SIGNS[v] if v is not None else _ABSENT for v in law.verdicts)
        table.add_row(visible(law.text), *signs)
    console.print(table)
    page = Page(console)
    page.line("")
    for number, flow in enumerate(comparison.flows, start=1):
        page.line(f"[{number}] {flow.name}: {visible(flow.summary)}")
    for name in comparison.left_out:
        page.line(f"left out, its metric is not known exactly for this network: {name}")
    page.line("✓ kept (proved)  ~ kept (probable)  ✗ lost  ? undecided  · cannot be said there")


def _count(flow: ComparedFlow) -> str:
    laws = flow.laws
    if laws.status == "bounded":
        return f"{laws.lower}–{laws.upper}"
    return f"{laws.upper}" if laws.status == "proved" else f"~{laws.upper}"


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison for `--format json`."""
    return {
        "schema": 1,
        "flows": [
            {
                "name": flow.name,
                "summary": flow.summary,
                "laws": {
                    "lower": flow.laws.lower,
                    "upper": flow.laws.upper,
                    "status": flow.laws.status,
                },
            }
            for flow in comparison.flows
        ],
        "left_out": list(comparison.left_out),
        "laws": [
            {
                "text": law.text,
                "verdicts": dict(
                    zip((f.name for f in comparison.flows), law.verdicts, strict=True)
                ),
                "kept": [
                    flow.name
                    for flow, v in zip(comparison.flows, law.verdicts, strict=True)
                    if v in ("proved", "probable")
                ],
            }
            for law in comparison.laws
        ],
    }
