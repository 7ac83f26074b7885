"""A file written in one step or not at all: what was there before stays until all of the new is on disk."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file; its permissions stay, and a link to it stays a link.

    What is no regular file, such as a pipe or a terminal, is written to.

    Raises:
        OSError: the file is as it was.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    part = target.parent / f".geoflow-{secrets.token_hex(8)}.part"
    with _removed_unless_moved(part):
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            _liken(part, target)
        os.replace(part, target)


@contextmanager
def _removed_unless_moved(part: Path) -> Iterator[None]:
    """Whatever stops the writing, an interrupt too, leaves no part behind."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _liken(part: Path, target: Path) -> None:
    """The permissions of the file, and its owner where we may."""
    old = target.stat()
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(part, old.st_uid, old.st_gid)
    os.chmod(part, old.st_mode & 0o7777)
