"""Certificates: what is written is confirmed by both checkers, and what is wrong by neither."""

from __future__ import annotations

import copy
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import flint
import jsonschema
import pytest
from typer.testing import CliRunner

from benchmarks.tampering import MODELS, Oracle, accepted, certificate, changed, checker
from geoflow.certificates.document import digest, error_bound, file_text, sealed
from geoflow.certificates.recheck import recheck
from geoflow.cli import app

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "check_certificate.py"
SCHEMA = json.loads((ROOT / "geoflow" / "certificates" / "certificate.schema.json").read_text())
CHECK = checker()
FILES = ("linear", "momentum", "decay", "mirror", "symbolic", "subchain", "steering", "relu")


@pytest.fixture(scope="module")
def certificates() -> dict[str, dict[str, Any]]:
    return {name: certificate(text) for name, text in MODELS.items()}


@pytest.mark.parametrize("name", MODELS)
def test_both_checkers_confirm(certificates, name):
    document = certificates[name]
    claim, missing = CHECK.check(document)
    assert claim["status"] == "proved" and missing == []
    assert recheck(document).outcome == "confirmed"
    jsonschema.Draft202012Validator(SCHEMA).validate({"certificates": [document]})


@pytest.mark.parametrize("name", FILES)
def test_examples(tmp_path, name):
    file = tmp_path / "proof.json"
    path = ROOT / "examples" / f"{name}.geo"
    call = ["check", str(path), "--no-verify", "--certificate", str(file)]
    assert CliRunner().invoke(app, call).exit_code == 0
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(file.read_text()))
    done = subprocess.run([sys.executable, "-I", TOOL, file], capture_output=True, text=True)
    assert done.returncode == 0 and "refused" not in done.stdout


def test_the_checker_stands_alone():
    text = TOOL.read_text()
    assert len(text.splitlines()) < 300
    found = {line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))}
    assert found <= set(sys.stdlib_module_names)


def test_an_edit_without_the_digest_is_refused(certificates):
    for path in (("claim", "lower"), ("place", "prime"), ("about", "seed"), ("version",)):
        document = copy.deepcopy(certificates["product"])
        *keys, last = path
        holder = document
        for key in keys:
            holder = holder[key]
        holder[last] += 1
        with pytest.raises(ValueError, match="the digest"):
            CHECK.check(document)
        assert recheck(document).outcome == "refused"


def _refused(document: dict[str, Any]) -> None:
    """By both, although sealed."""
    document = sealed(document)
    assert document["digest"] == digest({k: v for k, v in document.items() if k != "digest"})
    assert not accepted(CHECK, document) and recheck(document).outcome == "refused"


@pytest.mark.parametrize("low, high, rank", [(2, 2, 0), (0, 0, 2), (0, 1, 1), (1, 2, 1), (2, 1, 1)])
def test_other_counts_are_refused(certificates, low, high, rank):
    document = copy.deepcopy(certificates["product"])
    document["claim"] |= {"lower": low, "upper": high, "rank": rank}
    _refused(document)


def test_a_claim_says_nothing_else(certificates):
    document = copy.deepcopy(certificates["product"])
    document["claim"]["laws are quadratic"] = True
    _refused(document)


def test_a_variable_stands_once_in_a_monomial(certificates):
    """Enough powers of a constant would be packed like the coordinate beside it: −c·log y with c = x, whose derivative
    is not seen, would make the nonintegrable dz − x dy/y a law of x' = b₀, y' = y b₁, z' = x b₁."""
    document = copy.deepcopy(certificates["product"])
    document["lower"]["laws"][0]["value"] = [
        [["1", [0, 1], [0, 1]], ["-1", [1, 2]]]  # x·x − y²
    ]
    with pytest.raises(ValueError, match="stands twice"):
        CHECK.check(sealed(document))
    _refused(document)


def test_a_file_without_certificates_confirms_nothing(tmp_path):
    file = tmp_path / "proof.json"
    file.write_text('{"certificates": []}')
    done = subprocess.run([sys.executable, "-I", TOOL, file], capture_output=True, text=True)
    assert done.returncode == 1 and "confirmed" not in done.stdout


def test_a_law_that_is_none_is_refused(certificates):
    document = copy.deepcopy(certificates["product"])
    document["lower"]["laws"][0]["value"] = [[["1", [0, 2]], ["1", [1, 2]]]]  # x² + y²
    _refused(document)


def test_one_law_twice_is_refused(certificates):
    document = copy.deepcopy(certificates["cubic"])
    laws = document["lower"]["laws"]
    laws[-1] = copy.deepcopy(laws[0])
    document["lower"]["single"] = False
    _refused(document)


def test_dependent_logarithms_are_one_law(certificates):
    """log u₀ − log v and log(u₀/v) are one function: 1/u − 1/v is conserved by a log barrier's flow."""
    document = copy.deepcopy(certificates["barrier"])
    law = document["lower"]["laws"][0]
    document["lower"]["laws"].append({**law, "value": [[*law["value"][0], ["1"]]]})
    document["lower"]["columns"] = [0, 1]
    _refused(document)


@pytest.mark.parametrize(
    "prime", [2**25, 67108859 * 3, 1, 2, 0, -7, 561, 7.0, "7", True, 2**521 - 1]
)
def test_the_prime_must_be_one(certificates, prime):
    document = copy.deepcopy(certificates["product"])
    document["place"]["prime"] = prime
    _refused(document)


def test_a_composite_modulus_proves_nothing(certificates):
    """The determinant is made to fit, so that only the modulus is wrong."""
    document = copy.deepcopy(certificates["product"])
    document["place"] |= {"prime": 15, "point": [1, 1]}
    document["upper"] = {"words": [[[0, 1]]], "columns": [0], "determinant": 1}
    document["lower"]["laws"] = [
        {"value": [[["1", [0, 2]], ["-1", [1, 2]]]], "rate": [[]], "logs": []}
    ]
    document["lower"] |= {"columns": [0], "determinant": 2}
    _refused(document)
    document["place"]["prime"] = 7
    assert accepted(CHECK, sealed(document)) and recheck(sealed(document)).outcome == "confirmed"


def test_a_gate_is_0_or_1(certificates):
    """relu(z)² − z·relu(z) is 0: a gate of another value would prove a rank that is none."""
    document = copy.deepcopy(certificates["neuron"])
    kinds = [kind for _, kind in document["model"]["controls"]]
    document["upper"]["words"][0][0][1 + kinds.index("gate")] = 5
    _refused(document)


def test_a_single_field_is_single(certificates):
    document = copy.deepcopy(certificates["matrices"])
    document["lower"]["single"] = True
    document["claim"] |= {"lower": 5}
    _refused(document)


def test_rates_are_of_time_alone(certificates):
    """exp(∫x dt)·h is no function of the state."""
    document = copy.deepcopy(certificates["momentum"])
    document["lower"]["laws"][0]["rate"] = [[["1", [1, 1]]]]
    _refused(document)
    document["lower"]["laws"][0]["rate"] = [[]]
    _refused(document)


def test_a_vanishing_denominator_is_refused(certificates):
    document = copy.deepcopy(certificates["weighted"])
    document["place"]["constants"] = [0]
    _refused(document)


def test_the_model_is_that_of_the_text(certificates):
    """Another model with the same laws passes the checker, which sees no text, and not the engine."""
    document = copy.deepcopy(certificates["product"])
    document["about"]["text"] = document["about"]["text"].replace("x*y", "x*y + x")
    document = sealed(document)
    assert accepted(CHECK, document)
    assert recheck(document).reasons == ("the model is not that of the text",)


def test_a_probable_count_has_its_bounds():
    """A seventh law of the chain has no formula known; the sum of two maps is closed by no identity."""
    document = certificate(
        "model both\nparam a[2], B[2, 2], c[2], z, w\nmap phi = [a @ B @ c, z*w]\n"
        "search polynomial(2)\n"
    )
    claim, missing = CHECK.check(document)
    assert (claim["lower"], claim["upper"], claim["status"]) == (7, 8, "probable")
    assert missing == ["that no more words are independent"]
    assert recheck(document).outcome == "confirmed"
    for path, value in (
        (("claim", "status"), "proved"),
        (("claim", "status"), "bounded"),
        (("claim", "lower"), 8),
        (("bound", "error_bound"), "1/10000000000000000000000"),
        (("bound", "degree"), 1),
        (("bound", "primes"), [document["bound"]["primes"][0]] * 3),
    ):
        changed_one = copy.deepcopy(document)
        changed_one[path[0]][path[1]] = value
        _refused(changed_one)
        with pytest.raises(ValueError):
            CHECK.check(sealed(changed_one))


@pytest.mark.parametrize(
    ("left", "primes", "reason"),
    [
        (2, (52980923, 57839611), "the rank is greater"),
        (1, (52980923, 57839611), "the rank is greater"),
        (2, (10**60 + 1,), "a prime of the bound is none, or too large"),
        (2, (52980923, 52980921), "a prime of the bound is none, or too large"),
        (2, (52980923,), "the bound is not that of several runs"),
        (2, (52980923, 52980923), "the bound is not that of several runs"),
    ],
)
def test_words_left_out_make_no_count_probable(certificates, left, primes, reason):
    """Bounds that are weaker are bounds; that nothing else was found is another matter."""
    document = copy.deepcopy(certificates["matrices"])
    claim, upper = document["claim"], document["upper"]
    prime = document["place"]["prime"]
    CHECK.left[0] = CHECK.STEPS  # what an earlier certificate left is another matter
    model = CHECK.Model(document["model"])
    point = [[x] for x in document["place"]["constants"] + document["place"]["point"]]
    assert left < len(upper["words"])
    upper["words"] = upper["words"][:left]
    rows = [model.word(letters, point, prime) for letters in upper["words"]]
    for columns in itertools.combinations(range(model.size), left):
        square = flint.nmod_mat([[row[k] for k in columns] for row in rows], prime)
        if square.det():
            upper |= {"columns": list(columns), "determinant": int(square.det())}
            break
    claim |= {"rank": left, "upper": model.size - left, "status": "probable"}
    odds = str(error_bound(left, 1000, primes))
    document["bound"] = {"primes": list(primes), "degree": 1000, "error_bound": odds}
    _, missing = CHECK.check(sealed(document))
    assert missing == ["that no more words are independent"]
    found = recheck(sealed(document))
    assert (found.outcome, found.reasons) == ("refused", (reason,))


def test_what_cannot_be_checked_is_named(tmp_path):
    source = tmp_path / "smooth.geo"
    source.write_text("model smooth\nparam w[2], a\ninput x[2]\nnetwork g = a*tanh(sum(w*x))\n")
    file = tmp_path / "proof.json"
    call = ["check", str(source), "--no-verify", "--certificate", str(file)]
    assert CliRunner().invoke(app, call).exit_code == 0
    done = subprocess.run([sys.executable, "-I", TOOL, file], capture_output=True, text=True)
    assert done.returncode == 2 and "not checked" in done.stdout and "rational" in done.stdout
    result = CliRunner().invoke(app, ["recheck", str(file)])
    assert result.exit_code == 2 and "not checked" in result.stdout


def test_recheck(tmp_path, certificates):
    file = tmp_path / "proof.json"
    file.write_text(file_text([certificates["product"], certificates["body"]]))
    result = CliRunner().invoke(app, ["recheck", str(file)])
    assert result.exit_code == 0 and result.stdout.count("confirmed") == 2
    file.write_text(file.read_text().replace('"lower": 1', '"lower": 2'))
    assert CliRunner().invoke(app, ["recheck", str(file)]).exit_code == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 10**5, '{"certificates": 3}', "\udc80"])
def test_recheck_of_other_files(tmp_path, text):
    file = tmp_path / "proof.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert CliRunner().invoke(app, ["recheck", str(file)]).exit_code == 2
    assert subprocess.run([sys.executable, "-I", TOOL, file], capture_output=True).returncode == 1


@pytest.mark.parametrize("data", [None, 3, [], {}, {"digest": 1}, {"claim": []}])
def test_recheck_of_other_data(data):
    assert recheck(data).outcome == "refused"


def test_random_changes(certificates):
    """A short run of `python -m benchmarks.tampering`."""
    rng = random.Random(8)
    for k in range(60):
        document = certificates[list(MODELS)[k % len(MODELS)]]
        found = changed(document, rng)
        if accepted(CHECK, found):
            assert Oracle(found).true(rng)
            other = found["claim"]["model"] != document["claim"]["model"]
            assert other or found["claim"] == document["claim"]
