"""Where a command ends that cannot go on: a wrong call, a wrong file, a fault of geoflow itself."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.memory import ran_out
from geoflow.report.page import Page, open_console
from geoflow.signals import ending_word, exit_code

WRONG_CALL, OWN_FAULT = 2, 3
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO, errno.EROFS)


def refuse(message: str, *commands: str) -> NoReturn:
    """Ends the command: the call is wrong. `commands` would be right."""
    page = Page(open_console(sys.stderr))
    page.line(("error", "bold red"), f": {message}")
    for command in commands:
        page.line(("  = hint: ", "green"), command)
    raise typer.Exit(WRONG_CALL)


def render_errors(diagnostics: tuple[Diagnostic, ...], console: Console) -> bool:
    """Prints the errors; whether there were any."""
    from geoflow.report.snippet import render_diagnostic

    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"]
    for number, diagnostic in enumerate(errors):
        if number:
            Page(console).blank()
        render_diagnostic(diagnostic, console)
    return bool(errors)


@contextmanager
def faults(seed: int) -> Iterator[None]:
    """The one place where exceptions end: diagnostics are shown, anything else owned up to."""
    try:
        yield
    except (typer.Exit, typer.BadParameter):
        raise
    except KeyboardInterrupt as error:
        Page(open_console(sys.stderr)).line(ending_word(error))
        raise typer.Exit(exit_code(error)) from None
    except BrokenPipeError:
        raise
    except DiagnosticError as error:
        render_errors(error.diagnostics, open_console(sys.stderr))
        raise typer.Exit(WRONG_CALL) from None
    except Exception as error:
        _tell_want(error)
        own_up(error, seed)
        raise typer.Exit(OWN_FAULT) from None


def _tell_want(error: Exception) -> None:
    """Ends the command where the machine is at fault, not geoflow: no memory, no room, a broken disk."""
    if ran_out(error):
        refuse(
            "this machine has not the memory that this takes; nothing is said of the model",
            "check a smaller copy of it, with -D; fewer --jobs leave each more",
        )
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        where = "" if error.filename is None else f" to {error.filename}"
        refuse(f"the output cannot be written{where}: {error.strerror}")


def own_up(error: Exception, seed: int) -> None:
    """Says that geoflow failed, and what to report."""
    import traceback

    page = Page(open_console(sys.stderr))
    page.line(("geoflow failed", "bold red"), f": {type(error).__name__}: {error}")
    page.line("  This is a fault of geoflow (GEO0901), not of the model.")
    page.line(f"  version {version()}, seed {seed}, Python {sys.version.split()[0]}")
    page.line(
        "  Please report it with the file, the command and these lines; "
        "GEOFLOW_DEBUG=1 adds the traceback."
    )
    if os.environ.get("GEOFLOW_DEBUG") == "1":
        for line in "".join(traceback.format_exception(error)).splitlines():
            page.line(line)


def version() -> str:
    """The installed version."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("geoflow")
    except PackageNotFoundError:
        return "(not installed)"
