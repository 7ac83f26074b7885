"""`geoflow fmt`: in place, `--check`, `--diff`, standard input; wrong files are left alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geoflow.cli import app

RUNNER = CliRunner()
UGLY = "model  xy # θ\nparam x,y\nmap phi=x * y\n"
CLEAN = "model xy  # θ\nparam x, y\nmap phi = x*y\n"
WRONG = "model xy\nparam x\nmap phi = (x\n"


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    path = tmp_path / "xy.geo"
    path.write_text(UGLY, encoding="utf-8")
    return path


def test_a_file_is_formatted_in_place_once(ugly: Path):
    ugly.chmod(0o640)
    result = RUNNER.invoke(app, ["fmt", str(ugly)])
    assert result.exit_code == 0 and "1 file formatted, 0 already in order" in result.output
    assert ugly.read_text(encoding="utf-8") == CLEAN
    assert stat.S_IMODE(ugly.stat().st_mode) == 0o640
    again = RUNNER.invoke(app, ["fmt", str(ugly)])
    assert "0 files formatted, 1 already in order" in again.output
    assert os.listdir(ugly.parent) == ["xy.geo"]


def test_check_writes_nothing_and_fails(ugly: Path):
    result = RUNNER.invoke(app, ["fmt", "--check", str(ugly.parent)])
    assert result.exit_code == 1 and "1 file would change" in result.output
    assert ugly.read_text(encoding="utf-8") == UGLY
    ugly.write_text(CLEAN, encoding="utf-8")
    assert RUNNER.invoke(app, ["fmt", "--check", str(ugly)]).exit_code == 0


def test_diff_writes_nothing_and_shows(ugly: Path):
    result = RUNNER.invoke(app, ["fmt", "--diff", str(ugly)])
    assert result.exit_code == 0
    assert "-map phi=x * y\n" in result.output and "+map phi = x*y\n" in result.output
    assert ugly.read_text(encoding="utf-8") == UGLY


def test_standard_input_goes_to_standard_output():
    result = RUNNER.invoke(app, ["fmt", "-"], input=UGLY.encode())
    assert (result.exit_code, result.stdout) == (0, CLEAN)
    assert RUNNER.invoke(app, ["fmt", "--check", "-"], input=UGLY.encode()).exit_code == 1


def test_a_wrong_file_is_told_of_and_left_alone(ugly: Path):
    wrong = ugly.with_name("wrong.geo")
    wrong.write_text(WRONG, encoding="utf-8")
    result = RUNNER.invoke(app, ["fmt", str(ugly.parent)])
    assert result.exit_code == 2 and "GEO0102" in result.output
    assert "1 wrong and left alone" in result.output
    assert wrong.read_text(encoding="utf-8") == WRONG
    assert ugly.read_text(encoding="utf-8") == CLEAN  # the others are formatted all the same


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_stay(ugly: Path, mark: bytes):
    ugly.write_bytes(mark + UGLY.replace("\n", "\r\n").encode())
    assert RUNNER.invoke(app, ["fmt", str(ugly)]).exit_code == 0
    assert ugly.read_bytes() == mark + CLEAN.replace("\n", "\r\n").encode()
    assert RUNNER.invoke(app, ["fmt", "--check", str(ugly)]).exit_code == 0


def test_a_link_stays_a_link(ugly: Path):
    link = ugly.with_name("link.geo")
    link.symlink_to(ugly)
    assert RUNNER.invoke(app, ["fmt", str(link)]).exit_code == 0
    assert link.is_symlink() and ugly.read_text(encoding="utf-8") == CLEAN


def test_a_missing_file_and_a_text_that_is_none(tmp_path: Path):
    assert RUNNER.invoke(app, ["fmt", str(tmp_path / "no.geo")]).exit_code == 2
    binary = tmp_path / "b.geo"
    binary.write_bytes(b"\xff\xfe")
    result = RUNNER.invoke(app, ["fmt", str(binary)])
    assert result.exit_code == 2 and "GEO0104" in result.output


def test_formatting_imports_neither_jax_nor_sympy(ugly: Path):
    code = (
        "import sys\nfrom geoflow.cli import app\n"
        f"app(['fmt', {str(ugly)!r}], standalone_mode=False)\n"
        "assert not {'jax', 'sympy', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
