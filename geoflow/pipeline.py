"""The stages in order: read and check, lower, count, find laws, judge the claims, verify, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from geoflow.diagnostics import Diagnostic, DiagnosticError, sort_diagnostics
from geoflow.engine import load_engine
from geoflow.options import CheckOptions, Observer
from geoflow.reach import reachable
from geoflow.results import (
    HOLDS,
    ClaimResult,
    ModelReport,
    RealGates,
    Report,
    SpecialCount,
)
from geoflow.semantics import load, load_input, load_text
from geoflow.semantics.overrides import settle_unknown

if TYPE_CHECKING:
    from geoflow.analysis import Analysis, Counted
    from geoflow.deadline import Deadline
    from geoflow.laws.law import Law
    from geoflow.laws.search import LawSet, Where
    from geoflow.semantics.model import Model
    from geoflow.semantics.reading import Loaded
    from geoflow.verification import Experiment

T = TypeVar("T")
MOST_INTEGRATED = 50_000  # coordinates of a flow whose trajectories are computed
OverSizes = Callable[["Model", CheckOptions], ClaimResult | None]  # a verdict on a model's `sweep`


def check_paths(
    paths: Sequence[str],
    options: CheckOptions = CheckOptions(),
    observer: Observer | None = None,
    over_sizes: OverSizes | None = None,
) -> Report:
    """Check files (`-` is standard input). Mistakes of the user are diagnostics of the report.

    `over_sizes` judges the claims of a model with `sweep` over its family.
    """
    begin = time.perf_counter()
    loaded = [read_models(path, options, lenient=True) for path in paths]
    settled = settle_unknown([found for _, found in loaded])
    loaded = [(models, found) for (models, _), found in zip(loaded, settled, strict=True)]
    if not paths:
        loaded = [((), (Diagnostic("GEO0105", "There is no `.geo` file to check."),))]
    return _report(loaded, options, observer, begin, over_sizes)


def check_text(
    text: str,
    name: str = "<text>",
    options: CheckOptions = CheckOptions(),
    observer: Observer | None = None,
    over_sizes: OverSizes | None = None,
) -> Report:
    """Check a text under a name."""
    begin = time.perf_counter()
    loaded = [load_text(text, name, options.overrides)]
    return _report(loaded, options, observer, begin, over_sizes)


def read_models(path: str, options: CheckOptions, lenient: bool = False) -> Loaded:
    """One file; `lenient`: an override that it has no name for may be another file's."""
    if path == "-":
        return load_input(options.overrides, lenient=lenient)
    return load(Path(path), options.overrides, lenient=lenient)


def _report(
    loaded: Sequence[Loaded],
    options: CheckOptions,
    observer: Observer | None,
    begin: float,
    over_sizes: OverSizes | None,
) -> Report:
    diagnostics = [d for _, found in loaded for d in found]
    models = [m for found, _ in loaded for m in found]
    reports: list[ModelReport] = []
    if not any(d.severity == "error" for d in diagnostics):
        for model in models:
            try:
                report, more = check_model(model, options, observer, over_sizes)
                reports.append(report)
                diagnostics += more
            except DiagnosticError as error:
                diagnostics += error.diagnostics
    wrong = any(d.severity == "error" for d in diagnostics)
    code = 2 if wrong else max((_exit_code(r, options.strict) for r in reports), default=0)
    return Report(
        () if wrong else tuple(reports),
        sort_diagnostics(diagnostics),
        code,
        time.perf_counter() - begin,
    )


def _exit_code(report: ModelReport, strict: bool) -> int:
    accepted = ("proved",) if strict else HOLDS
    holds = all(c.verdict in accepted for c in report.claims)
    if strict and report.laws.status != "proved":
        holds = False
    drifts = report.verify is not None and report.verify.failed
    return 0 if holds and not drifts else 1


@dataclass
class _Clock:
    """Seconds by stage."""

    observer: Observer | None
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, name: str, detail: str, work: Callable[[], T]) -> T:
        if self.observer is not None:
            self.observer.stage(name, detail)
        begin = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin


def check_model(
    model: Model,
    options: CheckOptions,
    observer: Observer | None = None,
    over_sizes: OverSizes | None = None,
) -> tuple[ModelReport, list[Diagnostic]]:
    """Everything about one checked model.

    Raises:
        DiagnosticError: the model is out of the method's reach (GEO05).
    """
    load_engine()
    from geoflow.analysis import conclude, count, search
    from geoflow.claims import expectation_results, judge_laws, law_results
    from geoflow.deadline import Deadline
    from geoflow.lower import lower
    from geoflow.reporting import claim_diagnostics, model_report, real_text, special_text

    clock, deadline = _Clock(observer), Deadline.after(options.timeout)
    flow = clock.run(
        "lower", model.name, lambda: reachable(model, lambda: lower(model, options.seed))
    )
    if options.gates is not None:
        flow = flow.with_gates(options.gates)
    counted = clock.run(
        "count",
        model.name,
        lambda: reachable(model, lambda: count(flow, options.seed, deadline, options.memory)),
    )
    judged = clock.run("claims", model.name, lambda: judge_laws(model, counted, deadline))
    found = clock.run("laws", model.name, lambda: search(counted, _where(model), deadline))
    claimed = [j.law for j in judged if j.law is not None]
    analysis = clock.run(
        "facts", model.name, lambda: conclude(counted, with_claimed(counted, found, claimed))
    )
    claims = clock.run(
        "claims",
        model.name,
        lambda: [
            *law_results(model, counted, judged, analysis.laws),
            *expectation_results(model, counted, analysis, judged, deadline, options.memory),
        ],
    )
    family = None
    if over_sizes is not None and model.sweep is not None:
        family = clock.run("sweep", model.name, lambda: over_sizes(model, options))
        claims += [family] if family is not None else []
    report = model_report(
        model, flow, counted, analysis, claims, options, clock.seconds, claimed, deadline
    )
    if model.at is not None:
        special = clock.run("at", model.name, lambda: _special(model, counted, analysis, deadline))
        special = replace(special, lower=analysis.count.lower)
        report = replace(
            report, special=special, notes=(*report.notes, special_text(special, report.laws))
        )
    if flow.parametrization.gates == "real" and counted.generator.program.gates:
        real = clock.run(
            "gates", model.name, lambda: _real(model, counted, deadline, options.memory)
        )
        report = replace(
            report, real_gates=real, notes=(*report.notes, *real_text(real, report.laws))
        )
    if options.certificate:
        document = clock.run(
            "certificate",
            model.name,
            lambda: _certified(model, counted, analysis, options, deadline),
        )
        report = replace(report, document=document, seconds=dict(clock.seconds))
    if options.exhibit:
        from geoflow.exhibiting import exhibit

        report = replace(report, exhibit=exhibit(model, [*analysis.laws, *claimed]))
    if observer is not None:
        observer.counted(report)
    if options.verify and flow.dimension > MOST_INTEGRATED:
        note = f"not integrated: more than {MOST_INTEGRATED:,} coordinates"
        report = replace(report, notes=(*report.notes, note))
    elif options.verify and not deadline.passed:
        report = clock.run(
            "verify",
            model.name,
            lambda: _verified(model, report, analysis, claimed, options, deadline),
        )
        report = replace(report, seconds=dict(clock.seconds))
        if observer is not None:
            observer.verified(report)
    return report, claim_diagnostics(model, report, analysis.certificate.complete)


def _certified(
    model: Model,
    counted: Counted,
    analysis: Analysis,
    options: CheckOptions,
    deadline: Deadline,
) -> Mapping[str, object]:
    """The certificate of a count; what it says `about` itself is enough to make the model again."""
    from geoflow.certificates.document import certify, versions

    about = {
        "file": model.file,
        "model": model.name,
        "text": model.text,
        "gates": options.gates,
        "seed": options.seed,
        "assumes": list(analysis.assumes),
        "versions": versions(),
    }
    return certify(counted, analysis, about, deadline)


def _real(model: Model, counted: Counted, deadline: Deadline, memory: int) -> RealGates:
    """The count with real gates.

    Raises:
        DiagnosticError: the gates cannot be computed exactly, or not at any point tried.
    """
    from geoflow.exact.interpreter import UnluckyPoint
    from geoflow.exact.program import UnsupportedPrimitive
    from geoflow.lie.real import count_real

    try:
        return count_real(counted.generator, counted.seed, deadline, memory)
    except UnsupportedPrimitive as error:
        message = f"`gates real`: {error.name} are not supported yet."
    except UnluckyPoint:
        message = "`gates real`: no point was found at which the gates are decided."
    raise DiagnosticError(
        Diagnostic("GEO0505", message, model.span, hints=("leave `gates real` out",))
    )


def _special(
    model: Model, counted: Counted, analysis: Analysis, deadline: Deadline
) -> SpecialCount:
    """The count at the initialization that the model names.

    Raises:
        DiagnosticError: the flow is not defined there, or no balanced point is found.
    """
    from geoflow.exact.interpreter import UnluckyPoint
    from geoflow.exact.program import UnsupportedPrimitive
    from geoflow.initialization import NoBalancedPoint, count_at, count_balanced
    from geoflow.lower import point_of

    assert model.at is not None
    try:
        if model.at.kind == "balanced":
            return count_balanced(counted, analysis.laws, deadline)
        name = "zero" if model.at.kind == "zero" else "the given point"
        return count_at(counted, name, point_of(model), deadline)
    except NoBalancedPoint:
        message = "No common zero of polynomial laws was found, so there is no balanced point."
    except UnluckyPoint:
        message = "The flow is not defined at this point."
    except UnsupportedPrimitive:
        message = "A flow with square roots cannot be counted at a given point yet."
    raise DiagnosticError(Diagnostic("GEO0509", message, model.at.span))


def _where(model: Model) -> Where:
    from geoflow.laws.search import Where

    if model.search is None:
        return Where()

    def degree(kind: str) -> int:
        return max((s.degree for s in model.search or () if s.kind == kind and s.degree), default=0)

    functions = any(s.kind in ("log", "potentials") for s in model.search)
    return Where(
        matrix=True,
        degree=degree("polynomial"),
        functions=functions,
        darboux=degree("darboux"),
        asked=True,
    )


def with_claimed(counted: Counted, found: LawSet, claimed: Sequence[Law]) -> LawSet:
    """Claimed laws that hold and that the search did not find are laws found too."""
    from geoflow.analysis import independent
    from geoflow.claims import missed_laws
    from geoflow.laws.search import LawSet

    new = missed_laws(counted, found.laws, claimed)
    if not new:
        return found
    laws, known = list(found.laws), independent(counted, found.laws)
    for law in new:
        total = independent(counted, [*laws, law])
        laws.append(replace(law, added=total - known))
        known = total
    proved = independent(counted, [law for law in laws if law.status == "proved"])
    return LawSet(tuple(laws), proved, found.searched)


def _verified(
    model: Model,
    report: ModelReport,
    analysis: Analysis,
    claimed: Sequence[Law],
    options: CheckOptions,
    deadline: Deadline,
) -> ModelReport:
    from geoflow.deadline import OutOfTime
    from geoflow.verification import Experiment, symbolic_values
    from geoflow.verification.laws import as_verified

    laws = {str(law): law for law in [*analysis.laws, *claimed]}
    symbolic = symbolic_values(analysis.flow, options.seed)
    experiment = Experiment(
        analysis.flow,
        [as_verified(law, symbolic) for law in laws.values()],
        model.verify,
        options.seed,
        symbolic,
        deadline,
    )
    try:
        outcome = experiment.verification()
        plotted = _plot(options.plot, experiment, model.name) if options.plot else ()
    except OutOfTime:
        return replace(report, notes=(*report.notes, "not integrated to the end: the time ran out"))
    report = replace(report, notes=(*report.notes, *plotted))
    if report.exhibit is not None:
        from geoflow.exhibiting import curves_of

        shown = replace(report.exhibit, curves=curves_of(experiment.curves()))
        report = replace(report, exhibit=shown)
    drifts = dict(outcome.drifts)
    by_claim = {id(law.expression): drifts.get(str(law)) for law in claimed}
    drift_of = {c.name: by_claim.get(id(c.expression)) for c in model.laws}
    return replace(
        report,
        verify=outcome,
        found=tuple(replace(f, drift=drifts.get(f.text)) for f in report.found),
        claims=tuple(
            replace(c, drift=drift_of.get(c.name)) if c.name is not None else c
            for c in report.claims
        ),
    )


def _plot(path: str, experiment: Experiment, title: str) -> tuple[str, ...]:
    """Draws the figure; that it cannot be written is a note, since the verdicts are known."""
    from geoflow.report.figures import plot_laws

    curves = experiment.curves()
    if curves is not None:
        try:
            plot_laws(path, curves, title)
        except OSError as error:
            return (f"{path} cannot be written: {error.strerror or error}",)
    return ()
