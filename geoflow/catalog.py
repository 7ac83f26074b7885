"""A catalog: the models of a folder, each with a formula for its number of laws and a source.

The two are comments, `# count: …` and `# source: …`, above the `model` line; what is not said there
is taken from the head of the file, the comments before its first statement.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from geoflow.diagnostics import Diagnostic, GeoflowBug, Source, sort_diagnostics
from geoflow.options import CheckOptions, Observer
from geoflow.pipeline import check_paths
from geoflow.results import Catalog, CatalogEntry
from geoflow.semantics import load
from geoflow.semantics.model import Model

_FIELD = re.compile(r"#\s*(count|source):\s*(.*?)\s*")
_CURES = {
    "count": "write `# count: FORMULA` in the line above, such as `# count: r*(r + 1)/2`",
    "source": "write `# source: PAPER` in the line above, or `# source: computed here`",
}


def shipped() -> Path:
    """The folder of the blocks that come with geoflow."""
    beside = Path(__file__).parents[1] / "examples" / "blocks"
    try:
        folder = Path(str(importlib.resources.files("geoflow.blocks")))
    except ModuleNotFoundError:
        folder = beside
    if not folder.is_dir():
        raise GeoflowBug("the catalog of blocks was not installed with geoflow")
    return folder


def read_catalog(paths: Sequence[str]) -> Catalog:
    """The entries of some files, nothing checked but their comments and their text."""
    entries: list[CatalogEntry] = []
    diagnostics: list[Diagnostic] = []
    for path in paths:
        models, found = load(path)
        diagnostics += found
        for model in models:
            entry, missing = _entry(model)
            entries.append(entry)
            diagnostics += missing
    if not paths:
        diagnostics.append(Diagnostic("GEO0105", "There is no `.geo` file in the catalog."))
    wrong = any(d.severity == "error" for d in diagnostics)
    return Catalog(
        () if wrong else tuple(entries), sort_diagnostics(diagnostics), 2 if wrong else 0
    )


def check_catalog(
    paths: Sequence[str], options: CheckOptions, observer: Observer | None = None
) -> Catalog:
    """The entries of some files with what is found of each. The exit code is that of a check."""
    catalog = read_catalog(paths)
    if catalog.exit_code:
        return catalog
    report = check_paths(paths, options, observer)
    if not report.models:
        return Catalog((), report.diagnostics, report.exit_code)
    checked = tuple(
        replace(entry, report=model)
        for entry, model in zip(catalog.entries, report.models, strict=True)
    )
    return Catalog(checked, report.diagnostics, report.exit_code)


def _entry(model: Model) -> tuple[CatalogEntry, list[Diagnostic]]:
    source = model.span.source
    head = _comments(source, range(1, _first_statement(source)))
    said = {**_fields(head), **_fields(_above(source, model.span.line))}
    missing = [
        Diagnostic(
            "GEO0111",
            f"The catalog has no {name} for `{model.name}`.",
            model.span,
            f"a comment `# {name}: …` is missing",
            hints=(cure,),
        )
        for name, cure in _CURES.items()
        if not said.get(name)
    ]
    titles = [line for line in head if not _FIELD.fullmatch(line)]
    entry = CatalogEntry(
        name=model.name,
        file=Path(model.file).name,
        title=titles[0].lstrip("# ") if titles else "",
        network=_network(model),
        formula=said.get("count", ""),
        source=said.get("source", ""),
        claimed=tuple(law.text for law in model.laws),
    )
    return entry, missing


def _network(model: Model) -> str:
    if not model.maps:
        return ""
    inputs = f"g({', '.join(x.name for x in model.inputs)})" if model.network else "φ"
    return f"{inputs} = {model.map_text}"


def _fields(comments: Sequence[str]) -> dict[str, str]:
    return {m[1]: m[2] for line in comments if (m := _FIELD.fullmatch(line))}


def _above(source: Source, line: int) -> list[str]:
    """The comments directly above a line."""
    first = line
    while first > 1 and source.line(first - 1).lstrip().startswith("#"):
        first -= 1
    return _comments(source, range(first, line))


def _first_statement(source: Source) -> int:
    """The number of the first line that is neither blank nor a comment."""
    number = 1
    while number <= source.text.count("\n") and source.line(number).strip()[:1] in ("", "#"):
        number += 1
    return number


def _comments(source: Source, numbers: range) -> list[str]:
    lines = (source.line(number).strip() for number in numbers)
    return [line for line in lines if line.startswith("#")]
