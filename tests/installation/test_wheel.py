"""The wheel holds everything: installed in an empty environment, it checks the examples."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_wheel_checks_the_examples(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = (".git", ".venv", ".venv-ci", "build", "dist")
    _run("git", "clone", "-q", "--no-hardlinks", str(ROOT), str(source), cwd=tmp_path)
    assert not any((source / name).exists() for name in ignored[1:])
    _run(
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--outdir",
        str(tmp_path),
        str(source),
        cwd=tmp_path,
    )
    (wheel,) = tmp_path.glob("*.whl")
    _run(sys.executable, "-m", "venv", str(tmp_path / "venv"), cwd=tmp_path)
    binaries = tmp_path / "venv" / "bin"
    _run(str(binaries / "pip"), "install", "-q", str(wheel), cwd=tmp_path)
    out = _run(
        str(binaries / "geoflow"), "check", "--no-verify", str(ROOT / "examples"), cwd=tmp_path
    )
    assert "all hold" in out
    listed = _run(str(binaries / "geoflow"), "catalog", "--no-run", cwd=tmp_path)
    assert "transformer_block" in listed
    shipped = str(ROOT / "geoflow" / "std")
    _run(str(binaries / "geoflow"), "fmt", "--check", str(ROOT / "examples"), shipped, cwd=tmp_path)
    found = "from pygments.lexers import get_lexer_by_name as find; print(find('geo').name)"
    assert _run(str(binaries / "python"), "-c", found, cwd=tmp_path) == "geo\n"
    assert "GEO0301" in _run(str(binaries / "geoflow"), "explain", "GEO0301", cwd=tmp_path)
