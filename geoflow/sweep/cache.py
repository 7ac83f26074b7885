"""Outcomes known from earlier runs, on disk, by the digest of all they depend on.

The cache only ever saves time. What cannot be read counts as unknown, what cannot be written is left out, and either
is told in a note.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Protocol

from platformdirs import user_cache_path

from geoflow.rows import Outcome
from geoflow.sweep.record import seal, unseal

MOST_ROWS = 200_000


class Cache(Protocol):
    """Outcomes by key."""

    notes: list[str]

    def get(self, key: str) -> Outcome | None:
        """The outcome under a key, if it is known."""
        ...

    def put(self, key: str, outcome: Outcome) -> None:
        """Remember an outcome."""

    def close(self) -> None:
        """Nothing is asked or remembered after this."""


def cache_folder() -> Path:
    """Where caches and journals are kept: `GEOFLOW_CACHE`, or the user's cache folder."""
    given = os.environ.get("GEOFLOW_CACHE")
    return Path(given) if given else user_cache_path("geoflow")


class NoCache:
    """Knows nothing, remembers nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def get(self, key: str) -> Outcome | None:
        """None."""
        return None

    def put(self, key: str, outcome: Outcome) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class DiskCache:
    """A table of sealed outcomes. Every failure of the disk makes it know less, and is noted once."""

    def __init__(self, folder: Path):
        self.notes: list[str] = []
        self._readable = self._writable = True
        self._connection: sqlite3.Connection | None = None
        self._path = folder / "outcomes.sqlite3"
        try:
            if folder.exists() and not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, timeout=2, isolation_level=None)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            self._writable = False
            self._readable = self._connection is not None and self._has_table()
            self._note("read" if not self._readable else "written", error)

    def _prepare(self) -> None:
        connection = self._connected()
        connection.execute(
            "CREATE TABLE IF NOT EXISTS outcomes (number INTEGER PRIMARY KEY, key TEXT UNIQUE, line TEXT)"
        )
        connection.execute(
            "DELETE FROM outcomes WHERE number <= (SELECT MAX(number) FROM outcomes) - ?",
            (MOST_ROWS,),
        )

    def _has_table(self) -> bool:
        try:
            self._connected().execute("SELECT line FROM outcomes LIMIT 1").fetchone()
        except sqlite3.Error:
            return False
        return True

    def _connected(self) -> sqlite3.Connection:
        assert self._connection is not None
        return self._connection

    def get(self, key: str) -> Outcome | None:
        """The outcome under a key; None where what is stored is not whole."""
        if not self._readable:
            return None
        try:
            query = "SELECT line FROM outcomes WHERE key = ?"
            found = self._connected().execute(query, (key,)).fetchone()
        except sqlite3.Error as error:
            self._readable = False
            self._note("read", error)
            return None
        if found is None:
            return None
        try:
            stored, outcome = unseal(str(found[0]))
        except ValueError as error:
            self._note("read in part", error)
            return None
        return outcome if stored == key else None

    def put(self, key: str, outcome: Outcome) -> None:
        """Remember an outcome, if the disk lets us."""
        if not self._writable:
            return
        try:
            query = "INSERT OR REPLACE INTO outcomes (key, line) VALUES (?, ?)"
            self._connected().execute(query, (key, seal(key, outcome)))
        except sqlite3.Error as error:
            self._writable = False
            self._note("written", error)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
        self._readable = self._writable = False

    def _note(self, done: str, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or error
        note = f"the cache {self._path} cannot be {done}: {reason}"
        if note not in self.notes:
            self.notes.append(note)
