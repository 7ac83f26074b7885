"""Certificates made to mislead a reader or to tie it up: both checkers refuse them, soon and in words."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.tampering import MODELS, certificate, checker
from geoflow.certificates.document import digest, file_text, sealed
from geoflow.certificates.recheck import recheck
from tests.trust.hostile import COMMANDS, geoflow, limits

TOOL = Path(__file__).parents[2] / "tools" / "check_certificate.py"
CHECK = checker()


@pytest.fixture(scope="module")
def product() -> dict[str, Any]:
    return certificate(MODELS["product"])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_tool(path: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", TOOL, path], capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def refused_by_both(document: dict[str, Any], words: str | None = None) -> None:
    with limits(), pytest.raises(Exception, match=words):
        CHECK.check(document)
    with limits():
        found = recheck(document)
    assert found.outcome == "refused", found


# ---------------------------------------------------------------- JSON


def test_a_key_that_stands_twice(folder: Path, product: dict[str, Any]):
    """A reader of the first value and a reader of the last would see two claims."""
    text = file_text([product])
    assert text.count('"lower": 1,') == 1
    for twice in (
        text.replace('"lower": 1,', '"lower": 2, "lower": 1,'),
        text.replace('"lower": 1,', '"lower": 1, "lower": 1,'),
        text.replace('"certificates"', '"certificates": [], "certificates"', 1),
        text.replace('"prime"', '"pr\\u0069me": 7, "prime"', 1),
    ):
        (folder / "proof.json").write_text(twice)
        answer = geoflow("recheck", "proof.json")
        assert answer.code == 2 and "stands twice" in answer.text
        code, said = run_tool(folder / "proof.json")
        assert code == 1 and "stands twice" in said and "confirmed" not in said
    (folder / "proof.json").write_text(text)
    assert geoflow("recheck", "proof.json").code == 0
    assert run_tool(folder / "proof.json")[0] == 0


@pytest.mark.parametrize(
    "text",
    ["[" * 10**5, '{"certificates": ' + "[" * 10**5, '{"certificates": [' + '{"a":' * 400 + "1" + "}" * 400 + "]}",
     '{"certificates": [' + "9" * 10**5 + "]}", '{"certificates": [1e999999999]}', '{"certificates": [NaN, Infinity]}',
     '{"certificates": [{"digest": "\\ud800"}]}', '{"certificates": ["\x1b[2J"]}', "\ufeff{}", '{"certificates": {}}',
     '{"certificates": []}',
     "{'certificates': []}", '{"certificates": [null, [], {}, "", 0]}'],
    ids=range(13),
)  # fmt: skip
def test_json_of_other_kinds(folder: Path, text: str):
    (folder / "proof.json").write_text(text)
    answer = geoflow("recheck", "proof.json")
    assert answer.code in (1, 2) and "confirmed" not in answer.text
    code, said = run_tool(folder / "proof.json")
    assert code == 1 and said.startswith("refused") and "Traceback" not in said
    assert not any(character in said + answer.text for character in COMMANDS)


def test_a_file_that_is_too_large(folder: Path):
    with (folder / "proof.json").open("wb") as file:
        file.truncate(CHECK.LARGEST + 1)
    code, said = run_tool(folder / "proof.json")
    assert code == 1 and "bytes" in said
    code, said = run_tool(Path("/dev/zero"))
    assert code == 1 and "bytes" in said


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    "coefficient",
    ["1e999999999", "1e-999999999", "9" * 5000, "1/" + "9" * 5000, "1/0", "0x10", "1_000", "٣", " 1", "", "nan", "--1",
     1, 1.5, None, ["1"]],
    ids=range(16),
)  # fmt: skip
def test_coefficients(product: dict[str, Any], coefficient: Any):
    document = copy.deepcopy(product)
    document["lower"]["laws"][0]["value"][0][0][0] = coefficient
    refused_by_both(sealed(document))


@pytest.mark.parametrize("power", [10**9, 10**30, 1000, 0, -1, 2.0, "2", True, None, [2]])
@pytest.mark.parametrize("place", [0, 1])
def test_powers_and_variables(product: dict[str, Any], power: Any, place: int):
    document = copy.deepcopy(product)
    document["lower"]["laws"][0]["value"][0][0][1][place] = power
    if place == 0 and power in (0, True):
        return  # another law, or the same
    refused_by_both(sealed(document))


@pytest.mark.parametrize("key", ["constants", "point"])
@pytest.mark.parametrize("value", [10**4000, -1, 1.0, "1", None])
def test_points(product: dict[str, Any], key: str, value: Any):
    document = copy.deepcopy(product)
    document["place"][key] = [value] * max(1, len(document["place"][key]))
    refused_by_both(sealed(document))


@pytest.mark.parametrize("value", [10**4000, 2**61 - 1, -7, 4, "7", 7.0, None])
def test_primes(product: dict[str, Any], value: Any):
    document = copy.deepcopy(product)
    document["place"]["prime"] = value
    refused_by_both(sealed(document))


# ---------------------------------------------------------------- work


def test_words_that_double_with_each_letter(
    product: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(CHECK, "STEPS", 10**6)
    document = copy.deepcopy(product)
    letter = document["upper"]["words"][0][0]
    document["upper"]["words"] = [[letter] * 16]
    refused_by_both(sealed(document))
    document["upper"]["words"] = [[letter] * 17]
    refused_by_both(sealed(document), "length of a word")
    document["upper"]["words"] = [[letter]] * 5000
    refused_by_both(sealed(document))


def test_a_law_of_many_terms(product: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    """(a + b)·…: its derivative is expanded only as far as the steps reach."""
    monkeypatch.setattr(CHECK, "STEPS", 10**6)
    monkeypatch.setattr("geoflow.certificates.recheck._MOST_PRODUCTS", 10**4)
    terms = [[str(k + 1), [0, k % 900 + 1], [1, k // 900 + 1]] for k in range(20_000)]
    document = copy.deepcopy(product)
    document["lower"]["laws"][0]["value"] = [terms]
    refused_by_both(sealed(document))


def test_denominators_that_do_not_fit(product: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    """The common denominator of many coefficients would be longer than all of them."""
    monkeypatch.setattr(CHECK, "STEPS", 10**6)
    terms = [[f"1/{10**900 + k}", [0, k % 900 + 1], [1, k // 900 + 1]] for k in range(2000)]
    document = copy.deepcopy(product)
    document["lower"]["laws"][0]["value"] = [terms]
    with limits(), pytest.raises(ValueError, match="steps"):
        CHECK.check(sealed(document))


def test_more_variables_than_anyone_has(product: dict[str, Any]):
    document = copy.deepcopy(product)
    document["model"]["controls"] += [[f"b{k}", "free"] for k in range(6000)]
    document["claim"]["model"] = digest(document["model"])
    refused_by_both(sealed(document))


def test_steps_are_counted_anew_for_each_certificate(product: dict[str, Any]):
    CHECK.check(product)
    used = CHECK.STEPS - CHECK.left[0]
    CHECK.check(product)
    assert 0 < used == CHECK.STEPS - CHECK.left[0] < 10_000


# ---------------------------------------------------------------- words that are printed


def test_what_is_printed_cannot_pass_for_a_verdict(folder: Path, product: dict[str, Any]):
    """Neither lines of its own, nor commands of a terminal, nor more keys than a claim has."""
    forged = "x\n  confirmed\x1b[2J\u202e"
    document = copy.deepcopy(product)
    document["claim"]["note"] = forged
    refused_by_both(sealed(document))
    for change in (("not_checked", [forged]), ("about", {**document["about"], "model": forged})):
        document = copy.deepcopy(product)
        document[change[0]] = change[1]
        (folder / "proof.json").write_text(file_text([sealed(document)]))
        code, said = run_tool(folder / "proof.json")
        answer = geoflow("recheck", "proof.json")
        for text in (said, answer.text):
            assert not any(character in text for character in COMMANDS)
        assert "\n  confirmed" not in answer.text
        assert code == (0 if change[0] == "about" else 2) and answer.code != 0
    for key in ("of", "status", "model"):
        document = copy.deepcopy(product)
        document["claim"][key] = forged
        (folder / "proof.json").write_text(file_text([sealed(document)]))
        _, said = run_tool(folder / "proof.json")
        assert not any(character in said for character in COMMANDS)


def test_a_text_that_takes_too_much_is_refused(product: dict[str, Any]):
    """The text of a certificate is anybody's."""
    for text in (
        "(" * 5000,
        "param x[10**9]\nmap f = x",
        'use "../../etc/passwd"\nparam x\nmap f = x',
        "\0",
        "",
        None,
        3,
    ):
        document = copy.deepcopy(product)
        document["about"]["text"] = text
        with limits():
            assert recheck(sealed(document)).outcome == (
                "not checked" if text is None else "refused"
            )


def test_numbers_of_a_claim(product: dict[str, Any]):
    for key in ("lower", "upper", "dimension", "rank"):
        for value in (10**4000, -1, 0.5, "1", None, [1], True):
            document = copy.deepcopy(product)
            if document["claim"][key] != value or value is True:
                document["claim"][key] = value
                refused_by_both(sealed(document))
    assert json.loads(file_text([product]))["certificates"][0] == product
