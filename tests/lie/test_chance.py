"""Bounds of the chance that runs stagnate too early: sums, products, and one beside counting."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from geoflow.exact import linalg
from geoflow.exact.degree import FieldDegree
from geoflow.lie.chance import anchored_degree, error_bound, run_degree, sum_degree
from geoflow.results import RankRun

PLAIN = FieldDegree(2, 0, 0)  # a word of k letters has degree k + 1
QUOTIENT = FieldDegree(5, 3, 0)


def of_run(**options: Any) -> RankRun:
    return RankRun(**{"prime": 101, "ranks": (3,), "words": 9, "point": (), **options})


# --- the degree of one run


def test_a_run_has_the_degrees_of_its_words_and_of_one_more():
    """Ranks 3, 5, 6: three fields, two brackets, a word of three letters, and one of four that would have been the
    next."""
    assert [PLAIN.of_word(k) for k in (1, 2, 3, 4, 5)] == [2, 3, 4, 5, 6]
    assert run_degree(PLAIN, (3,), 1) == 3 * 2 + 3
    assert run_degree(PLAIN, (3, 5), 1) == 3 * 2 + 2 * 3 + 4
    assert run_degree(PLAIN, (3, 5, 6), 1) == 3 * 2 + 2 * 3 + 1 * 4 + 5
    assert run_degree(PLAIN, (3, 3, 4), 1) == 3 * 2 + 0 * 3 + 1 * 4 + 5


def test_every_evaluation_adds_the_denominators():
    assert PLAIN.of_denominators() == 0
    assert run_degree(PLAIN, (3, 5), 100) == run_degree(PLAIN, (3, 5), 0)
    assert QUOTIENT.of_denominators() == 3
    for drawn in (0, 1, 11):
        assert run_degree(QUOTIENT, (4, 6), drawn) == 4 * 5 + 2 * 12 + 19 + 3 * drawn


def test_a_run_of_sparse_fields_has_the_degrees_of_its_minor_and_of_its_random_words():
    w = {k: QUOTIENT.of_word(k) for k in (1, 2, 3)}
    # 10 fields of one letter, 2 of three, one of three that was missed, and 5 words of three that stay
    assert anchored_degree(QUOTIENT, 10, 12, 3, 5, 0) == 10 * w[1] + 3 * w[3] + 5 * w[3]
    assert anchored_degree(QUOTIENT, 10, 12, 3, 0, 0) == 10 * w[1] + 3 * w[3]
    assert anchored_degree(QUOTIENT, 10, 12, 3, 5, 7) == 10 * w[1] + 8 * w[3] + 7 * 3
    assert anchored_degree(QUOTIENT, 12, 12, 2, 5, 0) == 12 * w[1] + 6 * w[2]
    assert anchored_degree(PLAIN, 1, 1, 1, 1, 9) == 3 * 2


# --- runs together


def test_all_runs_have_to_fail():
    one, two = of_run(degree=5, sample=100), of_run(degree=10, sample=50)
    assert error_bound([one], 3) == Fraction(1, 20)
    assert error_bound([one, two], 3) == Fraction(1, 20) * Fraction(1, 5)


@pytest.mark.parametrize(
    "silent",
    [
        of_run(degree=500, sample=100),  # no chance is greater than 1
        of_run(degree=100, sample=100),
        of_run(degree=5, sample=0),
        of_run(degree=1, sample=100, ranks=(2,)),  # it did fail
        of_run(degree=1, sample=100, ranks=(3, 4)),
        of_run(degree=1, sample=100, ranks=()),
    ],
)
def test_a_run_that_says_nothing_makes_no_bound_smaller(silent: RankRun):
    one = of_run(degree=5, sample=100)
    assert error_bound([one, silent], 3) == error_bound([silent, one], 3) == Fraction(1, 20)
    assert error_bound([silent], 3) == 1
    assert error_bound([silent, silent], 3) == 1


def test_the_last_rank_counts():
    grown = of_run(degree=5, sample=100, ranks=(1, 2, 3))
    assert error_bound([grown], 3) == Fraction(1, 20)
    assert error_bound([grown], 1) == 1


def test_without_runs_nothing_is_bounded():
    assert error_bound([], 3) == 1
    assert isinstance(error_bound([], 3), Fraction)


# --- summands


def test_chances_of_summands_add():
    one, two = of_run(degree=5, sample=100), of_run(degree=10, sample=50)
    assert sum_degree([one, two], 100) == 25
    assert sum_degree([one, two], 1000) == 250
    assert sum_degree([], 100) == 0
    assert sum_degree([of_run(degree=1, sample=300)] * 2, 100) == 1  # never rounded down


def test_one_summand_without_a_bound_leaves_none():
    assert sum_degree([of_run(degree=5, sample=100), of_run(degree=1, sample=0)], 70) == 70


@pytest.mark.parametrize("degrees", [(1, 1), (3, 8), (40, 70)])
def test_a_sum_fails_as_often_as_one_of_its_summands(degrees: tuple[int, int]):
    """The bound of the whole is the sum of those of the summands, and no less."""
    parts = [of_run(degree=d, sample=101) for d in degrees]
    sample = 97
    whole = of_run(degree=sum_degree(parts, sample), sample=sample)
    added = min(Fraction(1), sum((error_bound([p], 3) for p in parts), Fraction(0)))
    assert 0 <= error_bound([whole], 3) - added < Fraction(1, sample)


# --- beside counting


@pytest.mark.parametrize("prime", [5, 7, 11])
def test_the_bound_is_attained(prime: int):
    """(x, 0) and (0, x − 1) have rank 2 but at 0 and 1; a run that stops at rank 1 has a minor of degree 2."""
    fields = FieldDegree(1, 0, 0)
    failed = sum(
        linalg.rank(np.array([[x, 0], [0, x - 1]]) % prime, prime) < 2 for x in range(prime)
    )
    stopped = of_run(ranks=(1,), degree=run_degree(fields, (1,), 0), sample=prime)
    assert error_bound([stopped], 1) == Fraction(failed, prime) == Fraction(2, prime)
