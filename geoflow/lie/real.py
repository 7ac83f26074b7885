"""The count with real gates, on an open set that contains a point.

θ and the data are integers, every gate is computed exactly from them, and the same integers are reduced mod p. Nearby θ
have the same gates for the same data, so the rank found is a proved lower bound, and N − rank an upper bound of the
number of laws, on an open set around θ; which laws there are depends on that set (dead and
always-on neurons give more).
θ is searched so that as many gates as possible switch over the data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.floats import Floats
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.radicals import has_roots
from geoflow.exact.rationals import Rationals
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants
from geoflow.lie.closure import close
from geoflow.lie.gates import real_gates
from geoflow.lie.point import ModularPoint, whole_point
from geoflow.memory import MOST_MEMORY
from geoflow.results import Certificate, RealGates

BITS = 40
_SCALES = (0, 0, 20, 40, 60)  # further bits of a parameter: a bias beside W·x is as large as that
_SAMPLES = 256  # data at which a candidate's gates are looked at
_CANDIDATES = 60
_STEPS = 160  # of the search that starts at the best candidate
_OTHERS = 4  # further points that are counted, for other open sets
_SWITCHES = 0.02  # a gate switches if both values have this part of the data


@dataclass(frozen=True)
class _Candidate:
    """Integers by block, how many gates switch there, and how evenly."""

    whole: Field
    switching: int
    evenness: float

    @property
    def score(self) -> tuple[int, float]:
        return self.switching, self.evenness


def count_real(
    generator: Generator,
    seed: int,
    deadline: Deadline = Deadline(),
    memory: int = MOST_MEMORY,
) -> RealGates:
    """The greatest rank found with real gates, the point, and the counts at other points.

    Raises:
        UnsupportedPrimitive: gates beside functions such as exp, square roots or symbolic constants.
    """
    if generator.estimated or has_roots(generator.program) or generator.flow.symbolic_constants:
        raise UnsupportedPrimitive("real gates beside roots, exp, … or symbolic constants")
    rng = np.random.default_rng([seed, 0x7265616C])
    drawn = [_candidate(generator, rng, _draw(generator, rng)) for _ in range(_CANDIDATES)]
    best = _improved(generator, rng, max(drawn, key=lambda c: c.score))
    counts: dict[int, _Candidate] = {}
    ranks: dict[int, tuple[int, ...]] = {}
    for candidate in [best, *drawn[:_OTHERS]]:
        if deadline.passed and counts:
            break
        try:
            certificate = _closure(generator, candidate, seed, deadline, memory)
        except UnluckyPoint:
            continue
        upper = certificate.dimension - certificate.rank
        if upper not in counts:
            counts[upper], ranks[upper] = candidate, certificate.ranks
    if not counts:
        raise UnluckyPoint
    upper = min(counts)
    gates = sum(int(np.prod(g.shape)) for g in generator.program.gates)
    point = {b.name: counts[upper].whole[b.name].tolist()[0][0] for b in generator.flow.state}
    return RealGates(
        upper, ranks[upper], point, counts[upper].switching, gates, tuple(sorted(counts))
    )


def _integers(rng: np.random.Generator, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """Python integers with a sign, none of them 0."""
    high = rng.integers(1, 2**BITS, shape).astype(object) * 2 ** max(bits - BITS, 0)
    return high * rng.choice([-1, 1], shape)


def _draw(generator: Generator, rng: np.random.Generator) -> Field:
    whole = {}
    for block in generator.flow.state:
        bits = BITS + int(rng.choice(_SCALES)) * (len(block.shape) < 2)
        values = _integers(rng, (1, 1, *block.shape), bits)
        whole[block.name] = abs(values) if block.positive or block.kind == "time" else values
    return whole


def _improved(generator: Generator, rng: np.random.Generator, best: _Candidate) -> _Candidate:
    """A better point: one block at a time, some of its entries are drawn again."""
    names = [b.name for b in generator.flow.state if b.kind == "parameter"]
    for _ in range(_STEPS):
        name = names[int(rng.integers(len(names)))]
        again = _draw(generator, rng)[name]
        some = rng.random(again.shape) < rng.uniform(0.1, 0.9)
        whole = {**best.whole, name: np.where(some, again, best.whole[name])}
        found = _candidate(generator, rng, whole)
        if found.score > best.score:
            best = found
    return best


def _candidate(generator: Generator, rng: np.random.Generator, whole: Field) -> _Candidate:
    """How the gates switch at the point, in floating point."""
    ring = Floats()
    place = {n: v.astype(np.float64) for n, v in whole.items()}
    constants = exact_constants(ring, generator.flow.constants, {})
    controls = _data(generator, rng, _SAMPLES)
    letter = Letter(np.ones((1, _SAMPLES)), tuple(c.astype(np.float64) for c in controls))
    try:
        found = real_gates(generator, ring, constants, place, letter)
    except UnluckyPoint:
        return _Candidate(whole, -1, 0.0)
    count = len(letter.controls) - len(generator.program.gates)
    often = [np.mean(g[0], axis=0).ravel() for g in found.controls[count:]]
    less = np.minimum(np.concatenate(often), 1 - np.concatenate(often))
    return _Candidate(whole, int(np.sum(less > _SWITCHES)), float(np.sum(np.sqrt(less))))


def _data(generator: Generator, rng: np.random.Generator, batch: int) -> tuple[np.ndarray, ...]:
    """Controls [1, batch, *shape] of integers; inputs of very different sizes, to see all sides of all kinks."""
    bits = rng.integers(8, BITS, batch)

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        size = bits.reshape(batch, *(1 for _ in shape[2:]))
        normal = rng.standard_normal(shape) * np.exp2(size)
        return np.rint(normal).astype(np.int64).astype(object)

    return generator.draw_controls(draw, rng, batch)


def _closure(
    generator: Generator, candidate: _Candidate, seed: int, deadline: Deadline, memory: int
) -> Certificate:
    """Ranks by depth at the candidate, mod two primes."""

    def at(rng: np.random.Generator) -> ModularPoint:
        return whole_point(generator, PrimeField(draw_prime(rng)), candidate.whole)

    def draw(
        generator: Generator, place: ModularPoint, rng: np.random.Generator, batch: int
    ) -> Letter:
        ring = Rationals()
        constants = exact_constants(ring, generator.flow.constants, {})
        point = {n: ring.literal(v) for n, v in candidate.whole.items()}
        controls = _data(generator, rng, 2 * batch)
        weights = rng.integers(1, place.field.p, (1, 2 * batch))
        exact = Letter(ring.literal(weights), tuple(map(_exact, controls)))
        real = real_gates(generator, ring, constants, point, exact)
        count = len(controls) - len(generator.program.gates)
        found = np.resize(np.arange(real.weight.shape[1]), batch)  # again from the first if too few
        own = (place.field.residues(c[:, found]) for c in (real.weight, *real.controls[:count]))
        weight, *reduced = own
        gates = (g[:, found] for g in real.controls[count:])
        return Letter(weight, (*reduced, *gates))

    free = replace(generator, free_gates=False)
    return close(free, seed, deadline, draw, at, memory).certificate


def _exact(values: np.ndarray) -> np.ndarray:
    """Rationals, of integers of any size."""
    import flint

    return np.vectorize(lambda x: flint.fmpq(int(x)), otypes=[object])(values)
