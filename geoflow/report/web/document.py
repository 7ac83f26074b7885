"""A report as one page: verdict, model, laws, evidence, certificate, source, and the command that makes it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from geoflow.diagnostics import Diagnostic
from geoflow.exhibits import Math
from geoflow.report.verdicts import (
    SIGNS,
    assumptions,
    claim_code,
    claim_text,
    evidence,
    fact_text,
    formulas,
    headline,
    outcome,
    run_words,
    squeezed,
    summary,
    symmetries_of_claims,
    trajectories,
)
from geoflow.report.web.charts import change_chart, colour_name, rank_chart, size_chart
from geoflow.report.web.markup import code_lines, formula, own_ids, shown
from geoflow.results import ClaimResult, FoundLaw, ModelReport, Report

LAWS_DRAWN = 6  # curves that can be told apart, the last one grey


@dataclass(frozen=True)
class Reproduction:
    """How to make a page again: the command, and the program that ran it."""

    command: str
    version: str
    seed: int


@dataclass(frozen=True)
class ShownLaw:
    """A law of the page: found by geoflow, claimed by the file, or both."""

    text: str
    math: Math | None
    verdict: str
    kind: str
    name: str = ""
    independent: int | None = None
    symmetry: str = ""
    reason: str = ""
    drift: float | None = None


@dataclass(frozen=True)
class Listing:
    """A source file: its lines, and by line what is said there, as (verdict or severity, sign, words)."""

    file: str
    lines: tuple[Markup, ...]
    marks: Mapping[int, tuple[str, str, str]]


def report_page(report: Report, reproduction: Reproduction, title: str = "") -> str:
    """The page of a report on any number of models."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=title or _title(report),
            report=report,
            summary=summary(report),
            listings=_listings(report),
            reproduction=reproduction,
            laws={anchor(model, number): shown_laws(model) for number, model in _numbered(report)},
            numbered=[(anchor(model, number), model) for number, model in _numbered(report)],
        )
    )


def _numbered(report: Report) -> list[tuple[int, ModelReport]]:
    return list(enumerate(report.models, start=1))


def anchor(model: ModelReport, number: int) -> str:
    """Where the model stands in the page."""
    return f"model-{number}"


def _title(report: Report) -> str:
    names = [model.model for model in report.models]
    return names[0] if len(names) == 1 else f"{len(names)} models"


def shown_laws(model: ModelReport) -> tuple[ShownLaw, ...]:
    """Claimed laws first, with what was found of the same text; then the others that were found."""
    found = {squeezed(law.text): law for law in model.found}
    symmetries = symmetries_of_claims(model)
    laws, told = [], set()
    for number, claim in enumerate(model.claims):
        if claim.kind == "law":
            text = claim_text(claim)
            told.add(squeezed(text))
            same = found.get(squeezed(text))
            laws.append(_claimed(model, claim, text, same, symmetries.get(number, ())))
    laws += [
        _found(model, law)
        for law in model.found
        if squeezed(law.text) not in told and not law.claimed
    ]
    return tuple(laws)


def _claimed(
    model: ModelReport,
    claim: ClaimResult,
    text: str,
    same: FoundLaw | None,
    symmetries: tuple[str, ...],
) -> ShownLaw:
    return ShownLaw(
        text,
        model.exhibit.formula(claim.text) if model.exhibit else None,
        claim.verdict,
        same.kind if same else "",
        claim.name or "",
        same.independent if same else None,
        "; ".join(symmetries),
        same.reason if same else "",
        claim.drift,
    )


def _found(model: ModelReport, law: FoundLaw) -> ShownLaw:
    return ShownLaw(
        law.text,
        model.exhibit.formula(law.text) if model.exhibit else None,
        law.status,
        law.kind,
        "",
        law.independent,
        law.symmetry,
        law.reason,
        law.drift,
    )


# ---------------------------------------------------------------- source


def _listings(report: Report) -> tuple[Listing, ...]:
    """One for each file, with the verdicts at their lines."""
    listings: dict[str, Listing] = {}
    for model in report.models:
        if model.exhibit is None:
            continue
        if model.file not in listings:
            lines = tuple(code_lines(model.exhibit.source))
            listings[model.file] = Listing(model.file, lines, _marks(report, model.file))
    return tuple(listings.values())


def _marks(report: Report, file: str) -> dict[int, tuple[str, str, str]]:
    marks: dict[int, tuple[str, str, str]] = {}
    for diagnostic in report.diagnostics:
        line = _line(diagnostic, file)
        if line is not None:
            marks[line] = (diagnostic.severity, "!", diagnostic.message)
    for model in report.models:
        for claim in model.claims if model.file == file else ():
            if claim.line is not None:
                words = outcome(claim) or claim.verdict
                marks[claim.line] = (verdict_look(claim.verdict), SIGNS[claim.verdict], words)
    return marks


def _line(diagnostic: Diagnostic, file: str) -> int | None:
    span = diagnostic.span
    return span.line if span is not None and span.source.name == file else None


def verdict_look(verdict: str) -> str:
    """The look of a verdict: sure, likely, wrong, open."""
    looks = {"proved": "sure", "probable": "likely", "undecided": "open", "bounded": "open"}
    return looks.get(verdict, "wrong")


# ---------------------------------------------------------------- drawings


def _drawings(model: ModelReport, prefix: str) -> list[tuple[str, Markup]]:
    """Each with its words, for those who do not see it. The SVG is matplotlib's, of numbers alone."""
    found: list[tuple[str, str]] = []
    certificate = model.certificate
    if certificate is not None and certificate.ranks and not certificate.anchored:
        ranks = ", ".join(map(str, certificate.ranks))
        words = f"Rank by depth of brackets: {ranks}, of {certificate.dimension}"
        found.append((words, rank_chart(certificate)))
    curves = model.exhibit.curves if model.exhibit else None
    if curves is not None and len(curves.times) > 1:
        words = f"Laws against a function that is no law, along {curves.run}"
        found += [(words, change_chart(curves)), (f"{words}, logarithmic", size_chart(curves))]
    return [
        (words, Markup(own_ids(svg, f"{prefix}-{number}")))
        for number, (words, svg) in enumerate(found, start=1)
    ]


# ---------------------------------------------------------------- templates


def page_environment() -> Environment:
    """Templates beside this module, everything escaped."""
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
    environment.globals.update(css=Markup(_template("page.css")), signs=SIGNS)
    return environment


def _environment() -> Environment:
    environment = page_environment()
    environment.filters.update(
        look=verdict_look,
        headline=headline,
        evidence=evidence,
        assumptions=assumptions,
        formulas_known=formulas,
        claim_text=claim_text,
        claim_code=claim_code,
        outcome=outcome,
        run_words=run_words,
        trajectories=trajectories,
        formula=formula,
        fact=fact_text,
        drift=lambda value: f"{value:.1e}",
    )
    environment.globals.update(drawings=_drawings, colour_name=colour_name, most=LAWS_DRAWN)
    return environment


def _template(name: str) -> str:
    return (files("geoflow.report.web") / "templates" / name).read_text(encoding="utf-8")
