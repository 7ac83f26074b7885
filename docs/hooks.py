"""MkDocs calls these while it builds the documentation."""

from __future__ import annotations

import posixpath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pygments.lexers import LEXERS

from docsite.charts import ChartRefused
from docsite.generated import ExampleFails, error_pages, example_pages
from docsite.notebooks import CellFails
from docsite.pages import AnotherVerdict, dress
from docsite.pictures import PictureRefused
from docsite.reports import PageFails, written

ROOT = Path(__file__).resolve().parents[1]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Teach the highlighter `geo` and `math` blocks, and unfold the generated parts of the
    navigation."""
    LEXERS["GeoLexer"] = ("geoflow.highlighting", "geo", ("geo",), ("*.geo",), ())
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": mathematics}]
    if config.nav is not None:
        config.nav = [_unfolded(entry) for entry in config.nav]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages that the navigation names."""
    named = str(config.nav)
    try:
        pages = [
            *(error_pages() if "errors/index.md" in named else ()),
            *(example_pages(ROOT) if "examples/index.md" in named else ()),
        ]
    except ExampleFails as error:
        raise PluginError(str(error)) from None
    for page in pages:
        files.append(File.generated(config, page.path, content=page.markdown))
    for file in list(files.documentation_pages()):
        if file.generated_by is None:
            _add_reports(file, files, config)
    return files


def _add_reports(file: File, files: Files, config: MkDocsConfig) -> None:
    """The pages that the commands of a page write stand beside it."""
    with TemporaryDirectory() as folder:
        try:
            found = written(file.content_string, Path(folder), ROOT)
        except PageFails as error:
            raise PluginError(f"{file.src_uri}: {error}") from None
    for page in found:
        place = posixpath.join(posixpath.dirname(file.src_uri), page.name)
        files.append(File.generated(config, place, content=page.html))


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Add the pictures and the answers."""
    try:
        return dress(page.file.src_uri, markdown, ROOT)
    except (ChartRefused, PictureRefused, AnotherVerdict, CellFails) as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from None


def mathematics(source: str, *_: Any, **__: Any) -> str:
    """A `math` block as MathML, which browsers show without a script."""
    return f'<div class="math">{convert(source.strip(), display="block")}</div>'


def _unfolded(entry: Any) -> Any:
    """An entry `Title: folder/index.md` of generated pages, as the list of them."""
    if not isinstance(entry, dict):
        return entry
    ((title, place),) = entry.items()
    if place == "errors/index.md":
        return {title: [page.path for page in error_pages()]}
    if place == "examples/index.md":
        stems = sorted(path.stem for path in (ROOT / "examples").glob("*.geo"))
        return {title: [place, *(f"examples/{stem}.md" for stem in stems)]}
    return entry
