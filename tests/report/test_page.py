"""Reports as pages: what is in them, and that no text becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from geoflow.exhibits import Math
from geoflow.report.web.document import report_page
from geoflow.report.web.family import panels
from geoflow.report.web.markup import code_lines, formula, own_ids, shown

from .pages import (
    AGAIN,
    EVIL,
    MODEL,
    OVERRIDE,
    PAGES,
    RIGHT_TO_LEFT,
    real_page,
    real_report,
    sweep_report,
)
from .samples import LINEAR, MODELS, report_of

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """The elements, identifiers and text of a page; fails where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.attributes: set[str] = set()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [v or "" for n, v in attrs if n in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        assert not self._open
        return " ".join("".join(self.words).split())


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_asks_for_nothing(name):
    reader = read(PAGES[name]())
    assert reader.text
    assert len(set(reader.ids)) == len(reader.ids)
    assert not {"script", "iframe", "object", "img"} & set(reader.tags)
    assert not [a for a in reader.attributes if a.startswith("on")]
    assert all(link.startswith(("#", "data:,")) for link in reader.links)
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_hostile_texts_are_shown_as_they_are():
    text = read(PAGES["hostile"]()).text
    assert text.count(EVIL) > 10
    assert RIGHT_TO_LEFT in text
    assert OVERRIDE not in text and "\\u202egnp.exe\\u202c" in text


def test_hostile_texts_of_a_sweep():
    assert read(PAGES["sweep"]()).text.count(EVIL) > 4


def test_a_formula_cannot_be_a_tag():
    with pytest.raises(ValueError, match="script"):
        Math("script", "alert(1)")
    assert "<b>" not in formula(Math("mi", "<b>"), "<b>")


def test_sections_come_in_order():
    page = real_page()
    heads = ("angular", "Model", "Laws", "Evidence", "Certificate", "Source", "To make this page")
    text = read(page).text
    places = [text.index(head) for head in heads]
    assert places == sorted(places)
    assert "3 laws" in text or "1 law" in text
    assert AGAIN.command in text


def test_model_stands_in_mathematical_notation():
    page = real_page()
    assert page.count("<math") >= 7
    assert re.search(r"<mi>τ</mi>.*<mfrac><mn>1</mn><mn>2</mn></mfrac>", page)
    assert "<mi>U</mi>" in page and "<mover>" in page


def test_verdicts_stand_at_their_lines():
    page = real_page()
    rows = re.findall(r"<tr(?: class=\"(\w+)\")?><td class=\"no\">(\d+)</td>", page)
    lines = MODEL.splitlines()
    looks = {lines[int(number) - 1].split()[1]: look for look, number in rows if look}
    assert looks == {"angular": "sure", "wrong": "wrong"}
    assert len(rows) == len(lines)


def test_source_is_told_without_loss():
    words = (("k", "law"), ("", " a\n\tb"), ("c1", "# <é>\r\n"))
    plain = [re.sub("<[^>]*>", "", line) for line in code_lines(words)]
    assert plain == ["law a", "    b# &lt;é&gt;"]


def test_law_and_control_are_drawn():
    page = real_page()
    assert page.count("<svg") == 3
    assert "var(--law-1, #0072b2)" in page and "var(--control, #d55e00)" in page
    assert "a function that is no law" in page


def test_claims_that_fail_say_why():
    text = read(real_page()).text
    (wrong,) = [c for c in real_report().models[0].claims if c.name == "wrong"]
    assert wrong.verdict == "refuted"
    assert all(" ".join(line.split()) in text for line in wrong.witness)


def test_a_refuted_report_never_looks_well():
    assert 'class="summary bad"' in real_page()
    good = report_page(report_of(LINEAR), AGAIN)
    assert 'class="summary good"' in good


@pytest.mark.parametrize("name", MODELS)
def test_a_count_is_never_more_certain_than_it_is(name):
    page = report_page(report_of(MODELS[name]), AGAIN)
    status = MODELS[name].laws.status
    assert (f'<span class="badge sure">{status}' in page) == (status == "proved")
    assert ("exactly" in page) == (status == "proved" and name != "more_than_formulas")


def test_without_notation_there_is_text():
    page = report_page(report_of(LINEAR), AGAIN)
    assert "<math" not in page and "U.T @ U - V.T @ V" in page
    assert "does not hold the source" in page


def test_same_report_same_page():
    assert report_page(real_report(), AGAIN) == report_page(replace(real_report()), AGAIN)


def test_identifiers_of_two_drawings_differ():
    svg = '<g id="a"/><use xlink:href="#a"/><path clip-path="url(#a)"/>'
    assert own_ids(svg, "x") == (
        '<g id="x-a"/><use xlink:href="#x-a"/><path clip-path="url(#x-a)"/>'
    )


def test_hidden_characters_are_escaped():
    assert shown("a\u202eb\x1b<") == "a\\u202eb\\x1b&lt;"


def test_heat_map():
    first, second = panels(sweep_report())
    assert (first.at, first.across) == ("L = 1", (1, 2, 3))
    assert [len(cells) for _, cells in first.lines] == [3, 3, 3]
    (_, (bounded, failed, wrong)), (_, (_, _, absent)), _ = first.lines
    assert bounded and bounded.words == "1–4"
    assert failed and failed.words == "!" and not failed.good
    assert wrong and wrong.words.endswith("✗") and not wrong.good
    assert absent is None
    shares = [c.share for panel in (first, second) for _, cells in panel.lines for c in cells if c]
    assert max(shares) == 1.0
