"""What geoflow said of a file when it was last saved: asked of another process, kept as data."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SECONDS = 30.0
_SIGNS = {"proved": "✓", "probable": "~", "undecided": "?"}


@dataclass(frozen=True)
class Verdicts:
    """The report of a check in its JSON form, by model."""

    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    findings: Sequence[Mapping[str, Any]] = ()

    def of_model(self, name: str) -> list[str]:
        """The count and the laws of a model."""
        model = self.models.get(name)
        if model is None:
            return []
        laws = model["laws"]
        count = str(laws["upper"])
        if laws["status"] == "bounded":
            count = f"between {laws['lower']} and {laws['upper']}"
        noun = "law" if count == "1" else "laws"
        lines = [f"{count} independent {noun}, {laws['status']} (as saved)"]
        shown = [f"- `{law['text']}`: {law['status']}" for law in model["found"]]
        return [*lines, "\n".join(shown)] if shown else lines

    def of_law(self, model: str, name: str, text: str) -> list[str]:
        """The verdict on a law, if it is still the text that was judged."""
        for claim in self.models.get(model, {}).get("claims", ()):
            if (claim["kind"], claim.get("name"), claim.get("text")) == ("law", name, text):
                verdict = claim["verdict"]
                detail = f": {claim['detail']}" if claim.get("detail") else ""
                lines = [f"{_SIGNS.get(verdict, '✗')} {verdict}{detail}"]
                return [*lines, *claim.get("witness", ()), *claim.get("hints", ())]
        return []


def read(data: Mapping[str, Any]) -> Verdicts:
    """The verdicts of a report of schema 1."""
    models = {model["model"]: model for model in data["models"]}
    return Verdicts(models, data["diagnostics"])


async def ask(path: str, seconds: float = SECONDS) -> Verdicts | None:
    """Check a file in a process of its own, so that nothing here waits for it or loads what it
    needs; None where it gave no report. Cancelled, it ends the process.
    """
    command = [sys.executable, "-m", "geoflow", "check", path, "--format", "json", "--no-verify"]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--timeout",
        f"{seconds:g}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 2 * seconds)
        return read(json.loads(output))
    except (TimeoutError, ValueError):
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
