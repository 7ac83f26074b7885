"""An outcome as a line of JSON that shows whether it is whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any, get_args

from geoflow.results import LawCount, Status
from geoflow.rows import Failure, Outcome, RowClaim, Sizes

_OUTCOME = {"laws", "claims", "failure", "seconds", "cut"}


def seal(key: str, outcome: Outcome, sizes: Sizes = ()) -> str:
    """A line for an outcome under a key, without the line's end."""
    content = {"key": key, "sizes": dict(sizes), "outcome": asdict(outcome)}
    return json.dumps({**content, "sum": _sum(content)})


def unseal(line: str) -> tuple[str, Outcome]:
    """The key and the outcome. Raises `ValueError` where the line is not as it was written.

    The sum shows damage. It is no signature: who may write the file can make lines that count.
    """
    try:
        data = json.loads(line)
        whole = isinstance(data, dict) and data.pop("sum", None) == _sum(data)
    except (TypeError, RecursionError):
        whole = False
    if not whole:
        raise ValueError("the line is not whole")
    try:
        return str(data["key"]), _outcome(data["outcome"])
    except (KeyError, TypeError, AttributeError):
        raise ValueError("written by another version") from None


def _sum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _outcome(data: dict[str, Any]) -> Outcome:
    if set(data) != _OUTCOME:
        raise ValueError("written by another version")
    return Outcome(
        laws=None if data["laws"] is None else _count(LawCount(**data["laws"])),
        claims=tuple(RowClaim(**claim) for claim in data["claims"]),
        failure=None if data["failure"] is None else Failure(**data["failure"]),
        seconds=float(data["seconds"]),
        cut=None if data["cut"] is None else float(data["cut"]),
    )


def _count(laws: LawCount) -> LawCount:
    """The count, if it is one."""
    natural = all(type(n) is int and n >= 0 for n in (laws.lower, laws.upper))
    agree = laws.status != "proved" or laws.lower == laws.upper
    if not (natural and agree and laws.status in get_args(Status)):
        raise ValueError("no count")
    return laws
