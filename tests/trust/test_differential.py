"""A short run of the comparison with the oracle, and the comparison itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.oracle.second_opinion import Opinion

from .differential import Table, compare, report_of
from .drawing import draw
from .judging import judge

FIRST = 50_000  # seeds apart from those of the long run
GROUPS, SIZE, QUICK = 10, 4, 5


@pytest.mark.parametrize(
    "group",
    [pytest.param(g, marks=[pytest.mark.slow] * (g >= QUICK)) for g in range(GROUPS)],
)
def test_nothing_is_wrong(group: int) -> None:
    table = Table()
    for seed in range(FIRST + group * SIZE, FIRST + (group + 1) * SIZE):
        table.add(compare(seed))
    assert table.models == SIZE
    assert not table.wrong, table.wrong[0].text
    assert table.number("agrees") >= SIZE


def test_the_draws_are_varied() -> None:
    drawn = [draw(seed) for seed in range(1000)]
    flows = " ".join({d.flow for d in drawn})
    for word in ("euclidean", "mirror", "scaled", "riemannian", "fisher", "adam", "rmsprop", "sign",
                 "order 2 accelerated", "coupled decay", "decoupled decay", "written out"):  # fmt: skip
        assert word in flows
    assert len({d.shape for d in drawn}) == 12
    assert len({d.text for d in drawn}) > 950


def test_wrong_words_are_noticed() -> None:
    text = "param U[2, 2], V[2, 2]\nmap phi = U @ V.T\n"
    text += "law balance = U.T @ U - V.T @ V\nexpect laws = 3\nexpect complete\n"
    report, opinion = report_of(text, 0), Opinion(text)
    assert {j.agreement for j in judge(text, report, opinion)} == {"agrees"}
    refuted = tuple(replace(c, verdict="refuted") for c in report.claims)
    lies = [
        replace(report, claims=refuted),
        replace(report, laws=replace(report.laws, lower=2, upper=2)),
        replace(report, laws=replace(report.laws, lower=4, upper=4)),
        replace(report, facts={**report.facts, "commuting": True}),
        replace(report, found=tuple(replace(f, text="U.T @ U + V.T @ V") for f in report.found)),
        replace(report, found=()),
        replace(report, dimension=9),
    ]
    for lie in lies:
        assert "wrong" in {j.agreement for j in judge(text, lie, opinion)}
