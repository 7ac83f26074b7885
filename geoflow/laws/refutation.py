"""Refuting a law of a network: a nonzero derivative at small integers, where every gate is what θ and x make it.

With free gates a nonzero value refutes nothing: 1-2-1 with positive inner weights keeps w₁w₂ − a₁a₂ wherever both
neurons have the same sign. With exp, tanh, … a value mod p refutes nothing, but one in balls does.
"""

from __future__ import annotations

from functools import partial

import flint
import numpy as np

from geoflow.exact.balls import Balls
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.objects import ObjectArithmetic
from geoflow.exact.precision import working_precision
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.rationals import Irrational, Rationals
from geoflow.laws.differential import Differential
from geoflow.laws.witness import Witness, exponentials_are_one, place_lines
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants
from geoflow.lie.gates import real_gates

# the greatest integer of a point, and how often one is negative: small numbers tie, and so do relus that are off
_POINTS = 8 * ((2, 0.5),) + 8 * ((40, 0.5),) + 8 * ((40, 0.1),) + 4 * ((40, 0.0),)
_BITS = 160


def is_plain(generator: Generator) -> bool:
    """Whether a nonzero value mod p is the image of a nonzero derivative of the flow itself."""
    return not generator.estimated and not generator.program.gates


def refute(
    generator: Generator, differential: Differential, name: str, seed: int
) -> Witness | None:
    """A datum and a point at which an expression changes, or None if none of a few points shows it."""
    rng = np.random.default_rng([seed, 0x726566])
    ring = Balls() if generator.estimated else Rationals()
    time = 0 if differential.tokens.exponents else 1
    for size, negative in _POINTS:
        signed, unsigned = (partial(_drawn, rng, size, share) for share in (negative, 0.0))
        point = {
            b.name: (unsigned if b.positive else signed)(b.shape) for b in generator.flow.state
        }
        for b in generator.flow.state:
            if b.kind == "time":
                point[b.name] = np.full((1, 1), time, dtype=np.int64)
        letter = Letter(
            np.ones((1, 1), dtype=np.int64),
            generator.draw_controls(lambda s, drawn=signed: drawn(s[2:]), rng, 1),
        )
        symbolic = {
            n: np.full((1, 1), 2, dtype=np.int64)
            for n, v in differential.constants.items()
            if v is None
        }
        try:
            with working_precision(_BITS):
                found = _moved(generator, differential, ring, symbolic, point, letter)
        except (UnluckyPoint, UnsupportedPrimitive, Irrational):
            continue
        if found is not None:
            entry, value, letter = found
            index = f"[{', '.join(map(str, entry))}]" if entry else ""
            place = place_lines(generator, symbolic, point, letter, 0)
            return Witness((*place, f"d/dt {name}{index} = {value}, not 0"), entry)
    return None


def _drawn(
    rng: np.random.Generator, size: int, negative: float, shape: tuple[int, ...]
) -> np.ndarray:
    values = rng.integers(1, size + 1, (1, 1, *shape))
    return np.where(rng.random(values.shape) < negative, -values, values)


def _moved(
    generator: Generator,
    differential: Differential,
    ring: ObjectArithmetic,
    symbolic: Field,
    point: Field,
    letter: Letter,
) -> tuple[tuple[int, ...], str, Letter] | None:
    """The entry that changes, by how much, and the letter with its gates."""
    if differential.tokens.arguments or not exponentials_are_one(differential, point, 0):
        raise UnsupportedPrimitive("log")
    own = {n: ring.literal(symbolic[n]) for n in generator.flow.symbolic_constants}
    constants = exact_constants(ring, generator.flow.constants, own)
    place = {n: ring.literal(v) for n, v in point.items()}
    exact = Letter(ring.literal(letter.weight), tuple(map(ring.literal, letter.controls)))
    real = real_gates(generator, ring, constants, place, exact)
    whole = Letter(real.weight, tuple(map(ring.literal, real.controls)))
    direction = generator(ring, constants, place, whole)
    known = exact_constants(
        ring, differential.constants, {n: ring.literal(v) for n, v in symbolic.items()}
    )
    tokens = [ring.literal(np.ones((1, 1), dtype=np.int64)) for _ in differential.tokens.exponents]
    values = differential(ring, known, place, tokens, direction)
    value = np.asarray(values[0][0, 0], dtype=object)
    count = len(letter.controls) - len(generator.program.gates)
    shown = Letter(letter.weight, (*letter.controls[:count], *real.controls[count:]))
    for index in np.ndindex(value.shape):
        x = value[index]
        certain = not x.contains(0) if isinstance(x, flint.arb) else x != 0
        if certain:
            text = f"{float(x.mid()):.6g}" if isinstance(x, flint.arb) else str(x)
            return tuple(int(i) for i in index), text, shown
    return None
