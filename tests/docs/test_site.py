"""The documentation's build: pictures, answers to wrong models, colours, generated pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from docsite.blocks import blocks
from docsite.charts import ChartRefused, chart, charts
from docsite.generated import error_pages
from docsite.pages import AnotherVerdict, dress
from docsite.pictures import PictureRefused, draw, pictures
from geoflow.codes import CODES

ROOT = Path(__file__).parents[2]
FLOWS = sorted((ROOT / "docs" / "flows").glob("*.md"))

KEPT = """\
```geo
param x, y
map phi = x*y
law squares = x**2 - y**2
law other = y**2 - x**2
```

"""
LOST = """\
<!-- refused: GEO0601 -->
```geo
param x, y
map phi = x*y
verify { time 1 }
law sum = x**2 + y**2
```

"""
PICTURE = "<!-- picture: kept = squares, lost = sum -->\n"


def _drawn(text: str) -> str:
    (picture,) = pictures(text)
    return draw(picture, blocks(text, "geo"))


@pytest.mark.slow
def test_a_picture_shows_both_laws_in_the_colours_of_the_page() -> None:
    figure = _drawn(KEPT + LOST + PICTURE)
    assert "squares is kept" in figure and "sum is lost" in figure
    assert "var(--kept" in figure and "var(--lost" in figure and "currentColor" in figure
    assert "time t" in figure and "relative change" in figure
    assert figure == _drawn(KEPT + LOST + PICTURE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.replace("law squares = x**2 - y**2", "law squares = x**2 + y**2"), "refuted"),
        (lambda t: t.replace("law sum = x**2 + y**2", "law sum = x**2 - y**2"), "proved"),
        (
            lambda t: t.replace("law sum = x**2 + y**2", "law sum = x**2 - (1 + 1e-9)*y**2"),
            "drifts",
        ),
        (lambda t: t.replace("<!-- refused: GEO0601 -->\n", ""), "no model"),
        (lambda t: t.replace("kept = squares", "kept = cubes"), "no model"),
        (lambda t: PICTURE + t.replace(PICTURE, ""), "no model"),
        (lambda t: t.replace("x*y", "x*z"), "wrong"),
        (lambda t: t.replace("kept = ", "keeps "), "a picture is"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_picture_that_shows_something_else_is_refused(
    change: Callable[[str], str], reason: str
) -> None:
    with pytest.raises(PictureRefused, match=reason):
        _drawn(change(KEPT + LOST + PICTURE))


@pytest.mark.parametrize("page", FLOWS, ids=lambda p: p.stem)
def test_every_flow_has_a_system_a_model_a_refusal_and_a_picture(page: Path) -> None:
    text = page.read_text()
    assert blocks(text, "math")
    if page.stem == "index":
        return
    models = blocks(text, "geo")
    assert any(not b.mark for b in models) and any(b.marked("refused") for b in models)
    assert len(pictures(text)) == 1


def test_what_geoflow_answers_stands_below_a_wrong_model() -> None:
    page = dress("flows/some.md", LOST, ROOT)
    assert "[GEO0601](../errors/GEO0601.md)" in page
    assert "not 0" in page  # the witness
    with pytest.raises(AnotherVerdict, match="nothing wrong"):
        dress("some.md", LOST.replace("law sum = x**2 +", "law sum = x**2 -"), ROOT)
    with pytest.raises(AnotherVerdict, match="GEO0601"):
        dress("some.md", LOST.replace("refused: GEO0601", "refused: GEO0602"), ROOT)


def test_every_code_has_a_page_in_the_index() -> None:
    index, *pages = error_pages()
    assert [page.path for page in pages] == [f"errors/{code}.md" for code in CODES]
    assert re.findall(r"\((GEO\d{4})\.md\)", index.markdown) == list(CODES)


@pytest.mark.slow
@pytest.mark.parametrize("law", ["x**2 - y**2", "x**2 + y**2"])
def test_the_build_fails_where_a_picture_does(law: str, tmp_path: Path) -> None:
    """MkDocs itself, with the hooks, on a page whose law is or is not conserved."""
    build = pytest.importorskip("mkdocs.commands.build").build
    config = pytest.importorskip("mkdocs.config")
    exceptions = pytest.importorskip("mkdocs.exceptions")
    source = tmp_path / "docs"
    source.mkdir()
    page = KEPT.replace("x**2 - y**2", law) + LOST + PICTURE
    (source / "index.md").write_text(page)
    (tmp_path / "mkdocs.yml").write_text(
        f"site_name: some\nhooks: [{ROOT / 'docs' / 'hooks.py'}]\n"
        "nav: [index.md, Errors: errors/index.md]\n"
        "markdown_extensions: [pymdownx.superfences, pymdownx.details]\n"
    )
    loaded = config.load_config(
        str(tmp_path / "mkdocs.yml"), strict=True, site_dir=str(tmp_path / "site")
    )
    if law == "x**2 + y**2":
        with pytest.raises(exceptions.MkDocsException):
            build(loaded)
    else:
        build(loaded)
        assert "squares is kept" in (tmp_path / "site" / "index.html").read_text()


def test_a_chart_is_of_the_table_below_it() -> None:
    table = "| flow | D | s |\n|---|--:|--:|\n| a 1 | 10 | 0.1 |\n| a 2 | 1,000 | 2.0 |\n| b 1 | 10 | 1.0 |\n"
    (found,) = charts(f"<!-- chart: x = D, y = s -->\n\n{table}")
    assert found.points == {"a": [(10.0, 0.1), (1000.0, 2.0)], "b": [(10.0, 1.0)]}
    assert chart(found).count("<svg") == 1
    with pytest.raises(ChartRefused, match="no columns"):
        charts(f"<!-- chart: x = D, y = hours -->\n\n{table}")
