"""`geoflow recheck`: certificates checked again, with the engine and from the text of the model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from geoflow.call import read_memory, read_seconds
from geoflow.commands.choices import Color, Memory, Timeout
from geoflow.engine import load_engine
from geoflow.faults import faults, refuse
from geoflow.report.page import Page, open_console

REFUSED, PARTIAL = 1, 2
_COLORS = {"confirmed": "bold green", "refused": "bold red", "not checked": "yellow"}


def recheck(
    file: Annotated[str, typer.Argument(help="What `geoflow check --certificate` wrote.")],
    timeout: Timeout = None,
    memory: Memory = None,
    color: Color = "auto",
) -> None:
    """Check certificates again: exit 0 if all are confirmed, 1 if one is refused, 2 if a part was not checked."""
    with faults(0):
        certificates = _certificates(file)
        load_engine()
        from geoflow.certificates.recheck import recheck as again
        from geoflow.deadline import Deadline

        deadline = Deadline.after(read_seconds(timeout))
        limit = read_memory(memory)
        page = Page(open_console(sys.stdout, color))
        outcomes = set()
        for data in certificates:
            found = again(data, deadline, limit)
            outcomes.add(found.outcome)
            page.line(f"{found.model}: {found.claim}: ", (found.outcome, _COLORS[found.outcome]))
            for reason in found.reasons:
                page.line(f"  {reason}")
    if "refused" in outcomes or not outcomes:
        raise typer.Exit(REFUSED)
    if "not checked" in outcomes:
        raise typer.Exit(PARTIAL)


def _certificates(file: str) -> list[Any]:
    from geoflow.stored import NotStored, read_file, read_json

    try:
        data = read_json(read_file(Path(file)))
    except OSError as error:
        refuse(f"{file} cannot be read: {error.strerror or error}")
    except NotStored as error:
        refuse(f"{file} cannot be read: {error}")
    found = data.get("certificates") if isinstance(data, dict) else None
    if not isinstance(found, list):
        refuse(f"{file} holds no certificates", "geoflow check model.geo --certificate proof.json")
    return found
