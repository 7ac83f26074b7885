"""Square roots mod p that come from one homomorphism."""

from __future__ import annotations

from itertools import product
from math import isqrt, prod

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.primefield import draw_prime
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.radicals import Radicands, RootSystem, coprime_base, has_roots
from geoflow.exact.rationals import Rationals, exact_root

from .evaluation import program_of

NUMBERS = st.lists(st.integers(1, 200), min_size=1, max_size=5)


def radicands(program, inputs):
    ring = Radicands()
    run(program, ring, inputs)
    return ring.radicands


@settings(max_examples=60, deadline=None, derandomize=True)
@given(NUMBERS)
def test_a_coprime_base_factors_every_value(values: list[int]):
    base = [int(b) for b in coprime_base([flint.fmpz(v) for v in values])]
    for i, b in enumerate(base):
        assert b > 1
        assert isqrt(b) ** 2 != b
        assert all(int(flint.fmpz(b).gcd(c)) == 1 for c in base[:i])
    for value in values:
        for b in base:
            while value % b == 0:
                value //= b
        assert isqrt(value) ** 2 == value


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.fractions("1/30", 50, max_denominator=30), min_size=1, max_size=4))
def test_relations_hold_and_independent_radicands_are_independent(fractions):
    values = [flint.fmpq(f.numerator, f.denominator) for f in fractions]
    system = RootSystem(values)
    for value, (used, factor) in zip(values, system.relations, strict=True):
        whole = prod((int(system.independent[k]) for k in used), start=1)
        assert value == flint.fmpq(whole) * factor * factor
        assert factor > 0
    for chosen in product((0, 1), repeat=len(system.independent)):
        if any(chosen):
            whole = prod(int(s) for s, c in zip(system.independent, chosen, strict=True) if c)
            assert isqrt(whole) ** 2 != whole


@pytest.mark.parametrize("seed", range(5))
def test_roots_mod_p_multiply_as_the_real_ones(seed: int):
    rng = np.random.default_rng(seed)
    a, b, c = (int(x) for x in rng.integers(2, 1000, 3))
    values = [flint.fmpq(n) for n in (a, b, a * b, a * c * c, c * c)] + [flint.fmpq(a, b)]
    system = RootSystem(values)
    found = 0
    while found < 5:
        prime = draw_prime(rng)
        roots = system.roots(prime)
        if roots is None:
            continue
        found += 1
        root = {n: roots[n % prime] for n in (a, b, a * b, a * c * c, c * c)}
        assert all(r * r % prime == n % prime for n, r in root.items())
        assert root[a] * root[b] % prime == root[a * b]
        assert root[c * c] == c
        assert root[a * c * c] == root[a] * c % prime
        assert roots[a * pow(b, -1, prime) % prime] * root[b] % prime == root[a]


def test_radicands_are_computed_over_the_rationals():
    program = program_of(lambda x, y: (x * y) ** 0.5 + (x / y) ** 0.5 + x**0.5, (), ())
    ring = Rationals()
    met = radicands(program, [ring.literal(np.full((1, 1), v)) for v in (2, 8)])
    assert set(met) == {flint.fmpq(16), flint.fmpq(1, 4), flint.fmpq(2)}
    assert has_roots(program)
    assert not has_roots(program_of(lambda x: x**3, ()))
    with pytest.raises(UnluckyPoint):
        radicands(program, [ring.literal(np.full((1, 1), v)) for v in (2, -8)])


def test_roots_of_irrational_numbers_are_refused():
    ring = Rationals()
    program = program_of(lambda x: (1 + x**0.5) ** 0.5, ())
    with pytest.raises(UnsupportedPrimitive):
        radicands(program, [ring.literal(np.full((1, 1), 2))])
    assert radicands(program, [ring.literal(np.full((1, 1), 9))]) == [flint.fmpq(9), flint.fmpq(4)]


def test_exact_roots():
    assert exact_root(flint.fmpq(9, 4)) == flint.fmpq(3, 2)
    assert exact_root(flint.fmpq(1)) == 1
    assert exact_root(flint.fmpq(1, 4)) == flint.fmpq(1, 2)
    for none in (flint.fmpq(2), flint.fmpq(-4), flint.fmpq(0), flint.fmpq(4, 3)):
        assert exact_root(none) is None
