"""The verdict on each claim of a model, by the table of docs/method.md ("Evidence and verdicts")."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from fractions import Fraction

from geoflow.analysis import Analysis, Counted, analyze, independent, measure
from geoflow.deadline import Deadline
from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.exact.radicals import has_roots
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Constant, Expr, Parameter, Velocity, walk
from geoflow.flow import Flow
from geoflow.laws.differential import Differential, differentiate
from geoflow.laws.domain import defined_somewhere
from geoflow.laws.identity import judge
from geoflow.laws.law import Law
from geoflow.laws.refutation import is_plain, refute
from geoflow.laws.span import most_independent
from geoflow.laws.structural import is_large, measured
from geoflow.laws.symmetry import symmetry_of
from geoflow.laws.tokens import UnsupportedExponential
from geoflow.laws.witness import find_witness
from geoflow.memory import MOST_MEMORY
from geoflow.results import ClaimResult, LawCount, Verdict
from geoflow.semantics.model import Expectation, LawClaim, Model

_ALIKE = 0.8  # two texts, for one to be suggested in place of the other


@dataclass(frozen=True)
class JudgedLaw:
    """A claimed law with its verdict; `law` is there when it holds. `reason`: why there is no proof, if known."""

    claim: LawClaim
    verdict: Verdict
    differential: Differential
    law: Law | None
    reason: str = ""


def judge_laws(
    model: Model, counted: Counted, deadline: Deadline = Deadline()
) -> tuple[JudgedLaw, ...]:
    """Verdicts on the `law` claims.

    Raises:
        DiagnosticError: a claim holds an exponential or a root that cannot be decided (GEO0506).
    """
    values = {c.name: c.value for c in model.constants}
    judged = []
    for claim in model.laws:
        named = {n.name: values[n.name] for n in walk(claim.expression) if isinstance(n, Constant)}
        try:
            home = counted.home(claim.expression)
            differential = differentiate(home.flow, [claim.expression], named)
        except UnsupportedExponential as error:
            raise DiagnosticError(_unsupported(claim, str(error))) from None
        judgement = judge(
            home.generator,
            differential,
            home.places,
            home.seed,
            deadline,
            home.symmetries,
        )
        verdict = judgement.verdict
        holds = verdict in ("proved", "probable")
        if holds and not defined_somewhere(home.flow, claim.expression, named, counted.seed):
            verdict, holds = "undecided", False
        law = _law(counted, claim, verdict, named) if holds else None
        judged.append(JudgedLaw(claim, verdict, differential, law, judgement.reason))
    return tuple(judged)


def _law(
    counted: Counted, claim: LawClaim, verdict: Verdict, named: dict[str, Fraction | None]
) -> Law:
    flow = replace_constants(counted, named)
    law = Law(claim.expression, flow, verdict, 0, 0, symmetry_of(claim.expression, flow))
    return replace(law, independent=independent(counted, [law]))


def replace_constants(counted: Counted, named: dict[str, Fraction | None]) -> Flow:
    """The flow, knowing the constants that only a law names."""
    flow = counted.flow
    extra = {n: v for n, v in named.items() if n not in flow.constants}
    return flow.with_constants(extra) if extra else flow


def _unsupported(claim: LawClaim, what: str) -> Diagnostic:
    return Diagnostic(
        "GEO0506",
        f"The law `{claim.name}` takes an {what}, which is not supported yet.",
        claim.span,
        "here",
        hints=("write exponentials as exp(c*t) with a constant c, outside of arrays",),
    )


def law_results(
    model: Model, counted: Counted, judged: Sequence[JudgedLaw], found: Sequence[Law]
) -> list[ClaimResult]:
    """One result per `law` claim, with a witness where it is refuted."""
    results = []
    above: list[Law] = []
    for j in judged:
        result = ClaimResult(
            "law", j.claim.text, j.verdict, name=j.claim.name, line=j.claim.span.line
        )
        if j.law is not None:
            result = replace(result, detail=_and(_entries(counted, j.law, above), j.reason))
            above.append(j.law)
        elif j.verdict in ("refuted", "probably refuted"):
            lines = _witness(counted, j)
            result = replace(
                result, detail="not conserved", witness=lines, hints=_nearby(j.claim, found)
            )
        else:
            result = replace(result, detail=_and("neither proved nor refuted", j.reason))
        results.append(result)
    return results


def _witness(counted: Counted, judged: JudgedLaw) -> tuple[str, ...]:
    """What refutes a law, for people."""
    counted = counted.home(judged.claim.expression)
    generator, name = counted.generator, judged.claim.name
    if not is_plain(generator):
        found = refute(generator, judged.differential, name, counted.seed)
        return found.lines if found else ()
    # small points lie in other open sets, and hundreds at once take too much memory
    local = has_roots(generator.program) or counted.flow.dynamics.local
    if local or is_large(counted.flow):
        return (_modular_witness(counted),)
    witness = find_witness(generator, judged.differential, name, counted.seed)
    return witness.lines if witness else (_modular_witness(counted),)


def _and(text: str, reason: str) -> str:
    return f"{text}; {reason}" if reason else text


def _entries(counted: Counted, law: Law, above: Sequence[Law]) -> str:
    """How many independent entries a law has, and how many beside the laws above it."""
    if measure(counted, [law]).left_out:
        return "holds; how many of its entries are independent is not determined"
    if law.independent == 0:
        return "constant everywhere: it says nothing"
    words = f"{law.independent} independent entr{'y' if law.independent == 1 else 'ies'}"
    return words + (_beside(counted, law, above) if above else "")


def _beside(counted: Counted, law: Law, above: Sequence[Law]) -> str:
    """What a law adds to those above it, where that is not all its independent entries."""
    together = measure(counted, [*above, law])
    if together.left_out:
        return ""
    new = together.rank - independent(counted, above)
    if new == law.independent:
        return ""
    return f", adds {new or 'none'} to the laws above"


def _modular_witness(counted: Counted) -> str:
    prime = counted.places[0].field.p
    return (
        f"its derivative is not 0 mod {prime} at the point of the certificate (seed {counted.seed})"
    )


def _nearby(claim: LawClaim, found: Sequence[Law]) -> tuple[str, ...]:
    """A law that the claim may have meant: of the same parameters, and written nearly alike."""
    names, text = _names(claim.expression), print_expr(claim.expression)
    near = [
        (SequenceMatcher(None, text, str(law), autojunk=False).ratio(), str(law))
        for law in found
        if _names(law.expression) == names and law.expression.shape == claim.expression.shape
    ]
    alike, best = max(near, default=(0.0, ""))
    return (f"did you mean {best}?",) if alike >= _ALIKE else ()


def _names(expr: Expr) -> set[str]:
    return {n.name for n in walk(expr) if isinstance(n, Parameter | Velocity)}


def count_results(model: Model, count: LawCount) -> list[ClaimResult]:
    """One result per claim on the number of laws, from the count alone."""
    return [
        _count(_open(claim), claim.value, count)
        for claim in model.expectations
        if claim.kind == "laws" and claim.value is not None
    ]


def _open(claim: Expectation) -> ClaimResult:
    return ClaimResult(
        claim.kind, claim.text, "undecided", line=claim.span.line, expected=claim.value
    )


def expectation_results(
    model: Model,
    counted: Counted,
    analysis: Analysis,
    judged: Sequence[JudgedLaw],
    deadline: Deadline = Deadline(),
    memory: int = MOST_MEMORY,
) -> list[ClaimResult]:
    """One result per `expect`; what must still be computed for one stops at the deadline."""

    def analyze_block(flow: Flow) -> Analysis:
        return analyze(flow, counted.seed, deadline=deadline, memory=memory)

    return [_expectation(e, counted, analysis, judged, analyze_block) for e in model.expectations]


def _expectation(
    claim: Expectation,
    counted: Counted,
    analysis: Analysis,
    judged: Sequence[JudgedLaw],
    analyze_block: Callable[[Flow], Analysis],
) -> ClaimResult:
    base = _open(claim)
    match claim.kind:
        case "laws":
            assert claim.value is not None
            return _count(base, claim.value, analysis.count)
        case "block":
            assert claim.value is not None
            return _block(base, claim, counted.flow, analyze_block)
        case "complete":
            return _complete(base, counted, analysis, judged)
        case "commuting":
            return _fact(base, analysis, "commuting", True)
        case "depth":
            return _fact(base, analysis, "depth", claim.value)


def _count(base: ClaimResult, value: int, count: LawCount) -> ClaimResult:
    if value < count.lower or value > count.upper:
        if value > count.upper:
            witness = (
                f"no more than {count.upper} are possible: the brackets of the fields span the rest",
            )
        elif count.status == "proved" and count.reason:
            witness = (count.reason,)
        else:
            witness = (f"{count.lower} independent laws hold identically",)
        certain = value < count.lower or count.exact
        return replace(
            base,
            verdict="refuted" if certain else "probably refuted",
            detail=_found_count(count),
            witness=witness,
        )
    if count.status == "proved":
        return replace(base, verdict="proved", detail=f"{value}{_of(count)}")
    if count.status == "probable":
        verdict: Verdict = "probable" if value == count.upper else "probably refuted"
        return replace(base, verdict=verdict, detail=_found_count(count))
    return replace(base, verdict="undecided", detail=_found_count(count))


def _block(
    base: ClaimResult,
    claim: Expectation,
    flow: Flow,
    analyze_block: Callable[[Flow], Analysis],
) -> ClaimResult:
    """The laws that read some parameters alone."""
    assert claim.value is not None
    try:
        block = analyze_block(flow.block(*claim.of))
    except ValueError as error:
        return replace(base, verdict="undecided", detail=str(error))
    result = _count(base, claim.value, block.count)
    laws = "; ".join(str(law) for law in block.laws)
    return replace(result, detail=f"{result.detail}: {laws}" if laws else result.detail)


def _of(count: LawCount) -> str:
    """What a number of laws is of, where that is not the flow."""
    return " of the path-lifting" if count.of == "path-lifting" else ""


def _found_count(count: LawCount) -> str:
    of = _of(count)
    match count.status:
        case "proved":
            return f"there are {count.upper}{of}, exactly"
        case "probable":
            return f"there are {count.upper}{of} (probable; at least {count.lower} proved)"
        case "bounded":
            return f"at least {count.lower}, at most {count.upper}{of}"


def _complete(
    base: ClaimResult, counted: Counted, analysis: Analysis, judged: Sequence[JudgedLaw]
) -> ClaimResult:
    """The laws claimed (or found, if none is claimed) are all."""
    laws = [j.law for j in judged if j.law is not None] if judged else list(analysis.laws)
    sure = [law for law in laws if law.status == "proved"]
    have, proved, count = independent(counted, laws), independent(counted, sure), analysis.count
    what = "claimed" if judged else "found"
    text = f"{have} of {count.upper} independent laws{_of(count)} are {what}"
    if proved >= count.upper:
        certain: Verdict = "proved" if count.exact else "probable"
        return replace(base, verdict=certain, detail=_all(count, what))
    if have >= count.upper:
        return replace(base, verdict="probable", detail=text)
    most = _most(counted, laws, judged)
    if count.lower > most:
        missing = missed_laws(counted, laws, analysis.laws)
        witness = tuple(f"not among them: {law}" for law in missing) or (
            f"{count.reason}; no formula is known for {count.lower - have} of the {count.upper}",
        )
        fewer = _certainly_fewer(counted, laws, judged, count.lower)
        verdict: Verdict = "refuted" if fewer else "probably refuted"
        return replace(base, verdict=verdict, detail=text, witness=witness)
    if count.status == "probable" and count.upper > most:
        return replace(base, verdict="probably refuted", detail=f"{text} (the count is probable)")
    return replace(base, verdict="undecided", detail=text)


def _certainly_fewer(
    counted: Counted, laws: Sequence[Law], judged: Sequence[JudgedLaw], count: int
) -> bool:
    """Whether the claims hold fewer than `count` independent laws, for certain: their entries span, over Q and beside
    constants, a space of lower dimension, or their Jacobian has a lower rank over the rational functions. A rank at
    points is only a lower bound."""
    open_claims = [j for j in judged if j.verdict in ("undecided", "probably refuted")]
    entries = sum(math.prod(j.claim.expression.shape) for j in open_claims)
    enough = count - entries - 1
    return _proved_most(counted, laws, enough) <= enough


def _proved_most(counted: Counted, laws: Sequence[Law], enough: int) -> int:
    """A proved upper bound of the number of independent laws; of a large direct sum summand by summand, where no law is
    of several."""
    if not is_large(counted.flow):
        named = {n: v for law in laws for n, v in law.flow.constants.items()}
        expressions = [law.expression for law in laws]
        return most_independent(counted.flow, expressions, named, enough)
    homes = [counted.home(law.expression) for law in laws]
    if not counted.parts or any(home is counted for home in homes):
        return measured(laws).most
    return sum(
        _proved_most(home, [law for law, h in zip(laws, homes, strict=True) if h is home], 0)
        for home in {id(h): h for h in homes}.values()
    )


def _most(counted: Counted, laws: Sequence[Law], judged: Sequence[JudgedLaw]) -> int:
    """How many independent laws the claims can hold: entries that could not be evaluated, and claims that could not be
    decided, may all be independent ones."""
    open_claims = [j for j in judged if j.verdict in ("undecided", "probably refuted")]
    entries = sum(math.prod(j.claim.expression.shape) for j in open_claims)
    return entries + max(measure(counted, laws, k).most for k in range(len(counted.places)))


def _all(count: LawCount, what: str) -> str:
    number, of = count.upper, _of(count)
    if number == 0:
        return f"there is no law{of}"
    if number == 1:
        return f"the one law{of} is {what}"
    return f"all {number} independent laws{of} are {what}"


def missed_laws(counted: Counted, have: Sequence[Law], found: Sequence[Law]) -> list[Law]:
    """Laws found that are independent of those at hand."""
    missed: list[Law] = []
    if not found:
        return missed
    rank = independent(counted, have)
    if rank == counted.upper or independent(counted, [*have, *found]) == rank:
        return missed
    for law in found:
        if independent(counted, [*have, *missed, law]) > rank:
            missed.append(law)
            rank = independent(counted, [*have, *missed])
    return missed


def _fact(base: ClaimResult, analysis: Analysis, name: str, wanted: object) -> ClaimResult:
    value, status = analysis.facts[name], analysis.facts_status[name]
    detail = (
        f"{name}{_of(analysis.count)}: {str(value).lower() if isinstance(value, bool) else value}"
    )
    if status == "undecided":
        return replace(base, detail=f"{name}: not decided for these fields")
    if value == wanted:
        return replace(base, verdict=status, detail=detail)
    witness = (
        ("a bracket [G_a, G_b] is not 0 at the point of the certificate",)
        if name == "commuting"
        else (f"ranks by depth: {', '.join(map(str, analysis.certificate.ranks))}",)
    )
    verdict: Verdict = "refuted" if status == "proved" else "probably refuted"
    return replace(base, verdict=verdict, detail=detail, witness=witness)
