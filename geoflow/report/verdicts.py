"""The words of verdicts: what a count says, on what evidence, and how claims add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from geoflow.codes import REFUTED, UNDECIDED
from geoflow.results import (
    ClaimResult,
    LawCount,
    ModelReport,
    RankRun,
    Report,
    Verdict,
    Verification,
)

SIGNS: dict[Verdict, str] = {
    "proved": "✓",
    "probable": "~",
    "probably refuted": "✗",
    "refuted": "✗",
    "undecided": "?",
}
STYLES: dict[Verdict, str] = {
    "proved": "green",
    "probable": "yellow",
    "probably refuted": "red",
    "refuted": "red",
    "undecided": "yellow",
}


def holds(claim: ClaimResult) -> bool:
    """Whether a claim is proved or probable."""
    return claim.verdict in ("proved", "probable")


def claim_code(claim: ClaimResult) -> str | None:
    """The code of a claim that does not hold; its page says what to do."""
    if holds(claim):
        return None
    if claim.verdict == "undecided":
        return UNDECIDED.get(claim.kind, "GEO0702")
    return REFUTED.get(claim.kind, "GEO0602")


def formulas(model: ModelReport) -> int:
    """How many counted laws have a formula that is proved, or probable where the count is."""
    good = ("proved",) if model.laws.status == "proved" else ("proved", "probable")
    return min(sum(law.independent for law in model.found if law.status in good), model.laws.upper)


def count_words(model: ModelReport) -> str:
    """The count, never more certain than it is: "6, exactly", "7 laws, formulas for 6"."""
    laws, known = model.laws, formulas(model)
    if laws.status == "bounded":
        return f"at least {laws.lower}, at most {laws.upper} (not settled)"
    if known < laws.upper:
        noun = "law" if laws.upper == 1 else "laws"
        probably = "" if laws.status == "proved" else "probably "
        return f"{probably}{laws.upper} {noun}, formulas for {known or 'none'}"
    return f"{laws.upper}, {'exactly' if laws.status == 'proved' else 'probably'}"


def headline(model: ModelReport) -> str:
    """`count_words` with its noun: "6 laws, exactly"."""
    words, settled = count_words(model), count_settled(model.laws)
    number, comma, rest = words.partition(",")
    if not (settled and number.isdecimal()):
        return words
    return f"{number} law{'' if number == '1' else 's'}{comma}{rest}"


def evidence(model: ModelReport) -> str:
    """What the count rests on."""
    laws = model.laws
    parts = [part for part in (_rank(model), _closure(model) or _lower(model)) if part]
    if laws.status == "probable" and laws.error_bound is not None:
        parts.append(error_words(laws.error_bound))
    if laws.reason and laws.status != "proved":
        parts.append(laws.reason)
    words = {"proved": "proved", "probable": "probable", "bounded": "not settled"}[laws.status]
    return f"{words}: {', '.join(parts)}" if parts else words


def error_words(bound: float) -> str:
    """`error bound 7e-13`; a bound that no probability exceeds is none."""
    if bound >= 1:
        return "without an error bound, the degrees being too large for the primes"
    return f"error bound {bound:.0e}"


def _rank(model: ModelReport) -> str:
    certificate = model.certificate
    if certificate is None or not certificate.runs:
        return ""
    if certificate.balls is not None:
        bits = certificate.balls.precision
        return f"rank {certificate.rank} of {certificate.dimension} in balls of {bits} bits"
    primes = list(dict.fromkeys(run.prime for run in certificate.runs))
    if model.laws.status == "proved" and model.prime is not None:
        primes = [model.prime]
    so_far = "" if certificate.complete else " so far"
    of = f"{certificate.rank} of {certificate.dimension}{so_far}"
    estimated = "estimated " if certificate.estimated else ""
    text = f"{estimated}rank {of} mod {' and '.join(map(str, primes))}"
    if model.laws.status == "probable":
        count = len({(run.prime, run.point) for run in certificate.runs})
        text += f" at {count} point{'s' if count > 1 else ''}"
    return text


def _closure(model: ModelReport) -> str:
    certificate = model.certificate
    return f"closed: {certificate.closed_by}" if certificate and certificate.closed_by else ""


def _lower(model: ModelReport) -> str:
    proved = sum(law.independent for law in model.found if law.status == "proved")
    known = min(proved, model.laws.lower)
    if not known:
        return ""
    return f"{known} independent law{' holds' if known == 1 else 's hold'} identically"


def assumptions(model: ModelReport) -> str:
    """What the count is said under: "for every data set and every loss, at a generic point"."""
    for_, at, rest = [], [], []
    for assumed in model.assumes:
        if assumed.startswith("every "):
            for_.append(assumed)
        elif assumed.startswith(("a ", "an ", "the ")) and "point" in assumed:
            at.append(assumed)
        else:
            rest.append(assumed)
    parts = [f"for {' and '.join(for_)}"] if for_ else []
    parts += [f"at {' and '.join(at)}"] if at else []
    return ", ".join([*parts, *rest])


def trajectories(verify: Verification) -> str:
    """What was integrated, and what the laws and the control did there."""
    losses = f" ({', '.join(verify.losses)})" if verify.losses else ""
    until = f" to t = {verify.end_time:.2g}" if verify.end_time else ""
    return (
        f"largest drift {verify.max_drift:.1e} over {trials(verify)}{until}{losses}; the state moved by "
        f"{verify.moved:.2g}, a control function drifts by {verify.control_drift:.2g}"
        f"{_collocated(verify)}"
    )


def _collocated(verify: Verification) -> str:
    """What the implicit midpoint rule makes of the quadratic laws."""
    kept = [c for c in verify.collocation if c.kept]
    words = ""
    if kept:
        which = "the law" if len(kept) == 1 else f"{len(kept)} laws"
        largest = max(max(c.drift, c.halved) for c in kept)
        words = f"; steps of {kept[0].step:.2g} by the implicit midpoint rule keep {which} to {largest:.1e}"
    for c in verify.collocation:
        if not c.kept:
            words += f"; steps of {c.step:.2g} change {c.law} by {c.drift:.1e}, half steps by {c.halved:.1e}"
    return words


def trials(verify: Verification) -> str:
    """Such as: 3 trials."""
    return _many(verify.trials, "trial")


def count_settled(laws: LawCount) -> bool:
    """Whether the count is one number."""
    return laws.status != "bounded"


def summary(report: Report) -> str:
    """All models in one sentence: "1 model, 3 claims, all hold"."""
    errors = sum(d.severity == "error" for d in report.diagnostics)
    if errors:
        return f"{_many(errors, 'error')}, nothing was checked"
    claims = [claim for model in report.models for claim in model.claims]
    unsettled = sum(not count_settled(model.laws) for model in report.models)
    drifting = sum(model.verify is not None and model.verify.failed for model in report.models)
    parts = [_many(len(report.models), "model"), claims_words(claims, not (unsettled or drifting))]
    if unsettled:
        parts.append(f"{_many(unsettled, 'count')} not settled")
    if drifting:
        parts.append(f"laws of {_many(drifting, 'model')} drift")
    if report.exit_code == 1 and not (unsettled or drifting) and all(map(holds, claims)):
        parts.append("and probable is not enough here (--strict)")
    return ", ".join(parts)


def claims_words(claims: Sequence[ClaimResult], unspoilt: bool = True) -> str:
    """How the claims add up. "All hold" is for claims that are all proved, with nothing amiss."""
    if not claims:
        return "no claims"
    counts = Counter(claim.verdict for claim in claims)
    head = _many(len(claims), "claim")
    if len(claims) == 1:
        return f"{head}, {claims[0].verdict}"
    if counts["proved"] == len(claims):
        return f"{head}, {'all hold' if unspoilt else 'all proved'}"
    order: tuple[Verdict, ...] = ("refuted", "probably refuted", "undecided", "probable", "proved")
    return f"{head}: " + ", ".join(f"{counts[word]} {word}" for word in order if counts[word])


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def claim_text(claim: ClaimResult) -> str:
    """A claim as a line of its own: a law without its name, an expectation with its word."""
    if claim.kind == "law":
        prefix, equals, body = claim.text.partition("=")
        return body.strip() if equals and prefix.split()[:1] == ["law"] else claim.text
    as_is = claim.kind == "sweep" or claim.text.startswith("expect")
    return claim.text if as_is else f"expect {claim.text}"


def outcome(claim: ClaimResult) -> str:
    """The verdict in words, where the sign alone would not do, and the detail."""
    detail = claim.detail or (
        str(claim.expected) if claim.expected is not None and holds(claim) else ""
    )
    if claim.verdict == "proved":
        return detail
    return f"{claim.verdict}: {detail}" if detail else claim.verdict


def fact_text(value: int | bool | None) -> str:
    """The value of a fact in words."""
    if value is None:
        return "unknown"
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"


def squeezed(text: str) -> str:
    """A text without its blanks, to compare."""
    return "".join(text.split())


def symmetries_of_claims(model: ModelReport) -> dict[int, tuple[str, ...]]:
    """By number of a claimed law that holds, the symmetries of the laws found that it says. One that is said by
    several claims together stands at the last."""
    laws = {
        squeezed(claim_text(claim)): number
        for number, claim in enumerate(model.claims)
        if claim.kind == "law" and holds(claim)
    }
    found: dict[int, tuple[str, ...]] = {}
    for law in model.found:
        number = laws.get(squeezed(law.text))
        if number is None and law.claimed and laws:
            number = max(laws.values())
        if number is not None and law.symmetry and law.symmetry not in found.get(number, ()):
            found[number] = (*found.get(number, ()), law.symmetry)
    return found


def run_words(run: RankRun) -> str:
    """The ranks of a run, and what they were found with."""
    if (sparse := run.anchored) is None:
        ranks = " → ".join(map(str, run.ranks))
        return f"{ranks} by depth, {run.words} brackets, mod {run.prime}"
    rows, columns = sparse.core
    return (
        f"{run.ranks[-1]} by {sparse.generators:,} sparse fields and {sparse.brackets:,} of their brackets "
        f"({sparse.peeled:,} pivots peeled, core {rows:,} × {columns:,}), {run.words} random brackets, mod {run.prime}"
    )
