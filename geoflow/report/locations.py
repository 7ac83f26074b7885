"""Where a finding is, for machines that look files up: paths below the working folder are relative."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from geoflow.diagnostics import Diagnostic


def relative_path(name: str) -> str | None:
    """A file's path below the working folder, with `/`; None for one elsewhere and for a text."""
    if name.startswith("<"):
        return None
    path = os.path.relpath(name)
    outside = path.split(os.sep)[0] == os.pardir or os.path.isabs(path)
    return None if outside else Path(path).as_posix()


def uri(name: str) -> str:
    """A file as a URI: relative below the working folder, else absolute."""
    path = relative_path(name)
    if path is not None:
        return quote(path)
    return quote(name) if name.startswith("<") else Path(name).resolve().as_uri()


def told(diagnostic: Diagnostic) -> str:
    """A finding in words: the message, then what is noted and hinted at, a line each."""
    lines = [diagnostic.message]
    lines += [f"note: {note}" for note in diagnostic.notes]
    lines += [f"hint: {hint}" for hint in diagnostic.hints]
    return "\n".join(lines)
