"""Which program computes: geoflow's own source and the libraries that its answers rest on."""

from __future__ import annotations

import functools
import hashlib
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from geoflow.syntax.grammar import grammar_text

_LIBRARIES = ("jax", "jaxlib", "numpy", "python-flint", "sympy", "lark")


@functools.cache
def build() -> str:
    """A digest that changes with anything that could change an answer."""
    digest = hashlib.sha256(grammar_text().encode())
    folder = Path(__file__).parents[1]
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.geo")]):
        digest.update(f"\n{path.relative_to(folder).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    versions = [f"{name} {_version(name)}" for name in _LIBRARIES]
    digest.update("\n".join([sys.version, *versions]).encode())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
