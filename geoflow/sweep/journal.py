"""The rows of a sweep on disk as they arrive: a file of JSON lines that is only ever added to."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from geoflow.rows import Outcome, Sizes
from geoflow.sweep.record import seal, unseal


@dataclass
class Journal:
    """A file of finished rows. `torn`: lines that were not whole, and count for nothing."""

    path: Path
    known: dict[str, Outcome] = field(default_factory=dict)
    torn: int = 0

    @staticmethod
    def begin(path: Path) -> Journal:
        """An empty journal. Raises `OSError`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        return Journal(path)

    @staticmethod
    def resume(path: Path) -> Journal:
        """The journal of a sweep that was stopped; an empty one where there is none. Raises `OSError`."""
        if not path.exists():
            return Journal.begin(path)
        journal = Journal(path)
        content = path.read_bytes()
        for line in content.split(b"\n"):
            if line:
                journal._read(line)
        if content and not content.endswith(b"\n"):
            journal._write(b"\n")  # the line that was torn stays apart from the next
        return journal

    def _read(self, line: bytes) -> None:
        try:
            key, outcome = unseal(line.decode())
        except ValueError:
            self.torn += 1
        else:
            self.known[key] = outcome

    def add(self, key: str, outcome: Outcome, sizes: Sizes) -> None:
        """Write down a finished row. Raises `OSError`."""
        self._write(seal(key, outcome, sizes).encode() + b"\n")
        self.known[key] = outcome

    def _write(self, content: bytes) -> None:
        """One system call a line, so that a killed process leaves at most the last line torn."""
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, content)
        finally:
            os.close(handle)
