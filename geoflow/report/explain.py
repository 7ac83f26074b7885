"""The page of each code: what it means, why, and a program with and without the mistake.

The pages are Markdown files beside this module, so that they are there in a wheel and in an
editable install alike.
"""

from __future__ import annotations

import difflib
import re
from importlib.resources import files

from geoflow.codes import CODES

_MARK = re.compile(r"<!-- (broken: (?P<code>GEO\d{4})|fixed) -->\n")


def normalize(code: str) -> str:
    """`301`, `0301`, `geo0301` and `GEO0301` are one code."""
    digits = code.strip().upper().removeprefix("GEO")
    return f"GEO{digits:>04}" if digits.isdecimal() and digits.isascii() else code.strip().upper()


def explanation(code: str) -> str:
    """The page of a code as Markdown. Raises KeyError for a code that does not exist."""
    name = normalize(code)
    if name not in CODES:
        raise KeyError(name)
    return (files("geoflow.report") / "explanations" / f"{name}.md").read_text(encoding="utf-8")


def readable(page: str) -> str:
    """A page for a terminal: the marks of its examples as words."""
    return _MARK.sub(lambda m: f"Broken ({m['code']}):\n\n" if m["code"] else "Fixed:\n\n", page)


def near(code: str) -> list[str]:
    """Codes, or codes of titles, that the text may have meant."""
    titles = {title: name for name, title in CODES.items()}
    close = difflib.get_close_matches(normalize(code), CODES, n=3, cutoff=0.8)
    return close or [
        titles[t] for t in difflib.get_close_matches(code.lower(), titles, n=3, cutoff=0.7)
    ]


def index() -> str:
    """All codes with their titles, a line each."""
    return "\n".join(f"{code}  {title}" for code, title in CODES.items())
