"""What a page says beyond its text: pictures, and what geoflow answers to a block marked as wrong."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

from docsite.blocks import Block, blocks
from docsite.charts import chart, charts
from docsite.notebooks import outputs
from docsite.pictures import draw, pictures
from docsite.terminal import annotated, checked, compared, refusal
from geoflow.codes import CODES
from geoflow.diagnostics import Source
from geoflow.formatting import format_text

_BROKEN = re.compile(r"^<!-- broken: (GEO\d{4}) -->\n", re.M)
_FIXED = re.compile(r"^<!-- fixed -->\n", re.M)
_CHECK = re.compile(r"^<!-- check -->\n", re.M)
_ANNOTATE = re.compile(r"^<!-- check: github -->\n", re.M)
_FORMAT = re.compile(r"^<!-- format -->\n", re.M)
_COMPARE = re.compile(r"^<!-- compare: (?P<file>[\w/]+\.geo) -->\n", re.M)


class AnotherVerdict(ValueError):
    """A block is refused otherwise than its mark says."""


def dress(page: str, markdown: str, root: Path) -> str:
    """The Markdown of a page, named by its path in the documentation, with all that the build adds.

    Raises:
        PictureRefused: a picture does not show what it is said to show.
        AnotherVerdict: geoflow does not refuse what a mark says that it refuses.
        CellFails: a cell of a notebook is wrong.
        ChartRefused: a chart does not fit its table.
    """
    models = blocks(markdown, "geo")
    added = [(p.start, p.end, draw(p, models)) for p in pictures(markdown)]
    added += [(c.start, c.end, chart(c)) for c in charts(markdown)]
    added += [(b.end, b.end, _answer(page, b)) for b in models if _wrong(b)]
    added += [(m.start(), m.end(), _checked(m, models)) for m in _CHECK.finditer(markdown)]
    added += [(m.start(), m.end(), _annotated(m, models)) for m in _ANNOTATE.finditer(markdown)]
    added += [(m.start(), m.end(), _formatted(m, models)) for m in _FORMAT.finditer(markdown)]
    added += [(m.start(), m.end(), _compared(m, root)) for m in _COMPARE.finditer(markdown)]
    added += [(cell.end, cell.end, html) for cell, html in outputs(markdown) if html]
    text = _FIXED.sub("Fixed:\n\n", _insert(markdown, added))
    return _BROKEN.sub(lambda m: f"Broken, {link(page, m[1])}:\n\n", text)


def link(page: str, code: str) -> str:
    """A link from a page to that of a code."""
    place = posixpath.relpath(f"errors/{code}.md", posixpath.dirname(page) or ".")
    return f"[{code}]({place})"


def _insert(text: str, added: Iterable[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(added, reverse=True):
        text = f"{text[:start]}\n{new}\n{text[end:]}"
    return text


def _wrong(block: Block) -> str | None:
    return block.marked("refused") or block.marked("error")


def _answer(page: str, block: Block) -> str:
    """What geoflow says of a block that is wrong, to be unfolded; of a false claim at once."""
    wanted = _wrong(block) or ""
    codes, output = refusal(block.body, "model.geo")
    if codes != (wanted,):
        raise AnotherVerdict(
            f"the model at line {block.line} is marked {wanted}, and geoflow finds "
            f"{', '.join(codes) or 'nothing wrong'}"
        )
    unfolded = "+" if block.marked("refused") else ""
    title = f"{link(page, wanted)}: {CODES[wanted]}".replace('"', "'")
    return f'???{unfolded} failure "{title}"\n\n' + indent(f"```text\n{output}\n```", " " * 4)


def _checked(match: re.Match[str], models: tuple[Block, ...]) -> str:
    """What `geoflow check` says of the model above."""
    block = _above(match, models)
    code, output = checked(block.body, "first.geo")
    if code != 0:
        raise AnotherVerdict(f"the model at line {block.line} is not accepted:\n{output}")
    return f"```text\n$ geoflow check first.geo\n\n{output}\n```"


def _above(match: re.Match[str], models: tuple[Block, ...]) -> Block:
    (*_, block) = (b for b in models if b.end <= match.start())
    return block


def _annotated(match: re.Match[str], models: tuple[Block, ...]) -> str:
    """What `geoflow check --format github` says of the model above."""
    output = annotated(_above(match, models).body, "models/first.geo")
    return f"```text\n$ geoflow check --format github models/\n\n{output}\n```"


def _formatted(match: re.Match[str], models: tuple[Block, ...]) -> str:
    """The model above in its canonical layout, which is another."""
    block = _above(match, models)
    text = format_text(Source("model.geo", block.body))
    if text == block.body:
        raise AnotherVerdict(f"the model at line {block.line} is formatted already")
    return f"```geo\n{text}```"


def _compared(match: re.Match[str], root: Path) -> str:
    path = root / match["file"]
    output = compared(path, path.read_text(encoding="utf-8"))
    return f"```text\n$ geoflow compare --flows {match['file']}\n{output}\n```"
