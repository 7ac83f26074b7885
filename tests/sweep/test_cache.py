"""The cache never changes an answer: a hit equals a miss, and what is changed or damaged is no hit."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from geoflow.results import LawCount
from geoflow.rows import Failure, Outcome, RowClaim
from geoflow.sweep.cache import DiskCache
from geoflow.sweep.record import seal, unseal
from geoflow.sweep.sweep import Sweep, SweepOptions, run_sweep
from geoflow.sweep.task import Task, perform

from .families import LINEAR, opened

OUTCOME = Outcome(
    LawCount(0, 3, "probable", 1.25e-7, "stagnates"),
    (RowClaim("laws", "expect laws = r", "probably refuted", 4, "there are 3"),),
    seconds=0.5,
)
FAILED = Outcome(None, failure=Failure("GEO0301", "Shapes θ differ."))
TASK = Task(LINEAR, build="b")


@pytest.mark.parametrize("outcome", [OUTCOME, FAILED, replace(OUTCOME, cut=2.0)])
def test_a_record_is_what_was_recorded(outcome):
    assert unseal(seal("key", outcome, (("n", 1),))) == ("key", outcome)


@pytest.mark.parametrize("end", [1, 10, 100, -1])
def test_a_torn_record_is_refused(end):
    with pytest.raises(ValueError):
        unseal(seal("key", OUTCOME)[:end])


def test_a_changed_record_is_refused():
    with pytest.raises(ValueError):
        unseal(seal("key", OUTCOME).replace('"upper": 3', '"upper": 4'))


@pytest.mark.parametrize(
    "change",
    [
        {"text": LINEAR.replace("U @ V.T", "2*U @ V.T")},
        {"seed": 1},
        {"gates": "real"},
        {"rank_only": True},
        {"build": "c"},
    ],
)
def test_a_change_of_what_counts_is_another_key(change):
    assert replace(TASK, **change).key != TASK.key


def test_time_is_no_part_of_the_key_but_a_cut_outcome_does_not_settle_more_time():
    longer = replace(TASK, timeout=9.0)
    assert longer.key == TASK.key
    cut = replace(OUTCOME, cut=2.0)
    assert longer.settled_by(OUTCOME) and TASK.settled_by(OUTCOME)
    assert not longer.settled_by(cut) and not TASK.settled_by(cut)
    assert replace(TASK, timeout=1.0).settled_by(cut)


def swept(cache: DiskCache, text: str = LINEAR + "sweep r in 1..3"):
    with closing(cache):
        return run_sweep(Sweep(opened(text), SweepOptions(rank_only=True), cache), "f")


def test_a_hit_equals_a_miss(tmp_path):
    first, again = swept(DiskCache(tmp_path)), swept(DiskCache(tmp_path))
    assert (first.reused, again.reused) == (0, 3)
    assert again.rows == first.rows and not again.notes
    changed = swept(DiskCache(tmp_path), LINEAR.replace("U @ V.T", "2*U @ V.T") + "sweep r in 1..4")
    assert changed.reused == 0


def test_more_sizes_take_only_what_is_new(tmp_path):
    swept(DiskCache(tmp_path))
    assert swept(DiskCache(tmp_path), LINEAR + "sweep r in 1..4").reused == 3


def test_a_file_that_is_no_cache_is_a_note(tmp_path):
    (tmp_path / "outcomes.sqlite3").write_bytes(b"no database, but long enough to look at" * 50)
    report = swept(DiskCache(tmp_path))
    assert [row.outcome.count for row in report.rows] == [1, 3, 6]
    assert len(report.notes) == 1 and "cannot be read" in report.notes[0]


def test_a_damaged_entry_is_a_miss(tmp_path):
    first = swept(DiskCache(tmp_path))
    with closing(sqlite3.connect(tmp_path / "outcomes.sqlite3")) as connection, connection:
        connection.execute(
            "UPDATE outcomes SET line = replace(line, '\"upper\": 6', '\"upper\": 5')"
        )
    again = swept(DiskCache(tmp_path))
    assert again.reused == 2
    assert [r.outcome.laws for r in again.rows] == [r.outcome.laws for r in first.rows]


def test_an_entry_under_a_foreign_key_is_a_miss(tmp_path):
    with closing(DiskCache(tmp_path)) as cache:
        cache.put("one", OUTCOME)
    with closing(sqlite3.connect(tmp_path / "outcomes.sqlite3")) as connection, connection:
        connection.execute("UPDATE outcomes SET key = 'two'")
    with closing(DiskCache(tmp_path)) as cache:
        assert cache.get("two") is None and cache.get("one") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_cache_is_read_and_noted(tmp_path):
    swept(DiskCache(tmp_path))
    for path in (tmp_path / "outcomes.sqlite3", tmp_path):
        path.chmod(0o555)
    try:
        report = swept(DiskCache(tmp_path), LINEAR + "sweep r in 1..4")
    finally:
        tmp_path.chmod(0o755)
    assert report.reused == 3 and [r.outcome.count for r in report.rows] == [1, 3, 6, 9]
    assert any("cannot be written" in note for note in report.notes)


def test_a_cache_that_cannot_be_written_is_still_read(tmp_path):
    swept(DiskCache(tmp_path))
    cache = DiskCache(tmp_path)
    cache._connected().execute("PRAGMA query_only = ON")
    report = swept(cache, LINEAR + "sweep r in 1..4")
    assert report.reused == 3 and [r.outcome.count for r in report.rows] == [1, 3, 6, 9]
    assert len(report.notes) == 1 and "cannot be written" in report.notes[0]


def test_a_folder_that_cannot_be_made_is_a_note(tmp_path):
    (tmp_path / "file").write_text("")
    report = swept(DiskCache(tmp_path / "file" / "cache"))
    assert report.rows[0].outcome.count == 1 and report.notes


def test_a_worker_of_another_build_gives_no_count():
    outcome = perform(TASK)
    assert outcome.laws is None and outcome.failure is not None
    assert outcome.failure.code == "GEO0902"


def test_faults_of_a_run_are_not_remembered(tmp_path: Path):
    with closing(DiskCache(tmp_path)) as cache:
        sweep = Sweep(opened(LINEAR + "sweep r in 1..2"), SweepOptions(rank_only=True), cache)
        sweep.tasks = {key: replace(task, build="other") for key, task in sweep.tasks.items()}
        assert all(outcome.failure for _, outcome in sweep.run())
        assert [cache.get(key) for key in sweep.keys] == [None, None]
