"""Small primes and special points: the engine draws again or says less, and proves nothing wrong. Error bounds are
honest: computed from degrees that are no less than the true ones, and no less than how often runs fail."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import flint
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geoflow as gf
from benchmarks.tampering import certificate, checker
from geoflow.analysis import count
from geoflow.certificates.document import error_bound as stated_bound
from geoflow.certificates.document import sealed
from geoflow.certificates.recheck import recheck
from geoflow.deadline import Deadline
from geoflow.exact import degree
from geoflow.exact.dual import TRANSCENDENTAL
from geoflow.exact.interpreter import RULES
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.quotient import Quotient
from geoflow.lie.bracket import Generator, Letter, exact_constants
from geoflow.lie.chance import anchored_degree, error_bound, run_degree, sum_degree
from geoflow.lie.closure import close
from geoflow.report.verdicts import error_words, evidence
from geoflow.results import RankRun, Report

from .luck import (
    POINTS,
    at_first,
    certain,
    checked,
    contradictions,
    drawing,
    force_points,
    force_primes,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
PRIMES = (2, 3, 5, 7, 11, 101)
QUICK = ("product", "linear", "steering", "rms")
SECONDS = 8.0  # of one example: where primes are small, many candidates for laws are none
ALL = sorted(
    f.relative_to(EXAMPLES).as_posix().removesuffix(".geo")
    for folder in (EXAMPLES, EXAMPLES / "blocks")
    for f in folder.glob("*.geo")
)


def text_of(name: str) -> str:
    return (EXAMPLES / f"{name}.geo").read_text(encoding="utf-8")


@cache
def usual(name: str) -> Report:
    report = checked(text_of(name))
    assert report.models
    return report


# --- small primes and special points


def test_all_that_draw_primes_are_known():
    """A module that drew them in another way would escape these tests."""
    assert {"geoflow.lie.point", "geoflow.laws.dictionary", "geoflow.laws.darboux"} <= {*drawing()}
    assert len(drawing()) >= 10


@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize("name", QUICK)
def test_small_primes_prove_nothing_wrong(monkeypatch: pytest.MonkeyPatch, name: str, prime: int):
    true = usual(name)
    force_primes(monkeypatch, lambda rng, bits: prime)
    assert contradictions(true, checked(text_of(name))) == []


@pytest.mark.slow
@pytest.mark.parametrize("prime", (3, 11))
@pytest.mark.parametrize("name", ALL)
def test_small_primes_in_all_examples(monkeypatch: pytest.MonkeyPatch, name: str, prime: int):
    true = usual(name)
    force_primes(monkeypatch, lambda rng, bits: prime)
    assert contradictions(true, checked(text_of(name), timeout=SECONDS)) == []


@pytest.mark.parametrize("prime", (3, 7))
@pytest.mark.parametrize("name", ("linear", "steering", "nmf"))
def test_after_small_primes_others_are_drawn(
    monkeypatch: pytest.MonkeyPatch, name: str, prime: int
):
    true = usual(name)
    force_primes(monkeypatch, at_first(prime, 3))
    assert certain(checked(text_of(name))) == certain(true)


@pytest.mark.parametrize("special", POINTS)
@pytest.mark.parametrize("name", ("product", "linear", "rms"))
def test_special_points_prove_nothing_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, special: str
):
    true = usual(name)
    force_points(monkeypatch, POINTS[special])
    assert contradictions(true, checked(text_of(name))) == []


@pytest.mark.slow
@pytest.mark.parametrize("special", ("zeros",))
@pytest.mark.parametrize("name", ALL)
def test_special_points_in_all_examples(monkeypatch: pytest.MonkeyPatch, name: str, special: str):
    true = usual(name)
    force_points(monkeypatch, POINTS[special])
    assert contradictions(true, checked(text_of(name), timeout=SECONDS)) == []


@pytest.mark.parametrize("special", POINTS)
def test_after_a_special_point_others_are_drawn(monkeypatch: pytest.MonkeyPatch, special: str):
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": np.zeros((2, 2)), "V": np.zeros((2, 2))})
    force_points(monkeypatch, POINTS[special], 1)
    certificate = close(Generator.of(flow), 0, Deadline()).certificate
    assert (certificate.rank, certificate.complete) == (5, True)


def test_the_comparison_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch):
    """Another model under the same name contradicts, so these tests can fail."""
    text = "model m\nparam x, y\nmap phi = {}\nlaw square = x**2 - y**2\n"
    product, square = (checked(text.format(phi)) for phi in ("x*y", "[x, y]"))
    assert len(contradictions(product, square)) >= 2
    assert contradictions(product, product) == []
    assert contradictions(square, product)


def test_two_runs_over_one_prime_do_not_agree(monkeypatch: pytest.MonkeyPatch):
    """φ = (xy, px) has no law; mod p it has one, however often it is counted."""
    prime = 33554467

    def phi(p):
        return [p["x"] * p["y"], prime * p["x"]]

    force_primes(monkeypatch, lambda rng, bits: prime)
    found = gf.count_laws(gf.Flow(phi, {"x": 0.0, "y": 0.0}))
    assert (found.lower, found.upper, found.status) == (0, 1, "bounded")
    assert found.reason == "no two runs over different primes agree on the rank"


def test_one_prime_twice_is_one_prime(monkeypatch: pytest.MonkeyPatch):
    """Laws lifted from one prime taken for two would be no laws."""
    flow = gf.Flow(lambda p: p["x"] ** 3 * p["y"] ** 5, {"x": 0.0, "y": 0.0})
    expected = [str(law) for law in gf.analyze(flow).laws]
    seen: list[int] = []

    def twice(rng: np.random.Generator, bits: int) -> int:
        if len(seen) % 2:
            seen.append(seen[-1])
        else:
            seen.append(draw_prime(rng, bits))
        return seen[-1]

    force_primes(monkeypatch, twice)
    assert [str(law) for law in gf.analyze(flow).laws] == expected


# --- degrees


def test_every_rule_has_a_degree():
    known = degree._LINEAR | degree._PRODUCT | degree._FIRST
    known |= {"square", "div", "integer_pow", "pow", "rsqrt", "reduce_prod", "cumprod", "iota"}
    known |= {"geoflow_det", "geoflow_adjugate", "geoflow_inv"}
    assert set(RULES) - TRANSCENDENTAL <= known


FLOWS: dict[str, Any] = {
    "product": (lambda p: p["x"] * p["y"], {}),
    "cubic": (lambda p: p["x"] ** 3 + p["x"] * p["y"], {}),
    "quotient": (lambda p: p["x"] / p["y"], {}),
    "two": (lambda p: [p["x"] * p["y"], p["x"] / (1 + p["y"])], {}),
    "momentum": (lambda p: p["x"] * p["y"], {"order": 2, "damping": Fraction(1, 2)}),
    "nesterov": (lambda p: p["x"] * p["y"], {"order": 2, "damping": lambda t: 3 / t}),
}


def fractions(value: Any) -> tuple[flint.fmpq_mpoly, flint.fmpq_mpoly]:
    if isinstance(value, Quotient):
        return value.numerator, value.denominator
    return value, value.context().constant(1)


def numerator_degree(generator: Generator, letters: int) -> int:
    """Of the entries of a word with symbolic letters, over their least common denominator."""
    flow = generator.flow
    shapes = [b.shape for b in flow.state]
    shapes += [s for _ in range(letters) for s in ((), *(c.shape for c in generator.controls))]
    ring, variables = Polynomials.in_shapes(shapes)
    arrays = iter(variables)
    point = {b.name: next(arrays) for b in flow.state}
    word = []
    for _ in range(letters):
        weight = next(arrays)
        word.append(Letter(weight.reshape(1, 1), tuple(next(arrays) for _ in generator.controls)))
    constants = exact_constants(ring, flow.constants, {})
    value = generator.word(ring, constants, point, word)
    pairs = [fractions(x) for v in value.values() for x in v.flat]
    common = ring.context.constant(1)
    for _, d in pairs:
        common = common * (d / common.gcd(d))
    tops = [n * (common / d) for n, d in pairs]
    return max((int(p.total_degree()) for p in tops if p), default=0)


@pytest.mark.parametrize("letters", (1, 2, 3))
@pytest.mark.parametrize("name", FLOWS)
def test_words_have_no_greater_degree(name: str, letters: int):
    phi, options = FLOWS[name]
    generator = Generator.of(gf.Flow(phi, {"x": 0.0, "y": 0.0}, **options))
    assert numerator_degree(generator, letters) <= generator.degree.of_word(letters)


STEPS = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / (b + 2),
    "square": lambda a, b: a * a - b,
}


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=3))
def test_words_of_random_flows_have_no_greater_degree(steps: list[str]):
    def phi(p):
        a, b = p["x"], p["y"]
        for step in steps:
            a, b = STEPS[step](a, b), a
        return [a, b * p["x"]]

    generator = Generator.of(gf.Flow(phi, {"x": 0.0, "y": 0.0}))
    for letters in (1, 2):
        assert numerator_degree(generator, letters) <= generator.degree.of_word(letters)


def test_gates_are_variables_of_the_degree():
    """a·relu(wx): with free gates the field (γwx, γax) times the cotangent has degree 4, not 3."""
    flow = gf.Flow.of_network(
        lambda p, x: p["a"] * jnp.maximum(p["w"] * x, 0),
        {"a": np.zeros(()), "w": np.zeros(())},
        np.zeros(()),
    )
    generator = Generator.of(flow)
    assert generator.free_gates and generator.irreducible
    field = PrimeField(8191)
    rng = np.random.default_rng(0)
    start, along = (
        [rng.integers(1, field.p, (1, 1, *s)) for s in generator.program.input_shapes]
        + [rng.integers(1, field.p, (1, 1, *g.shape)) for g in generator.program.gates]
        for _ in range(2)
    )
    inputs = len(generator.program.input_shapes)
    values = []
    for t in range(8):
        at = [(a + t * b) % field.p for a, b in zip(start, along, strict=True)]
        from geoflow.exact.interpreter import run

        outputs = run(generator.program, field, at[:inputs], at[inputs:])
        values.append(max(int(np.sum(v)) % field.p for v in outputs[:1]))
    differences = np.array(values)
    true = next(k for k in range(9) if not np.any(differences := np.diff(differences) % field.p))
    assert true == 4 <= generator.degree.numerator


# --- bounds


def known_rank(flow: gf.Flow) -> int:
    certificate = close(Generator.of(flow), 0, Deadline()).certificate
    assert certificate.complete
    return certificate.rank


@pytest.mark.parametrize("prime", (103, 211, 431))
def test_runs_fail_no_more_often_than_the_bound(monkeypatch: pytest.MonkeyPatch, prime: int):
    """Over primes so small that runs do fail."""
    flow = gf.Flow(
        lambda p: [p["x"] * p["y"], p["x"] * p["z"] ** 2], {"x": 0.0, "y": 0.0, "z": 0.0}
    )
    true, generator = known_rank(flow), Generator.of(flow)
    force_primes(monkeypatch, lambda rng, bits: prime)
    from geoflow.lie import closure

    monkeypatch.setattr(closure, "_MOST_UNLUCKY", 0)
    monkeypatch.setattr(closure, "_MOST_RUNS", 1)
    runs = [close(generator, seed, Deadline()).certificate.runs[0] for seed in range(150)]
    failed = [run for run in runs if run.ranks[-1] < true]
    assert all(run.ranks[-1] <= true for run in runs)
    chance = max(run.degree / run.sample for run in runs)
    assert len(failed) / len(runs) <= chance


def test_the_bound_is_the_minors_degree():
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": np.zeros((4, 3)), "V": np.zeros((5, 3))})
    certificate = close(Generator.of(flow), 0, Deadline()).certificate
    assert certificate.ranks == (18, 21)
    for run in certificate.runs:
        assert run.degree == 18 * 2 + 3 * 3 + 4 and run.sample == run.prime - 1
        assert run.letters == 3
    assert certificate.error_bound == float(error_bound(certificate.runs, 21)) > 0


def test_denominators_and_draws_are_counted():
    bound = degree.FieldDegree(5, 3, 0)
    assert run_degree(bound, (4, 6), 1) == 4 * 5 + 2 * 12 + 19 + 3
    assert run_degree(bound, (4, 6), 11) == run_degree(bound, (4, 6), 1) + 30
    rooted = degree.FieldDegree(5, 3, 2)
    assert run_degree(rooted, (4, 6), 1) == 4 * run_degree(bound, (4, 6), 1)
    # 10 fields of one letter, 2 brackets of two, words of three that stay
    assert anchored_degree(bound, 10, 12, 3, 5, 1) == 10 * 5 + 3 * 19 + 5 * 19 + 3
    assert anchored_degree(bound, 10, 12, 3, 5, 1) > run_degree(bound, (10, 12), 1)


def of_run(**options: Any) -> RankRun:
    return RankRun(**{"prime": 101, "ranks": (3,), "words": 9, "point": (), **options})


def test_runs_multiply_and_summands_add():
    one, two = of_run(degree=5, sample=100), of_run(degree=10, sample=50)
    assert error_bound([one, two], 3) == Fraction(1, 20) * Fraction(1, 5)
    assert error_bound([one, of_run(degree=500, sample=100)], 3) == Fraction(1, 20)
    assert error_bound([one, of_run(ranks=(2,), degree=1, sample=100)], 3) == Fraction(1, 20)
    assert error_bound([of_run(degree=5, sample=0)], 3) == 1
    assert sum_degree([one, two], 100) == 25
    assert sum_degree([], 100) == 0
    assert sum_degree([one, of_run(degree=1, sample=0)], 100) == 100


def test_the_bound_of_a_sum_is_no_less_than_those_of_its_summands():
    def phi(p):
        return p["a"] @ p["B"] @ p["c"], p["d"] @ p["E"] @ p["f"], p["g"] ** 3

    shapes = {"a": 5, "B": (5, 4), "c": 4, "d": 4, "E": (4, 5), "f": 5, "g": 9}
    flow = gf.Flow(phi, {n: np.zeros(s) for n, s in shapes.items()})
    whole = count(flow, 0, Deadline()).certificate
    assert len(whole.summands) > 1 and whole.error_bound is not None
    assert 0 < whole.error_bound < 1e-9
    for run in whole.runs:
        assert run.degree > 0 and run.letters > 1


def test_square_roots_make_the_sample_small():
    """Further points are near the first: they are drawn from 2^10 numbers, not from all residues."""
    flow = gf.Flow(
        lambda p: [jnp.sqrt(p["x"]) * p["y"], p["y"] * p["z"]], {"x": 1.0, "y": 1.0, "z": 1.0}
    )
    certificate = close(Generator.of(flow), 0, Deadline()).certificate
    if certificate.rank < 3:
        assert all(run.sample < 2**20 for run in certificate.runs)
        assert certificate.runs[1].sample < 2**10


def test_letters_are_drawn_mod_the_prime(monkeypatch: pytest.MonkeyPatch):
    flow = gf.Flow(lambda p: jnp.sqrt(p["x"]) * p["y"], {"x": 1.0, "y": 1.0})
    force_primes(monkeypatch, lambda rng, bits: 103)
    for run in close(Generator.of(flow), 0, Deadline()).certificate.runs:
        assert run.sample <= 102


def test_a_bound_of_1_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch):
    assert error_words(3e-7) == "error bound 3e-07"
    assert "without an error bound" in error_words(1.0)
    text = "model m\nparam a[2], B[2, 2], c[2], z, w\nmap phi = [a @ B @ c, z*w]\nsearch polynomial(2)\n"
    (sharp,) = checked(text).models
    primes = iter((7, 11, 19, 23, 31, 43) * 40)
    force_primes(monkeypatch, lambda rng, bits: next(primes))
    (void,) = checked(text).models
    assert sharp.laws.status == "probable" and "error bound" in evidence(sharp)
    assert "without" not in evidence(sharp)
    if void.laws.status == "probable":
        assert void.laws.error_bound == 1.0 and "without an error bound" in evidence(void)
    else:
        assert void.laws.status == "bounded"


def test_the_bound_stands_in_the_certificate_and_a_smaller_degree_is_refused():
    document = certificate(
        "model both\nparam a[2], B[2, 2], c[2], z, w\nmap phi = [a @ B @ c, z*w]\n"
        "search polynomial(2)\n"
    )
    bound, rank = document["bound"], document["claim"]["rank"]
    assert bound["error_bound"] == str(stated_bound(rank, bound["degree"], bound["primes"]))
    assert recheck(document).outcome == "confirmed"
    degree = bound["degree"] - 1
    smaller = str(stated_bound(rank, degree, bound["primes"]))
    forged = sealed({**document, "bound": {**bound, "degree": degree, "error_bound": smaller}})
    checker().check(forged)  # its arithmetic is right
    assert recheck(forged).reasons == ("the degree is too small",)
