"""What `pyproject.toml` asks for, and what the files of `requirements/` hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "requirements"


def project() -> dict[str, Any]:
    """The table `project`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def asked(told: dict[str, Any], extras: Iterable[str]) -> list[Requirement]:
    """The dependencies, those of the extras, and of the extras that these name."""
    found = list(map(Requirement, told["dependencies"]))
    left, seen = list(extras), set()
    while left:
        extra = left.pop()
        if extra in seen:
            continue
        seen.add(extra)
        for line in told["optional-dependencies"][extra]:
            requirement = Requirement(line)
            if canonicalize_name(requirement.name) == told["name"]:
                left += requirement.extras
            else:
                found.append(requirement)
    return found


def pins(lock: str) -> dict[str, list[tuple[Version, str]]]:
    """Versions by package, with their markers."""
    found: dict[str, list[tuple[Version, str]]] = {}
    for name, version, marker in re.findall(
        r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)(?: ; ([^\\\n]+?))? \\$", lock, re.MULTILINE
    ):
        found.setdefault(canonicalize_name(name), []).append((Version(version), marker))
    return found


def disagreements(requirements: Iterable[Requirement], lock: str) -> Iterator[str]:
    """What is asked for and not locked, or locked at another version."""
    held = pins(lock)
    for requirement in requirements:
        own = held.get(canonicalize_name(requirement.name), [])
        if not own:
            yield f"{requirement} is not locked"
        for version, _ in own:
            if not requirement.specifier.contains(version, prereleases=True):
                yield f"{requirement.name} {version} is locked, but {requirement} is asked for"


def unhashed(lock: str) -> list[str]:
    """Entries without the hash of a file."""
    entries = re.split(r"\n(?=[A-Za-z])", lock)
    return [e.split()[0] for e in entries if "==" in e and "--hash=sha256:" not in e]


def lower_bounds(requirements: Iterable[Requirement]) -> dict[str, Version]:
    """By package, the greatest version that is asked for at least."""
    found: dict[str, Version] = {}
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        for s in requirement.specifier:
            if s.operator == ">=":
                found[name] = max(found.get(name, Version("0")), Version(s.version))
    return found
