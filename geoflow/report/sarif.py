"""A report in SARIF 2.1.0, which code scanning services read: findings, rules, fixes.

Columns count code points, which the log says.
"""

from __future__ import annotations

from typing import Any

from geoflow.codes import CODES
from geoflow.diagnostics import Diagnostic, Fix, Span
from geoflow.report.explain import explanation, readable
from geoflow.report.locations import relative_path, told, uri
from geoflow.report.machine import plain
from geoflow.results import Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"


def to_sarif(report: Report, version: str) -> dict[str, Any]:
    """The log of one run of geoflow of that version."""
    codes = sorted({diagnostic.code for diagnostic in report.diagnostics})
    driver = {"name": "geoflow", "version": version, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            # a refuted claim is a finding; a wrong file is one too, and ends the run
            {"executionSuccessful": report.exit_code < 2, "exitCode": report.exit_code}
        ],
        "results": [_result(diagnostic, codes) for diagnostic in report.diagnostics],
    }
    return plain({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> dict[str, Any]:
    page = readable(explanation(code))
    return {
        "id": code,
        "shortDescription": {"text": CODES[code]},
        "help": {"text": page, "markdown": page},
    }


def _result(diagnostic: Diagnostic, codes: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": diagnostic.severity,
        "message": {"text": told(diagnostic)},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span, diagnostic.label)]
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, **_location(related.span, related.label)}
            for number, related in enumerate(diagnostic.related, 1)
        ]
    if diagnostic.fix is not None:
        result["fixes"] = [_fix(diagnostic.fix, diagnostic.hints)]
    return result


def _location(span: Span, label: str) -> dict[str, Any]:
    place = {"artifactLocation": _artifact(span.source.name), "region": _region(span)}
    return {"physicalLocation": place, **({"message": {"text": label}} if label else {})}


def _artifact(name: str) -> dict[str, Any]:
    below = {} if relative_path(name) is None else {"uriBaseId": _ROOT}
    return {"uri": uri(name), **below}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(fix: Fix, hints: tuple[str, ...]) -> dict[str, Any]:
    replacement = {
        "deletedRegion": _region(fix.span),
        "insertedContent": {"text": fix.replacement},
    }
    change = {
        "artifactLocation": _artifact(fix.span.source.name),
        "replacements": [replacement],
    }
    described = {"description": {"text": hints[0]}} if hints else {}
    return {**described, "artifactChanges": [change]}
