"""What a notebook shows of results: small cards that fit its page, in its light and its dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from geoflow.exhibits import Math
from geoflow.expr.mathml import expr_math
from geoflow.report.verdicts import (
    assumptions,
    claim_text,
    evidence,
    headline,
    outcome,
    trajectories,
)
from geoflow.report.web.charts import size_chart
from geoflow.report.web.document import page_environment, shown_laws, verdict_look
from geoflow.report.web.markup import formula, own_ids
from geoflow.results import HOLDS, ModelReport, Report

if TYPE_CHECKING:
    from geoflow.analysis import Analysis
    from geoflow.flow import Flow
    from geoflow.laws.law import Law


@dataclass(frozen=True)
class Line:
    """A law or a claim: its verdict, its formula or its text, what is to be said of it."""

    verdict: str
    text: str
    math: Math | None = None
    words: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """A heading with a verdict, lines of small print, lines of laws and claims, a drawing."""

    title: str
    verdict: str = ""
    about: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    drawing: str = ""


def cards_html(*cards: Card) -> str:
    """The cards as a piece of a page; every text escaped."""
    environment = page_environment()
    environment.filters.update(look=verdict_look, formula=formula)
    return environment.get_template("card.html").render(cards=cards)


def report_html(report: Report) -> str:
    """A report: a card for each model, or one for the mistakes."""
    errors = [d for d in report.diagnostics if d.severity == "error"]
    if errors:
        lines = tuple(Line("error", d.message, None, d.code, d.hints) for d in errors)
        return cards_html(Card("Nothing was checked", "error", (), lines))
    return cards_html(*(_model_card(model, number) for number, model in enumerate(report.models)))


def _model_card(model: ModelReport, number: int) -> Card:
    about = [model.summary, evidence(model)]
    about += [assumptions(model)] if assumptions(model) else []
    if model.verify is not None and model.verify.usable:
        drifts = "a law drifts" if model.verify.failed else "verified"
        about.append(f"{drifts}: {trajectories(model.verify)}")
    lines = [
        Line(law.verdict, law.text, law.math, law.name, (f"from the symmetry {law.symmetry}",))
        if law.symmetry
        else Line(law.verdict, law.text, law.math, law.name)
        for law in shown_laws(model)
        if law.verdict in HOLDS
    ]
    lines += [
        Line(c.verdict, claim_text(c), None, outcome(c), (*c.witness, *c.hints))
        for c in model.claims
        if c.kind != "law" or c.verdict not in HOLDS
    ]
    curves = model.exhibit.curves if model.exhibit else None
    drawing = ""
    if curves is not None and len(curves.times) > 1:
        prefix = f"geoflow-{model.model}-{number}-{model.seed}"
        drawing = Markup(own_ids(size_chart(curves), "".join(filter(_plain, prefix))))
    title = f"{model.model}: {headline(model)}"
    return Card(title, model.laws.status, tuple(about), tuple(lines), drawing)


def _plain(character: str) -> bool:
    return character == "-" or (character.isascii() and character.isalnum())


def analysis_html(analysis: Analysis) -> str:
    """What was found of a flow."""
    count, certificate = analysis.count, analysis.certificate
    number = f"{count.upper}" if count.lower == count.upper else f"{count.lower} to {count.upper}"
    of = " of the path-lifting" if count.of == "path-lifting" else ""
    noun = "law" if number == "1" else "laws"
    about = [analysis.flow.summary(), f"rank {certificate.rank} of {certificate.dimension}"]
    about += [count.reason] if count.reason else []
    about.append("; ".join(analysis.assumes))
    lines = tuple(_law_line(law) for law in analysis.laws)
    title = f"{number} independent {noun}{of}"
    return cards_html(Card(title, count.status, tuple(about), lines))


def _law_line(law: Law) -> Line:
    more = (f"from the symmetry {law.symmetry}",) if law.symmetry else ()
    words = f"{law.independent} independent"
    return Line(law.status, str(law), expr_math(law.expression), words, more)


def flow_html(flow: Flow) -> str:
    """A flow: its map, its parameters, its state."""
    sizes = ", ".join(
        f"{b.name}[{', '.join(map(str, b.shape))}]" if b.shape else b.name for b in flow.parameters
    )
    about = (flow.summary(), f"parameters {sizes}", f"{flow.dimension} coordinates of state")
    return cards_html(Card("Flow", "", about))
