"""The arguments of an option, `name(a, key = b)`: how many there are, their names, their kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geoflow.diagnostics import Diagnostic, DiagnosticError, Fix, Span
from geoflow.semantics import messages
from geoflow.syntax import tree

Named = dict[str, tree.Expression]


@dataclass(frozen=True)
class Usage:
    """How an option is written, and the code of a mistake in it."""

    code: str
    example: str

    def wrong(
        self, span: Span, message: str, *hints: str, fix: Fix | None = None
    ) -> DiagnosticError:
        """An argument that is not as it should be; the hint is the example, if there is no other."""
        hints = hints or (f"write `{self.example}`",)
        return DiagnosticError(Diagnostic(self.code, message, span, hints=hints, fix=fix))


def arguments(option: tree.Option, wanted: int, usage: Usage) -> tuple[tree.Argument, ...]:
    """The arguments of an option that takes so many."""
    given = option.arguments or ()
    if len(given) != wanted:
        counted = ("no argument", "one argument")[wanted] if wanted < 2 else f"{wanted} arguments"
        count = f"{len(given) or 'none'} {'is' if len(given) <= 1 else 'are'} given"
        raise usage.wrong(option.span, f"`{option.name.text}` takes {counted}, and {count}.")
    return given


def expression(argument: tree.Argument, what: str, usage: Usage) -> tree.Expression:
    """An argument that is an expression; `what` it is, in words."""
    if isinstance(argument, tree.Keyword | tree.Function | tree.Text):
        raise usage.wrong(argument.span, f"{what} is wanted here.")
    return argument


def split(
    option: tree.Option, keys: Sequence[str], usage: Usage
) -> tuple[list[tree.Argument], Named]:
    """The arguments without a name, and those with one of the names."""
    plain: list[tree.Argument] = []
    named: Named = {}
    for argument in option.arguments or ():
        if not isinstance(argument, tree.Keyword):
            plain.append(argument)
            continue
        key = argument.name.text
        if key not in keys:
            near = messages.close_name(key, keys)
            hints, fix = messages.did_you_mean(argument.name.span, near)
            message = f"`{option.name.text}` has no argument `{key}`."
            raise usage.wrong(argument.name.span, message, *hints, fix=fix)
        if key in named:
            raise usage.wrong(argument.span, f"`{key}` is given twice.")
        named[key] = argument.value
    return plain, named


def required(option: tree.Option, keys: Sequence[str], usage: Usage) -> Named:
    """The arguments of an option that takes exactly those with these names."""
    plain, named = split(option, keys, usage)
    if plain:
        message = f"The arguments of `{option.name.text}` are given by name."
        raise usage.wrong(plain[0].span, message)
    missing = [f"`{key}`" for key in keys if key not in named]
    if missing:
        raise usage.wrong(option.span, f"`{option.name.text}` needs {' and '.join(missing)}.")
    return named


def word(argument: tree.Argument, what: str, allowed: Sequence[str], usage: Usage) -> str:
    """An argument that is one of several words."""
    name = argument.text if isinstance(argument, tree.Name) else ""
    if name in allowed:
        return name
    near = messages.close_name(name, allowed)
    listed = ", ".join(f"`{each}`" for each in allowed[:-1]) + f" or `{allowed[-1]}`"
    hints, fix = messages.did_you_mean(argument.span, near)
    raise usage.wrong(argument.span, f"{what} is {listed}.", *hints, fix=fix)
