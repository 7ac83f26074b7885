"""Cells of a notebook in a page: `ipython` blocks are run in order, and each shows its last value below."""

from __future__ import annotations

import contextlib
import io
from functools import cache
from html import escape

from docsite.blocks import Block, blocks


class CellFails(ValueError):
    """A cell of a page raises an exception."""


@cache
def outputs(markdown: str) -> tuple[tuple[Block, str], ...]:
    """The cells of a page with what they show.

    Raises:
        CellFails: a cell is wrong.
    """
    cells = blocks(markdown, "ipython")
    if not cells:
        return ()
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    try:
        return tuple((cell, _shown(shell, cell)) for cell in cells)
    finally:
        if shell.history_manager is not None:
            shell.history_manager.end_session()


def _shown(shell, cell: Block) -> str:
    """The value of a cell as a notebook shows it: HTML, else LaTeX as text, else text."""
    with contextlib.redirect_stdout(io.StringIO()):
        run = shell.run_cell(cell.body, store_history=False, silent=False)
    error = run.error_before_exec or run.error_in_exec
    if error is not None:
        raise CellFails(f"the cell at line {cell.line} fails: {error}")
    if run.result is None:
        return ""
    data, _ = shell.display_formatter.format(run.result)
    if "text/html" in data:
        return f'<div class="cell">\n{_whole(data["text/html"])}\n</div>'
    return f'<pre class="cell">{escape(data.get("text/latex", data["text/plain"]))}</pre>'


def _whole(html: str) -> str:
    """HTML without blank lines, at which Markdown would take over again."""
    return "\n".join(line for line in html.splitlines() if line.strip())
