"""Fields that touch few parameters, proposed from the program: one for each parameter, anchored there.

The entry of a field at a parameter is a sum of products of controls and parameters. A *walk* back through the program
picks one of the products: at a sum one summand, at a product both factors, among equals always the same one (the base).
The controls that it meets are on, all others off, and the field is what that gives: along one path through the
network, where gates choose it. A proposal is a guess: whatever field it is, it is one of the flow's, and a rank of such
fields is a proved lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from geoflow.exact.interpreter import run
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import Instruction, UnsupportedPrimitive
from geoflow.exact.sparse.contraction import Axes, axes_of
from geoflow.exact.sparse.layout import IDENTITIES, MOVES, Layout
from geoflow.exact.sparse.relation import Array, Relation, distinct, ranges
from geoflow.lie.bracket import Generator
from geoflow.lie.point import ModularPoint

_DEAREST = 10**6
_PASSED = {"neg", "square", "integer_pow"}


@dataclass(frozen=True)
class Demand:
    """Places (generator, position) whose value is to be made nonzero."""

    batch: Array
    index: Array

    @staticmethod
    def joined(parts: Sequence[Demand], size: int) -> Demand:
        """All of them, each once."""
        keys = distinct(np.concatenate([p.batch * size + p.index for p in parts]))
        return Demand(keys // size, keys % size)

    def only(self, which: Array) -> Demand:
        """Some of them."""
        return Demand(self.batch[which], self.index[which])


@dataclass(frozen=True)
class Proposal:
    """By control, the places that are on, for `count` generators."""

    count: int
    on: tuple[Demand, ...]

    def signature(self) -> Array:
        """A number for each generator that tells apart what it has on."""
        out = np.zeros(self.count, dtype=np.uint64)
        for k, demand in enumerate(self.on):
            np.add.at(out, demand.batch, _mixed(demand.index.astype(np.uint64) * 64 + np.uint64(k)))
        return out

    def taken(self, which: Array) -> Proposal:
        """Some of the generators, in rising order."""
        number = np.full(self.count, -1, dtype=np.int64)
        number[which] = np.arange(len(which))
        kept = [Demand(number[d.batch], d.index).only(number[d.batch] >= 0) for d in self.on]
        return Proposal(len(which), tuple(kept))

    def picked(self, which: Array) -> Proposal:
        """Generators by number, in any order and several times; −1: one with nothing on."""
        there = np.flatnonzero(which >= 0)
        on = []
        for d in self.on:
            order = np.argsort(d.batch, kind="stable")
            batch, index = d.batch[order], d.index[order]
            start = np.searchsorted(batch, which[there])
            stop = np.searchsorted(batch, which[there], side="right")
            owner, place = ranges(start, stop - start)
            on.append(Demand(there[owner], index[place]))
        return Proposal(len(which), tuple(on))

    @staticmethod
    def merged(parts: Sequence[Proposal]) -> Proposal:
        """Everything on that is on in one of the parts."""
        on = [
            Demand(*(np.concatenate([getattr(d, n) for d in column]) for n in ("batch", "index")))
            for column in zip(*(p.on for p in parts), strict=True)
        ]
        ordered = [d.only(np.lexsort((d.index, d.batch))) for d in on]
        return Proposal(parts[0].count, tuple(ordered))


def _mixed(x: Array) -> Array:
    """A hash of 64 bits (the finalizer of SplitMix64)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _mixed_bit(slot: int, salt: int) -> bool:
    """A coin for every slot and salt."""
    return bool(_mixed(np.array([slot * 1024 + salt], dtype=np.uint64))[0] >> np.uint64(63))


class Walk:
    """Walks through the program of one generator."""

    def __init__(self, generator: Generator, place: ModularPoint, rng: np.random.Generator):
        self.generator, self.layout = generator, Layout(generator.program)
        self.live, self.moving = _live(generator, place, rng)
        self.cost = self._costs()
        self._orders: dict[int, Array] = {}

    @cached_property
    def controls(self) -> tuple[int, ...]:
        """The slots of the controls: the flow's own, then the gates."""
        return _control_slots(self.generator)

    def proposed(self, block: int, index: Array, shift: Array, salt: int = 0) -> Proposal:
        """For each position of an output of the program, the controls that make its entry nonzero. `shift` counts
        how far from the base the choices are: all of them, or, with a `salt`, about half of them.

        Raises:
            UnsupportedPrimitive: a walk meets a primitive that it cannot go through.
        """
        program = self.generator.program
        slot = program.outputs[block]
        wanted = np.flatnonzero(self.live[slot][index])
        demands: dict[int, list[Demand]] = {slot: [Demand(wanted, index[wanted])]}
        for ins in reversed(program.instructions):
            parts = [demands.pop(s, None) for s in ins.outputs]
            for k, (s, part) in enumerate(zip(ins.outputs, parts, strict=True)):
                if part is not None and s in self.moving:
                    demand = Demand.joined(part, self.layout.size(s))
                    own = shift if not salt or _mixed_bit(s, salt) else np.zeros_like(shift)
                    for source, need in self._back(ins, k, demand, own):
                        if source in self.moving and len(need.batch):
                            demands.setdefault(source, []).append(need)
        none = Demand(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        on = [
            Demand.joined(demands[s], self.layout.size(s)) if s in demands else none
            for s in self.controls
        ]
        return Proposal(len(index), tuple(on))

    def _back(
        self, ins: Instruction, output: int, demand: Demand, shift: Array
    ) -> list[tuple[int, Demand]]:
        name = ins.primitive
        match name:
            case "add" | "add_any" | "sub":
                return self._one_of(ins, demand)
            case "mul":
                return [(s, self._sized(ins, s, demand)) for s in dict.fromkeys(ins.inputs)]
            case "div":
                if ins.inputs[1] in self.moving:
                    raise UnsupportedPrimitive(name, ins.where)
                return [(ins.inputs[0], self._sized(ins, ins.inputs[0], demand))]
            case "dot_general":
                return self._summand(ins, demand, shift)
            case "reduce_sum":
                source, relation = ins.inputs[0], self.layout.sums(ins)
                return [(source, self._member(source, relation, demand, shift))]
            case "scatter-add":
                return self._scattered(ins, demand, shift)
            case _ if name in _PASSED or (name in IDENTITIES and not ins.params.get("dimensions")):
                return [(ins.inputs[0], demand)]
            case _ if name in MOVES:
                return [
                    (source, _through(relation, demand))
                    for source, relation in self.layout.moves(ins)[output]
                ]
            case _:
                raise UnsupportedPrimitive(name, ins.where)

    def _sized(self, ins: Instruction, slot: int, demand: Demand) -> Demand:
        relation = self.layout.spread(slot, ins.out_shapes[0])
        return demand if relation is None else _through(relation, demand)

    def _one_of(self, ins: Instruction, demand: Demand) -> list[tuple[int, Demand]]:
        """Of two summands the one that needs fewer controls, where it is not zero."""
        slots = sorted(dict.fromkeys(ins.inputs), key=lambda s: self.cost[s])
        out, left = [], demand
        for slot in slots:
            own = self._sized(ins, slot, left)
            there = self.live[slot][own.index]
            out.append((slot, own.only(np.flatnonzero(there))))
            left = left.only(np.flatnonzero(~there))
        return out

    def _scattered(
        self, ins: Instruction, demand: Demand, shift: Array
    ) -> list[tuple[int, Demand]]:
        base, updates, relation = ins.inputs[0], ins.inputs[2], self.layout.sums(ins)
        there = self.live[base][demand.index]
        kept, rest = (demand.only(np.flatnonzero(x)) for x in (there, ~there))
        return [(base, kept), (updates, self._member(updates, relation, rest, shift))]

    def _member(self, slot: int, relation: Relation, demand: Demand, shift: Array) -> Demand:
        """One of the entries that are added up: a middle one that is not zero."""
        owner, source = relation.sources(demand.index)
        there = np.flatnonzero(self.live[slot][source])
        owner, source = owner[there], source[there]
        counts = np.bincount(owner, minlength=len(demand.index))
        starts = np.cumsum(counts) - counts
        has = np.flatnonzero(counts)
        pick = starts[has] + (counts[has] // 2 + shift[demand.batch[has]]) % counts[has]
        return Demand(demand.batch[has], source[pick])

    def _summand(self, ins: Instruction, demand: Demand, shift: Array) -> list[tuple[int, Demand]]:
        """One of the products that are added up: that in the base's place, or the next that is not zero."""
        left, right = ins.inputs
        shapes = self.layout.shapes
        axes = axes_of(ins.params["dimension_numbers"], shapes[left], shapes[right])
        free = axes[1].size(axes[1].free)
        rest, fb = np.divmod(demand.index, free)
        shared, fa = np.divmod(rest, axes[0].size(axes[0].free))
        order = self._order(ins, axes)
        found = np.full(len(fa), -1, dtype=np.int64)
        open_ = np.arange(len(fa))
        for k in range(len(order)):
            place = order[(k + shift[demand.batch[open_]]) % len(order)]
            there = self.live[left][axes[0].join(shared[open_], fa[open_], place)]
            there &= self.live[right][axes[1].join(shared[open_], fb[open_], place)]
            found[open_[there]] = place[there]
            open_ = open_[~there]
            if not len(open_):
                break
        has = np.flatnonzero(found >= 0)
        batch, place, shared = demand.batch[has], found[has], shared[has]
        return [
            (left, Demand(batch, axes[0].join(shared, fa[has], place))),
            (right, Demand(batch, axes[1].join(shared, fb[has], place))),
        ]

    def _order(self, ins: Instruction, axes: tuple[Axes, Axes]) -> Array:
        """The summed places, those first where most products are not zero."""
        key = ins.outputs[0]
        if key not in self._orders:
            totals = []
            for slot, a in zip(ins.inputs, axes, strict=True):
                live = self.live[slot].reshape(a.shape).transpose(*a.shared, *a.free, *a.summed)
                sizes = (a.size(a.shared), a.size(a.free), a.size(a.summed))
                totals.append(live.reshape(sizes).sum(axis=1))
            score = (totals[0] * totals[1]).sum(axis=0)
            self._orders[key] = np.argsort(-score, kind="stable")
        return self._orders[key]

    def _costs(self) -> dict[int, int]:
        """How many controls a walk from each slot meets, about."""
        cost: dict[int, int] = {s: 1 for s in self.controls}
        for ins in self.generator.program.instructions:
            given = [cost.get(s, 0) for s in ins.inputs]
            match ins.primitive:
                case "add" | "add_any" | "sub":
                    found = min(given)
                case "mul" | "dot_general":
                    found = sum(given)
                case "scatter-add":
                    found = given[2]
                case _:
                    found = max(given, default=0)
            cost.update(dict.fromkeys(ins.outputs, min(found, _DEAREST)))
        return {s: cost.get(s, 0) for s in self.layout.shapes}


def _through(relation: Relation, demand: Demand) -> Demand:
    owner, source = relation.sources(demand.index)
    return Demand(demand.batch[owner], source)


def _control_slots(generator: Generator) -> tuple[int, ...]:
    program = generator.program
    own = len(generator.controls) - len(program.gates)
    first = len(program.input_shapes) - own
    return (*range(first, len(program.input_shapes)), *(g.slot for g in program.gates))


def _live(
    generator: Generator, place: ModularPoint, rng: np.random.Generator
) -> tuple[dict[int, Array], frozenset[int]]:
    """By slot, which entries are not zero with all controls on; and the slots that depend on controls."""
    program, field = generator.program, PrimeField(place.field.p)
    slots = [*range(len(program.input_shapes)), *(g.slot for g in program.gates)]
    moving = set(_control_slots(generator))
    for ins in program.instructions:
        slots += ins.outputs
        if moving.intersection(ins.inputs):
            moving.update(ins.outputs)
    wide = replace(program, outputs=tuple(slots))
    everything = [rng.integers(1, field.p, (1, 1, *c.shape)) for c in generator.controls]
    count = len(everything) - len(program.gates)
    state = [place.point[n] for n in sorted(place.point)]
    constants = [place.constants[n] for n in sorted(place.constants)]
    weight = np.zeros((1, 1), dtype=np.int64)
    inputs = [*constants, *state, weight, *everything[:count]]
    values = run(wide, field, inputs, everything[count:])
    live = {s: np.ascontiguousarray(v != 0).reshape(-1) for s, v in zip(slots, values, strict=True)}
    live |= {s: np.ravel(v != 0) for s, v in program.literals.items()}
    return live, frozenset(moving)
