"""Numbers out of all measure, nesting, and characters that make a text read otherwise than it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoflow.diagnostics import Source
from geoflow.semantics import load_text
from geoflow.semantics.reading import survey
from geoflow.syntax.lookalikes import lookalikes, skeleton
from tests.trust.hostile import geoflow, refused

GOOD = "param x, y\nmap f = x*y\n"
NINES = "9" * 4000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    "text",
    ["dim n = {huge}\nparam x[n]\nmap f = x", "param x[{huge}]\nmap f = x", "param x[1000000, 1000000]\nmap f = x",
     "const a = {huge}\nparam x\nmap f = a*x", "const a = 1/{huge}\nparam x\nmap f = a*x",
     "param x, y\nmap f = x**{huge}*y", "param x, y\nmap f = x**(-{huge})*y", "param x, y\nmap f = (x + y)**2000",
     "param W[l in 1..{huge}][2]\nmap f = W[1]", "param x\nmap f = chain(h = x; i in 1..{huge}: h + x)",
     "param x\nmap f = sum([x for i in 1..{huge}])", "param x[3]\nmap f = x[{huge}]", "param x[3]\nmap f = x[-{huge}]",
     GOOD + "law h = x**{huge} - y", GOOD + "expect laws = {huge}", GOOD + "expect depth = {huge}",
     GOOD + "flow order {huge}", GOOD + "decay 1/{huge}", GOOD + "search polynomial({huge})",
     GOOD + "verify {{ trials {huge} }}", GOOD + "verify {{ time {huge} }}", GOOD + "verify {{ tolerance 1e-{huge} }}",
     "dim n = 2\nparam x[n]\nmap f = sum(x)\nsweep n in 1..{huge}\nexpect laws = n"],
)  # fmt: skip
@pytest.mark.parametrize("huge", ["9**9**9**9", "10**100000", NINES, "1e999999999"])
def test_huge_numbers_in_a_text(text: str, huge: str):
    models, found = load_text(text.format(huge=huge))
    assert models == () and found
    assert all(d.code[:5] in ("GEO01", "GEO02", "GEO03", "GEO04", "GEO05") for d in found)


@pytest.mark.parametrize(
    "value", ["9**9**9**9", NINES, "9" * 6000, "1e999999999", "(" * 5000, "[" * 99, "1/0", "0", "-1", "2**70", "∞",
              "\x1b[2J", "\u202e5", "[" + "1," * 60000 + "1]", "1e-999999999", "0x10", "٣"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["check", "laws", "sweep"])
def test_sizes_on_the_command_line(folder: Path, command: str, value: str):
    (folder / "x.geo").write_text("dim n = 2\nparam x[n]\nmap f = sum(x)\n")
    if command == "sweep" and value == "٣":
        value = "۳x"
    option = "--over" if command == "sweep" else "-D"
    refused(command, "x.geo", option, f"n={'1..' if command == 'sweep' else ''}{value}")


@pytest.mark.parametrize(
    "option",
    [("--seed", "-1"), ("--seed", NINES + NINES), ("--seed", "1.5"), ("--seed", "x\x1b[2J"), ("--timeout", "x"),
     ("--timeout", "1e400"), ("--timeout", "nan"), ("--timeout", "-1"), ("--format", "\x1b[2J"),
     ("--color", "red"), ("--gates", "x"), ("-D", "\u202e"), ("--\x1b[2J",), ("--plot", "x.\x1b[2J")],
    ids=range(14),
)  # fmt: skip
def test_wrong_options_are_told_of_in_words(folder: Path, option: tuple[str, ...]):
    (folder / "x.geo").write_text(GOOD)
    said = refused("check", "x.geo", "--no-verify", *option)
    assert "Input should" not in said and "Value error" not in said and "parse" not in said


@pytest.mark.parametrize(
    ("option", "words"),
    [(("--seed", "x"), "a whole number is needed"), (("--seed", "-1"), "at least 0 is needed"),
     (("--timeout", "x"), "a number is needed"), (("--format", "x"), "'x' is not one of 'full', 'concise'"),
     (("--seed", NINES + NINES), "the number is too long")],
    ids=range(5),
)  # fmt: skip
def test_the_words(folder: Path, option: tuple[str, str], words: str):
    (folder / "x.geo").write_text(GOOD)
    assert words in refused("check", "x.geo", *option)


def test_a_huge_seed_is_a_seed(folder: Path):
    (folder / "x.geo").write_text(GOOD)
    assert geoflow("check", "x.geo", "--no-verify", "-q", "--seed", str(2**200)).code == 0


# ---------------------------------------------------------------- nesting


@pytest.mark.parametrize("depth", [101, 3000, 40000])
@pytest.mark.parametrize(
    ("before", "after"),
    [("(", ")"), ("[", "]"), ("-", ""), ("{", "}"), ("exp(", ")"), ("x[", "]"), ("not (", ")"), ("x**", ""),
     ("[x for i in 1..", "]"), ("chain(h = x; i in 1..1: ", ")"), ("sum(i -> ", ")")],
)  # fmt: skip
def test_deep_nesting(before: str, after: str, depth: int):
    depth = min(depth, 90_000 // len(before + after))
    inner = before * depth + "x" + after * depth
    for line in (f"map f = {inner}", f"map f = x\nexpect laws = 1 when {inner}", f"verify {inner}"):
        models, found = load_text(f"param x\n{line}\n")
        assert models == () and found


def test_long_lines_and_many_statements():
    for text in ("x" * 99_000, "x" * 99_000 + " = 1", "'" * 40_000, ".T" * 40_000, "\n" * 99_000, "law " * 20_000,
                 "param x\nmap f = x" + ".T" * 40_000, "param x\nmap f = x" + " + x" * 20_000,
                 'use "a"\n' * 9_000, "model a\n" * 12_000, "#\n" * 49_000, "param " + "x, " * 30_000):  # fmt: skip
        models, found = load_text(text)
        assert models == () and found


# ---------------------------------------------------------------- characters


def _warned(text: str) -> list[str]:
    _, found = load_text(text)
    return [d.message for d in found if d.code == "GEO0112"]


@pytest.mark.parametrize(
    "character",
    ["\u202e", "\u202d", "\u2066", "\u2069", "\u200f", "\u200b", "\u200d", "\ufeff", "\u2060", "\u00ad", "\x1b", "\x07",
     "\x08", "\x9b", "\u2028", "\x85", "\U000e0041"],
)  # fmt: skip
def test_hidden_characters_are_warned_of_and_shown_escaped(folder: Path, character: str):
    text = f"# a{character}b\n{GOOD}"
    (message,) = _warned(text)
    assert f"U+{ord(character):04X}" in message and character not in message
    (folder / "x.geo").write_text(text)
    answer = geoflow("check", "x.geo", "--no-verify", "--format", "full")
    assert answer.code == 0 and "GEO0112" in answer.text
    assert character not in answer.text


def test_a_name_that_hides_something_is_refused(folder: Path):
    for name in ("a\u202eb", "a\u200bb", "\u2066a", "a\x1b[31mb", "a\u00adb"):
        (folder / "x.geo").write_text(f"param {name}\nmap f = {name}\n")
        refused("check", "x.geo")


@pytest.mark.parametrize(
    ("text", "names"),
    [("param a, а\nmap f = a*а", ("а", "a")), ("param U, 𝐔\nmap f = U*𝐔", ("𝐔", "U")),
     ("param x\nmap f = eхp(x)", ("eхp", "exp")), ("pаram x\nmap f = x", ("pаram", "param")),
     ("param ΑΒ, AB\nmap f = AB*ΑΒ", ("AB", "ΑΒ")), ("param fi, ﬁ\nmap f = fi*ﬁ", ("ﬁ", "fi"))],
)  # fmt: skip
def test_names_that_look_alike(text: str, names: tuple[str, str]):
    (message,) = _warned(text)
    assert message == f"The name `{names[0]}` looks like `{names[1]}`, and is another."
    (found,) = [d for d in load_text(text)[1] if d.code == "GEO0112"]
    assert "U+" in found.notes[0] and found.severity == "warning"


@pytest.mark.parametrize(
    "text",
    [GOOD, "param θ, θ_hat, λ1\nmap φ = θ*θ_hat*λ1", "# Η λέξη, слово, 言葉, é\n" + GOOD, 
     "param вес, шаг\nmap f = вес*шаг",
     "\ufeff" + GOOD, "# 𝒳 → ℝ, U⊤V ≤ ∞ “quoted”\n" + GOOD],
)  # fmt: skip
def test_honest_texts_are_not_warned_of(text: str):
    models, found = load_text(text)
    assert models and found == ()


def test_the_examples_have_no_such_characters():
    root = Path(__file__).parents[2]
    for path in [*root.glob("examples/**/*.geo"), *root.glob("geoflow/std/*.geo")]:
        text = path.read_text(encoding="utf-8")
        assert list(lookalikes(Source(path.name, text))) == []


def test_warnings_reach_the_editor_and_used_files(folder: Path):
    assert [d.code for d in survey("# \u202e\n" + GOOD).diagnostics] == ["GEO0112"]
    (folder / "a.geo").write_text("# \u202e\ndim n = 2\n")
    models, found = load_text('use "a.geo"\n' + GOOD, folder=folder)
    assert models and [d.code for d in found] == ["GEO0112"]
    assert found[0].span is not None and found[0].span.source.name.endswith("a.geo")


def test_only_the_first_hidden_character_is_told_and_the_others_counted():
    _, (found,) = load_text("# \u202e\n# \u202e\u200b\n" + GOOD)
    assert found.notes == ("there are 2 more such characters",)
    assert skeleton("abc") == "abc"
