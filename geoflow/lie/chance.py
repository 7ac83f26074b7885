"""How likely it is that a rank stagnates too early: a bound, computed from degrees and sample sets.

**Theorem** (Schwartz 1980, Zippel 1979). A polynomial of total degree d that is not zero vanishes at a random point of
S^n with probability at most d/|S|.

*One run.* Take all random words with indeterminate letters and coordinates. Their ranks by depth are then the generic
ones, and a word of depth k that adds nothing shows V_k ⊆ span, since every word is a special value of it. The run with
random numbers goes another way only where words that are independent become dependent. Say it stops with ranks
r_0 < … < r_D = r, and the generic rank is greater. Ranks of special values are no greater than generic ones, so
the k-th word of a generic basis is no longer than the k-th one found; the minor of the first r + 1 of those that were
drawn vanishes, and its degree is at most

    Σ_d (r_d − r_{d−1})·W(d + 1) + W(D + 2),    W(k) the degree of a word of k letters.

A point is drawn again where a denominator vanishes. That its first drawing was of this kind is counted as a failure
too, so the degrees of the denominators are added.

*Sparse fields.* A run that begins with fields chosen at the point first asks for the generic rank of V_{D+1} at the
point, a minor of r + 1 words of at most L letters, g of them of one letter, and then for each random word not to stay
in the space by chance.

*Several runs.* All have to fail; their points and primes are independent. *Direct sums*: one summand has to fail.
Primes that divide all coefficients of the minor are not included: they are why there are two.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, prod

from geoflow.exact.degree import FieldDegree
from geoflow.results import RankRun


def run_degree(degree: FieldDegree, ranks: Sequence[int], drawn: int) -> int:
    """The degree that bounds the failures of a run with these ranks by depth. `drawn`: evaluations of the field at
    which a denominator might vanish by itself."""
    total, before = degree.of_word(len(ranks) + 1), 0
    for depth, rank in enumerate(ranks):
        total += (rank - before) * degree.of_word(depth + 1)
        before = rank
    return total + drawn * degree.of_denominators()


def anchored_degree(
    degree: FieldDegree, short: int, rank: int, letters: int, words: int, drawn: int
) -> int:
    """The same for a run that began with sparse fields, `short` independent ones of one letter; `words` random words
    of at most so many letters were drawn."""
    longest = degree.of_word(letters)
    minor = short * degree.of_word(1) + (rank - short + 1) * longest
    return minor + words * longest + drawn * degree.of_denominators()


def error_bound(runs: Sequence[RankRun], rank: int) -> Fraction:
    """The probability that runs stagnate at `rank` or below where the generic rank is greater is at most this; 1 says
    nothing."""
    own = [run for run in runs if run.sample and run.ranks and run.ranks[-1] == rank]
    chances = (Fraction(run.degree, run.sample) for run in own)
    return prod((min(Fraction(1), x) for x in chances), start=Fraction(1))


def sum_degree(runs: Sequence[RankRun], sample: int) -> int:
    """The degree that makes the chances of the summands' runs one of a run with so large a sample set."""
    if not all(run.sample for run in runs):
        return sample
    return ceil(sum(Fraction(run.degree, run.sample) for run in runs) * sample)
