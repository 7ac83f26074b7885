"""The members of a family: which sizes, and the text of the model at each."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from geoflow.diagnostics import Diagnostic, DiagnosticError, Source, Span
from geoflow.rows import Failure, Sizes
from geoflow.semantics.model import Model, SweptSize
from geoflow.semantics.overrides import read_value
from geoflow.semantics.resolved import resolved_text
from geoflow.semantics.scope import Definition
from geoflow.semantics.sweeps import MOST_MODELS, admits, verify_swept
from geoflow.syntax import tree
from geoflow.syntax.parser import parse

_RANGE = re.compile(r"\s*(-?\d{1,9})\s*\.\.\s*(-?\d{1,9})\s*")
_DEFINED = tree.Dim | tree.Const | tree.Param | tree.Input


@dataclass(frozen=True)
class Member:
    """Sizes of the family. `failure`: the condition of the sweep has no value there."""

    sizes: Sizes
    failure: Failure | None = None


@dataclass(frozen=True)
class Family:
    """A model whose sizes vary."""

    name: str
    statements: tuple[tree.Statement, ...]
    sizes: tuple[SweptSize, ...]
    condition: tree.Condition | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sizes that vary."""
        return tuple(size.name for size in self.sizes)

    def members(self) -> tuple[Member, ...]:
        """The members that the condition admits, small ones first."""
        declared = definitions(self.statements)
        found = (self._member(declared, sizes) for sizes in self._all())
        return tuple(sorted((m for m in found if m is not None), key=_total))

    def _all(self) -> Iterator[Sizes]:
        for values in itertools.product(*(size.values for size in self.sizes)):
            yield tuple(zip(self.names, values, strict=True))

    def _member(self, declared: Mapping[str, Definition], sizes: Sizes) -> Member | None:
        if self.condition is None:
            return Member(sizes)
        try:
            return Member(sizes) if admits(declared, _given(sizes), self.condition) else None
        except DiagnosticError as error:
            first = error.diagnostics[0]
            return Member(sizes, Failure(first.code, first.message))

    def text_at(self, sizes: Sizes) -> str:
        """The text of one member."""
        return resolved_text(self.name, self.statements, _given(sizes))


def family(
    model: Model, over: Mapping[str, str] | None = None, fixed: Collection[str] = ()
) -> Family:
    """The family of a model: what its `sweep` says, with the ranges of `over` in place or beside.

    A size that is `fixed` is not swept.

    Raises:
        DiagnosticError: a range is none, its name is no size, or there is nothing to sweep.
    """
    file, _ = parse(Source(model.name, model.text))
    kinds = (tree.ModelLine, tree.Sweep)
    statements = tuple(s for s in file.statements if not isinstance(s, kinds))
    condition = next((s.condition for s in file.statements if isinstance(s, tree.Sweep)), None)
    declared = definitions(statements)
    sizes = {size.name: size for size in (model.sweep.sizes if model.sweep else ())}
    sizes = {name: size for name, size in sizes.items() if name not in fixed}
    for name, text in (over or {}).items():
        sizes[name] = _swept(declared, name, text, fixed)
    if not sizes:
        hint = "give a range, `--over n=1..6`, or write `sweep n in 1..6` into the file"
        message = f"`{model.name}` has no size to sweep."
        raise DiagnosticError(Diagnostic("GEO0105", message, model.span, hints=(hint,)))
    models = math.prod(len(size.values) for size in sizes.values())
    if models > MOST_MODELS:
        message = f"A family has at most {MOST_MODELS:,} models, and this has {models:,}."
        raise DiagnosticError(Diagnostic("GEO0304", message))
    return Family(model.name, statements, tuple(sizes.values()), condition)


def definitions(statements: tuple[tree.Statement, ...]) -> dict[str, Definition]:
    """The definitions among statements, by name."""
    found: dict[str, Definition] = {}
    for statement in statements:
        if isinstance(statement, _DEFINED):
            found |= {item.name.text: item for item in statement.items}
        elif isinstance(statement, tree.Control | tree.Let | tree.Def):
            found[statement.name.text] = statement
    return found


def _swept(
    declared: Mapping[str, Definition], name: str, text: str, fixed: Collection[str]
) -> SweptSize:
    source = Source(f"--over {name}", text)
    whole = Span(source, 0, len(text))
    match = _RANGE.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        message = f"`--over {name}={text}` gives no range."
        hint = f"write `--over {name}=1..6`, both ends included"
        raise DiagnosticError(Diagnostic("GEO0109", message, whole, hints=(hint,)))
    if name in fixed:
        message = f"`{name}` is given with -D, so it cannot be swept too."
        raise DiagnosticError(Diagnostic("GEO0109", message, whole))
    verify_swept(declared, tree.Name(Span(Source(f"--over {name}", name), 0, len(name)), name))
    return SweptSize(name, int(match[1]), int(match[2]))


def _given(sizes: Sizes) -> dict[str, tree.Expression]:
    return {name: read_value(name, Source(name, str(value))) for name, value in sizes}


def _total(member: Member) -> tuple[int, tuple[int, ...]]:
    values = tuple(value for _, value in member.sizes)
    return sum(map(abs, values)), values
