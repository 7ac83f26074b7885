"""geoflow's report on a model against the oracle's opinion: one judgement for each word that was said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from geoflow.results import ClaimResult, ModelReport
from tests.oracle.evaluation import Unread
from tests.oracle.second_opinion import GaveUp, Opinion

Agreement = Literal["agrees", "undecided", "wrong", "probable and wrong", "not decided"]


@dataclass(frozen=True)
class Judgement:
    """What geoflow said (`word`) of what (`kind`), and whether the oracle agrees."""

    kind: str
    word: str
    agreement: Agreement
    detail: str = ""


def judge(text: str, report: ModelReport, opinion: Opinion) -> list[Judgement]:
    """All that the report says and the oracle can decide.

    Raises:
        GaveUp, Unread: the count itself is out of the oracle's reach.
    """
    count = opinion.best.count
    found = [*counted(report, count, opinion), *facts(report, opinion)]
    found += laws_found(report, opinion)
    true_claims = [
        c for c in report.claims if c.kind == "law" and c.verdict in ("proved", "probable")
    ]
    for claim in report.claims:
        found.append(judged(claim, report, opinion, true_claims))
    return found


def counted(report: ModelReport, count: int, opinion: Opinion) -> Iterable[Judgement]:
    """Dimension, bounds and status of the count."""
    laws = report.laws
    said = f"{laws.lower}..{laws.upper} against {count}"
    if report.dimension != len(opinion.system.state):
        detail = f"dimension {report.dimension} against {len(opinion.system.state)}"
        yield Judgement("dimension", "said", "wrong", detail)
    bounds = laws.lower <= count and (not laws.exact or count <= laws.upper)
    yield Judgement("bounds", "proved", "agrees" if bounds else "wrong", said)
    if laws.status == "proved":
        agreement: Agreement = "agrees" if laws.lower == laws.upper == count else "wrong"
    elif laws.status == "probable":
        agreement = "agrees" if laws.upper == count else "probable and wrong"
    else:
        agreement = "undecided"
    yield Judgement("count", laws.status, agreement, said)


def facts(report: ModelReport, opinion: Opinion) -> Iterable[Judgement]:
    """Involutive, commuting, depth, flat directions."""
    ranks = opinion.best.closed.ranks
    truth: dict[str, object] = {"involutive": len(ranks) == 1, "depth": len(ranks) - 1}
    if report.facts.get("commuting") is not None:
        truth["commuting"] = opinion.best.commuting
    model = opinion.system.reading
    if opinion.system.outputs and model is not None and model.loss == "any":
        truth["kernel"] = opinion.best.kernel
    for name, value in truth.items():
        said, status = report.facts.get(name), report.facts_status.get(name, "undecided")
        if said is None or status == "undecided":
            agreement: Agreement = "undecided"
        elif said == value:
            agreement = "agrees"
        else:
            agreement = "wrong" if status == "proved" else "probable and wrong"
        yield Judgement(f"fact: {name}", status, agreement, f"{said} against {value}")


def laws_found(report: ModelReport, opinion: Opinion) -> Iterable[Judgement]:
    """Each law found is one, and together they are as many as was said."""
    proved = []
    for law in report.found:
        try:
            holds = opinion.is_law(law.text)
        except (Unread, GaveUp) as error:
            yield Judgement("law found", law.status, "not decided", f"{law.text}: {error}")
            continue
        wrong: Agreement = "wrong" if law.status == "proved" else "probable and wrong"
        yield Judgement("law found", law.status, "agrees" if holds else wrong, law.text)
        if law.status == "proved":
            proved.append(law.text)
    closed = report.certificate is not None and report.certificate.closed_by  # without formulas
    if not closed and len(proved) == len(report.found):
        rank = opinion.independent(proved) if proved else 0
        detail = f"{rank} independent, {report.laws.lower} said"
        fits = rank >= report.laws.lower
        yield Judgement("laws independent", "said", "agrees" if fits else "wrong", detail)


def judged(
    claim: ClaimResult, report: ModelReport, opinion: Opinion, held: list[ClaimResult]
) -> Judgement:
    """One claim."""
    kind = f"claim: {claim.kind}"
    if claim.verdict == "undecided":
        return Judgement(kind, claim.verdict, "undecided", f"{claim.text}: {claim.detail}")
    try:
        holds = truth(claim, report, opinion, held)
    except (Unread, GaveUp) as error:
        return Judgement(kind, claim.verdict, "not decided", f"{claim.text}: {error}")
    said = claim.verdict in ("proved", "probable")
    certain = claim.verdict in ("proved", "refuted")
    agreement: Agreement = (
        "agrees" if said == holds else "wrong" if certain else "probable and wrong"
    )
    refuted = claim.kind == "law" and agreement == "agrees" and not said
    if refuted and opinion.gated and not opinion.refuted_by_gates(law_text(claim, opinion)):
        agreement = "not decided"  # false for free gates; no real ones were found that show it
    return Judgement(kind, claim.verdict, agreement, f"{claim.text}: {claim.detail}")


def law_text(claim: ClaimResult, opinion: Opinion) -> str:
    """The law of a claim, as the file has it."""
    model = opinion.system.reading
    assert model is not None
    return dict(model.claims)[claim.name or ""]


def truth(
    claim: ClaimResult, report: ModelReport, opinion: Opinion, held: list[ClaimResult]
) -> bool:
    """Whether a claim holds, by the oracle."""
    best = opinion.best
    match claim.kind:
        case "law":
            return opinion.is_law(law_text(claim, opinion))
        case "laws":
            return claim.expected == best.count
        case "block":
            return claim.expected == best.block(block_symbols(claim.text, opinion))
        case "commuting":
            return best.commuting
        case "depth":
            return claim.expected == len(best.closed.ranks) - 1
        case "complete":
            model = opinion.system.reading
            assert model is not None
            if not model.claims:
                texts = [law.text for law in report.found if law.status in ("proved", "probable")]
            else:
                texts = [law for _, law in model.claims if opinion.is_law(law)]
            return (opinion.independent(texts) if texts else 0) == best.count
    raise Unread(claim.kind)


def block_symbols(text: str, opinion: Opinion) -> list[object]:
    """The symbols of `laws of U, V = 1`."""
    model = opinion.system.reading
    assert model is not None
    names = text.partition("laws of ")[2].rpartition("=")[0]
    return [x for p in model.members(names) for x in model.parameters[p].ravel()]
