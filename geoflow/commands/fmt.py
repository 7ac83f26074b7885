"""`geoflow fmt`: writes files in the canonical layout, each in one step or not at all."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from geoflow.call import expand
from geoflow.commands.choices import Color
from geoflow.diagnostics import DiagnosticError
from geoflow.faults import WRONG_CALL, faults, refuse, render_errors
from geoflow.replacing import replace_file
from geoflow.report.page import Page, open_console
from geoflow.report.visible import visible

UNFORMATTED = 1


def fmt(
    paths: Annotated[
        list[str],
        typer.Argument(help="Files, folders (all .geo files below), `-` for standard input."),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a file would change.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Write nothing; print what would change.")
    ] = False,
    color: Color = "auto",
) -> None:
    """Write files in the canonical layout. Comments stay, the meaning too."""
    with faults(0):
        err = open_console(sys.stderr, color)
        page = Page(err)
        changed = wrong = 0
        names = expand(paths)
        for name in names:
            try:
                changed += _standard_input(check, diff) if name == "-" else _file(name, check, diff)
            except DiagnosticError as error:
                wrong += 1
                render_errors(error.diagnostics, err)
        if names != ["-"]:
            page.line(_summary(len(names), changed, wrong, check or diff))
        if wrong:
            raise typer.Exit(WRONG_CALL)
        if check and changed:
            raise typer.Exit(UNFORMATTED)


def _summary(files: int, changed: int, wrong: int, kept: bool) -> str:
    did = "would change" if kept else "formatted"
    counted = [f"{changed} {'file' if changed == 1 else 'files'} {did}"]
    counted += [f"{files - changed - wrong} already in order"]
    counted += [f"{wrong} wrong and left alone"] if wrong else []
    return ", ".join(counted)


def _standard_input(check: bool, diff: bool) -> bool:
    from geoflow.syntax.source import read_input

    data = read_input()
    new = _formatted(data, "<stdin>")
    if diff:
        _print_diff("<stdin>", data, new)
    elif not check:
        _print(new.decode("utf-8-sig"))
    return new != data


def _file(name: str, check: bool, diff: bool) -> bool:
    """Format a file; whether that changes it."""
    from geoflow.syntax.source import read_bytes

    path = Path(name)
    old = read_bytes(path, name)
    new = _formatted(old, name)
    if new == old:
        return False
    if diff:
        _print_diff(name, old, new)
    elif not check:
        _replace(path, new)
    return True


def _formatted(data: bytes, name: str) -> bytes:
    """The canonical text, with the line ends and the byte order mark of the old one."""
    from geoflow.formatting import format_text
    from geoflow.syntax.source import decode

    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    text = format_text(decode(data, name))
    first_end = data.find(b"\n")
    crlf = first_end > 0 and data[first_end - 1 : first_end] == b"\r"
    return mark + (text.replace("\n", "\r\n") if crlf else text).encode("utf-8")


def _print_diff(name: str, old: bytes, new: bytes) -> None:
    before, after = (data.decode("utf-8-sig").splitlines() for data in (old, new))
    for line in difflib.unified_diff(before, after, name, f"{name} (formatted)", lineterm=""):
        _print(line + "\n")


def _print(text: str) -> None:
    """As it is, for other programs; on a terminal with what could command it as escapes."""
    if sys.stdout.isatty():
        text = "".join(visible(line) + "\n" for line in text.splitlines())
    sys.stdout.write(text)  # `typer.echo` would take escapes out


def _replace(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data)
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror or error}")
