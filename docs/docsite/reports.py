"""Pages of `geoflow report` and `geoflow sweep --report` that the documentation links to, written by the build."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from geoflow.cli import app

_COMMAND = re.compile(
    r"^<!-- page: geoflow (?P<words>[^\n]*?) (?:-o|--report) (?P<name>[\w-]+\.html) -->$", re.M
)


class PageFails(ValueError):
    """A command of a page does not write its page."""


@dataclass(frozen=True)
class Written:
    """A page that a command wrote, and the folder-free name it has."""

    name: str
    html: str


def written(markdown: str, folder: Path, root: Path) -> tuple[Written, ...]:
    """What the commands of a page write; `folder` is for the files, examples are found below `root`.

    Raises:
        PageFails: a command ends with another exit code than 0.
    """
    return tuple(_run(match, folder, root) for match in _COMMAND.finditer(markdown))


def _run(match: re.Match[str], folder: Path, root: Path) -> Written:
    command, *words = match["words"].split()
    target = folder / match["name"]
    words = [str(root / w) if w.startswith("examples/") else w for w in words]
    option = "-o" if command == "report" else "--report"
    result = CliRunner().invoke(app, [command, *words, option, str(target)])
    if result.exit_code != 0:
        raise PageFails(f"`geoflow {match['words']}` fails:\n{result.output}")
    html = target.read_text(encoding="utf-8")
    return Written(match["name"], html.replace(f"{root}/", "").replace(f"{folder}/", ""))
