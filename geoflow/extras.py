"""Packages that are installed only where somebody asks for them, and what to say where they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needing(package: str, extra: str, what: str) -> Iterator[None]:
    """Imports of a module that needs the package of an extra.

    Raises:
        ModuleNotFoundError: it is missing; with how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        cure = f"{what} needs {package}: pip install 'geoflow[{extra}]'"
        raise ModuleNotFoundError(cure, name=error.name) from None
