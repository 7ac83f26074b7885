"""Reads a file as a `Source`: UTF-8, with or without a byte order mark, any kind of line ends."""

from __future__ import annotations

import sys
from pathlib import Path

from geoflow.diagnostics import DiagnosticError, Source
from geoflow.syntax import messages

LONGEST_FILE = 100_000


def read(path: Path, name: str | None = None) -> Source:
    """The text of a file, shown under `name` (the path itself by default).

    Raises `DiagnosticError` where it cannot be read, is not text or is too long.
    """
    name = str(path) if name is None else name
    return decode(read_bytes(path, name), name)


def read_input() -> bytes:
    """The bytes of standard input, as many as a source may have and one more."""
    return sys.stdin.buffer.read(LONGEST_FILE + 1)


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a file, as many as a source may have and one more.

    Raises `DiagnosticError` where it cannot be read.
    """
    try:
        if path.is_dir():
            if next(path.rglob("*.geo"), None) is None:
                raise DiagnosticError(messages.empty_folder(name))
            raise DiagnosticError(messages.cannot_read(name, "it is a folder"))
        if path.exists() and not path.is_file():
            raise DiagnosticError(messages.cannot_read(name, "it is not a regular file"))
        with path.open("rb") as file:
            return file.read(LONGEST_FILE + 1)
    except FileNotFoundError:
        raise DiagnosticError(messages.cannot_read(name, "there is no such file")) from None
    except PermissionError:
        raise DiagnosticError(messages.cannot_read(name, "permission denied")) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise DiagnosticError(messages.cannot_read(name, reason.lower())) from None


def decode(data: bytes, name: str) -> Source:
    """The source with these bytes."""
    if len(data) > LONGEST_FILE:
        raise DiagnosticError(messages.too_long(name, LONGEST_FILE))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DiagnosticError(messages.not_text(name, error.start)) from None
    if "\0" in text:
        raise DiagnosticError(messages.not_text(name, data.index(b"\0")))
    return Source(name, unify_line_ends(text))


def unify_line_ends(text: str) -> str:
    """The text with every line end a single newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
