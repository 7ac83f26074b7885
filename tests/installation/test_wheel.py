"""The wheel holds everything: installed in an empty environment, it checks the examples."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_package_and_every_file_it_needs_is_shipped() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "setuptools"
    ]
    packages = {p for p in told["packages"] if p not in told["package-dir"] or p == "geoflow"}
    folders = {init.parent for init in (ROOT / "geoflow").rglob("__init__.py")}
    assert packages == {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    shipped = {
        file
        for package, patterns in told["package-data"].items()
        if package in packages
        for pattern in patterns
        for file in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    held = {
        f for f in (ROOT / "geoflow").rglob("*") if f.is_file() and f.suffix not in (".py", ".pyc")
    }
    assert shipped == held


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
    model, proof = str(ROOT / "examples" / "linear.geo"), str(tmp_path / "proof.json")
    _run(
        str(binaries / "geoflow"),
        "check",
        model,
        "--no-verify",
        "--certificate",
        proof,
        cwd=tmp_path,
    )
    _run(str(binaries / "geoflow"), "recheck", proof, cwd=tmp_path)
    page = str(tmp_path / "page.html")
    _run(str(binaries / "geoflow"), "report", model, "--no-verify", "-o", page, cwd=tmp_path)
