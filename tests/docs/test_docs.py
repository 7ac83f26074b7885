"""Every code block of the documentation runs: Python blocks as Python, `geo` blocks through `check`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docsite.blocks import blocks
from geoflow.codes import CODES
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.report.explain import explanation
from geoflow.sweep.claim import OverSizes

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _models() -> list:
    return [
        pytest.param(block.mark, block.body, id=f"{page.name}:{block.line}")
        for page in PAGES
        for block in blocks(page.read_text(), "geo")
    ]


@pytest.mark.parametrize(("mark", "body"), _models())
def test_models_in_the_documentation(mark: str, body: str) -> None:
    report = check_text(
        body, "<docs>", CheckOptions(verify=False, timeout=300), over_sizes=OverSizes()
    )
    codes = [d.code for d in report.diagnostics]
    if match := re.match(r"error: (GEO\d{4})", mark):
        assert codes == [match[1]] and report.exit_code == 2
    elif match := re.match(r"refused: (GEO\d{4})", mark):
        assert codes == [match[1]] and report.exit_code == 1
    elif not mark.startswith("fragment"):
        assert codes == [] and report.exit_code == 0


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(p, id=p.name, marks=[pytest.mark.slow] * (p.name != "README.md"))
        for p in PAGES
        if blocks(p.read_text(), "python")
    ],
)
def test_python_in_the_documentation(page: Path) -> None:
    """The blocks of a page are one program, in order."""
    namespace: dict[str, object] = {}
    for block in blocks(page.read_text(), "python"):
        lines = "\n" * (block.line - 1)
        exec(compile(lines + block.body, str(page), "exec"), namespace)


@pytest.mark.parametrize("code", sorted(CODES))
def test_explanations_do_what_they_say(code: str) -> None:
    page = explanation(code)
    broken = [b for b in blocks(page, "geo") if b.marked("broken")]
    fixed = [b for b in blocks(page, "geo") if b.mark == "fixed"]
    assert len(broken) == len(fixed)
    for block in broken:
        wanted = block.marked("broken")
        report = check_text(block.body, "<broken>", CheckOptions(verify=False))
        assert wanted in {d.code for d in report.diagnostics}, [d.code for d in report.diagnostics]
        warned = all(d.severity == "warning" for d in report.diagnostics)
        assert report.exit_code == (1 if code >= "GEO06" else 0 if warned else 2)
    for block in fixed:
        report = check_text(block.body, "<fixed>", CheckOptions(verify=False))
        assert report.exit_code == 0, [d.message for d in report.diagnostics]
