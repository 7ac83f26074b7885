"""The readers under test. Each takes bytes, raises where it fails its promise, and says whether they were in order."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import typer

from geoflow.codes import CODES
from geoflow.diagnostics import Diagnostic, DiagnosticError, Source

MOST_CHECKED = 2  # seconds that a whole check may take, which is its own --timeout
_ESCAPES = {"\x1b", "\x07", "\x9b", "\u202e", "\u2066"}


def parser(data: bytes) -> bool:
    """`syntax.parser`: a tree, and mistakes with places inside the text."""
    from geoflow.syntax.parser import parse
    from geoflow.syntax.source import decode

    try:
        source = decode(data, "fuzz.geo")
    except DiagnosticError as error:
        _well_formed(error.diagnostics)
        return False
    file, found = parse(source)
    _well_formed(found)
    for statement in file.statements:
        assert 0 <= statement.span.start <= statement.span.end <= len(source.text)
    return not found


def checker(data: bytes) -> bool:
    """`semantics`: models, or what is wrong; and that can be shown."""
    from geoflow.report.page import open_console
    from geoflow.report.snippet import render_diagnostic
    from geoflow.semantics import load_text

    text = data.decode("utf-8", "replace")
    models, found = load_text(text, "fuzz.geo")
    _well_formed(found)
    wrong = any(d.severity == "error" for d in found)
    assert bool(models) != wrong
    for ascii_only in (False, True):
        out = io.TextIOWrapper(io.BytesIO(), "ascii" if ascii_only else "utf-8")
        for diagnostic in found[:3]:
            render_diagnostic(diagnostic, open_console(out))
        out.seek(0)
        assert not _ESCAPES & set(out.read())
    return not wrong


def formatter(data: bytes) -> bool:
    """`formatting`: the same tree, and a fixed point."""
    from geoflow.formatting import format_text
    from geoflow.syntax.parser import parse
    from geoflow.syntax.source import decode

    try:
        source = decode(data, "fuzz.geo")
        text = format_text(source)
    except DiagnosticError as error:
        _well_formed(error.diagnostics)
        return False
    file, problems = parse(Source("fuzz.geo", text))
    assert not [p for p in problems if p.severity == "error"], "the layout cannot be read"
    assert file == parse(source)[0], "another tree"
    assert format_text(Source("fuzz.geo", text)) == text, "not a fixed point"
    return True


def check(data: bytes) -> bool:
    """A whole check but for the integration, printed in every format."""
    from geoflow.options import CheckOptions
    from geoflow.pipeline import check_text
    from geoflow.report import machine, terminal
    from geoflow.report.annotations import to_annotations
    from geoflow.report.page import open_console
    from geoflow.report.sarif import to_sarif

    text = data.decode("utf-8", "replace")
    options = CheckOptions(timeout=MOST_CHECKED, verify=False)
    report = check_text(text, "fuzz.geo", options)
    _well_formed(report.diagnostics)
    assert (report.exit_code == 2) == (not report.models)
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    terminal.render_full(report, open_console(out), verbose=True)
    terminal.render_concise(report, open_console(out))
    out.seek(0)
    assert not _ESCAPES & set(out.read())
    machine.dumps(machine.to_json(report))
    machine.dumps(to_sarif(report, "0"))
    assert all(line.startswith("::") for line in to_annotations(report).splitlines())
    return bool(report.models)


def saved(data: bytes) -> bool:
    """`report.saved`, and the page that is made of what it reads."""
    from geoflow.report import terminal
    from geoflow.report.page import open_console
    from geoflow.report.saved import NotAReport, read_report
    from geoflow.report.web.document import Reproduction, report_page

    try:
        report = read_report(data.decode("utf-8"))
    except (NotAReport, UnicodeDecodeError):
        return False
    page = report_page(report, Reproduction("geoflow report", "0", report.models[0].seed))
    assert "<script>alert(1)" not in page
    page.encode("utf-8")
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    terminal.render_full(report, open_console(out))
    return True


def journal(data: bytes) -> bool:
    """`sweep.journal`: the rows that are whole, and what is printed of them."""
    from geoflow.sweep.journal import Journal

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(data)
        known = Journal.resume(path)
        known.close()
        again = Journal.resume(path)
        again.close()
        assert again.known == known.known or known.torn
    _tell(list(known.known.values()))
    return bool(known.known)


def cached(data: bytes) -> bool:
    """`sweep.cache`: a file of a database that may be none; its first bytes say which of two ways to damage it."""
    import sqlite3

    from geoflow.sweep.cache import DiskCache

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes.sqlite3"
        key = "a" * 64
        if data.startswith(b"SQLite") or not data.startswith(b"{"):
            path.write_bytes(data)
        else:
            DiskCache(Path(folder)).close()
            with contextlib.closing(sqlite3.connect(path)) as connection:
                line: Any = data.decode("utf-8", "replace") if len(data) % 4 else data
                connection.execute("INSERT INTO outcomes (key, line) VALUES (?, ?)", (key, line))
                connection.commit()
        cache_ = DiskCache(Path(folder))
        outcome = cache_.get(key)
        cache_.close()
    _tell([] if outcome is None else [outcome])
    return outcome is not None


def _tell(outcomes: list[Any]) -> None:
    from geoflow.report.family import render_sweep, sweep_csv, sweep_data
    from geoflow.report.machine import dumps, plain
    from geoflow.report.page import open_console
    from geoflow.rows import Row, SweepReport

    rows = tuple(Row((("n", k),), outcome) for k, outcome in enumerate(outcomes))
    report = SweepReport("fuzz.geo", "fuzz", ("n",), rows, None, 0, 0.0, ())
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    render_sweep(report, open_console(out))
    sweep_csv(report)
    dumps(plain(sweep_data(report)))


def recheck(data: bytes) -> bool:
    """`geoflow recheck`: the reader of its file, and each certificate in it."""
    from geoflow.certificates.recheck import recheck as again
    from geoflow.commands.recheck import _certificates
    from geoflow.deadline import Deadline

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "proof.json"
        path.write_bytes(data)
        with contextlib.redirect_stderr(io.StringIO()):
            try:
                found = _certificates(str(path))
            except typer.Exit as error:
                assert error.exit_code == 2
                return False
    outcomes = [again(each, Deadline.after(MOST_CHECKED)).outcome for each in found[:2]]
    return "confirmed" in outcomes


def tool(data: bytes) -> bool:
    """tools/check_certificate.py: one of its three exit codes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "proof.json"
        path.write_bytes(data)
        before = sys.argv
        sys.argv = ["check_certificate.py", str(path)]
        try:
            out = io.TextIOWrapper(io.BytesIO(), "utf-8")
            with contextlib.redirect_stdout(out):
                code = _tool().main()
        finally:
            sys.argv = before
    assert code in (0, 1, 2)
    return code == 0


@cache
def _tool() -> ModuleType:
    from benchmarks.tampering import checker as module

    return module()


def server(data: bytes) -> bool:
    """The language server: a session as a list of steps, `[name, argument, …]`."""
    from tests.trust.fuzz.editing import replay

    return replay(data)


def _well_formed(diagnostics: tuple[Diagnostic, ...]) -> None:
    for diagnostic in diagnostics:
        assert diagnostic.code in CODES and not diagnostic.code.startswith("GEO09")
        assert diagnostic.message.strip()
        if diagnostic.span is not None:
            span = diagnostic.span
            assert 0 <= span.start <= span.end <= len(span.source.text)


Target = Callable[[bytes], bool]
TARGETS: Mapping[str, Target] = {
    "parser": parser,
    "checker": checker,
    "formatter": formatter,
    "check": check,
    "saved": saved,
    "journal": journal,
    "cache": cached,
    "recheck": recheck,
    "tool": tool,
    "server": server,
}


def seeded(data: bytes) -> random.Random:
    """Chance that depends on the bytes alone."""
    return random.Random(hashlib.sha256(data).digest())


def shortened(data: bytes) -> str:
    """Bytes as they are told in a report."""
    shown = json.dumps(data[:200].decode("utf-8", "replace"))
    return shown if len(data) <= 200 else f"{shown} … ({len(data)} bytes)"
