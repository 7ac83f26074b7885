"""The language reference keeps its word: a block checks, or gives the mistake it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from geoflow.semantics import load_text

PAGE = Path(__file__).parents[2] / "docs" / "language.md"
BLOCK = re.compile(r"(?:<!-- error: (GEO\d{4}) -->\n)?```geo\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def test_there_are_blocks():
    assert len(BLOCKS) > 40


@pytest.mark.parametrize(("code", "text"), BLOCKS)
def test_a_block_does_what_it_says(code: str, text: str, tmp_path: Path):
    models, diagnostics = load_text(text, folder=tmp_path)
    assert [diagnostic.code for diagnostic in diagnostics] == ([code] if code else [])
    assert bool(models) != bool(code)
