"""Reads the models of a file or a text: the files it uses, the models it opens, the sizes given on
the command line.

`load` and `load_text` collect every mistake; on any of severity error they return no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from geoflow.diagnostics import (
    Diagnostic,
    DiagnosticError,
    Fix,
    Related,
    Source,
    Span,
    sort_diagnostics,
)
from geoflow.semantics.budget import Budget
from geoflow.semantics.elaborate import Elaborated, Opened, elaborate
from geoflow.semantics.messages import close_name
from geoflow.semantics.model import Model
from geoflow.semantics.overrides import read_overrides
from geoflow.semantics.signatures import FUNCTIONS
from geoflow.syntax import messages as text_messages
from geoflow.syntax import tree
from geoflow.syntax.layout import STATEMENT_WORDS
from geoflow.syntax.lookalikes import lookalikes
from geoflow.syntax.parser import MOST_SHOWN, parse
from geoflow.syntax.source import LONGEST_FILE, decode, read, read_input, unify_line_ends

Loaded = tuple[tuple[Model, ...], tuple[Diagnostic, ...]]
_WORDS = STATEMENT_WORDS | frozenset(FUNCTIONS)
_MOST_FILES = 100
_MOST_STATEMENTS = 100_000
_NOTHING: Mapping[str, str] = {}
_OWN = "std/"  # the files of definitions that come with geoflow
_OWN_FILES = Path(__file__).resolve().parents[1] / "std"


def load(
    path: str | Path, overrides: Mapping[str, str] = _NOTHING, *, lenient: bool = False
) -> Loaded:
    """The models of a file, and what is wrong with it.

    Where it is read with other files, `lenient`, a name among the overrides that it lacks is only a
    note, which `overrides.settle_unknown` weighs once all files are read.
    """
    try:
        source = read(Path(path), str(path))
    except DiagnosticError as error:
        return (), error.diagnostics
    return _load(source, overrides, Path(path).parent, Path(path), lenient)


def load_input(overrides: Mapping[str, str] = _NOTHING, *, lenient: bool = False) -> Loaded:
    """The models of standard input; `lenient` as in `load`."""
    try:
        source = decode(read_input(), "<stdin>")
    except DiagnosticError as error:
        return (), error.diagnostics
    return _load(source, overrides, None, None, lenient)


def load_text(
    text: str,
    name: str = "<text>",
    overrides: Mapping[str, str] = _NOTHING,
    folder: Path | None = None,
    *,
    lenient: bool = False,
) -> Loaded:
    """The models of a text; `use` is followed from `folder`, if one is given; `lenient` as in
    `load`.
    """
    if len(text) > LONGEST_FILE:
        return (), (text_messages.too_long(name, LONGEST_FILE),)
    if "\0" in text:
        return (), (text_messages.not_text(name, text.index("\0")),)
    text = unify_line_ends(text).removeprefix("\ufeff")
    return _load(Source(name, text), overrides, folder, None, lenient)


def _load(
    source: Source,
    overrides: Mapping[str, str],
    folder: Path | None,
    path: Path | None,
    lenient: bool,
) -> Loaded:
    surveyed = _survey(source, overrides, folder, path, lenient)
    wrong = any(diagnostic.severity == "error" for diagnostic in surveyed.diagnostics)
    models = [part.model for part in surveyed.parts if part.model is not None]
    return (() if wrong else tuple(models)), _first(surveyed.diagnostics)


@dataclass(frozen=True)
class Survey:
    """All that is known of a text, right or wrong: its statements, its models with their names, and
    every mistake.
    """

    file: tree.File
    parts: tuple[Elaborated, ...]
    diagnostics: tuple[Diagnostic, ...]


def survey(text: str, path: Path | None = None, name: str | None = None) -> Survey:
    """What an editor asks of a text that is, or will be, in the file `path`."""
    shown = name or (str(path) if path is not None else "<text>")
    source = Source(shown, unify_line_ends(text))
    if len(text) > LONGEST_FILE or "\0" in text:
        _, problems = load_text(text, shown)
        return Survey(tree.File(Span(source, 0, 0), ()), (), problems)
    return _survey(source, {}, path.parent if path is not None else None, path, lenient=False)


def _survey(
    source: Source,
    overrides: Mapping[str, str],
    folder: Path | None,
    path: Path | None,
    lenient: bool,
) -> Survey:
    file, diagnostics = parse(source)
    collected = [*diagnostics, *lookalikes(source, _WORDS)]
    reading = _Reading(folder, path, collected)
    opened = _open(file, reading)
    declared = {id(statement): statement for part in opened for statement in part.statements}
    values, problems = read_overrides(overrides, tuple(declared.values()), lenient)
    collected += problems
    parts: list[Elaborated] = []
    budget = Budget()
    for part in opened:
        if budget.spent:  # which the model before has said
            break
        parts.append(elaborate(part, values, budget))
        collected += parts[-1].diagnostics
    return Survey(file, tuple(parts), sort_diagnostics(collected))


def _first(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """As many as anyone reads; the last says how many more there are."""
    more = len(diagnostics) - MOST_SHOWN
    if more <= 0:
        return diagnostics
    last = diagnostics[MOST_SHOWN - 1]
    note = f"and {more:,} more mistake{'s' * (more > 1)} below"
    return (*diagnostics[: MOST_SHOWN - 1], replace(last, notes=(*last.notes, note)))


# ---------------------------------------------------------------- models


def _open(file: tree.File, reading: _Reading) -> list[Opened]:
    """The models of a file. Without a `model` line the whole file is one, named after the file."""
    heads = [
        i
        for i, statement in enumerate(file.statements)
        if isinstance(statement, tree.ModelLine) or _broken_head(statement)
    ]
    if not heads:
        return _single(file, reading)
    shared = [
        statement
        for statement in file.statements[: heads[0]]
        if isinstance(statement, tree.Broken) or _may_be_shared(statement, reading)
    ]
    opened: list[Opened] = []
    names: dict[str, Span] = {}
    written = 0
    for start, end in zip(heads, [*heads[1:], len(file.statements)], strict=True):
        head = file.statements[start]
        written += len(shared) + end - start
        if written > _MOST_STATEMENTS:
            reading.report(_too_many(head.span))
            break
        name = "model"
        if isinstance(head, tree.ModelLine):
            name = head.name.text
            if name in names:
                reading.report(_model_twice(head.name, names[name]))
            names.setdefault(name, head.name.span)
        own = [*shared, *file.statements[start + 1 : end]]
        opened.append(Opened(name, head.span, *reading.follow(own)))
    return opened


def _too_many(span: Span) -> Diagnostic:
    message = f"With what they share, the models up to here have more than {_MOST_STATEMENTS:,} "
    hint = "put some of them into a file of their own"
    return Diagnostic("GEO0304", message + "statements.", span, "too many", hints=(hint,))


def _broken_head(statement: tree.Statement) -> bool:
    return isinstance(statement, tree.Broken) and statement.text.split()[0] == "model"


def _may_be_shared(statement: tree.Statement, reading: _Reading) -> bool:
    if isinstance(statement, tree.Use | tree.Dim):
        return True
    message = "Before the first `model` only `use` and `dim` may stand."
    hint = "move this below the `model` it belongs to"
    reading.report(
        Diagnostic("GEO0407", message, statement.span, "belongs to no model", hints=(hint,))
    )
    return False


def _single(file: tree.File, reading: _Reading) -> list[Opened]:
    statements = file.statements
    definitions = (tree.Use, tree.Dim, tree.Const, tree.Let, tree.Def)
    nothing = all(isinstance(statement, definitions) for statement in statements)
    if nothing:
        name = file.span.source.name
        what = "only defines names" if statements else "holds no statement"
        hint = "a model needs at least `param` and `map`"
        where = Span(file.span.source, 0, 0)
        reading.report(
            Diagnostic(
                "GEO0105", f"There is nothing to check: `{name}` {what}.", where, hints=(hint,)
            )
        )
        return []
    name = PurePath(file.span.source.name).stem
    if file.span.source.name.startswith("<") or not name:
        name = "model"
    return [Opened(name, statements[0].span, *reading.follow(list(statements)))]


def _model_twice(name: tree.Name, first: Span) -> Diagnostic:
    return Diagnostic(
        "GEO0202",
        f"Two models are called `{name.text}`.",
        name.span,
        "called so again here",
        related=(Related(first, "first here"),),
    )


# ---------------------------------------------------------------- use


@dataclass
class _Reading:
    """Follows `use`: each file once, inside the folder of the main file."""

    folder: Path | None
    path: Path | None
    diagnostics: list[Diagnostic]
    files: dict[Path, tuple[tree.Statement, ...] | None] = field(default_factory=dict)
    length: int = 0  # of the files used, together

    def report(self, diagnostic: Diagnostic) -> None:
        """Collect a mistake."""
        self.diagnostics.append(diagnostic)

    def follow(self, statements: list[tree.Statement]) -> tuple[tuple[tree.Statement, ...], bool]:
        """The statements, used files written out, and whether a file is missing."""
        open_files = () if self.path is None else (self.path.resolve(),)
        return self._follow(statements, self.folder, open_files, set())

    def _follow(
        self,
        statements: list[tree.Statement],
        folder: Path | None,
        open_files: tuple[Path, ...],
        done: set[Path],
    ) -> tuple[tuple[tree.Statement, ...], bool]:
        result: list[tree.Statement] = []
        incomplete = False
        for statement in statements:
            if not isinstance(statement, tree.Use):
                result.append(statement)
                continue
            try:
                path = self._locate(statement, folder, open_files)
                if path in done:
                    continue
                done.add(path)
                below = self._statements(path, statement)
            except DiagnosticError as error:
                self.diagnostics += error.diagnostics
                incomplete = True
                continue
            inner, missing = self._follow(list(below), path.parent, (*open_files, path), done)
            result += inner
            incomplete = incomplete or missing
        return tuple(result), incomplete

    def _locate(
        self, statement: tree.Use, folder: Path | None, open_files: tuple[Path, ...]
    ) -> Path:
        if statement.path.value.startswith(_OWN):
            path = _locate_own(statement)
        else:
            path = self._locate_theirs(statement, folder)
        if path in open_files:
            raise DiagnosticError(_cannot_follow(statement, "the files use each other in a circle"))
        if len(open_files) > _MOST_FILES or len(self.files) > _MOST_FILES:
            raise DiagnosticError(
                _cannot_follow(statement, f"there are more than {_MOST_FILES} files")
            )
        return path

    def _locate_theirs(self, statement: tree.Use, folder: Path | None) -> Path:
        name = statement.path.value
        if self.folder is None or folder is None:
            raise DiagnosticError(_cannot_follow(statement, "a text has no folder to look in"))
        try:
            root = self.folder.resolve()
            path = (folder / name).resolve()
            is_folder = path.is_dir()
        except (OSError, RuntimeError, ValueError):
            raise DiagnosticError(_cannot_follow(statement, "the path is not valid")) from None
        if PurePath(name).is_absolute() or not path.is_relative_to(root):
            reason = "it lies outside the folder of the main file"
            raise DiagnosticError(_cannot_follow(statement, reason))
        if is_folder:
            raise DiagnosticError(_cannot_follow(statement, "it is a folder"))
        return path

    def _statements(self, path: Path, statement: tree.Use) -> tuple[tree.Statement, ...]:
        """The definitions in a file, read once however many models use it."""
        if path in self.files:
            known = self.files[path]
            if known is None:
                raise DiagnosticError
            return known
        self.files[path] = None
        try:
            source = read(path, self._shown(path))
        except DiagnosticError as error:
            reason = error.diagnostics[0].message.partition(": ")[2].rstrip(".")
            raise DiagnosticError(_cannot_follow(statement, reason or "it is not a text")) from None
        self.length += len(source.text)
        if self.length > LONGEST_FILE:
            reason = f"the files used are longer than {LONGEST_FILE:,} characters together"
            raise DiagnosticError(_cannot_follow(statement, reason))
        file, problems = parse(source)
        self.diagnostics += [*problems, *lookalikes(source, _WORDS)]
        allowed = (tree.Use, tree.Dim, tree.Const, tree.Let, tree.Def, tree.Broken)
        for inner in file.statements:
            if not isinstance(inner, allowed):
                message = "A file that is used holds only `use`, `dim`, `const`, `let` and `def`."
                self.report(Diagnostic("GEO0407", message, inner.span, "not a definition"))
        kept = tuple(inner for inner in file.statements if isinstance(inner, allowed))
        self.files[path] = kept
        return kept

    def _shown(self, path: Path) -> str:
        """The path as the user would write it: beside the main file's own name."""
        if path.parent == _OWN_FILES:
            return _OWN + path.name
        assert self.folder is not None
        return str(self.folder / path.relative_to(self.folder.resolve()))


def _locate_own(statement: tree.Use) -> Path:
    name = statement.path.value.removeprefix(_OWN)
    known = {path.name: path for path in sorted(_OWN_FILES.glob("*.geo"))}
    if name not in known:
        near = close_name(name, known)
        hint = f'did you mean `use "{_OWN}{near}"`?' if near else ""
        hint = hint or "there are " + ", ".join(f"`{_OWN}{each}`" for each in known)
        fix = Fix(statement.path.span, f'"{_OWN}{near}"') if near else None
        problem = _cannot_follow(statement, "geoflow has no such file", hint)
        raise DiagnosticError(replace(problem, fix=fix))
    return known[name]


def own_names() -> tuple[str, ...]:
    """The files that come with geoflow, as `use` names them."""
    return tuple(_OWN + path.name for path in sorted(_OWN_FILES.glob("*.geo")))


def own_file(name: str) -> Path | None:
    """Where a file lies that comes with geoflow and is shown as `std/…`; None for any other."""
    path = _OWN_FILES / name.removeprefix(_OWN)
    return path if name.startswith(_OWN) and path.parent == _OWN_FILES else None


def _cannot_follow(statement: tree.Use, reason: str, *hints: str) -> Diagnostic:
    message = f'`use "{statement.path.value}"` cannot be followed: {reason}.'
    return Diagnostic("GEO0110", message, statement.path.span, reason, hints=hints)
