"""Reading files: encodings, line ends, and what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geoflow.diagnostics import DiagnosticError
from geoflow.syntax.source import LONGEST_FILE, read


def code(path: Path) -> str:
    with pytest.raises(DiagnosticError) as caught:
        read(path)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code


def test_encodings_and_line_ends(tmp_path: Path):
    path = tmp_path / "a.geo"
    path.write_bytes("\ufeffdim θ = 3\r\ndim n = 2\rdim m = 1".encode())
    source = read(path)
    assert source.text == "dim θ = 3\ndim n = 2\ndim m = 1"
    assert source.name == str(path)
    assert source.line_column(source.text.index("m =")) == (3, 5)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"dim n = 3\x00", b"\xff\xfed\x00"])
def test_what_is_not_text(tmp_path: Path, data: bytes):
    path = tmp_path / "a.geo"
    path.write_bytes(data)
    assert code(path) == "GEO0104"


def test_what_cannot_be_read(tmp_path: Path):
    assert code(tmp_path / "missing.geo") == "GEO0103"
    assert code(tmp_path) == "GEO0103"
    assert code(Path("a\0b")) == "GEO0103"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.geo")
    assert code(tmp_path / "pipe.geo") == "GEO0103"


def test_long_files_are_refused(tmp_path: Path):
    path = tmp_path / "a.geo"
    path.write_bytes(b"#" * (LONGEST_FILE + 1))
    assert code(path) == "GEO0108"
    path.write_bytes(b"#" * LONGEST_FILE)
    assert len(read(path).text) == LONGEST_FILE
