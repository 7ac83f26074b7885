"""An outcome as a line of JSON that shows whether it is whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from geoflow.results import LawCount
from geoflow.rows import Outcome, Sizes
from geoflow.stored import read_dataclass, read_json

_OUTCOME = {"laws", "claims", "failure", "seconds", "cut"}


def seal(key: str, outcome: Outcome, sizes: Sizes = ()) -> str:
    """A line for an outcome under a key, without the line's end."""
    content = {"key": key, "sizes": dict(sizes), "outcome": asdict(outcome)}
    return json.dumps({**content, "sum": _sum(content)})


def unseal(line: str) -> tuple[str, Outcome]:
    """The key and the outcome. Raises `ValueError` where the line is not as it was written.

    The sum shows damage. It is no signature: who may write the file can make lines that count.
    """
    data = read_json(line)
    if not isinstance(data, dict) or data.pop("sum", None) != _sum(data):
        raise ValueError("the line is not whole")
    key, outcome = data.get("key"), data.get("outcome")
    if not isinstance(key, str) or not isinstance(outcome, dict) or set(outcome) != _OUTCOME:
        raise ValueError("written by another version")
    found = read_dataclass(outcome, Outcome, "outcome")
    if found.laws is not None and not _is_count(found.laws):
        raise ValueError("no count")
    return key, found


def _is_count(laws: LawCount) -> bool:
    agree = laws.status != "proved" or laws.lower == laws.upper
    return laws.lower >= 0 and laws.upper >= 0 and agree


def _sum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
