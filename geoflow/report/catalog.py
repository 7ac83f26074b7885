"""A catalog of network blocks: as text, as a Markdown table, as data."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console

from geoflow.report.machine import diagnostic_data, plain
from geoflow.report.page import Page, Part
from geoflow.report.snippet import render_diagnostic
from geoflow.report.verdicts import holds
from geoflow.report.visible import visible
from geoflow.results import Catalog, CatalogEntry

_COLUMNS = ("name", "network", "count", "here", "laws", "status", "source")
_STYLES = {"proved": "green", "probable": "yellow", "not settled": "yellow", "fails": "bold red"}


def status_of(entry: CatalogEntry) -> str:
    """proved or probable, as the count and all claims are; otherwise what is amiss; "" where nothing was checked."""
    report = entry.report
    if report is None:
        return ""
    if not all(map(holds, report.claims)):
        return "fails"
    if report.laws.status == "bounded":
        return "not settled"
    certain = all(claim.verdict == "proved" for claim in report.claims)
    return "proved" if certain and report.laws.status == "proved" else "probable"


def count_of(entry: CatalogEntry) -> str:
    """The number of laws at the sizes of the file."""
    if entry.report is None:
        return ""
    laws = entry.report.laws
    return f"{laws.lower}–{laws.upper}" if laws.status == "bounded" else str(laws.upper)


def render_catalog(catalog: Catalog, console: Console) -> None:
    """A block an entry: its name, its count and the formula, then the network, the laws, the source."""
    page = Page(console)
    file = ""
    for entry in catalog.entries:
        if entry.file != file:
            file = entry.file
            page.columns(((file, "bold"),), entry.title, at=_INDENT)
        _render_entry(entry, page)
        page.blank()
    for diagnostic in catalog.diagnostics:
        render_diagnostic(diagnostic, console)
        page.blank()
    page.line(_summary(catalog))


_INDENT = 28


def _render_entry(entry: CatalogEntry, page: Page) -> None:
    status, count = status_of(entry), count_of(entry)
    head: list[Part] = [f"  {entry.name}"]
    found = [f"{count} {'law' if count == '1' else 'laws'}, {status}"] if entry.report else []
    page.columns(tuple(head), "   ".join([*found, entry.formula]), _STYLES.get(status, ""), _INDENT)
    page.paragraph("    ", entry.network, "dim")
    for law in entry.claimed:
        page.paragraph("    keeps ", law)
    page.paragraph("    source: ", entry.source, "dim")


def _summary(catalog: Catalog) -> str:
    words = [status_of(entry) for entry in catalog.entries]
    total = f"{len(words)} {'entry' if len(words) == 1 else 'entries'}"
    counts = [f"{words.count(word)} {word}" for word in _STYLES if word in words]
    return f"{total}: {', '.join(counts)}" if counts else total


def catalog_markdown(catalog: Catalog) -> str:
    """A Markdown table, a row an entry."""
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS)]
    for entry in catalog.entries:
        rows.append(
            (
                entry.name,
                _code(entry.network),
                _cell(entry.formula),
                count_of(entry),
                "<br>".join(map(_code, entry.claimed)) or "none",
                status_of(entry),
                _cell(entry.source),
            )
        )
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(text: str) -> str:
    plain = visible(text).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\|*_`\[\]!])", r"\\\1", plain)


def _code(text: str) -> str:
    return f"`{visible(text).replace('|', chr(92) + '|').replace('`', '')}`" if text else ""


def catalog_data(catalog: Catalog) -> dict[str, Any]:
    """The catalog for `--format json`."""
    return plain(
        {
            "schema": 1,
            "exit_code": catalog.exit_code,
            "entries": [_entry(entry) for entry in catalog.entries],
            "diagnostics": [diagnostic_data(d) for d in catalog.diagnostics],
        }
    )


def _entry(entry: CatalogEntry) -> dict[str, Any]:
    report = entry.report
    return {
        "name": entry.name,
        "file": entry.file,
        "title": entry.title,
        "network": entry.network,
        "count": entry.formula,
        "source": entry.source,
        "laws": entry.claimed,
        "status": status_of(entry) or None,
        "found": None
        if report is None
        else {
            "lower": report.laws.lower,
            "upper": report.laws.upper,
            "status": report.laws.status,
            "of": report.laws.of,
            "parameters": report.parameters,
            "claims": [{"text": c.text, "verdict": c.verdict} for c in report.claims],
        },
    }
