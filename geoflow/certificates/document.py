"""A certificate as JSON: `certify` makes it, `digest` seals it. The format is docs/certificates.md, and
`certificate.schema.json`."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from fractions import Fraction
from importlib import metadata
from math import ceil, prod
from typing import Any

from geoflow.analysis import Analysis, Counted
from geoflow.certificates.evidence import Minor, Words, coordinates, independent_words
from geoflow.certificates.laws import time_variable, write_laws
from geoflow.certificates.model import NotWritten, write_model
from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.laws.law import Law
from geoflow.results import Certificate as RankCertificate

FORMAT, VERSION = "geoflow certificate", 1
Document = dict[str, Any]


def digest(data: Any) -> str:
    """SHA-256 of canonical JSON: ASCII, sorted keys, no blanks."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(document: Document) -> Document:
    """The document with the digests of its model and of all its content."""
    claim = {**document["claim"], "model": digest(document["model"])}
    content = {k: v for k, v in document.items() if k != "digest"} | {"claim": claim}
    return {**content, "digest": digest(content)}


def versions() -> dict[str, str]:
    """Of what made a certificate."""
    found = {"python": platform.python_version()}
    for name in ("geoflow", "jax", "numpy", "python-flint"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def file_text(certificates: Sequence[Any]) -> str:
    """A file of certificates, a line for each part."""
    shown = []
    for certificate in certificates:
        parts = (f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in certificate.items())
        shown.append("{\n" + ",\n".join(parts) + "\n}")
    return '{"certificates": [' + ",\n".join(shown) + "]}\n"


def certify(
    counted: Counted, analysis: Analysis, about: Document, deadline: Deadline = Deadline()
) -> Document:
    """The certificate of a count. Where something has no exact form there, `not_checked` says what; where that is the
    model, nothing can be confirmed."""
    count, certificate = analysis.count, counted.certificate
    claim = {
        "of": count.of,
        "dimension": certificate.dimension,
        "rank": certificate.dimension - count.upper,
        "lower": count.lower,
        "upper": count.upper,
        "status": count.status,
    }
    document: Document = {
        "format": FORMAT,
        "version": VERSION,
        "claim": claim,
        "model": None,
        "place": None,
        "upper": None,
        "lower": None,
        "bound": _bound(counted),
        "not_checked": [],
        "about": about,
    }
    try:
        if counted.flow.doubts:
            raise NotWritten("; ".join(counted.flow.doubts))
        document |= _evidence(counted, analysis, deadline)
    except NotWritten as error:
        return sealed({**document, "not_checked": [str(error)]})
    proved = document["lower"]
    known = certificate.dimension - 1 if proved["single"] else len(proved["laws"])
    if known < count.lower:
        missing = f"{count.lower - known} of {count.lower} laws have no form in a certificate"
        document["not_checked"] = [missing]
    return sealed(document)


def _evidence(counted: Counted, analysis: Analysis, deadline: Deadline) -> Document:
    generator, certificate = counted.generator, counted.certificate
    model = write_model(generator, deadline)
    depth = max(len(certificate.ranks), 1)
    words = independent_words(generator, certificate.rank, depth, counted.seed)
    if words is None:
        raise NotWritten("no words of brackets were found that have the rank of the count")
    constants, point = coordinates(words.place, generator)
    return {
        "model": model.section,
        "place": {"prime": words.place.field.p, "constants": constants, "point": point},
        "upper": {"words": [[list(x) for x in w] for w in words.letters], **_minor(words.minor)},
        "lower": {
            "single": _single(counted, model.section),
            **_lower(counted, analysis.laws, words, [*constants, *point]),
        },
    }


def _minor(minor: Minor) -> Document:
    return {"columns": minor.columns, "determinant": minor.determinant}


def _lower(counted: Counted, laws: Sequence[Law], words: Words, place: Sequence[int]) -> Document:
    """Independent entries of the laws that are proved, at the place of the words."""
    flow, prime = counted.flow, words.place.field.p
    time, first = time_variable(flow), len(flow.symbolic_constants)
    state = range(first, first + flow.dimension)
    minor, kept = Minor(prime), []
    for law in write_laws(flow, [law for law in laws if law.status == "proved"]):
        if len(kept) == counted.upper:
            break
        try:
            row = law.gradient_at(state, time, place, prime)
        except (ZeroDivisionError, UnluckyPoint):
            continue
        if minor.add(row):
            kept.append(law.section)
    return {"time": time, "laws": kept, **_minor(minor)}


def _single(counted: Counted, section: Document) -> bool:
    """Whether there is one control, which all fields are multiples of, and no drift."""
    alone = [kind for _, kind in section["controls"]] == ["free"]
    linear = section["map"] is not None
    return bool(alone and linear and not section["drift"] and counted.certificate.rank == 1)


def _bound(counted: Counted) -> Document | None:
    """What makes a count probable: ranks that agree over several primes, and the bound of their error."""
    certificate = counted.certificate
    top = certificate.estimate
    if not (certificate.exact and certificate.complete) or top == certificate.dimension:
        return None
    primes = [run.prime for run in certificate.runs if run.ranks and run.ranks[-1] == top]
    known, degree = certificate.error_bound is not None, least_degree(certificate)
    return {
        "primes": primes,
        "degree": degree,
        "error_bound": str(error_bound(top, degree, primes)) if known else None,
    }


def least_degree(certificate: RankCertificate) -> int:
    """The least degree with which `error_bound` is no smaller than what is known of the runs."""
    top = certificate.estimate
    chances = [
        Fraction(run.degree * (run.prime - 1), run.sample * (top + 1))
        for run in certificate.runs
        if run.ranks and run.ranks[-1] == top and run.sample
    ]
    return max(map(ceil, chances), default=certificate.degree)


def error_bound(rank: int, degree: int, primes: Sequence[int]) -> Fraction:
    """(r + 1)·degree / (p − 1), multiplied over the runs."""
    return prod(
        (min(Fraction(1), Fraction((rank + 1) * degree, p - 1)) for p in primes), start=Fraction(1)
    )
