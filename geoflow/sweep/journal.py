"""The rows of a sweep on disk as they arrive: a file of JSON lines that is only ever added to."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from geoflow.rows import Outcome, Sizes
from geoflow.sweep.record import seal, unseal


class InUse(OSError):
    """Another sweep writes to the file."""


@dataclass
class Journal:
    """A file of finished rows, of one sweep at a time. `torn`: lines that were not whole, and count for nothing."""

    path: Path
    known: dict[str, Outcome] = field(default_factory=dict)
    torn: int = 0
    _lock: int | None = field(default=None, repr=False)

    @staticmethod
    def begin(path: Path) -> Journal:
        """An empty journal. Raises `OSError`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(path, _lock=_locked(path))
        os.truncate(path, 0)
        return journal

    @staticmethod
    def resume(path: Path) -> Journal:
        """The journal of a sweep that was stopped; an empty one where there is none. Raises `OSError`."""
        if not path.exists():
            return Journal.begin(path)
        journal = Journal(path, _lock=_locked(path))
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
        """One system call a line, so that a killed process leaves at most the last line torn.

        A disk that fills up may take a part of a line: the rest is tried, which says why it fails.
        """
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            while content:
                content = content[os.write(handle, content) :]
        finally:
            os.close(handle)

    def close(self) -> None:
        """Nothing is written after this, and another sweep may begin."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(path: Path) -> int:
    """A handle that keeps other sweeps from the file for as long as it is open, or its process lives.

    Raises:
        InUse: another sweep has it.
        OSError: the file cannot be opened.
    """
    if path.exists() and not path.is_file():
        raise OSError(None, "it is not a regular file")
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        import fcntl
    except ImportError:  # a system without such locks
        return handle
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise InUse(None, "another sweep is writing to it") from None
    except OSError:  # a file system without locks
        pass
    return handle
