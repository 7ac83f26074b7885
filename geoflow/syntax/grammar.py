"""The LALR parser of the language, built from `geo.lark` or taken from the user's cache.

Building takes 0.3 s, most of the time in which a wrong file is answered; loading takes a hundredth
of that. The cache is a pickle, so it is used only where nobody but the user can write: a folder
that is theirs, closed to others, in their own cache folder. Its name is a digest of all that it
depends on. Without such a folder there is no cache.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.resources
import io
import os
import re
import stat
import sys
import tempfile
from pathlib import Path

import lark
from lark import Lark

from geoflow.diagnostics import GeoflowBug

STARTS = ("statement", "expression")


@functools.cache
def parser() -> Lark:
    """The parser: one a process."""
    grammar = grammar_text()
    file = _cache_file(grammar)
    if file is not None:
        # a cache that cannot be read, for whatever reason, is built again
        with contextlib.suppress(Exception), file.open("rb") as cached:
            return Lark.load(cached)
    built = _build(grammar)
    if file is not None:
        with contextlib.suppress(OSError):
            _write(file, built)
    return built


def _build(grammar: str) -> Lark:
    return Lark(
        grammar,
        parser="lalr",
        start=list(STARTS),
        propagate_positions=True,
        maybe_placeholders=True,
    )


def grammar_text() -> str:
    """The grammar, from the installed package or from the folder beside it."""
    try:
        folder = importlib.resources.files("geoflow.grammar")
    except ModuleNotFoundError:
        folder = Path(__file__).parents[2] / "grammar"
    grammar = folder / "geo.lark"
    if not grammar.is_file():
        raise GeoflowBug("the grammar of the language was not installed with geoflow")
    return grammar.read_text(encoding="utf-8")


def keywords() -> frozenset[str]:
    """The words that the grammar itself writes, wherever they are no names."""
    written = re.sub(r"//[^\n]*|/(?:[^/\\\n]|\\.)+/", "", grammar_text())
    return frozenset(re.findall(r'"([^\W\d]\w*)"', written))


def _cache_file(grammar: str) -> Path | None:
    """Where the parser of this grammar is kept, if there is a safe place."""
    if not hasattr(os, "getuid"):
        return None
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        above = Path(named) if os.path.isabs(named) else Path.home() / ".cache"
        folder = above / "geoflow"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except (OSError, RuntimeError):
        return None
    theirs = found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode)
    if not theirs or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return None
    code = Path(__file__).read_bytes()
    key = f"{lark.__version__} {sys.version} {STARTS} {grammar}".encode() + code
    return folder / f"grammar-{hashlib.sha256(key).hexdigest()[:32]}.pickle"


def _write(file: Path, built: Lark) -> None:
    """Write the cache in one step, so that no other process reads half of it."""
    data = io.BytesIO()
    built.save(data)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix="grammar-", suffix=".part")
    with os.fdopen(handle, "wb") as part:
        part.write(data.getvalue())
    os.replace(name, file)
