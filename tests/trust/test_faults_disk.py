"""Full, read-only and damaged disks: files are whole or not there, rows are right or computed again, and it is told."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from geoflow.replacing import replace_file
from geoflow.results import LawCount
from geoflow.rows import Outcome
from geoflow.sweep.cache import DiskCache
from geoflow.sweep.journal import InUse, Journal
from geoflow.sweep.record import _sum, seal, unseal
from tests.sweep.families import opened

from .disturbing import LINEAR, run

OUTCOME = Outcome(LawCount(0, 3, "probable", 1.25e-7, "stagnates"))
UGLY = b"model  xy\nparam x,y\nmap phi=x * y\n" + b"# and a comment that is long enough\n" * 40


def quota(size: int) -> str:
    """No file of the process may be longer: what a write beyond that says is EFBIG."""
    return f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
"""


# ---------------------------------------------------------------- files that are replaced


def test_permissions_stay_and_a_link_stays_a_link(tmp_path: Path):
    target, link = tmp_path / "a", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o604)
    link.symlink_to("a")
    replace_file(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    assert sorted(os.listdir(tmp_path)) == ["a", "link"]


def test_a_new_file_has_the_permissions_of_new_files(tmp_path: Path):
    (tmp_path / "plain").write_bytes(b"")
    replace_file(tmp_path / "new", b"x")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
    hanging = tmp_path / "hanging"
    hanging.symlink_to("made")
    replace_file(hanging, b"y")
    assert hanging.is_symlink() and (tmp_path / "made").read_bytes() == b"y"


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_whatever_stops_the_writing_leaves_what_was_there(tmp_path: Path, monkeypatch, call, error):
    target = tmp_path / "a"
    target.write_bytes(b"old")

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, call, fails)
    with pytest.raises(type(error)):
        replace_file(target, b"new")
    assert target.read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_what_is_no_file_is_written_to():
    replace_file(Path("/dev/null"), b"x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize(
    ("words", "name", "size"),
    [
        (("fmt", "a.geo"), "a.geo", 512),
        (("new", "-o", "b.geo", "--force"), "b.geo", 16),
        pytest.param(
            ("check", "lin.geo", "--no-verify", "--certificate", "c.json"),
            "c.json",
            512,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ("report", "lin.geo", "--no-verify", "-o", "d.html"),
            "d.html",
            4096,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ("discretize", "lin.geo", "--step", "0.1", "--plot", "e.svg"),
            "e.svg",
            512,
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else None,
)
def test_a_file_that_does_not_fit_is_told_and_the_old_one_stays(tmp_path: Path, words, name, size):
    (tmp_path / "lin.geo").write_text(LINEAR)
    (tmp_path / name).write_bytes(UGLY)
    found = run(tmp_path, *words, before=quota(size))
    assert found.returncode == 2 and f"{name} cannot be written: File too large" in found.stderr
    assert "fault of geoflow" not in found.stderr and "Traceback" not in found.stderr
    assert (tmp_path / name).read_bytes() == UGLY
    assert not [p for p in os.listdir(tmp_path) if p.endswith(".part")]


# ---------------------------------------------------------------- journals


@pytest.mark.slow
def test_a_sweep_without_room_has_its_table_and_says_that_rows_were_not_kept(tmp_path: Path):
    (tmp_path / "lin.geo").write_text(LINEAR + "sweep r in 1..4")
    words = ["sweep", "lin.geo", "--rank-only", "--out", "rows.jsonl", "--jobs", "1"]
    found = run(tmp_path, *words, "--format", "json", before=quota(900))
    data = json.loads(found.stdout)
    counts, notes = [row["laws"]["upper"] for row in data["rows"]], " ".join(data["notes"])
    assert counts == [1, 3, 6, 9]
    assert "rows cannot be written to rows.jsonl: File too large" in notes
    assert "the cache" in notes and "cannot be" in notes
    again = run(tmp_path, *words, "--format", "json", "--resume")
    assert [row["laws"]["upper"] for row in json.loads(again.stdout)["rows"]] == counts


def test_a_disk_that_takes_half_a_line_is_told_and_costs_that_line(tmp_path: Path, monkeypatch):
    path, write = tmp_path / "rows.jsonl", os.write
    journal = Journal.begin(path)
    journal.add("one", OUTCOME, ())
    room = [40]

    def full(handle: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(handle, content[: room[0]])
        room[0] = 0
        return done

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            journal.add("two", OUTCOME, ())
    journal.close()
    again = Journal.resume(path)
    assert set(again.known) == {"one"} and again.torn == 1
    again.add("three", OUTCOME, ())
    again.close()
    last = Journal.resume(path)
    last.close()
    assert set(last.known) == {"one", "three"}


def test_a_short_write_is_gone_on_with(tmp_path: Path, monkeypatch):
    path, write = tmp_path / "rows.jsonl", os.write
    journal = Journal.begin(path)
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, content[:7]))
    journal.add("one", OUTCOME, ())
    journal.close()
    assert path.read_text() == seal("one", OUTCOME) + "\n"


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 4000,
        b"\xff\xfe garbage",
        b"[" * 200_000,
        b'{"a": ' * 100_000,
        b"null",
        b"[]",
        b"1e999",
        b'{"key": "k"}',
        seal("k", OUTCOME).replace('"upper": 3', '"upper": 4').encode(),
        seal("k", OUTCOME)[:-30].encode(),
    ],
    ids=range(10),
)
def test_garbage_in_a_journal_is_left_out_and_the_rest_counts(tmp_path: Path, garbage: bytes):
    path = tmp_path / "rows.jsonl"
    good = [seal(key, OUTCOME).encode() for key in "ab"]
    path.write_bytes(good[0] + b"\n" + garbage + b"\n" + good[1] + b"\n")
    journal = Journal.resume(path)
    journal.close()
    assert journal.known == {"a": OUTCOME, "b": OUTCOME} and journal.torn == 1


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("laws", {"lower": 0, "upper": -1, "status": "probable"}),
        ("laws", {"lower": "0", "upper": 3, "status": "probable"}),
        ("laws", {"lower": 0, "upper": 3, "status": "proved"}),
        ("laws", {"lower": 3, "upper": 3, "status": "certain"}),
        ("laws", [3]),
        ("claims", 5),
        ("claims", [5]),
        ("seconds", "soon"),
        ("cut", []),
        ("failure", {"code": "GEO0301"}),
    ],
)
def test_a_line_of_another_version_counts_for_nothing(part: str, value: object):
    content = json.loads(seal("k", OUTCOME))
    del content["sum"]
    content["outcome"][part] = value
    with pytest.raises(ValueError):
        unseal(json.dumps({**content, "sum": _sum(content)}))


def test_two_sweeps_do_not_share_a_journal(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    first = Journal.begin(path)
    first.add("one", OUTCOME, ())
    for opened_again in (Journal.begin, Journal.resume):
        with pytest.raises(InUse):
            opened_again(path)
    first.add("two", OUTCOME, ())  # nothing was cut off
    first.close()
    again = Journal.resume(path)
    again.close()
    assert set(again.known) == {"one", "two"}


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_a_journal_that_is_no_file_is_refused(tmp_path: Path, make):
    make(tmp_path / "rows")
    for begun in (Journal.begin, Journal.resume):
        with pytest.raises(OSError, match="not a regular file"):
            begun(tmp_path / "rows")


# ---------------------------------------------------------------- the cache


def known(folder: Path) -> tuple[Outcome | None, list[str]]:
    """What a cache says of a key that was kept in it, and what it notes."""
    with closing(DiskCache(folder)) as cache:
        return cache.get("key"), cache.notes


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    with closing(DiskCache(tmp_path)) as cache:
        cache.put("key", OUTCOME)
    assert known(tmp_path) == (OUTCOME, [])
    return tmp_path / "outcomes.sqlite3"


@pytest.mark.parametrize("line", [None, 7, b"\x00\xff", "", "[" * 100_000, "{}"])
def test_a_foreign_entry_is_a_miss(kept: Path, line: object):
    with closing(sqlite3.connect(kept)) as connection, connection:
        connection.execute("UPDATE outcomes SET line = ?", (line,))
    found, notes = known(kept.parent)
    assert found is None and len(notes) == 1 and "cannot be read in part" in notes[0]


@pytest.mark.parametrize("size", [0, 50, 1000, 5000])
def test_a_truncated_cache_is_no_answer(kept: Path, size: int):
    os.truncate(kept, size)
    found, notes = known(kept.parent)
    assert found is None and (size == 0 or notes)


def test_a_cache_of_another_layout_is_no_answer(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "outcomes.sqlite3")) as connection, connection:
        connection.execute("CREATE TABLE outcomes (number INTEGER PRIMARY KEY, other TEXT)")
    found, notes = known(tmp_path)
    assert found is None and len(notes) == 1 and "cannot be read" in notes[0]


def test_a_cache_that_is_written_by_another_is_waited_for_or_noted(kept: Path, monkeypatch):
    with closing(sqlite3.connect(kept, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with closing(DiskCache(kept.parent)) as cache:
            assert cache.get("key") is None
            cache.put("other", OUTCOME)
            assert cache.notes
        other.execute("ROLLBACK")
    assert known(kept.parent) == (OUTCOME, [])


# a process of root that permissions hold for, as they do for all others
WITHOUT_POWER = """
import ctypes
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["read-only", "file"])
def test_a_sweep_with_no_folder_for_its_cache_says_so_and_counts(tmp_path: Path, what: str):
    (tmp_path / "lin.geo").write_text(LINEAR + "sweep r in 1..3")
    cache = tmp_path / "cache"
    if what == "file":
        cache.write_text("no folder")
    else:
        cache.mkdir()
        cache.chmod(0o555)
    words = ["sweep", "lin.geo", "--rank-only", "--format", "json", "--jobs", "1"]
    found = run(tmp_path, *words, before=WITHOUT_POWER)
    assert found.returncode == 0, found.stderr
    data = json.loads(found.stdout)
    notes = " ".join(data["notes"])
    assert [row["laws"]["upper"] for row in data["rows"]] == [1, 3, 6]
    if what == "read-only" and os.listdir(cache):
        pytest.skip("nothing is read-only for this process")
    assert "rows are not kept on disk" in notes and "the cache" in notes
    assert what != "file" or "Not a directory" in notes


def test_the_family_that_is_tested_is_the_one_that_is_meant():
    assert len(opened(LINEAR + "sweep r in 1..4").members()) == 4
