"""Files that are none, that are too large, that vanish, that lie elsewhere; and texts in other encodings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geoflow import call
from geoflow.syntax.source import LONGEST_FILE
from tests.trust.hostile import geoflow, refused

GOOD = "param x, y\nmap f = x*y\nlaw h = x**2 - y**2\n"
READERS = (
    ["check"], ["laws"], ["fmt"], ["catalog"], ["sweep", "--over", "n=1..2"], ["discretize"],
    ["report", "-o", "page.html"], ["compare", "--flows"],
)  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEOFLOW_CACHE", str(tmp_path / "cache"))
    return tmp_path


def put(path: Path, kind: str) -> None:
    """Something that is no file, where `kind` names one."""
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "zero":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path)
        case "folder":
            path.mkdir()


@pytest.mark.parametrize("command", READERS, ids=lambda words: words[0])
@pytest.mark.parametrize("kind", ["pipe", "zero", "loop", "folder", "gone", "below a file"])
def test_what_is_no_file(folder: Path, command: list[str], kind: str):
    path = folder / "x.geo"
    if kind == "below a file":
        path.write_text(GOOD)
        path = path / "y.geo"
    else:
        put(path, kind)
    assert "x.geo" in refused(*command, str(path))


@pytest.mark.parametrize(
    "command", [["recheck"], ["report", "-o", "page.html"]], ids=lambda c: c[0]
)
@pytest.mark.parametrize("kind", ["pipe", "zero", "loop", "folder", "gone", "binary", "large"])
def test_saved_files_that_are_none(folder: Path, command: list[str], kind: str, monkeypatch):
    path = folder / "x.json"
    put(path, kind)
    match kind:
        case "binary":
            path.write_bytes(b"\xff\xfe\x00")
        case "large":
            monkeypatch.setattr("geoflow.stored.LARGEST_FILE", 100)
            path.write_text("[" + " " * 200 + "]")
    assert "x.json" in refused(*command, str(path))


@pytest.mark.parametrize("command", [["check", "-"], ["fmt", "-"], ["sweep", "-"]])
def test_standard_input_without_end(command: list[str]):
    """Only so much of it is read."""
    assert "GEO0108" in refused(*command, given=b"#" * (4 * LONGEST_FILE))
    read = b"x" * LONGEST_FILE

    class Endless:
        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= LONGEST_FILE + 1, "all of it"
            return read + b"x"

    class Input:
        buffer = Endless()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", Input())
        from geoflow.semantics import load_input

        models, (found,) = load_input()
        assert models == () and found.code == "GEO0108"


def test_a_file_that_is_gone_when_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Listed, and deleted before it is read."""
    (folder / "models").mkdir()
    for name in ("a.geo", "b.geo"):
        (folder / "models" / name).write_text(GOOD)
    listed = call.expand([str(folder / "models")])
    (folder / "models" / "b.geo").unlink()
    monkeypatch.setattr("geoflow.cli.expand", lambda paths: listed)
    monkeypatch.setattr("geoflow.commands.fmt.expand", lambda paths: listed)
    for command in (["check", "--no-verify"], ["fmt"]):
        assert "no such file" in refused(*command, "models")


def test_a_file_that_is_gone_between_two_looks(folder: Path, monkeypatch: pytest.MonkeyPatch):
    path = folder / "a.geo"
    path.write_text(GOOD)
    is_file = Path.is_file

    def vanishing(self: Path) -> bool:
        found = is_file(self)
        if self.name == "a.geo":
            self.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Path, "is_file", vanishing)
    for command in ("check", "fmt"):
        assert "no such file" in refused(command, str(path))
        path.write_text(GOOD)


def test_a_file_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch):
    path = folder / "a.geo"
    path.write_text(GOOD)
    open_ = Path.open

    def guarded(self: Path, *arguments, **options):
        if self.suffix in (".geo", ".json"):
            raise PermissionError(13, "Permission denied")
        return open_(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", guarded)
    assert "permission denied" in refused("check", str(path))
    assert "permission denied" in refused("fmt", str(path))
    os.close(os.open(folder / "a.json", os.O_CREAT))
    assert "ermission denied" in refused("recheck", "a.json")


def test_links_that_go_round(folder: Path):
    (folder / "models" / "below").mkdir(parents=True)
    (folder / "models" / "a.geo").write_text(GOOD)
    (folder / "models" / "below" / "up").symlink_to(folder / "models")
    (folder / "models" / "x.geo").mkdir()
    os.mkfifo(folder / "models" / "pipe.geo")
    assert call.expand(["models"]) == ["models/a.geo"]
    assert geoflow("fmt", "--check", "models").code == 0


@pytest.mark.parametrize(
    "name", ["a" * 5000 + ".geo", "a" * 5000 + "/b.geo", "\x1b[31m\u202e.geo", "-\n.geo"]
)
def test_names_of_files(name: str):
    assert "cannot be read" in refused("check", "--", name).replace("\n", " ")


# ---------------------------------------------------------------- one file uses another


@pytest.mark.parametrize(
    "name",
    ["../../../../../../etc/passwd", "/etc/passwd", "//etc/passwd", "a/../../x.geo", "self.geo", "one.geo",
     "std/../../cli.py", "std//etc/passwd", "~/x.geo", "link.geo", "pipe.geo", "zero.geo", "loop.geo", "",
     ".", "\x1b[2J.geo", "\u202e.geo", "a" * 5000, "https://example.org/x.geo", "self.geo/x.geo"],
)  # fmt: skip
def test_use_stays_inside(folder: Path, name: str):
    inside = folder / "inside"
    inside.mkdir()
    (folder / "x.geo").write_text("dim n = 3\n")
    (inside / "one.geo").write_text('use "two.geo"\n')
    (inside / "two.geo").write_text('use "one.geo"\n')
    (inside / "link.geo").symlink_to("/etc/passwd")
    os.mkfifo(inside / "pipe.geo")
    (inside / "zero.geo").symlink_to("/dev/zero")
    (inside / "loop.geo").symlink_to("loop.geo")
    (inside / "self.geo").write_text(f'use "{name}"\nparam x\nmap f = x\n')
    said = refused("check", str(inside / "self.geo"))
    assert "GEO0110" in said and "root:" not in said


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe" + GOOD.encode("utf-16-le"), GOOD.encode("utf-16"), GOOD.encode("utf-32"),
     b"# caf\xe9\n" + GOOD.encode(), GOOD.encode() + b"\0", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\x80",
     b"#" * (LONGEST_FILE + 1), b"\n" * (LONGEST_FILE + 1), b"\x7fELF" + bytes(100), b"\xef\xbb\xbf"],
    ids=range(13),
)  # fmt: skip
def test_bytes_that_are_no_model(folder: Path, data: bytes):
    (folder / "x.geo").write_bytes(data)
    assert "GEO010" in refused("check", "x.geo")
    assert geoflow("fmt", "x.geo").code in (0, 2)
    assert "GEO010" in refused("check", "-", given=data)
    assert (folder / "x.geo").read_bytes() == data


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD[:-1],
        GOOD + "\f\n",
    ],
    ids=["mark", "crlf", "cr", "no end", "form feed"],
)
def test_bytes_that_are_a_model(folder: Path, text: str):
    (folder / "x.geo").write_bytes(text.encode())
    answer = geoflow("check", "x.geo", "--no-verify", "-q")
    assert answer.code == 0 and "1 claim" in answer.text


def test_rows_of_a_sweep_in_a_pipe(folder: Path):
    (folder / "x.geo").write_text("dim n = 2\nparam x[n], y[n]\nmap f = sum(x*y)\n")
    os.mkfifo(folder / "rows.jsonl")
    refused("sweep", "x.geo", "--over", "n=1..2", "--out", "rows.jsonl", "--resume", "-j", "1")
