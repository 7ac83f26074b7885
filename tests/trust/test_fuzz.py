"""What fuzzing found once is not found again, and a short run finds nothing. `python -m tests.trust.fuzz` is long."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from geoflow.diagnostics import Source
from geoflow.syntax.grammar import parser
from geoflow.syntax.parser import parse
from tests.trust.fuzz import run, targets
from tests.trust.fuzz.grammar import SAMPLES, sentence
from tests.trust.fuzz.run import SHARES, Share, make, work
from tests.trust.fuzz.targets import TARGETS

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_was_found_is_mended(path: Path):
    target = path.name.partition("-")[0]
    with run.deadline(run.DEADLINE):
        TARGETS[target](path.read_bytes())


def test_a_short_run_finds_nothing():
    share = work(1, range(100))
    assert [finding.told() for finding in share.findings] == []
    assert sum(tally.inputs for tally in share.tallies.values()) == 100
    assert share.tallies["parser"].valid and share.tallies["formatter"].valid


def test_every_reader_has_its_share():
    assert set(SHARES) == set(TARGETS)
    assert {make(0, number)[0] for number in range(900)} == set(TARGETS)
    assert make(0, 17) == make(0, 17) != make(1, 17)


def test_a_failure_and_a_hang_are_findings(monkeypatch: pytest.MonkeyPatch):
    def fails(data: bytes) -> bool:
        raise KeyError(len(data))

    def hangs(data: bytes) -> bool:
        while True:
            pass

    monkeypatch.setattr(run, "DEADLINE", 0.05)
    monkeypatch.setattr(targets, "TARGETS", {})
    monkeypatch.setattr(run, "TARGETS", {"parser": fails, "server": hangs})
    share = Share()
    run._one(share, 3, "parser", b"abc")
    run._one(share, 4, "server", b"")
    first, second = share.findings
    assert (first.number, first.what) == (3, "KeyError: 3") and "in fails" in first.told()
    assert (second.target, second.what) == ("server", "no answer in 0.05 s")


def test_a_layout_that_changes_the_tree_is_a_failure(monkeypatch: pytest.MonkeyPatch):
    import geoflow.formatting

    assert TARGETS["formatter"](b"param x\nmap f = x\n")
    monkeypatch.setattr(geoflow.formatting, "format_text", lambda source: "param y\nmap f = y\n")
    with pytest.raises(AssertionError, match="another tree"):
        TARGETS["formatter"](b"param x\nmap f = x\n")


def test_sentences_are_of_the_grammar():
    rng = random.Random(0)
    sentences = [sentence(rng) for _ in range(300)]
    good = [text for text in sentences if not parse(Source("sentence", text))[1]]
    assert len(good) > 250
    assert len({text.split()[0] for text in good}) > 15
    words = {terminal.name for terminal in parser().terminals}
    assert set(SAMPLES) <= words


def test_what_is_drawn_is_not_all_wrong():
    rng = random.Random(0)
    drawn = [run._in_order(rng) for _ in range(5)]
    assert all(TARGETS["checker"](data) for data in drawn)
