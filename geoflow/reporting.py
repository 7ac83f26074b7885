"""From what was computed to what is reported: the model's report, its notes, and diagnostics about its claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from geoflow.analysis import Analysis, Counted, count, independent
from geoflow.codes import REFUTED, UNDECIDED
from geoflow.composition import in_words
from geoflow.deadline import Deadline
from geoflow.diagnostics import Diagnostic
from geoflow.flow import Flow
from geoflow.laws.law import Law
from geoflow.options import CheckOptions
from geoflow.results import (
    HOLDS,
    ClaimResult,
    FoundLaw,
    LawCount,
    ModelReport,
    RealGates,
    SpecialCount,
)
from geoflow.semantics.model import Model


def model_report(
    model: Model,
    flow: Flow,
    counted: Counted,
    analysis: Analysis,
    claims: list[ClaimResult],
    options: CheckOptions,
    seconds: dict[str, float],
    claimed: Sequence[Law] = (),
    deadline: Deadline = Deadline(),
) -> ModelReport:
    """Everything `check` says of one model before trajectories are integrated. `claimed` are the claimed laws that
    hold."""
    formulas = sum(law.added for law in analysis.laws)
    notes = [
        f"the map does not depend on {name}: no loss trains it" for name in flow.unseen_parameters()
    ]
    if analysis.certificate.summands:
        notes.append(f"a direct sum: {in_words(analysis.certificate.summands)}")
    notes += _decay_note(flow, analysis, counted.seed, deadline, options.memory)
    if formulas < analysis.count.upper and analysis.searched:
        notes.append(f"searched: {analysis.searched}")
    return ModelReport(
        file=model.file,
        model=model.name,
        summary=flow.summary(),
        parameters=flow.parameter_count,
        dimension=flow.dimension,
        laws=analysis.count,
        claims=tuple(claims),
        found=tuple(
            replace(shown_law(law, options.formulas), claimed=_spanned(counted, law, claimed))
            for law in analysis.laws
        ),
        certificate=analysis.certificate,
        verify=None,
        facts=dict(analysis.facts),
        facts_status=dict(analysis.facts_status),
        assumes=analysis.assumes,
        notes=tuple(notes),
        seed=counted.seed,
        prime=counted.places[0].field.p,
        seconds=dict(seconds),
    )


def _spanned(counted: Counted, law: Law, claimed: Sequence[Law]) -> bool:
    """Whether a law is a function of the claimed ones that are proved."""
    certain = [c for c in claimed if c.status == "proved"]
    if not certain:
        return False
    return independent(counted, [*certain, law]) == independent(counted, certain)


def _decay_note(
    flow: Flow, analysis: Analysis, seed: int, deadline: Deadline, memory: int
) -> list[str]:
    """That weight decay on some parameters only costs laws, where it does and both counts are settled."""
    decay = flow.dynamics.decay
    if decay is None or (decay.uniform and len(decay.rates) == len(flow.parameters)):
        return []
    if deadline.passed or not analysis.certificate.complete:
        return []
    without = count(flow.without_decay(), seed, deadline, memory)
    if not without.certificate.complete:
        return []
    free = without.upper
    lost = free - analysis.count.upper
    if lost <= 0:
        return []
    names = ", ".join(decay.rates)
    how = f"on {names} only" if decay.uniform else f"at unequal rates on {names}"
    return [f"weight decay {how} costs {lost} of {free} laws"]


def shown_law(law: Law, formulas: bool) -> FoundLaw:
    """A law as the report shows it; its SymPy form only where it is asked for, since it costs the import."""
    return FoundLaw(
        text=str(law),
        latex=law.latex(),
        sympy=str(law.sympy()) if formulas else "",
        independent=law.added,
        entries=law.entries,
        kind=law.kind,
        status=law.status,
        symmetry=law.symmetry,
        reason=law.reason,
    )


def special_text(special: SpecialCount, count: LawCount) -> str:
    """The count at an initialization as a note."""
    of = " of the path-lifting" if count.of == "path-lifting" else ""
    rank, generic = special.ranks[-1], special.generic_rank
    how = "" if special.exact else " (in floating point)"
    if rank == generic:
        return f"at {special.name}: the rank{of} is the generic one, {rank}{how}"
    return (
        f"at {special.name}: the rank{of} drops to {rank} from {generic}{how}, so the orbit through it has "
        f"codimension {special.lower} to {special.upper}: bounded, since stagnation proves nothing there"
    )


def real_text(real: RealGates, lifted: LawCount) -> list[str]:
    """The count with real gates as notes: on which open set, and whether it has more laws than the path-lifting."""
    where = ", ".join(f"{n} = {v}" for n, v in real.point.items())
    if len(where) > _LONGEST:
        where = f"a point of whole numbers ({len(real.point)} arrays, in `facts.real_gates` of --format json)"
    known = (
        f"exactly {real.upper}" if real.upper == lifted.lower else f"{lifted.lower} to {real.upper}"
    )
    switching = f"{real.switching} of {real.gates} gates switch there"
    notes = [f"real gates: {known} laws on an open set that contains {where}; {switching}"]
    if real.upper > lifted.upper:
        notes.append(
            f"that set may have more laws than the path-lifting, {real.upper} against {lifted.upper}: "
            "the rank stagnates below"
        )
    others = [str(k) for k in real.counts if k != real.upper]
    if others:
        notes.append(f"other open sets that were looked at: at most {', '.join(others)} laws")
    return notes


_LONGEST = 100  # characters of a point that is printed


def claim_diagnostics(model: Model, report: ModelReport, finished: bool) -> list[Diagnostic]:
    """Warnings at the claims that do not hold, and about what could not be settled. Never errors."""
    spans = [*(c.span for c in model.laws), *(e.span for e in model.expectations)]
    spans += [model.sweep.span for claim in report.claims if claim.kind == "sweep" and model.sweep]
    found = []
    for claim, span in zip(report.claims, spans, strict=True):
        if claim.verdict in HOLDS:
            continue
        code = (UNDECIDED if claim.verdict == "undecided" else REFUTED).get(claim.kind, "GEO0702")
        what = claim.detail or claim.verdict
        found.append(
            Diagnostic(
                code,
                f"`{claim.text}` is {claim.verdict}: {what}.",
                span,
                claim.verdict,
                notes=claim.witness,
                hints=claim.hints,
                severity="warning",
            )
        )
    if not finished:
        message = f"The time ran out: {report.laws.lower} to {report.laws.upper} laws so far."
        found.append(Diagnostic("GEO0703", message, model.span, severity="warning"))
    verify = report.verify
    if verify is not None and verify.failed:
        message = f"A law of `{model.name}` drifts by {verify.max_drift:.1e} on a trajectory."
        found.append(Diagnostic("GEO0801", message, model.span, severity="warning"))
    elif verify is not None and not verify.usable:
        message = f"No trajectory of `{model.name}` could be used: {'; '.join(verify.notes)}."
        found.append(Diagnostic("GEO0802", message, model.span, severity="warning"))
    return found
