"""A report for people: one block a model, then the findings, then one line that sums it up.

The exact verdict is known seconds before the trajectories are integrated, so `render_model` and
`render_verification` can be called apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rich.console import Console

from geoflow.diagnostics import Diagnostic
from geoflow.report.page import Page, Part, pad
from geoflow.report.snippet import render_diagnostic
from geoflow.report.verdicts import (
    SIGNS,
    STYLES,
    assumptions,
    claim_code,
    claim_text,
    claims_words,
    count_settled,
    count_words,
    evidence,
    fact_text,
    formulas,
    holds,
    outcome,
    run_words,
    squeezed,
    summary,
    symmetries_of_claims,
    trajectories,
    trials,
)
from geoflow.results import ClaimResult, FoundLaw, ModelReport, Report

LABEL = 12  # cells of "  laws      "
NAME = 10
LAWS_SHOWN, FINDINGS_SHOWN = 12, 40
_COUNT_STYLES = {"proved": "bold green", "probable": "bold yellow", "bounded": "bold yellow"}


def render_full(
    report: Report,
    console: Console,
    *,
    verbose: bool = False,
    already_shown: Collection[tuple[str, str]] = (),
) -> None:
    """The whole report, but for the models that are `already_shown`, by (file, model)."""
    page = Page(console)
    shown = [m for m in report.models if (m.file, m.model) not in already_shown]
    render_models(shown, console, verbose=verbose)
    findings = [d for d in report.diagnostics if not _told_in_block(d, report)]
    for diagnostic in findings if verbose else findings[:FINDINGS_SHOWN]:
        render_diagnostic(diagnostic, console)
        page.blank()
    if len(findings) > FINDINGS_SHOWN and not verbose:
        page.line(f"… and {len(findings) - FINDINGS_SHOWN} more findings (-v shows all)")
        page.blank()
    render_summary(report, console)


def render_models(
    models: Iterable[ModelReport], console: Console, *, verbose: bool = False
) -> None:
    """The blocks of models, nothing else."""
    for model in models:
        render_model(model, console, verbose=verbose)
        if model.verify is not None:
            render_verification(model, console)
        Page(console).blank()


def render_model(model: ModelReport, console: Console, *, verbose: bool = False) -> None:
    """The exact verdict on one model: the count and its evidence, the laws, the claims."""
    page = Page(console)
    page.columns(((model.model, "bold"), "  ", (model.file, "dim")), model.summary, at=36)
    page.blank()
    page.columns(
        (("  laws      ", "bold"), (count_words(model), _COUNT_STYLES[model.laws.status])),
        evidence(model),
        "dim",
    )
    if assumed := assumptions(model):
        page.paragraph(" " * LABEL, assumed, "dim")
    claimed = {
        squeezed(claim_text(claim))
        for claim in model.claims
        if claim.kind == "law" and holds(claim)
    }
    _render_found(page, model, claimed, verbose)
    symmetries = {} if verbose else symmetries_of_claims(model)
    for number, claim in enumerate(model.claims):
        _render_claim(page, model, claim)
        for symmetry in symmetries.get(number, ()):
            page.paragraph(f"{' ' * LABEL}from the symmetry ", symmetry)
    for note in model.notes:
        page.paragraph(("  note      ", "cyan"), note)
    if verbose:
        _render_details(page, model)


def render_verification(model: ModelReport, console: Console) -> None:
    """The evidence of trajectories: drift, how far the state moved, a control that must drift."""
    page, verify = Page(console), model.verify
    if verify is None:
        return
    if not verify.usable:
        page.paragraph(("  ? verified  ", "yellow"), "no: no trajectory could be used", "yellow")
    elif verify.failed:
        page.paragraph(
            ("  ✗ verified  ", "red"), f"no: a law drifts. {trajectories(verify)}", "red"
        )
        for text, drift in verify.drifts:
            if not drift <= verify.tolerance:
                page.columns(
                    (f"{' ' * LABEL}{text}",),
                    f"drift {drift:.1e}, tolerance {verify.tolerance:.0e}",
                    "red",
                )
    else:
        page.paragraph(("  verified  ", "bold"), trajectories(verify))
    for note in verify.notes:
        page.paragraph(" " * LABEL, note)


def render_summary(report: Report, console: Console) -> None:
    """The last line."""
    page = Page(console)
    style = "bold red" if report.exit_code else "bold green"
    if not report.exit_code and any(
        c.verdict == "probable" for m in report.models for c in m.claims
    ):
        style = "bold yellow"
    if not report.exit_code and any(m.laws.status != "proved" for m in report.models):
        style = "bold yellow"
    page.line((f"{pad(summary(report), 42)}  ", style), (f"{report.seconds:.1f} s", "dim"))


def render_quiet(report: Report, console: Console) -> None:
    """One line a model, one a finding."""
    page = Page(console)
    for model in report.models:
        drifts = model.verify is not None and model.verify.failed
        claims = claims_words(model.claims, not drifts and count_settled(model.laws))
        tail = ", a law drifts" if drifts else ""
        page.line(f"{model.file}  {model.model}  laws: {count_words(model)}; {claims}{tail}")
    for diagnostic in report.diagnostics:
        page.line(concise(diagnostic))


def render_concise(report: Report, console: Console) -> None:
    """A line `path:line:col: CODE message` for each finding, then the summary."""
    page = Page(console)
    told = {_place(d) for d in report.diagnostics}
    for diagnostic in report.diagnostics:
        page.line(concise(diagnostic))
    for model in report.models:
        for claim in model.claims:
            code = claim_code(claim)
            if code and (model.file, claim.line) not in told:
                place = f"{model.file}:{claim.line or 1}:1"
                page.line(f"{place}: {code} {claim_text(claim)}: {outcome(claim)}")
    render_summary(report, console)


def concise(diagnostic: Diagnostic) -> str:
    """`path:line:col: CODE message` of a diagnostic."""
    span = diagnostic.span
    place = f"{span.source.name}:{span.line}:{span.column}: " if span else ""
    return f"{place}{diagnostic.code} {diagnostic.message}"


def _place(diagnostic: Diagnostic) -> tuple[str, int | None]:
    span = diagnostic.span
    return (span.source.name, span.line) if span else ("", None)


def _told_in_block(diagnostic: Diagnostic, report: Report) -> bool:
    """Whether it is about a claim, whose line in the model's block says the same and more."""
    return diagnostic.code[:5] in ("GEO06", "GEO07") and any(
        (model.file, claim.line) == _place(diagnostic) and claim_code(claim) == diagnostic.code
        for model in report.models
        for claim in model.claims
    )


def _render_found(page: Page, model: ModelReport, claimed: set[str], verbose: bool) -> None:
    """The laws found that no claim of the file shows already."""
    laws = [law for law in model.found if verbose or not _is_claimed(law, claimed)]
    label: Part = ("  found     ", "bold")
    for law in laws if verbose else laws[:LAWS_SHOWN]:
        page.columns((label, law.text), _law_words(law), STYLES[law.status])
        label = " " * LABEL
        if law.symmetry:
            page.paragraph(f"{' ' * LABEL}  from the symmetry ", law.symmetry)
    if len(laws) > LAWS_SHOWN and not verbose:
        page.line(f"{' ' * LABEL}… and {len(laws) - LAWS_SHOWN} more (-v shows all)")


def _is_claimed(law: FoundLaw, claimed: set[str]) -> bool:
    """Whether the claims that hold, by text, say this law already."""
    return law.claimed or squeezed(law.text) in claimed


def _law_words(law: FoundLaw) -> str:
    words = [law.status, law.kind]
    if law.independent != 1 or law.entries != 1:
        words.append(f"{law.independent} independent entr{'y' if law.independent == 1 else 'ies'}")
    if law.drift is not None:
        words.append(f"drift {law.drift:.1e}")
    if law.reason:
        words.append(law.reason)
    return ", ".join(words)


def _render_claim(page: Page, model: ModelReport, claim: ClaimResult) -> None:
    style = STYLES[claim.verdict]
    text = claim_text(claim)
    name = f"{pad(page.show(claim.name), NAME)} " if claim.kind == "law" and claim.name else ""
    words = outcome(claim)
    if claim.drift is not None:
        words += f"{', ' if words else ''}drift {claim.drift:.1e}"
        if model.verify is not None:
            words += f" over {trials(model.verify)}"
    page.columns(
        ((f"  {SIGNS[claim.verdict]} ", style), (name, "bold"), text),
        words,
        "" if holds(claim) else style,
    )
    for line in claim.witness:
        page.paragraph(" " * LABEL, line)
    for hint in claim.hints:
        page.paragraph((f"{' ' * LABEL}= hint: ", "green"), hint)
    if code := claim_code(claim):
        where = f" ({model.file}:{claim.line})" if claim.line else ""
        page.line((f"{' ' * LABEL}= more: ", "dim"), f"geoflow explain {code}{where}")


def _render_details(page: Page, model: ModelReport) -> None:
    facts = [
        f"{name} {fact_text(value)} ({model.facts_status.get(name, 'undecided')})"
        for name, value in model.facts.items()
    ]
    if facts:
        page.paragraph(("  facts     ", "bold"), ", ".join(facts))
    if (certificate := model.certificate) is not None:
        for run in certificate.runs:
            page.paragraph(("  rank      ", "bold"), run_words(run))
    if model.verify is not None:
        page.paragraph(
            ("  method    ", "bold"),
            f"{model.verify.method}, tolerance {model.verify.tolerance:.0e}",
        )
    times = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in model.seconds.items())
    page.paragraph(("  seconds   ", "bold"), f"{times} (seed {model.seed})")
    if formulas(model) < model.laws.upper:
        page.paragraph(
            " " * LABEL, f"formulas are known for {formulas(model)} of {model.laws.upper} laws"
        )
