"""An outcome as a line of JSON that shows whether it is whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from geoflow.results import LawCount
from geoflow.rows import Failure, Outcome, RowClaim, Sizes

_OUTCOME = {"laws", "claims", "failure", "seconds", "cut"}


def seal(key: str, outcome: Outcome, sizes: Sizes = ()) -> str:
    """A line for an outcome under a key, without the line's end."""
    content = {"key": key, "sizes": dict(sizes), "outcome": asdict(outcome)}
    return json.dumps({**content, "sum": _sum(content)})


def unseal(line: str) -> tuple[str, Outcome]:
    """The key and the outcome. Raises `ValueError` where the line is not as it was written."""
    data = json.loads(line)
    if not isinstance(data, dict) or data.pop("sum", None) != _sum(data):
        raise ValueError("the line is not whole")
    return data["key"], _outcome(data["outcome"])


def _sum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _outcome(data: dict[str, Any]) -> Outcome:
    if set(data) != _OUTCOME:
        raise ValueError("written by another version")
    try:
        return Outcome(
            laws=None if data["laws"] is None else LawCount(**data["laws"]),
            claims=tuple(RowClaim(**claim) for claim in data["claims"]),
            failure=None if data["failure"] is None else Failure(**data["failure"]),
            seconds=data["seconds"],
            cut=data["cut"],
        )
    except TypeError:
        raise ValueError("written by another version") from None
