"""What the documentation shows of reports and notebooks is made by running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from docsite.reports import PageFails, written

ROOT = Path(__file__).parents[2]
CELLS = "```ipython\n%load_ext geoflow\n```\n\n```ipython\n{}\n```\n"
PAGE = "<!-- page: geoflow report examples/subchain.geo --no-verify -o chain.html -->\n"


@pytest.fixture
def outputs():
    pytest.importorskip("IPython", reason="IPython is not installed")
    from docsite.notebooks import outputs

    return outputs


@pytest.mark.slow
def test_cells_of_the_documentation_run(outputs):
    found = outputs((ROOT / "docs" / "notebooks.md").read_text())
    shown = [html for _, html in found]
    assert "3 laws, exactly" in shown[1] and "refuted" in shown[2]
    assert "did you mean x**2 - y**2?" in shown[2]
    assert all("\n\n" not in html for html in shown)


def test_a_cell_shows_its_value(outputs):
    (_, first), (_, second) = outputs(CELLS.format("'<b>'"))
    assert (first, second) == ("", '<pre class="cell">&#x27;&lt;b&gt;&#x27;</pre>')


def test_a_cell_that_fails_stops_the_build(outputs):
    from docsite.notebooks import CellFails

    with pytest.raises(CellFails, match="line 6 fails"):
        outputs(CELLS.format("1/0"))


def test_a_page_is_written(tmp_path: Path):
    (page,) = written(PAGE, tmp_path, ROOT)
    assert page.name == "chain.html" and "Certificate" in page.html
    assert "geoflow report examples/subchain.geo -o chain.html --no-verify" in page.html


def test_a_page_that_cannot_be_written_stops_the_build(tmp_path: Path):
    with pytest.raises(PageFails):
        written(PAGE.replace("subchain", "nowhere"), tmp_path, ROOT)


def test_pages_of_the_documentation_are_linked():
    text = (ROOT / "docs" / "reports.md").read_text()
    for name in ("momentum.html", "linear-sweep.html"):
        assert f"({name})" in text and f" {name} -->" in text
