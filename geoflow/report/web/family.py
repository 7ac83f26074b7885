"""A sweep as one page: heat maps of the counts, the formula, the claims over all sizes, every row."""

from __future__ import annotations

from dataclasses import dataclass

from geoflow.report.family import claim_words
from geoflow.report.heatmap import MOST_PANELS
from geoflow.report.verdicts import SIGNS
from geoflow.report.web.document import Reproduction, page_environment, verdict_look
from geoflow.rows import Row, Sizes, SweepReport, claims_over, told

_DEEP = 0.55  # of the greatest count, from where on the text is light


@dataclass(frozen=True)
class Cell:
    """A count: its words, its share of the greatest, and whether something is amiss."""

    words: str
    share: float
    good: bool
    title: str

    @property
    def deep(self) -> bool:
        """Whether the colour is too deep for the text of the page."""
        return self.share > _DEEP


@dataclass(frozen=True)
class Panel:
    """A heat map at fixed values of all sizes but two: rows up, columns across, None where a model is left out."""

    at: str
    across: tuple[int, ...]
    lines: tuple[tuple[int | None, tuple[Cell | None, ...]], ...]


def sweep_page(report: SweepReport, reproduction: Reproduction, title: str = "") -> str:
    """The page of a sweep."""
    environment = page_environment()
    environment.filters.update(look=verdict_look, claim_words=claim_words, told=told)
    shown = panels(report)
    return environment.get_template("sweep.html").render(
        title=title or report.model,
        report=report,
        panels=shown[:MOST_PANELS],
        left_out=len(shown[MOST_PANELS:]),
        claims=claims_over(report.rows),
        failures=[row for row in report.rows if row.outcome.failure is not None],
        reproduction=reproduction,
    )


def panels(report: SweepReport) -> tuple[Panel, ...]:
    """One for each value of the sizes but the last two."""
    by_panel: dict[Sizes, dict[tuple[int | None, int], Row]] = {}
    for row in report.rows:
        up, across = [None, *(value for _, value in row.sizes)][-2:]
        assert across is not None
        by_panel.setdefault(row.sizes[:-2], {})[up, across] = row
    top = max((row.outcome.laws.upper for row in report.rows if row.outcome.laws), default=0)
    return tuple(_panel(key, rows, top) for key, rows in sorted(by_panel.items()))


def _panel(key: Sizes, rows: dict[tuple[int | None, int], Row], top: int) -> Panel:
    across = tuple(sorted({column for _, column in rows}))
    ups = sorted({up for up, _ in rows}, key=lambda up: -1 if up is None else up)
    lines = []
    for up in ups:
        found = (rows.get((up, column)) for column in across)
        lines.append((up, tuple(None if row is None else _cell(row, top) for row in found)))
    return Panel(told(key), across, tuple(lines))


def _cell(row: Row, top: int) -> Cell:
    outcome, laws = row.outcome, row.outcome.laws
    if laws is None:
        failure = outcome.failure
        words = failure.message if failure else "no count"
        return Cell("!", 0.0, False, f"{told(row.sizes)}: {words}")
    count = f"{laws.lower}–{laws.upper}" if laws.status == "bounded" else str(laws.upper)
    sign = "~" if laws.status == "probable" else ""
    wrong = "" if outcome.good else f" {SIGNS['refuted']}"
    title = f"{told(row.sizes)}: {count} laws, {laws.status}"
    return Cell(f"{sign}{count}{wrong}", laws.upper / top if top else 0.0, outcome.good, title)
