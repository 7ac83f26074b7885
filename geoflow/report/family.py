"""A sweep as a table, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from geoflow.report.page import Page
from geoflow.report.verdicts import SIGNS, STYLES
from geoflow.report.visible import cell
from geoflow.rows import ClaimOverSweep, Outcome, Row, Sizes, SweepReport, claims_over, told

_ABSENT, _FAILED = "·", "!"
_SHOWN = 5  # failures that are told one by one
_TAKEN = ("sizes", "laws", "claims", "failure", "seconds")


def render_sweep(report: SweepReport, console: Console) -> None:
    """A table with the last size across and the others down, then what it comes to."""
    page = Page(console)
    total = len(report.rows)
    models = f"{total} model{'' if total == 1 else 's'}"
    page.line((report.model, "bold"), f"  {report.file}  {models}, {report.reused} known before")
    page.blank()
    console.print(_table(report, page))
    page.line(
        f"laws by size; ~ probable, a–b bounds, ✗ a claim fails, {_FAILED} no count, {_ABSENT} left out"
    )
    page.blank()
    _render_formula(report, page)
    for claim in claims_over(report.rows):
        _render_claim(claim, page)
    failures = [row for row in report.rows if row.outcome.failure is not None]
    for row in failures[:_SHOWN]:
        failure = row.outcome.failure
        assert failure is not None
        page.paragraph(("  ! ", "red"), f"{told(row.sizes)}: {failure.message} ({failure.code})")
    if len(failures) > _SHOWN:
        page.line(f"    and {len(failures) - _SHOWN} more without a count")
    for note in report.notes:
        page.paragraph("  note: ", note)


def _table(report: SweepReport, page: Page) -> Table:
    *down, across = report.names
    columns = sorted({dict(row.sizes)[across] for row in report.rows})
    lines: dict[tuple[int, ...], dict[int, str]] = {}
    for row in report.rows:
        *key, column = (value for _, value in row.sizes)
        lines.setdefault(tuple(key), {})[column] = page.show(_cell(row.outcome))
    table = Table(box=None, pad_edge=False, show_edge=False)
    for name in down:
        table.add_column(page.show(name), justify="right", style="bold", no_wrap=True)
    table.add_column(page.show(f"{across} ="), justify="right", no_wrap=True)
    for column in columns:
        table.add_column(str(column), justify="right", no_wrap=True)
    for key, cells in sorted(lines.items()):
        absent = page.show(_ABSENT)
        table.add_row(*map(str, key), "", *(cells.get(c, absent) for c in columns))
    return table


def _cell(outcome: Outcome) -> str:
    laws = outcome.laws
    if laws is None:
        return _FAILED
    shown = f"{laws.lower}–{laws.upper}" if laws.status == "bounded" else str(laws.upper)
    return "~" * (laws.status == "probable") + shown + "✗" * (not outcome.good)


def _render_formula(report: SweepReport, page: Page) -> None:
    formula = report.formula
    if formula is None:
        page.paragraph(
            ("  formula  ", "bold"),
            "none found: no polynomial up to degree 3 in a few branches, fitted to a part of the "
            f"{len(report.rows)} sizes, was right on the others; more sizes may give one",
        )
        return
    for number, claim in enumerate(formula.claims):
        text = claim.removeprefix("expect laws = ")
        page.paragraph(("  formula  " if number == 0 else "           ", "bold"), text)
    page.paragraph(
        "           ",
        f"fitted on {formula.fitted} sizes, verified on {formula.verified} others; no proof beyond them",
    )


def _render_claim(claim: ClaimOverSweep, page: Page) -> None:
    style = STYLES[claim.verdict]
    page.columns(((f"  {SIGNS[claim.verdict]} ", style), claim.text), claim_words(claim), style)


def claim_words(claim: ClaimOverSweep) -> str:
    """Whether a claim holds over a sweep, or where it fails first."""
    sizes = f"{claim.sizes} size{'' if claim.sizes == 1 else 's'}"
    if claim.first is None:
        return f"holds over {sizes} ({claim.verdict})"
    where = told(claim.first.sizes)
    return f"{claim.verdict} at {claim.failing} of {sizes}, first at {where}: {claim.detail}"


def sweep_csv(report: SweepReport) -> str:
    """One line a model."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*report.names, "lower", "upper", "status", "claims", "failure", "seconds"])
    for row in report.rows:
        outcome, laws = row.outcome, row.outcome.laws
        writer.writerow(
            [
                *(value for _, value in row.sizes),
                *(("", "", "") if laws is None else (laws.lower, laws.upper, laws.status)),
                cell("; ".join(f"{c.text}: {c.verdict}" for c in outcome.claims)),
                outcome.failure.code if outcome.failure else "",
                outcome.seconds,
            ]
        )
    return out.getvalue()


def sweep_data(report: SweepReport) -> dict[str, Any]:
    """The sweep for `--format json`."""
    return {
        "schema": 1,
        "file": report.file,
        "model": report.model,
        "names": list(report.names),
        "rows": [_row(row) for row in report.rows],
        "formula": report.formula.text if report.formula else None,
        "discovery": asdict(report.formula) if report.formula else None,
        "claims": list(_claims(report)),
        "notes": list(report.notes),
        "reused": report.reused,
        "seconds": report.seconds,
        "exit_code": report.exit_code,
    }


def _row(row: Row) -> dict[str, Any]:
    """A row; each size stands in it by name too, unless its name is a word of the format."""
    outcome = row.outcome
    content: dict[str, Any] = {n: v for n, v in row.sizes if n not in _TAKEN}
    content["sizes"] = dict(row.sizes)
    content["laws"] = asdict(outcome.laws) if outcome.laws else None
    content["claims"] = [asdict(claim) for claim in outcome.claims]
    content["failure"] = asdict(outcome.failure) if outcome.failure else None
    content["seconds"] = outcome.seconds
    return content


def _claims(report: SweepReport) -> Iterator[dict[str, Any]]:
    for claim in claims_over(report.rows):
        first: Sizes | None = claim.first.sizes if claim.first else None
        yield {
            "text": claim.text,
            "verdict": claim.verdict,
            "sizes": claim.sizes,
            "failing": claim.failing,
            "first": dict(first) if first else None,
        }
