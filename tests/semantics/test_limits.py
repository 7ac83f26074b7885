"""However a file is made, only so much is read, computed and said."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from geoflow.diagnostics import Diagnostic, Source
from geoflow.semantics import load_text
from geoflow.semantics.budget import MOST_STEPS, Budget
from geoflow.semantics.elaborate import elaborate
from geoflow.semantics.order import circle, components
from geoflow.semantics.reading import Opened
from geoflow.syntax import tree
from geoflow.syntax.parser import MOST_SHOWN, parse
from geoflow.syntax.source import LONGEST_FILE

from .samples import codes

START = "param U\nmap f = U\n"


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    models, found = load_text(text)
    assert models == ()
    return found


@pytest.mark.parametrize(
    ("line", "code"),
    [("law a = (\n", "0102"), ("x\n", "0101"), ("law\n", "0101"), ("law a{i} = zz\n", "0201"),
     ("law a{i} = U @ U\n", "0305"), ("let t = 1\nlaw b{i} = zz{i}\n", "0201")],
)  # fmt: skip
def test_no_more_mistakes_are_shown_than_anyone_reads(line: str, code: str):
    text = START + "".join(line.replace("{i}", str(i)) for i in range(120))
    found = diagnostics(text)
    assert len(found) == MOST_SHOWN
    assert [d.position for d in found] == sorted(d.position for d in found)
    assert all(d.code == f"GEO{code}" for d in found[1:])
    more = 120 - MOST_SHOWN + (found[0].code != f"GEO{code}")
    assert found[-1].notes[-1] == f"and {more} more mistakes below"
    assert not any("more mistake" in note for d in found[:-1] for note in d.notes)


def test_as_many_as_are_shown_are_all_shown():
    text = START + "".join(f"law a{i} = zz\n" for i in range(MOST_SHOWN))
    found = diagnostics(text)
    assert len(found) == MOST_SHOWN
    assert found[-1].notes == ()
    assert diagnostics(text + "law b = zz")[-1].notes == ("and 1 more mistake below",)


def test_the_mistakes_shown_are_said_in_full():
    text = "".join("law a = [1\n" if i % 2 else "parma x\n" for i in range(200))
    found = diagnostics(text)
    assert {d.hints for d in found if d.code == "GEO0101"} == {("did you mean `param`?",)}


def test_a_long_file_is_not_read():
    assert codes("#" * (LONGEST_FILE + 1)) == ["GEO0108"]
    assert codes(START + "law a = " + "b" * 60_000) == ["GEO0108"]


def test_files_that_are_used_count_together(tmp_path: Path):
    for name in "abc":
        (tmp_path / f"{name}.geo").write_text("#" * (LONGEST_FILE // 2 - 10) + "\n")
    text = START + 'use "a.geo"\nuse "b.geo"\n'
    assert load_text(text, folder=tmp_path)[1] == ()
    assert [d.code for d in load_text(text + 'use "c.geo"', folder=tmp_path)[1]] == ["GEO0110"]


# ---------------------------------------------------------------- work


def steps(text: str) -> int:
    """The steps that the one model of a text takes."""
    file, _ = parse(Source("text", text))
    budget = Budget()
    elaborate(Opened("model", file.span, file.statements), {}, budget)
    return MOST_STEPS - budget.steps


def test_work_is_counted():
    assert steps(START) < 20
    chain = "param U\nmap f = chain(h = U; i in 1..{n}: h + U)\n"
    once, twice = (steps(chain.replace("{n}", n)) for n in ("1000", "2000"))
    assert 1.8 * once < twice < 2.2 * once
    short = (
        START
        + "let c = [{x} for i in 1..100]\n"
        + "".join(f"let s{i} = sum(c)\n" for i in range(20))
    )
    assert steps(short.replace("{x}", "7**1000")) > 5 * steps(short.replace("{x}", "i"))


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"model m{i}\nparam U\nmap f = chain(h = U; i in 1..9999: h + U)\n"
                for i in range(100)),
        "dim " + ", ".join(f"n{i} = 1" for i in range(3000)) + "\n"
        + "".join(f"model m{i}\nparam U\nmap f = U\n" for i in range(1000)),
        START + "let c = [1 for i in 1..4000]\n" + "".join(
            f"law a{i} = sum(c)*U\n" for i in range(2000)),
        START + "let c = [1 for i in 1..4000]\n" + "".join(
            f"let a{i} = -c\n" for i in range(2000)),
        "".join(f"param W{i}[l in 1..99999][2]\n" for i in range(100)) + "map f = W0[1]",
        "param W[l in 1..9999][2]\nmap f = W[1]\n" + "metric scaled(1) on W\n" * 1000,
    ],
    ids=range(6),
)  # fmt: skip
def test_a_file_has_one_budget_and_says_so_once(text: str):
    found = diagnostics(text)
    assert [d.code for d in found if "too long" in d.message] == ["GEO0304"]


@pytest.mark.slow
def test_models_that_share_too_much():
    text = "".join(f"dim n{i} = 1\n" for i in range(1500)) + "".join(
        f"model m{i}\nparam U\nmap f = U\n" for i in range(100)
    )
    assert "GEO0304" in [d.code for d in diagnostics(text)]


# ---------------------------------------------------------------- the order of definitions


def test_many_circles_are_each_told():
    text = START + "".join(f"let a{i} = b{i}\nlet b{i} = a{i}\n" for i in range(40))
    found = diagnostics(text)
    assert [d.code for d in found] == ["GEO0203"] * 40
    assert found[3].message == "`a3` is defined by itself: `a3` → `b3` → `a3`."


def test_components_and_circles():
    seeded = random.Random(1)
    for _ in range(500):
        names = [f"n{i}" for i in range(seeded.randint(1, 8))]
        needs = {a: [b for b in names if seeded.random() < 0.25] for a in names}
        below = {a: reached(needs, a) for a in names}
        done: set[str] = set()
        for group in components(needs):
            done.update(group)
            assert all(below[a] <= done for a in group)
            assert all(b in below[a] for a in group for b in group if a != b)
            if group[0] in below[group[0]]:
                path = circle(needs, group[0], set(group))
                assert path[0] == path[-1] == group[0]
                assert all(b in needs[a] for a, b in itertools.pairwise(path))
        assert done == set(names)


def reached(needs: dict[str, list[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in needs[waiting.pop()]:
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def test_a_long_line_of_definitions_needs_no_recursion():
    names = [f"n{i}" for i in range(20_000)]
    needs = {a: [b] for a, b in itertools.pairwise(names)} | {names[-1]: []}
    assert [group[0] for group in components(needs)] == names[::-1]
    assert isinstance(parse(Source("text", "let a = 1"))[0].statements[0], tree.Let)
