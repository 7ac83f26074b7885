"""The laws in the span of a dictionary: a nullspace of random evaluations, then rational numbers.

Σ αⱼ Tⱼ with a time factor f(t), f' = λ(t) f, is a law iff G_a(Σ αⱼ Tⱼ) = 0 and (F₀ + λ)(Σ αⱼ Tⱼ) = 0: both linear in
α. Evaluated at random (z, a) mod p they give rows; the nullspace is reconstructed over Q from as many primes as it
takes. Symbolic constants κ enter as further unknowns: Tⱼ, κ Tⱼ, κ² Tⱼ. What is found here is only a candidate;
`laws.identity` proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from math import gcd, lcm
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact import linalg
from geoflow.exact.estimates import Estimates
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.program import Program, trace
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.tree import Expr
from geoflow.flow import Flow
from geoflow.laws.tokens import environment
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants, example_point

_MOST_PRIMES = 8
GATED = 4  # samples for one, where closed gates let some say nothing


@dataclass(frozen=True)
class Samples:
    """Values and derivatives of the terms at random points mod p, [batch, *shape] per term."""

    prime: int
    values: list[np.ndarray]
    along: list[np.ndarray]  # (c F₀ + G_a) T
    weight: np.ndarray  # c, [batch]
    rate: np.ndarray | None  # λ at the points, [batch]
    symbolic: dict[str, np.ndarray]


class TermSampler:
    """Evaluates terms and their derivatives along the flow at random points. Terms must be rational (a logarithm's
    derivative is): values are needed only with a time factor. `rate` is the factor's λ."""

    def __init__(self, generator: Generator, terms: Sequence[Expr], rate: Expr | None = None):
        self.generator, self.terms, self.rate = generator, tuple(terms), rate
        self.constants = {
            **generator.flow.constants,
            **rationals([*terms, *([rate] if rate is not None else [])]),
        }
        self._program = self._trace()

    def _trace(self) -> Program:
        terms, rate, example = self.terms, self.rate, example_point(self.generator.flow)

        def sample(constants: dict, point: dict, direction: dict) -> tuple:
            def values(z: dict) -> tuple[jax.Array, ...]:
                return evaluate(terms, environment(constants, z))

            primal, tangent = jax.jvp(values, (point,), (direction,))
            if rate is None:
                return (), tangent, ()
            return primal, tangent, evaluate((rate,), environment(constants, point))

        constants = {n: jax.ShapeDtypeStruct((), jnp.float64) for n in self.constants}
        return trace(sample, constants, example, example)

    def draw(self, rng: np.random.Generator, prime: int, count: int) -> Samples:
        """At `count` random points, less those where a root or an inverse does not exist."""
        flow = self.generator.flow
        field = Estimates(prime)
        symbolic = {n: rng.integers(1, prime, (1, count)) for n in flow.symbolic_constants}
        constants = exact_constants(field, self.constants, symbolic)
        point = {b.name: rng.integers(1, prime, (1, count, *b.shape)) for b in flow.state}
        controls = self.generator.draw_controls(lambda s: rng.integers(0, prime, s), rng, count)
        letter = Letter(rng.integers(1, prime, (1, count)), controls)
        own = {n: constants[n] for n in flow.constants}
        direction = self.generator(field, own, point, letter)
        values, along, rate = self._evaluate(field, constants, point, direction)
        kept = field.usable(count)

        def clean(v: np.ndarray) -> np.ndarray:
            return np.broadcast_to(v[0], (count, *v.shape[2:]))[kept]

        return Samples(
            prime,
            [clean(v) for v in values],
            [clean(v) for v in along],
            letter.weight[0][kept],
            clean(rate[0]) if rate else None,
            {n: v[0][kept] for n, v in symbolic.items()},
        )

    def _evaluate(
        self, field: PrimeField, constants: Field, point: Field, direction: Field
    ) -> tuple[Any, Any, Any]:
        """Values of the terms, their derivatives, and (λ,), each [1, batch, *shape]."""
        flat = run(self._program, field, jax.tree.leaves((constants, point, direction)))
        return jax.tree.unflatten(self._program.out_tree, flat)


@dataclass(frozen=True)
class Combination:
    """One candidate: coefficients by (term, monomial in the symbolic constants)."""

    coefficients: dict[tuple[int, tuple[str, ...]], Fraction]


def constant_monomials(flow: Flow, degree: int) -> list[tuple[str, ...]]:
    """Monomials in the symbolic constants up to a degree; () is 1."""
    return [
        m
        for d in range(degree + 1)
        for m in combinations_with_replacement(flow.symbolic_constants, d)
    ]


def rows_of(
    samples: Samples, chosen: Sequence[int], monomials: Sequence[tuple[str, ...]]
) -> np.ndarray:
    """Linear conditions [equations, len(chosen)·len(monomials)] on the coefficients."""
    p = samples.prime
    columns = []
    for j in chosen:
        value = samples.along[j]
        if samples.rate is not None:
            shape = (-1,) + (1,) * (value.ndim - 1)
            factor = (samples.weight * samples.rate % p).reshape(shape)
            value = (value + factor * samples.values[j]) % p
        for monomial in monomials:
            scaled = value
            for name in monomial:
                scaled = (
                    scaled * samples.symbolic[name].reshape((-1,) + (1,) * (value.ndim - 1)) % p
                )
            columns.append(scaled.reshape(-1))
    return np.stack(columns, axis=1)


def combinations_in(
    sampler: TermSampler, chosen: Sequence[int], monomials: Sequence[tuple[str, ...]], seed: int
) -> list[Combination]:
    """A canonical basis (reduced echelon, primitive integers) of the candidates over `chosen` terms of equal shape."""
    unknowns = [(j, m) for j in chosen for m in monomials]
    entries = max(1, int(np.prod(sampler.terms[chosen[0]].shape, dtype=np.int64)))
    generator = sampler.generator
    plenty = generator.root_redundancy * (1 if generator.irreducible else GATED)
    count = max(4, len(unknowns) // entries + 4) * plenty

    def conditions(rng: np.random.Generator, prime: int) -> np.ndarray:
        return rows_of(sampler.draw(rng, prime, count), chosen, monomials)

    basis = rational_nullspace(conditions, np.random.default_rng([seed, 0x6E756C]))
    found = []
    for vector in basis:
        pairs = zip(unknowns, primitive(vector), strict=True)
        found.append(Combination({u: Fraction(x) for u, x in pairs if x}))
    return found


def primitive(vector: Sequence[Fraction]) -> list[int]:
    """The multiple of a nonzero vector that is whole, without a common factor, its first number positive."""
    scale = lcm(*(x.denominator for x in vector))
    whole = [int(x * scale) for x in vector]
    common = gcd(*whole) * (1 if next(x for x in whole if x) > 0 else -1)
    return [x // common for x in whole]


def rational_nullspace(
    conditions: Callable[[np.random.Generator, int], np.ndarray], rng: np.random.Generator
) -> list[list[Fraction]]:
    """The nullspace over Q of random conditions, from their rows mod as many primes as it takes; empty where these do
    not agree. `conditions` raises `UnluckyPoint` for a prime that divides a denominator."""
    primes: list[int] = []
    residues: list[np.ndarray] = []
    guess: list[list[Fraction]] | None = None
    for _ in range(_MOST_PRIMES):
        prime = draw_prime(rng)
        if prime in primes:
            continue
        try:
            rows = conditions(rng, prime)
        except UnluckyPoint:
            continue
        if guess is not None and _satisfies(guess, rows, prime):
            return guess
        basis = linalg.nullspace(rows, prime)
        if not len(basis):
            return []
        if residues and basis.shape[0] < residues[0].shape[0]:
            primes, residues = [], []  # the earlier primes were unlucky
        elif residues and (
            basis.shape != residues[0].shape or np.any((basis != 0) != (residues[0] != 0))
        ):
            continue
        primes.append(prime)
        residues.append(basis)
        guess = _reconstructed(residues, primes)
    return []


def _reconstructed(residues: list[np.ndarray], primes: list[int]) -> list[list[Fraction]] | None:
    guess = []
    for i in range(residues[0].shape[0]):
        row = []
        for j in range(residues[0].shape[1]):
            value = linalg.reconstruct(
                *linalg.combine_residues([int(r[i, j]) for r in residues], primes)
            )
            if value is None:
                return None
            row.append(value)
        guess.append(row)
    return guess


def _satisfies(guess: list[list[Fraction]], rows: np.ndarray, prime: int) -> bool:
    for vector in guess:
        if any(x.denominator % prime == 0 for x in vector):
            return False
        residues = np.array(
            [x.numerator * pow(x.denominator, -1, prime) % prime for x in vector], dtype=np.int64
        )
        total = np.zeros(len(rows), dtype=np.int64)
        for column, r in zip(rows.T, residues, strict=True):
            total = (total + column * r) % prime
        if np.any(total):
            return False
    return True
