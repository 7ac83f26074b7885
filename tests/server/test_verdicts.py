"""After a save the laws are asked of another process: told while the text is as it was judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types

from .session import Session, place

TEXT = """\
model product
param θ, 𝒳
map φ = θ*𝒳
law squares = θ**2 - 𝒳**2
law sums = θ**2 + 𝒳**2
verify { trials 1; time 1 }
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    running = Session()
    yield running
    running.close()


def test_verdicts_after_a_save(session: Session, tmp_path: Path):
    path = tmp_path / "product.geo"
    path.write_text(TEXT, encoding="utf-8")
    uri = path.as_uri()
    assert session.open(path, TEXT) == []
    assert "proved" not in (session.hover(path, place(TEXT, "squares")) or "")
    session.save(path)
    session.wait(lambda: session.told[uri][-1].diagnostics)
    (found,) = session.told[uri][-1].diagnostics
    assert (found.code, found.range.start.line) == ("GEO0601", 4)
    assert found.range.end == types.Position(4, len("law sums = θ**2 + 𝒳**2") + 1)
    assert "✓ proved" in (session.hover(path, place(TEXT, "squares")) or "")
    assert "✗ refuted" in (session.hover(path, place(TEXT, "sums")) or "")
    model = session.hover(path, place(TEXT, "product")) or ""
    assert "1 independent law, proved" in model and "- `θ**2 - 𝒳**2`: proved" in model

    changed = TEXT.replace("squares = θ**2", "squares = 2*θ**2")
    assert session.change(path, changed) == []  # what was judged is another text
    assert "proved" not in (session.hover(path, place(changed, "squares")) or "")
    assert "✗ refuted" in (session.hover(path, place(changed, "sums")) or "")


def test_a_wrong_file_is_not_checked(session: Session, tmp_path: Path):
    path = tmp_path / "wrong.geo"
    path.write_text("param θ\nmap φ = x\n", encoding="utf-8")
    session.open(path, "param θ\nmap φ = x\n")
    session.save(path)
    found = session.change(path, "param θ\nmap φ = y\n")
    assert [each.code for each in found] == ["GEO0201"]
