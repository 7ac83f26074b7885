"""A point, a cotangent and the nonzero derivative there: what refutes a law and can be checked by hand.

Sparse small integer points are tried in one batch mod p; the sparsest one where the derivative does not vanish is
evaluated again over Q.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrincipalRoots, draw_prime
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.rationals import Irrational, Rationals
from geoflow.expr.evaluate import evaluate
from geoflow.laws.differential import Differential, random_tokens
from geoflow.laws.tokens import environment
from geoflow.lie.bracket import Field, Generator, Letter, exact_constants
from geoflow.parametrization import Block

_CANDIDATES = 600
_SHOWN = 24
_LONGEST = 60  # entries that anybody would check by hand


@dataclass(frozen=True)
class Witness:
    """`lines` are for people; `entry` is the index of the entry that is not conserved."""

    lines: tuple[str, ...]
    entry: tuple[int, ...]


def find_witness(
    generator: Generator, differential: Differential, name: str, seed: int
) -> Witness | None:
    """A witness against `differential.expressions[0]`, or None if no small point shows it."""
    rng = np.random.default_rng([seed, 0x776974])
    flow = generator.flow
    field = PrincipalRoots(draw_prime(rng))
    density = rng.uniform(0.02, 1.0, _CANDIDATES)
    time = (
        0 if differential.tokens.exponents else 1
    )  # exponentials of multiples of t are 1 at t = 0
    point = {b.name: _sparse(rng, b, density, time) for b in flow.state}
    letter = Letter(
        np.ones((1, _CANDIDATES), dtype=np.int64),
        tuple(_sparse(rng, Block("a", c.shape), density) for c in generator.controls),
    )
    symbolic = {
        n: np.full((1, 1), 2, dtype=np.int64)
        for n, v in differential.constants.items()
        if v is None
    }
    try:
        derivative = _derivative(generator, differential, field, symbolic, point, letter, rng)
    except (UnluckyPoint, UnsupportedPrimitive):
        return None
    flat = np.broadcast_to(derivative, (_CANDIDATES, *derivative.shape[1:])).reshape(
        _CANDIDATES, -1
    )
    usable = field.usable(_CANDIDATES) & np.any(flat != 0, axis=1)
    if not np.any(usable):
        return None
    weight = sum(
        np.abs(v[0]).reshape(_CANDIDATES, -1).sum(1) for v in (*point.values(), *letter.controls)
    )
    for k in np.argsort(np.where(usable, weight, np.iinfo(np.int64).max))[: int(usable.sum())][:20]:
        found = _exact(generator, differential, symbolic, point, letter, int(k), rng)
        if found is not None:
            entry, value = found
            place = place_lines(generator, symbolic, point, letter, int(k))
            index = f"[{', '.join(map(str, entry))}]" if entry else ""
            return Witness((*place, f"d/dt {name}{index} = {value}, not 0"), entry)
    return None


def _sparse(
    rng: np.random.Generator, block: Block, density: np.ndarray, time: int = 1
) -> np.ndarray:
    """Small integers [1, candidates, *shape]; positive blocks and t have no zeros."""
    shape = (1, _CANDIDATES, *block.shape)
    if block.kind == "time":
        return np.full(shape, time, dtype=np.int64)
    if block.positive:
        return np.where(rng.random(shape) < 0.6, 1, rng.integers(1, 4, shape))
    values = rng.integers(1, 3, shape) * np.where(rng.random(shape) < 0.8, 1, -1)
    return np.where(rng.random(shape) < density.reshape(1, -1, *(1,) * len(block.shape)), values, 0)


def _derivative(generator, differential, ring, symbolic, point, letter, rng) -> np.ndarray:
    """d/dt of the first expression, [batch, *shape]."""
    own = {n: symbolic[n] for n in generator.flow.symbolic_constants}
    flow_constants = exact_constants(
        ring, generator.flow.constants, {n: ring.literal(v) for n, v in own.items()}
    )
    direction = generator(ring, flow_constants, point, letter)
    constants = exact_constants(
        ring, differential.constants, {n: ring.literal(v) for n, v in symbolic.items()}
    )
    if isinstance(ring, Rationals):
        tokens = [
            ring.literal(np.ones((1, 1), dtype=np.int64)) for _ in differential.tokens.exponents
        ]
        if differential.tokens.arguments:
            raise UnsupportedPrimitive("log")
    else:
        tokens = random_tokens(differential, ring, rng)
    return differential(ring, constants, point, tokens, direction)[0][0]


def _exact(
    generator, differential, symbolic, point, letter, k: int, rng
) -> tuple[tuple[int, ...], str] | None:
    ring = Rationals()
    own = {n: ring.literal(v[:, k : k + 1]) for n, v in point.items()}
    cotangent = tuple(ring.literal(a[:, k : k + 1]) for a in letter.controls)
    weight = ring.literal(letter.weight[:, k : k + 1])
    try:
        derivative = _derivative(
            generator, differential, ring, symbolic, own, Letter(weight, cotangent), rng
        )
    except (UnluckyPoint, UnsupportedPrimitive, Irrational):
        return None
    value = np.asarray(derivative[0], dtype=object)
    if not exponentials_are_one(differential, point, k):
        return None
    for index in np.ndindex(value.shape):
        if value[index] != 0:
            return tuple(int(i) for i in index), str(value[index])
    return None


def place_lines(
    generator: Generator, symbolic: Field, point: Field, letter: Letter, k: int
) -> list[str]:
    """The point, the datum and the cotangent of batch entry k, as they are printed. Gates follow from them."""
    flow = generator.flow
    parts = [_shown(b.name, _entry(point[b.name], k)) for b in flow.state]
    parts += [f"{n} = {int(v.ravel()[0])}" for n, v in symbolic.items()]
    lines = [f"at {', '.join(parts)}"]
    data = flow.parametrization.data
    last = len(letter.controls) - len(generator.program.gates)
    group = len(flow.parametrization.controls) or last or 1  # products have a datum a factor
    groups = [letter.controls[i : i + group] for i in range(0, last, group)]
    inputs = [
        _shown(f"{d.name}{i}" if len(groups) > 1 else d.name, _entry(x, k))
        for i, controls in enumerate(groups, start=1)
        for d, x in zip(data, controls, strict=False)
    ]
    if inputs:
        lines.append(f"with the datum {', '.join(inputs)}")
    cotangents = [a for controls in groups for a in controls[len(data) :]]
    several = len(cotangents) > 1
    forces = [
        _shown(f"a{i}" if several else "a", _entry(a, k)) for i, a in enumerate(cotangents, start=1)
    ]
    where = "a" if not several else "a1, a2, …"
    seen = "g" if data else "φ"
    return [*lines, f"with −∂loss/∂{seen} = {where}: {', '.join(forces)}"]


def _entry(value: np.ndarray, k: int) -> np.ndarray:
    """Batch entry k of [1, batch or 1, *shape]."""
    return value[0, min(k, value.shape[1] - 1)]


def _shown(name: str, value: np.ndarray) -> str:
    """An array in full when small, else by its nonzero entries; a very large one by its size and first entries."""
    if value.size <= _SHOWN:
        return f"{name} = {value.tolist()}"
    nonzero = [
        f"{name}[{', '.join(map(str, i))}] = {int(value[tuple(i)])}" for i in np.argwhere(value)
    ]
    if len(nonzero) > _LONGEST:
        first = ", ".join(str(int(x)) for x in value.ravel()[:3])
        shape = "×".join(map(str, value.shape))
        return f"{name} = {first}, … ({shape} integers of size {np.abs(value).max()} at most)"
    if len(nonzero) > _SHOWN:
        return f"{name} = {value.tolist()}"
    return ", ".join(nonzero) + f" (else 0 in {name})" if nonzero else f"{name} = 0"


def exponentials_are_one(differential: Differential, point: Field, k: int) -> bool:
    """Whether every exponent vanishes at the point, so that the value shown is the derivative's."""
    exponents = differential.tokens.exponents
    if not exponents:
        return True
    constants = {n: float(v) if v is not None else 2.0 for n, v in differential.constants.items()}
    place = {n: v[0, k] for n, v in point.items()}
    return all(float(x) == 0.0 for x in evaluate(exponents, environment(constants, place)))
