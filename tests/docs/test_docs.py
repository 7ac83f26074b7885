"""Every code block of the documentation runs: Python blocks as Python, `geo` blocks through `check`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from geoflow.codes import CODES
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.report.explain import explanation

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(
    r"^(?:<!-- *(?P<mark>[^\n]*?) *-->\n+)?```(?P<kind>\w+)\n(?P<body>.*?)^```", re.M | re.S
)


def blocks(text: str, kind: str) -> list[tuple[int, str, str]]:
    """(line, mark, body) of the fenced blocks of a kind."""
    return [
        (text.count("\n", 0, m.start("body")) + 1, m["mark"] or "", m["body"])
        for m in _FENCE.finditer(text)
        if m["kind"] == kind
    ]


def _models() -> list:
    return [
        pytest.param(mark, body, id=f"{page.name}:{line}")
        for page in PAGES
        for line, mark, body in blocks(page.read_text(), "geo")
    ]


@pytest.mark.parametrize(("mark", "body"), _models())
def test_models_in_the_documentation(mark: str, body: str) -> None:
    report = check_text(body, "<docs>", CheckOptions(verify=False))
    codes = [d.code for d in report.diagnostics]
    if match := re.match(r"error: (GEO\d{4})", mark):
        assert codes == [match[1]] and report.exit_code == 2
    elif match := re.match(r"refused: (GEO\d{4})", mark):
        assert codes == [match[1]] and report.exit_code == 1
    elif not mark.startswith("fragment"):
        assert codes == [] and report.exit_code == 0


@pytest.mark.parametrize(
    "page", [p for p in PAGES if blocks(p.read_text(), "python")], ids=lambda p: p.name
)
def test_python_in_the_documentation(page: Path) -> None:
    """The blocks of a page are one program, in order."""
    namespace: dict[str, object] = {}
    for line, _, body in blocks(page.read_text(), "python"):
        exec(compile("\n" * (line - 1) + body, str(page), "exec"), namespace)


@pytest.mark.parametrize("code", sorted(CODES))
def test_explanations_do_what_they_say(code: str) -> None:
    page = explanation(code)
    broken = [b for b in blocks(page, "geo") if b[1].startswith("broken")]
    fixed = [b for b in blocks(page, "geo") if b[1].startswith("fixed")]
    assert len(broken) == len(fixed)
    for _, mark, body in broken:
        wanted = mark.partition(":")[2].strip()
        report = check_text(body, "<broken>", CheckOptions(verify=False))
        assert wanted in {d.code for d in report.diagnostics}, [d.code for d in report.diagnostics]
        assert report.exit_code == (2 if code < "GEO06" else 1)
    for _, _, body in fixed:
        report = check_text(body, "<fixed>", CheckOptions(verify=False))
        assert report.exit_code == 0, [d.message for d in report.diagnostics]
