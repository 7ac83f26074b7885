"""Facts on the same algebra: flat directions, involutive, commuting, depth; each with the evidence it has."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import jax
import numpy as np

from geoflow.exact import linalg
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.lifting import lift
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.quotient import TooLarge
from geoflow.lie.bracket import Generator, Letter, exact_constants, example_constants
from geoflow.lie.closure import Closure
from geoflow.lie.point import ModularPoint, random_letter
from geoflow.parametrization import shaped
from geoflow.results import Verdict

_PAIRS = 16  # of fields whose brackets are computed
_EXPANDABLE = 40  # coordinates up to which brackets are expanded to prove that they vanish


@dataclass(frozen=True)
class Facts:
    """`kernel`: dim ker ∂φ/∂θ (flat directions). `involutive`: the fields alone are closed under brackets.
    `commuting`: all [G_a, G_b] = 0, so that the flow is a mirror flow in φ (Li, Wang, Lee, Arora 2022)."""

    values: dict[str, int | bool | None]
    status: dict[str, Verdict]


def facts(generator: Generator, closure: Closure, exact_rank: bool, seed: int) -> Facts:
    """`exact_rank`: whether the final rank is proved to be the generic one."""
    if closure.certificate.anchored:  # of ranks by depth nothing is known
        names = ("involutive", "commuting", "depth", "kernel")
        return Facts(dict.fromkeys(names), dict.fromkeys(names, "undecided"))
    rng = np.random.default_rng([seed, 0x666163])
    flow, ranks, place = generator.flow, closure.certificate.ranks, closure.point
    span = generator.spanning_controls
    first_exact = (not generator.estimated and ranks[0] == span) or (exact_rank and len(ranks) == 1)
    depth = ranks.index(ranks[-1])
    depth_exact = (exact_rank and depth == 0) or (exact_rank and depth == 1 and first_exact)
    involutive = depth == 0
    involutive_exact = exact_rank if involutive else first_exact
    open_status: Verdict = "probable" if closure.certificate.complete else "undecided"
    commuting, commuting_status = _commuting(generator, place, rng)
    jacobian, jacobian_exact = _jacobian_rank(generator, place, rng) or (
        ranks[0] - flow.has_drift,
        False,
    )
    return Facts(
        {
            "involutive": involutive,
            "commuting": commuting,
            "depth": depth,
            "kernel": flow.parameter_count - jacobian,
        },
        {
            "involutive": "proved" if involutive_exact else open_status,
            "commuting": commuting_status,
            "depth": "proved" if depth_exact else open_status,
            "kernel": "proved" if jacobian_exact else "probable",
        },
    )


def _without_drift(letter: Letter) -> Letter:
    return Letter(np.zeros_like(letter.weight), letter.controls)


def _own_fields(generator: Generator) -> bool:
    flow = generator.flow
    if generator.estimated:
        return False
    p = flow.parametrization
    return flow.dynamics.linear and p.transposes and not any(m.metric.spans for m in p.metrics)


def _jacobian_rank(
    generator: Generator, place: ModularPoint, rng: np.random.Generator
) -> tuple[int, bool] | None:
    """The rank of ∂φ/∂θ at the point, and whether it is as large as it can be. None for a network, whose flat
    directions are those that its rank at depth 0 leaves."""
    flow, p = generator.flow, generator.flow.parametrization
    outputs = sum(prod(s) for s in p.outputs)
    most = min(outputs, p.size)
    if p.data or generator.estimated:
        return None
    program = trace(
        p.gradient,
        example_constants(flow),
        shaped({b.name: b.shape for b in p.parameters}),
        tuple(jax.ShapeDtypeStruct(s, np.float64) for s in p.outputs),
    )
    program = lift(program)
    if program.gates:
        return None
    cotangent = tuple(rng.integers(0, place.field.p, (1, most + 1, *s)) for s in p.outputs)
    theta = {b.name: place.point[b.name] for b in p.parameters}
    covectors = run(program, place.field, jax.tree.leaves((place.constants, theta, cotangent)))
    rows = [
        np.broadcast_to(v[0], (most + 1, *v.shape[2:])).reshape(most + 1, -1) for v in covectors
    ]
    rank = linalg.rank(np.concatenate(rows, axis=1), place.field.p)
    return rank, rank == most


def _commuting(
    generator: Generator, place: ModularPoint, rng: np.random.Generator
) -> tuple[bool, Verdict]:
    """Whether all G_a commute, whatever the drift; undecided where the controls only span what the fields of losses
    do."""
    if not _own_fields(generator):
        return False, "undecided"
    if generator.flow.cotangent_size <= 1:
        return True, "proved"
    first, second = (
        _without_drift(random_letter(generator, place.field, rng, _PAIRS)) for _ in range(2)
    )
    second = _gates_of(first, second, generator)
    bracket = generator.word(place.field, place.constants, place.point, [first, second])
    if np.any(generator.rows(bracket, _PAIRS)):
        return False, "proved"
    try:
        small = generator.flow.dimension <= _EXPANDABLE
        if small and _bracket_expands_to_zero(generator):
            return True, "proved"
    except (TooLarge, UnluckyPoint, UnsupportedPrimitive):
        pass
    return True, "probable"


def _gates_of(first: Letter, second: Letter, generator: Generator) -> Letter:
    """The second letter, in all pairs but three with the gates of the first: a neuron that is on in one field and off
    in the other says nothing."""
    own = len(second.controls) - len(generator.program.gates)
    mixed = [
        np.concatenate([b[:, :3], a[:, 3:]], axis=1)
        for a, b in zip(first.controls[own:], second.controls[own:], strict=True)
    ]
    return Letter(second.weight, (*second.controls[:own], *mixed))


def _bracket_expands_to_zero(generator: Generator) -> bool:
    """[G_a, G_b] = 0 as an identity over Q in z, a and b."""
    flow = generator.flow
    shapes = [
        *[() for _ in flow.symbolic_constants],
        *[b.shape for b in flow.state],
        *(c.shape for c in (*generator.controls, *generator.controls)),
    ]
    ring, variables = Polynomials.in_shapes(shapes, 4 * generator.degree.roots)
    arrays = iter(variables)
    symbolic = {n: next(arrays) for n in flow.symbolic_constants}
    point = {b.name: next(arrays) for b in flow.state}
    zero = ring.zeros((1, 1))
    letters = [Letter(zero, tuple(next(arrays) for _ in generator.controls)) for _ in range(2)]
    bracket = generator.word(ring, exact_constants(ring, flow.constants, symbolic), point, letters)
    return all(ring.is_zero(x) for v in bracket.values() for x in v.flat)
