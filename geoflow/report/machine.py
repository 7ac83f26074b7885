"""A report as JSON, `"schema": 1`: keys may be added, those in `schema.json` stay.

Infinities and NaN have no JSON and become null. Text is ASCII after escaping, so that any pipe can
carry it.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from geoflow.diagnostics import Diagnostic, Span
from geoflow.results import Certificate, ClaimResult, FoundLaw, ModelReport, Report, Verification

SCHEMA = 1


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain dictionaries, lists, numbers and strings."""
    return plain(
        {
            "schema": SCHEMA,
            "exit_code": report.exit_code,
            "models": [_model(model) for model in report.models],
            "diagnostics": [diagnostic_data(diagnostic) for diagnostic in report.diagnostics],
            "seconds": report.seconds,
        }
    )


def dumps(data: dict[str, Any]) -> str:
    """JSON text, indented, ending in a newline."""
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """`value` with tuples as lists, no number that is not finite, no unpaired surrogate."""
    match value:
        case dict():
            return {plain(str(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case _:
            return value


def _model(model: ModelReport) -> dict[str, Any]:
    return {
        "file": model.file,
        "model": model.model,
        "summary": model.summary,
        "parameters": model.parameters,
        "dimension": model.dimension,
        "laws": asdict(model.laws),
        "claims": [_claim(claim) for claim in model.claims],
        "found": [_law(law) for law in model.found],
        "certificate": _certificate(model.certificate),
        "verify": _verification(model.verify),
        "facts": _facts(model),
        "facts_status": model.facts_status,
        "assumes": model.assumes,
        "notes": model.notes,
        "seed": model.seed,
        "prime": model.prime,
        "seconds": model.seconds,
    }


def _facts(model: ModelReport) -> dict[str, Any]:
    real = {} if model.real_gates is None else {"real_gates": asdict(model.real_gates)}
    return {**model.facts, **real}


def _claim(claim: ClaimResult) -> dict[str, Any]:
    """The keys of a claim that say something; `kind`, `line` and `verdict` always."""
    always = ("kind", "line", "verdict")
    return {
        key: value
        for key, value in asdict(claim).items()
        if key in always or value not in (None, "", ())
    }


def _law(law: FoundLaw) -> dict[str, Any]:
    return {key: value for key, value in asdict(law).items() if key != "claimed"}


def _certificate(certificate: Certificate | None) -> dict[str, Any] | None:
    """A summary: the points stay out, `--certificate` has them."""
    if certificate is None:
        return None
    data = {k: v for k, v in asdict(certificate).items() if k != "disagreeing"}
    keys = ("prime", "ranks", "words", "anchored")
    data["runs"] = [{k: run[k] for k in keys if run[k] is not None} for run in data["runs"]]
    if certificate.balls is not None:
        data["balls"] = {"rank": certificate.balls.rank, "precision": certificate.balls.precision}
    return data | {"rank": certificate.rank, "exact": certificate.exact}


def _verification(verify: Verification | None) -> dict[str, Any] | None:
    if verify is None:
        return None
    drifts = [{"law": text, "drift": drift} for text, drift in verify.drifts]
    return asdict(verify) | {"drifts": drifts}


def diagnostic_data(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic with its places."""
    fix = diagnostic.fix
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        **_place(diagnostic.span),
        "message": diagnostic.message,
        "label": diagnostic.label,
        "related": [
            {**_place(related.span), "label": related.label} for related in diagnostic.related
        ],
        "notes": diagnostic.notes,
        "hints": diagnostic.hints,
        "fix": {**_place(fix.span), "replacement": fix.replacement} if fix else None,
    }


def _place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
