"""Every code has its page, and each page's examples are programs."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from geoflow.codes import CODES
from geoflow.diagnostics import Source
from geoflow.report.explain import explanation, index, near, readable
from geoflow.syntax.parser import parse

# No text gives these: they are of the command line, the file system or JAX functions.
NOT_FROM_TEXT = {"GEO0103", "GEO0104", "GEO0108", "GEO0109", "GEO0111", "GEO0508"}
_BLOCK = re.compile(r"<!-- (?:broken: (GEO\d{4})|(fixed)) -->\n```geo\n(.*?)```", re.DOTALL)


def blocks(code: str) -> list[tuple[str, str]]:
    """The marked programs of a page, each with its code or "fixed"."""
    return [(m[1] or m[2], m[3]) for m in _BLOCK.finditer(explanation(code))]


def test_one_page_a_code():
    pages = {p.name for p in (files("geoflow.report") / "explanations").iterdir()}
    assert pages == {f"{code}.md" for code in CODES}


@pytest.mark.parametrize("code", CODES)
def test_page(code):
    page = explanation(code)
    heading, _, body = page.partition("\n\n")
    assert heading == f"# {code}: {CODES[code]}"
    assert len(body.split()) >= 25
    assert page.count("```") % 2 == 0


@pytest.mark.parametrize("code", [c for c in CODES if c < "GEO0700" and c not in NOT_FROM_TEXT])
def test_examples_come_in_pairs(code):
    assert [mark for mark, _ in blocks(code)] == [code, "fixed"]
    (_, broken), (_, fixed) = blocks(code)
    assert broken != fixed


@pytest.mark.parametrize("code", [c for c in CODES if blocks(c)])
def test_mended_examples_parse(code):
    for mark, text in blocks(code):
        _, findings = parse(Source("example.geo", text))
        if mark == "fixed":
            assert not findings
        else:
            assert {finding.code for finding in findings} <= {code}


def test_all_marks_are_understood():
    for code in CODES:
        assert explanation(code).count("<!--") == len(blocks(code))
        assert "<!--" not in readable(explanation(code))


@pytest.mark.parametrize("code", ["GEO9999", "shapes", "", "../secret"])
def test_no_such_code(code):
    with pytest.raises(KeyError):
        explanation(code)


def test_suggestions():
    assert near("GEO03O1")[0] == "GEO0301"
    assert near("unkown name")[0] == "GEO0201"
    assert near("zzzz") == []


def test_index_has_all():
    assert [line.split()[0] for line in index().splitlines()] == list(CODES)
