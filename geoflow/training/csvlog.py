"""Rows of a run as a CSV file, one line a row, written as they come."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from os import PathLike
from pathlib import Path


class CsvLog:
    """Appends dicts with the same keys to a file; the first one written makes the header. Called like any logger:
    `log(row)`.

    Raises:
        ValueError: a row has other keys than the first.
    """

    def __init__(self, path: str | PathLike[str]):
        self.path = Path(path)
        self._keys: tuple[str, ...] | None = None

    def __call__(self, row: Mapping[str, float | int]) -> None:
        """Write one row."""
        keys = tuple(row)
        if self._keys is None:
            self._keys = keys
            with self.path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerow(keys)
        if keys != self._keys:
            raise ValueError("a row has other keys than the first one of this file")
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row.values())
