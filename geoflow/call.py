"""What the arguments of a call say: paths, overrides, seconds; and files that a call writes."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from geoflow.faults import refuse
from geoflow.memory import in_bytes
from geoflow.replacing import replace_file


def expand(paths: list[str]) -> list[str]:
    """The paths with each folder replaced by the .geo files below it, sorted, none hidden."""
    found: dict[str, None] = {}
    for path in paths:
        if path != "-" and os.path.isdir(path):
            below = sorted(
                p
                for p in Path(path).rglob("*.geo")
                if os.path.isfile(p) and not _hidden(p.relative_to(path))
            )
            found.update(dict.fromkeys(map(str, below) if below else [path]))
        else:
            found[path] = None
    return list(found)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def read_pairs(texts: list[str] | None, option: str = "-D", example: str = "n=5") -> dict[str, str]:
    """The NAME=VALUE of an option that is repeatable."""
    pairs = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise typer.BadParameter(
                f"{text!r} is not of the form NAME=VALUE, such as {option} {example}",
                param_hint=option,
            )
        pairs[name] = value
    return pairs


def read_seconds(timeout: float | None) -> float | None:
    """A positive number of seconds, or none."""
    if timeout is not None and not 0 < timeout < float("inf"):
        raise typer.BadParameter("a positive number of seconds is needed", param_hint="--timeout")
    return timeout


def read_memory(gib: float | None) -> int:
    """A positive number of GiB in bytes, or what is used without one."""
    if gib is not None and not 0 < gib < float("inf"):
        raise typer.BadParameter("a positive number of GiB is needed", param_hint="--memory")
    return in_bytes(gib)


def write(path: Path, text: str) -> None:
    """Writes a text to a file, in one step or not at all."""
    try:
        replace_file(path, text.encode())
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror or error}")
