"""Pages made by the build: one for each error code, and one for each example, with what `check` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from docsite.terminal import checked
from geoflow.codes import CODES
from geoflow.report.explain import explanation

FAMILIES = {
    "GEO01": "Text and grammar",
    "GEO02": "Names",
    "GEO03": "Shapes",
    "GEO04": "Geometry",
    "GEO05": "Out of the method's reach",
    "GEO06": "A claim is refuted",
    "GEO07": "Not decided",
    "GEO08": "Numerical verification",
    "GEO09": "geoflow's own faults",
}


class ExampleFails(ValueError):
    """A claim of an example does not hold."""


@dataclass(frozen=True)
class Generated:
    """A page: its path in the documentation, and its Markdown."""

    path: str
    markdown: str


def error_pages() -> tuple[Generated, ...]:
    """The index of the codes, then their pages."""
    lines = [
        "# Error index\n",
        "A diagnostic has a code; `geoflow explain CODE` prints its page. Every page has a program "
        "with the mistake and one without, and both are run by the tests.\n",
    ]
    for family, title in FAMILIES.items():
        lines += [f"## {title}\n"]
        lines += [f"- [{c}]({c}.md): {words}" for c, words in CODES.items() if c.startswith(family)]
        lines += [""]
    pages = (Generated(f"errors/{code}.md", explanation(code)) for code in CODES)
    return (Generated("errors/index.md", "\n".join(lines)), *pages)


def example_pages(root: Path) -> tuple[Generated, ...]:
    """The gallery: an index, then a page for each example.

    Raises:
        ExampleFails: `geoflow check` does not accept an example.
    """
    files = sorted((root / "examples").glob("*.geo"))
    lines = [
        "# Examples\n",
        "Each page shows a file of `examples/` and what `geoflow check` said of it when these pages "
        "were built.\n",
    ]
    lines += [f"- [{f.stem}]({f.stem}.md): {_about(f)}" for f in files]
    pages = (_example(path) for path in files)
    return (Generated("examples/index.md", "\n".join(lines) + "\n"), *pages)


def _about(path: Path) -> str:
    """The first line of a file, which says what it is."""
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ").partition(": ")[2]


def _example(path: Path) -> Generated:
    text = path.read_text(encoding="utf-8")
    code, output = checked(text, f"examples/{path.name}")
    if code != 0:
        raise ExampleFails(f"{path.name} is not accepted:\n{output}")
    about = _about(path)
    markdown = (
        f"# {path.stem}\n\n{about[:1].upper()}{about[1:]}.\n\n```geo\n{text}```\n\n"
        f"```text\n$ geoflow check examples/{path.name}\n\n{output}\n```\n"
    )
    return Generated(f"examples/{path.stem}.md", markdown)
