"""What may be written at a place, by what stands before it in its statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from geoflow.diagnostics import Source
from geoflow.semantics.reading import Survey, own_names
from geoflow.semantics.scope import Declared, Kind
from geoflow.semantics.signatures import FUNCTIONS as SIGNATURES
from geoflow.server.hover import signature
from geoflow.server.pointing import part_at
from geoflow.server.words import FUNCTIONS, OPTIONS, STATEMENTS, WITHIN
from geoflow.syntax.layout import split

_NAME = r"[^\W\d]\w*"
_TARGETS = re.compile(r"\b(on|of)\s[^=]*$")
_NEW_NAME = re.compile(
    rf"(model|let|def|map|network|law|dim|const|param|input|control)\s+(?:{_NAME})?$"
)
_ANOTHER_NAME = re.compile(rf"(dim|const|param|input)\b.*,\s*(?:{_NAME})?$", re.S)
_EXPECTED = {
    "laws": "laws = ",
    "no laws": "no laws",
    "complete": "complete",
    "commuting": "commuting",
    "depth": "depth = ",
}


@dataclass(frozen=True)
class Completion:
    """A word that fits: what it is, what it means, what is typed for it."""

    word: str
    kind: str  # keyword, option, function, file, or the kind of a declared name
    meaning: str = ""
    typed: str | None = None


def complete(survey: Survey, offset: int, path: Path | None = None) -> list[Completion]:
    """The words that fit at an offset; `path` is the file's."""
    source = survey.file.span.source
    before = _before(source, offset)
    if before is None:
        return []
    used = re.fullmatch(r'\s*use\s+"([^"\n]*)', before)
    if used is not None:
        return list(_files(path, used[1]))
    if before.count('"') % 2:
        return []
    if re.fullmatch(r"\s*\w*", before):
        return [Completion(word, "keyword", told) for word, told in STATEMENTS.items()]
    context = _CONTEXTS.get(before.split(maxsplit=1)[0], _expression)
    return list(context(before, _names(survey, offset, before)))


def _before(source: Source, offset: int) -> str | None:
    """The statement up to an offset, without comments; None inside a comment."""
    start = source.line_start(source.line_column(offset)[0])
    for span, _ in split(source).statements:
        if span.start <= offset <= span.end:
            start = min(start, span.start)
    text = re.sub(r'("[^"\n]*")|#[^\n]*\n', lambda m: m[1] or "\n", source.text[start:offset])
    line = text[text.rfind("\n") + 1 :]
    return None if re.match(r'(?:[^"#]|"[^"]*")*#', line) else text


# ---------------------------------------------------------------- names


@dataclass(frozen=True)
class _Names:
    """The names of a model, and those that the statement itself gives a meaning."""

    declared: tuple[Declared, ...]
    local: tuple[str, ...]

    def of(self, *kinds: Kind) -> Iterator[Completion]:
        """The declared names of some kinds."""
        for each in self.declared:
            if each.kind in kinds:
                yield Completion(each.name, each.kind)


def _names(survey: Survey, offset: int, before: str) -> _Names:
    part = part_at(survey, offset)
    declared = tuple(part.scope.names.values()) if part is not None else ()
    local = re.findall(rf"({_NAME})\s+in\b|chain\(\s*({_NAME})|({_NAME})\s*->", before)
    words = [word for found in local for word in found if word]
    arguments = re.match(rf"\s*def\s+{_NAME}\s*\(([^)]*)\)", before)
    words += re.findall(_NAME, arguments[1]) if arguments else []
    return _Names(declared, tuple(dict.fromkeys(words)))


# ---------------------------------------------------------------- statements


def _options(of: str) -> Iterator[Completion]:
    for word, told in OPTIONS[of].items():
        yield Completion(word, "option", told)


def _words(*words: str) -> Iterator[Completion]:
    for word in words:
        yield Completion(word, "keyword", WITHIN[word])


def _expression(before: str, names: _Names) -> Iterable[Completion]:
    """Everything that an expression may be made of."""
    if _NEW_NAME.fullmatch(before.lstrip()) or before.rstrip().endswith("."):
        return
    for word in names.local:
        yield Completion(word, "local")
    yield from names.of("size", "constant", "parameter", "input", "control", "let")
    for declared in names.of("function"):
        yield Completion(declared.word, "function", "", f"{declared.word}(")
    for word in SIGNATURES:
        yield Completion(word, "function", f"`{signature(word)}`\n\n{FUNCTIONS[word]}", f"{word}(")
    yield from _words("chain", "t", "for", "when")


def _declaration(before: str, names: _Names) -> Iterable[Completion]:
    """Sizes in the brackets of a declaration; elsewhere there are new names."""
    if before.count("[") > before.count("]"):
        yield from names.of("size", "constant")
        yield from (Completion(word, "local") for word in names.local)
        yield from _words("in")
    elif before.lstrip().startswith("input") and re.search(r"\]\s+\w*$", before):
        yield from _words("below")


def _value(before: str, names: _Names) -> Iterable[Completion]:
    """Sizes and constants after `=`."""
    if "=" in before and not _ANOTHER_NAME.fullmatch(before.lstrip()):
        yield from names.of("size", "constant")
        yield from (Completion(word, "local") for word in names.local)
    elif before.lstrip().startswith("const"):
        yield from _words("symbolic")


def _targets(names: _Names) -> Iterable[Completion]:
    return names.of("parameter")


def _metric(before: str, names: _Names) -> Iterable[Completion]:
    if re.search(r"metric\s+\w*$", before):
        yield from _options("metric")
    elif re.search(r"output\s*=\s*\w*$", before):
        yield from _options("output")
    elif re.search(r"mirror\(\s*\w*$", before):
        yield from _options("mirror")
    elif re.search(r"fisher\((?:[^()]*,)?\s*\w*$", before):
        yield from _options("fisher")
    elif _TARGETS.search(before):
        yield from _targets(names)
    elif before.count("(") > before.count(")"):
        yield from _expression(before, names)
    else:
        yield from _words("on")


def _flow(before: str, names: _Names) -> Iterable[Completion]:
    if re.search(r"flow\s+\w*$", before):
        yield from (Completion("order 1", "option"), Completion("order 2", "option"))
        yield from _options("flow")
    elif re.search(r"order\s+\d+\s+\w*$", before):
        yield from _words("damping")
    elif re.search(r"damping\s", before):
        yield from names.of("constant", "size")
        yield from _words("t", "accelerated")


def _decay(before: str, names: _Names) -> Iterable[Completion]:
    if _TARGETS.search(before):
        yield from _targets(names)
    else:
        yield from names.of("constant")
        yield from _words("on")
    yield from _words("coupled", "decoupled")


def _expect(before: str, names: _Names) -> Iterable[Completion]:
    if re.search(r"expect\s+\w*$", before):
        for word, typed in _EXPECTED.items():
            yield Completion(word, "keyword", WITHIN[word.split()[0]], typed)
    elif re.search(r"laws\s+\w*$", before):
        yield from _words("of", "when")
    elif "=" not in before and _TARGETS.search(before):
        yield from _targets(names)
    else:
        yield from names.of("size", "constant")
        yield from _words("when", "and", "or", "not")


def _verify(before: str, names: _Names) -> Iterable[Completion]:
    setting = re.search(r"(?:\{|;|\n)\s*(\w*)$", before)
    if setting is not None:
        yield from _options("verify")
    elif re.search(r"loss\s[^;\n]*$", before):
        yield from _options("verify loss")
    elif re.search(r"data\s+\w*$", before):
        yield Completion("gaussian", "option", OPTIONS["verify"]["data"], "gaussian(")


def _search(before: str, names: _Names) -> Iterable[Completion]:
    return _options("search")


def _sweep(before: str, names: _Names) -> Iterable[Completion]:
    yield from names.of("size", "constant")
    yield from _words("in", "when", "and", "or", "not")


def _one_of(word: str) -> Callable[[str, _Names], Iterable[Completion]]:
    def options(before: str, names: _Names) -> Iterable[Completion]:
        return _options(word) if re.search(rf"{word}\s+\w*$", before) else ()

    return options


def _point(before: str, names: _Names) -> Iterable[Completion]:
    return _targets(names) if "{" in before else _options("at")


_CONTEXTS: dict[str, Callable[[str, _Names], Iterable[Completion]]] = {
    "metric": _metric,
    "flow": _flow,
    "decay": _decay,
    "expect": _expect,
    "verify": _verify,
    "search": _search,
    "sweep": _sweep,
    "at": _point,
    "loss": _one_of("loss"),
    "gates": _one_of("gates"),
    "param": _declaration,
    "input": _declaration,
    "control": _declaration,
    "dim": _value,
    "const": _value,
}


# ---------------------------------------------------------------- files


def _files(path: Path | None, typed: str) -> Iterator[Completion]:
    """Files beside this one and below, and those that come with geoflow."""
    yield from (Completion(name, "file") for name in own_names())
    if path is None:
        return
    folder = path.parent / typed.rpartition("/")[0]
    if not folder.resolve().is_relative_to(path.parent.resolve()):
        return
    for each in sorted(folder.glob("*.geo")):
        if each.name != path.name or folder != path.parent:
            yield Completion(each.relative_to(path.parent).as_posix(), "file")
