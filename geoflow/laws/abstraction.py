"""Proofs of dh·(c F₀ + G_a) = 0 by expansion, of an abstraction of it where that is enough.

An abstraction replaces values by variables of their own, equal values by equal variables (`exact.cut`, `exact.opaque`).
Where dh·X vanishes for free values of these it vanishes for the true ones. Where it does not, nothing follows, and the
next attempt forgets less; the last one forgets nothing.

That no denominator vanishes is not seen in an abstraction: it takes a point at which dh·X was evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.cut import Cut, Depth, Kind, cut
from geoflow.exact.dual import TRANSCENDENTAL, Arithmetic
from geoflow.exact.estimates import Estimates
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.opaque import FunctionValues, OpaqueInverses
from geoflow.exact.polynomials import TooFewVariables
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.quotient import Effort, TooLarge
from geoflow.exact.sparsepoly import SparsePolynomials
from geoflow.expr.tree import Apply, Expr
from geoflow.laws.differential import Differential, differentiate, modular_inputs
from geoflow.lie.bracket import Field, Generator, exact_constants
from geoflow.lie.point import ModularPoint, random_letter

_SPARE = 32  # variables kept for values, at first
_MOST_VARIABLES = 12_000
_CHEAP_TERMS, _CHEAP_PRODUCTS = 10**5, 10**7  # of an attempt before the last
_MANY_VARIABLES = 150  # from here on dense exponents cost more than the terms themselves


@dataclass(frozen=True)
class Expansion:
    """Whether dh·X expands to zero, with so many values `cut` from the program and so many variables `made` for others.
    Not zero decides only if it is `faithful`."""

    zero: bool
    cut: int
    made: int

    @property
    def faithful(self) -> bool:
        """Whether no value became a variable."""
        return not self.cut and not self.made


@dataclass(frozen=True)
class _Attempt:
    """`opaque`: variables for inverses; None for sparse polynomials, which have inverses of monomials alone."""

    depth: Depth
    opaque: bool | None


_SPARSE = tuple(_Attempt(depth, None) for depth in (Depth.ELEMENTWISE, Depth.FREE, Depth.NONE))
_ABSTRACT = (
    _Attempt(Depth.ELEMENTWISE, True),
    _Attempt(Depth.FREE, True),
    _Attempt(Depth.FREE, False),
    _Attempt(Depth.NONE, True),
)
_WHOLE = _Attempt(Depth.NONE, False)
# of the last attempt where functions are left
_TERMS_OF_FUNCTIONS, _PRODUCTS_OF_FUNCTIONS = 3 * 10**5, 2 * 10**7
_MOST_PARTS = 64
_TRIALS = 3


def expand(
    generator: Generator,
    differential: Differential,
    place: ModularPoint | None,
    seed: int = 0,
    deadline: Deadline = Deadline(),
) -> Expansion:
    """Expand dh·X over Q until it is zero: abstractions first, where there is a `place` at which it was evaluated.

    Raises:
        TooLarge: the expansion outgrew its bounds. UnluckyPoint: a denominator is identically zero.
        UnsupportedPrimitive: see `exact.interpreter`.
    """
    expansion = Expansion(True, 0, 0)
    for part in _parts(differential):
        expansion = _attempt_all(Question(generator, part), place, seed, deadline)
        if not expansion.zero:
            break
    return expansion


def _parts(differential: Differential) -> Iterator[Differential]:
    """One for every item of a list of laws: each reads less of the flow than all together."""
    items = [x for e in differential.expressions for x in _items(e)]
    if len(items) == 1 or len(items) > _MOST_PARTS:
        yield differential
        return
    for item in items:
        yield differentiate(differential.flow, [item], differential.constants)


def _items(expression: Expr) -> Iterator[Expr]:
    if isinstance(expression, Apply) and expression.operation == "stack":
        for argument in expression.arguments:
            yield from _items(argument)
    else:
        yield expression


def _attempt_all(
    question: Question, place: ModularPoint | None, seed: int, deadline: Deadline
) -> Expansion:
    rng = np.random.default_rng([seed, 0x637574])
    tried: set[tuple[frozenset[int], bool | None]] = set()
    attempts = _SPARSE + _ABSTRACT if question.variables > _MANY_VARIABLES else _ABSTRACT
    for attempt in attempts if place is not None else ():
        program = question.cut(attempt.depth)
        forgotten = frozenset(slot for slot, _ in program.fresh)
        if (forgotten, attempt.opaque) in tried:
            continue
        tried.add((forgotten, attempt.opaque))
        if forgotten and place is not None and question.vanishes(program, place, rng) is False:
            continue
        try:
            effort = Effort(_CHEAP_TERMS, _CHEAP_PRODUCTS, deadline)
            found = question.expand(program, attempt.opaque, effort)
        except (TooLarge, UnluckyPoint, UnsupportedPrimitive):
            continue
        if found.zero or found.faithful:
            return found
        if not found.made:
            tried |= {(forgotten, False), (forgotten, True)}  # it was exact but for the cut
    effort = Effort(deadline=deadline)
    if question.transcendental:  # nothing is refuted by it
        effort = Effort(_TERMS_OF_FUNCTIONS, _PRODUCTS_OF_FUNCTIONS, deadline)
    return question.expand(question.cut(_WHOLE.depth), _WHOLE.opaque, effort)


class Question:
    """What a law reads of the flow, and what it takes to expand its derivative."""

    def __init__(self, generator: Generator, differential: Differential):
        self.generator, self.differential = generator, differential
        program = differential.program
        constants, point, _, direction = jax.tree.unflatten(
            program.in_tree, range(len(program.input_shapes))
        )
        used = program.used
        self.moved = tuple(sorted(n for n, slot in direction.items() if slot in used))
        self.read = {n for n in point if {point[n], direction[n]} & used}
        self.unknown = [n for n, v in differential.constants.items() if v is None]
        self.named = {n for n in self.unknown if constants[n] in used}
        self._own = generator.controls[: len(generator.controls) - len(generator.program.gates)]

    @property
    def transcendental(self) -> bool:
        """Whether even the last attempt has variables for values of functions."""
        programs = (self.generator.program, self.differential.program)
        return any(i.primitive in TRANSCENDENTAL for p in programs for i in p.instructions)

    def cut(self, depth: Depth) -> Cut:
        """The generator's program of the blocks that the law differentiates by."""
        flow = self.generator.flow
        constants = {
            n: Kind.KNOWN if v is not None else Kind.READ if n in self.named else Kind.FREE
            for n, v in flow.constants.items()
        }
        point = {b.name: Kind.READ if b.name in self.read else Kind.FREE for b in flow.state}
        kinds = jax.tree.leaves((constants, point, Kind.FREE, (Kind.FREE,) * len(self._own)))
        order = sorted(b.name for b in flow.state)
        return cut(self.generator.program, kinds, [order.index(n) for n in self.moved], depth)

    def vanishes(self, program: Cut, place: ModularPoint, rng: np.random.Generator) -> bool | None:
        """Whether dh·X vanishes at the place for random letters and random values at the cuts; None where it cannot be
        evaluated."""
        generator, field, batch = self.generator, place.field, _TRIALS
        if isinstance(field, Estimates):
            field, batch = field.fresh(), _TRIALS * generator.redundancy
        letter = random_letter(generator, field, rng, batch)
        count = len(self._own)
        slots = [g.slot for g in generator.program.gates]
        given = dict(zip(slots, letter.controls[count:], strict=True))
        given |= {s: rng.integers(0, field.p, (1, batch, *shape)) for s, shape in program.fresh}
        own = letter.controls[:count]
        inputs = jax.tree.leaves((place.constants, place.point, letter.weight, own))
        try:
            outputs = run(program.program, field, inputs, given=given)
            constants, tokens = modular_inputs(self.differential, place, rng)
            direction = self._direction(field, outputs)
            values = self.differential(field, constants, place.point, tokens, direction)
        except (UnluckyPoint, UnsupportedPrimitive):
            return None
        usable = field.usable(batch) if isinstance(field, Estimates) else np.ones(batch, dtype=bool)
        if not np.any(usable):
            return None
        return not any(np.any(np.any(_by_batch(v, batch), axis=1)[usable]) for v in values)

    def _direction(self, ring: Arithmetic, outputs: Sequence[np.ndarray]) -> Field:
        """The field's blocks from the outputs of the cut program; what the law does not differentiate by is 0."""
        still = {b.name: ring.zeros((1, 1, *b.shape)) for b in self.generator.flow.state}
        return still | dict(zip(self.moved, outputs, strict=True))

    def expand(self, program: Cut, opaque: bool | None, effort: Effort) -> Expansion:
        """One attempt, with as many spare variables as it takes."""
        spare = _SPARE
        while True:
            try:
                return self._expand(program, opaque, effort, spare)
            except TooFewVariables:
                spare *= 4
                if spare > _MOST_VARIABLES:
                    raise TooLarge("the expansion takes too many variables") from None

    def _expand(self, program: Cut, opaque: bool | None, effort: Effort, spare: int) -> Expansion:
        flow, differential = self.generator.flow, self.differential
        shapes: dict[Any, tuple[int, ...]] = dict(self._shapes(program))
        shapes.update(program.fresh)
        size = sum(int(np.prod(s, dtype=np.int64)) for s in shapes.values())
        ring = self._ring(opaque, size, self._relations(shapes), spare, effort)
        variables = dict(zip(shapes, ring.arrays(list(shapes.values())), strict=True))

        def value(key: Any, shape: tuple[int, ...]) -> np.ndarray:
            return variables[key] if key in variables else ring.zeros((1, 1, *shape))

        symbolic = {n: value(("constant", n), ()) for n in self.unknown}
        point = {b.name: value(("block", b.name), b.shape) for b in flow.state}
        tokens = [value(("token", k), s) for k, s in enumerate(differential.tokens.shapes)]
        controls = tuple(value(("control", k), c.shape) for k, c in enumerate(self._own))
        own = exact_constants(ring, flow.constants, symbolic)
        inputs = jax.tree.leaves((own, point, value("weight", ()), controls))
        given = {slot: x for slot, x in variables.items() if isinstance(slot, int)}
        outputs = run(program.program, ring, inputs, given=given)
        direction = self._direction(ring, outputs)
        constants = exact_constants(ring, differential.constants, symbolic)
        values = differential(ring, constants, point, tokens, direction)
        zero = all(ring.is_zero(x) for v in values for x in v.flat)
        return Expansion(zero, len(program.fresh), ring.made)

    def _ring(
        self,
        opaque: bool | None,
        size: int,
        relations: tuple[list[int], list[tuple[int, ...]]],
        spare: int,
        effort: Effort,
    ) -> FunctionValues | SparsePolynomials:
        """The arithmetic of one attempt; None asks for sparse polynomials."""
        idempotent, rows = relations
        if opaque is None:
            if rows:
                raise UnsupportedPrimitive("rows of gates of which one is open")
            return SparsePolynomials(size, effort, idempotent)
        if size > _MOST_VARIABLES:
            raise TooLarge("the expansion takes too many variables")
        arithmetic = OpaqueInverses if opaque else FunctionValues
        names = [f"x{k}" for k in range(size)]
        return arithmetic(names, spare, effort=effort, idempotent=idempotent, onehot=rows)

    @property
    def variables(self) -> int:
        """About how many variables it takes."""
        return sum(b.size for b in self.generator.flow.state) + self.generator.control_size

    def _shapes(self, program: Cut) -> Iterator[tuple[Any, tuple[int, ...]]]:
        """Keys and shapes of the inputs that are read at all."""
        flow, used = self.generator.flow, program.program.used
        leaves = range(len(program.program.input_shapes))
        constants, point, weight, controls = jax.tree.unflatten(program.program.in_tree, leaves)
        for n in self.unknown:
            if n in self.named or constants.get(n) in used:
                yield ("constant", n), ()
        for b in flow.state:
            if b.name in self.read or point[b.name] in used:
                yield ("block", b.name), b.shape
        yield from (
            (("token", k), shape) for k, shape in enumerate(self.differential.tokens.shapes)
        )
        if weight in used:
            yield "weight", ()
        for k, control in enumerate(self._own):
            if controls[k] in used:
                yield ("control", k), control.shape
        for gate in self.generator.program.gates:
            if gate.slot in used:
                yield gate.slot, gate.shape

    def _relations(
        self, shapes: Mapping[Any, tuple[int, ...]]
    ) -> tuple[list[int], list[tuple[int, ...]]]:
        """Positions of the variables that are 0 or 1, and of those of each one-hot row."""
        axes: dict[Any, tuple[int, ...]] = {g.slot: g.axes for g in self.generator.program.gates}
        for k, control in enumerate(self._own):
            if control.kind == "onehot":
                axes["control", k] = (len(control.shape) - 1,)
        idempotent: list[int] = []
        rows: list[tuple[int, ...]] = []
        start = 0
        for key, shape in shapes.items():
            size = int(np.prod(shape, dtype=np.int64))
            places = np.arange(start, start + size)
            start += size
            if key not in axes:
                continue
            idempotent += places.tolist()
            if along := axes[key]:
                lengths = [shape[a] for a in along]
                last = range(len(shape) - len(along), len(shape))
                apart = np.moveaxis(places.reshape(shape), along, last)
                rows += map(tuple, apart.reshape(-1, int(np.prod(lengths))).tolist())
        return idempotent, rows


def _by_batch(values: np.ndarray, batch: int) -> np.ndarray:
    """[nilpotent, batch, ...] as [batch, numbers]."""
    spread = np.broadcast_to(values, (len(values), batch, *values.shape[2:]))
    return np.moveaxis(spread, 1, 0).reshape(batch, -1)
