"""Which members a family has, and that each member's text is its model."""

from __future__ import annotations

import pytest

from geoflow.diagnostics import DiagnosticError
from geoflow.semantics import load_text

from .families import LINEAR, model, opened


def sizes(family) -> set[tuple[int, ...]]:
    return {tuple(v for _, v in member.sizes) for member in family.members()}


def test_members_are_those_that_the_condition_admits():
    family = opened(LINEAR + "sweep n in 1..4, r in 1..6 when r <= n + m and not n == 3")
    assert family.names == ("n", "r")
    assert sizes(family) == {(n, r) for n in (1, 2, 4) for r in range(1, n + 2)}


def test_a_condition_sees_sizes_that_follow_from_those_swept():
    text = LINEAR.replace("r = 2", "r = 2, s = n*n") + "sweep n in 1..3, r in 1..9 when r == s"
    assert sizes(opened(text)) == {(1, 1), (2, 4), (3, 9)}


def test_small_members_come_first():
    members = opened(LINEAR + "sweep n in 1..3, r in 1..3").members()
    totals = [sum(v for _, v in member.sizes) for member in members]
    assert totals == sorted(totals) and len(totals) == 9


def test_over_replaces_a_range_and_adds_one():
    text = LINEAR + "sweep n in 1..4"
    assert sizes(opened(text, {"n": "2..3"})) == {(2,), (3,)}
    assert opened(text, {"r": "1..2"}).names == ("n", "r")
    assert opened(LINEAR, {"r": "1..2"}).names == ("r",)


def test_a_size_given_is_not_swept():
    family = opened(LINEAR + "sweep n in 1..4, r in 1..2", n="7")
    assert family.names == ("r",)
    assert "n = 7" in family.text_at((("r", 1),))


@pytest.mark.parametrize(
    ("over", "given", "code"),
    [
        ({"r": "3..1"}, {}, "GEO0109"),
        ({"r": "1,2"}, {}, "GEO0109"),
        ({"r": "1..2"}, {"r": "3"}, "GEO0109"),
        ({"q": "1..2"}, {}, "GEO0201"),
        ({"U": "1..2"}, {}, "GEO0206"),
        ({"r": "1..30000"}, {}, "GEO0304"),
        ({}, {}, "GEO0105"),
    ],
)
def test_what_cannot_be_swept_is_refused(over, given, code):
    with pytest.raises(DiagnosticError) as refused:
        opened(LINEAR, over, **given)
    assert refused.value.diagnostics[0].code == code


def test_a_condition_without_a_value_fails_there_alone():
    family = opened(LINEAR + "sweep n in 1..3 when 1/(n - 1) > 0")
    assert [(m.sizes, m.failure and m.failure.code) for m in family.members()] == [
        ((("n", 1),), "GEO0503"),
        ((("n", 2),), None),
        ((("n", 3),), None),
    ]


def test_the_text_of_a_member_is_the_model_at_its_sizes():
    text = LINEAR + "const c = 1/3\nlaw b = c*(U.T @ U - V.T @ V)\nsweep n in 1..4, c in 1..2"
    written = opened(text).text_at((("n", 3), ("c", 2)))
    (there,), _ = load_text(text, "<test>", {"n": "3", "c": "2"})
    (here,), _ = load_text(written, "<test>")
    assert "sweep" not in written
    assert repr(here.maps) == repr(there.maps)
    assert repr(here.laws[0].expression) == repr(there.laws[0].expression)
    assert [c.value for c in here.constants] == [c.value for c in there.constants]


def test_files_that_are_used_are_written_out(tmp_path):
    (tmp_path / "twice.geo").write_text("def twice(x) = 2*x\n")
    (tmp_path / "again.geo").write_text('use "twice.geo"\nlet q = 3\n')
    text = 'use "twice.geo"\nuse "again.geo"\ndim n = 2\nparam u[n]\nmap phi = twice(u)*q\n'
    (found,), _ = load_text(text, "<test>", {"n": "4"}, folder=tmp_path)
    (alone,), diagnostics = load_text(found.text, "<test>")
    assert not diagnostics
    assert repr(alone.maps) == repr(found.maps) and alone.parameters[0].shape == (4,)


def test_layout_and_comments_do_not_change_the_text():
    plain = model(LINEAR).text
    assert model(LINEAR.replace("map phi = U @ V.T", "map  phi=(U@V.T) # the map")).text == plain
    assert model(LINEAR.replace("U @ V.T", "2*U @ V.T")).text != plain
