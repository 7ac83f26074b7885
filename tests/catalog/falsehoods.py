"""False claims made from a file's own ones, by rules that know nothing of the file.

Of every law: its last term doubled, where it is a sum, and the square of an entry of the model's first parameter added;
of every count: one more and one less. And a law reduced to one entry, so that the laws are not complete.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from geoflow.semantics import load
from geoflow.semantics.model import Model
from geoflow.syntax import tree
from geoflow.syntax.parser import parse
from geoflow.syntax.printer import text
from geoflow.syntax.source import read


def falsified(path: Path) -> str:
    """The file with false claims beside its own, but for `expect complete`, which is about all laws together."""
    lines: list[str] = []
    for statement, model in _statements(path):
        if not isinstance(statement, tree.ExpectProperty):
            lines.append(text(statement))
        if isinstance(statement, tree.ModelLine):
            assert model is not None
            lines.append(f"law nothing = {_entry(model)}")
        elif isinstance(statement, tree.Law):
            assert model is not None
            lines += _false_laws(statement, model)
        elif isinstance(statement, tree.ExpectLaws):
            more, less = (_combined(statement.value, sign, 1) for sign in "+-")
            lines += [text(replace(statement, value=value)) for value in (more, less)]
        elif isinstance(statement, tree.ExpectNoLaws):
            lines.append("expect laws = 1")
    return "\n".join(lines) + "\n"


def incomplete(path: Path) -> tuple[str, str]:
    """The file, the first law of its first model that has any reduced to one entry; and that model's name."""
    reduced, lines = "", []
    for statement, model in _statements(path):
        line = text(statement)
        if isinstance(statement, tree.Law) and not reduced:
            assert model is not None
            reduced = model.name
            shape = model.laws[0].expression.shape
            index = ", ".join("0" for _ in shape)
            single = math.prod(shape) == 1
            line = "" if single else f"law reduced = ({text(statement.value)})[{index}]"
        lines.append(line)
    return "\n".join(lines) + "\n", reduced


def _statements(path: Path) -> Iterator[tuple[tree.Statement, Model | None]]:
    """The statements of a file, each with the model that it belongs to."""
    file, _ = parse(read(path, str(path)))
    models = {model.name: model for model in load(path)[0]}
    model = None
    for statement in file.statements:
        if isinstance(statement, tree.ModelLine):
            model = models[statement.name.text]
        yield statement, model


def _false_laws(law: tree.Law, model: Model) -> list[str]:
    name = law.name.text
    found = [f"law {name}_and_entry = {text(law.value)} + {_entry(model)}"]
    if isinstance(law.value, tree.Binary) and law.value.operator in ("+", "-"):
        doubled = replace(law.value, right=_combined(law.value.right, "*", 2))
        found.append(f"law {name}_doubled = {text(doubled)}")
    return found


def _combined(value: tree.Expression, operator: str, number: int) -> tree.Binary:
    return tree.Binary(value.span, value, operator, tree.Numeral(value.span, str(number)))


def _entry(model: Model) -> str:
    first = model.parameters[0]
    index = f"[{', '.join('0' for _ in first.shape)}]" if first.shape else ""
    return f"{first.name}{index}**2"
