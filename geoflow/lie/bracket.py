"""Vector fields of a flow, and their nested brackets, at a point of any exact arithmetic.

The bracket is [X, Y] = DY·X − DX·Y. With e² = 0, Y(z + e·X(z)) = Y(z) + e·DY·X (see `exact.dual`), so a right-nested
word [X₁, [X₂, … [X_L, Y]]] costs 2L + 1 evaluations of the generator, each in a ring with one nilpotent more. No
derivative is ever traced: one program serves every depth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.balls import Balls
from geoflow.exact.degree import FieldDegree, field_degree
from geoflow.exact.dual import TRANSCENDENTAL, Arithmetic
from geoflow.exact.floats import Floats
from geoflow.exact.gates import multi_affine
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.lifting import PIECEWISE, lift
from geoflow.exact.precision import working_precision
from geoflow.exact.program import Program, UnsupportedPrimitive, trace
from geoflow.exact.radicals import ROOTS, has_roots
from geoflow.flow import Flow
from geoflow.parametrization import Control

_PARTIAL = {"div", "integer_pow", "log", "log1p", "geoflow_det", "geoflow_inv", *ROOTS}
_TRIES = 8
_BITS = 160

Field = dict[str, np.ndarray]  # block name -> [nilpotent, batch, *shape]


@dataclass(frozen=True)
class Letter:
    """The field c·F₀ + G_b: `weight` is c, [1, batch] (unused without drift), `controls` are b, one array for each of
    `Generator.controls`."""

    weight: np.ndarray
    controls: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Generator:
    """The program of c·F₀(z) + G_b(z), with gates for what is piecewise.

    `controls`: those of the flow, then the gates. `free_gates`: the fields are multi-affine in the gates, which may
    then take any value. `estimated`: exact arithmetic mod p has no value for a function in it (`exact.estimates`)."""

    flow: Flow
    program: Program
    degree: FieldDegree
    controls: tuple[Control, ...]
    free_gates: bool
    estimated: bool

    @staticmethod
    def of(flow: Flow) -> Generator:
        """Trace the generator of a flow."""

        def generator(constants: Any, point: Any, weight: Any, cotangent: Any) -> Any:
            tangent = flow.controls(constants, point, cotangent)
            if not flow.has_drift:
                return tangent
            return jax.tree.map(lambda g, f: g + weight * f, tangent, flow.drift(constants, point))

        examples = (
            example_constants(flow),
            example_point(flow),
            _array(()),
            tuple(map(_array, flow.cotangents)),
        )
        traced = trace(generator, *examples)
        program = lift(traced)
        p = flow.parametrization
        if program.gates and not (p.data or p.fixed):
            # without data nothing switches a gate: φ would have to be cut into its pieces
            found = next(i for i in traced.instructions if i.primitive in PIECEWISE)
            raise UnsupportedPrimitive(
                f"{found.primitive} (a branch on the parameters)", found.where
            )
        degrees = jax.tree.leaves(
            (
                {name: 1 if value is None else 0 for name, value in flow.constants.items()},
                {b.name: 1 for b in flow.state},
                1,
                tuple(1 for _ in flow.cotangents),
            )
        )
        gates = (Control(g.shape, "choice" if g.axes else "gate", g.axes) for g in program.gates)
        inexact = {i.primitive for i in program.instructions} & TRANSCENDENTAL
        moving = bool(p.data) or bool(program.gates)
        rooted = moving and has_roots(program)  # radicands change from field to field
        return Generator(
            flow,
            program,
            field_degree(program, degrees),
            (*flow.control_blocks, *gates),
            multi_affine(program),
            bool(inexact) or rooted,
        )

    def __call__(
        self, ring: Arithmetic, constants: Mapping[str, np.ndarray], point: Field, letter: Letter
    ) -> Field:
        """The field at a point: arrays [nilpotent, batch, *shape] by block."""
        return jax.tree.unflatten(self.program.out_tree, self.run(ring, constants, point, letter))

    def run(
        self, ring: Arithmetic, constants: Mapping[str, np.ndarray], point: Field, letter: Letter
    ) -> list[np.ndarray]:
        """The values of the program's outputs, in order."""
        count = len(letter.controls) - len(self.program.gates)
        own, gates = letter.controls[:count], letter.controls[count:]
        leaves = jax.tree.leaves((dict(constants), dict(point), letter.weight, own))
        return run(self.program, ring, leaves, gates)

    @cached_property
    def has_value(self) -> bool:
        """Whether some field certainly has a value somewhere. Values mod p do not show it where functions are random
        numbers: exp(u + v) − exp(u)·exp(v) is not 0 there, and what divides by it is nowhere defined."""
        if not self.estimated or not any(
            i.primitive in _PARTIAL for i in self.program.instructions
        ):
            return True
        rng = np.random.default_rng(0x76616C75)
        kinds = [(size, signs) for size in (1.0, 4.0, 16.0) for signs in ((-1, 1), (1,))]
        return any(self._has_value_at(rng, *kind) for kind in kinds * _TRIES)

    def _has_value_at(self, rng: np.random.Generator, size: float, signs: tuple[int, ...]) -> bool:
        def draw(shape: tuple[int, ...]) -> np.ndarray:
            return rng.integers(1, 32, shape) * rng.choice(signs, shape) * size / 16

        point = {b.name: draw((1, 1, *b.shape)) for b in self.flow.state}
        for b in self.flow.state:
            if b.positive or b.kind == "time":
                point[b.name] = np.abs(point[b.name])
        symbolic = {n: np.abs(draw((1, 1))) for n in self.flow.symbolic_constants}
        letter = Letter(np.ones((1, 1)), self.draw_controls(draw, rng, 1))
        try:
            for ring in (Floats(), Balls()):  # the first is quick to tell where there is none
                with working_precision(_BITS), np.errstate(all="ignore"):
                    known = {n: ring.literal(v) for n, v in symbolic.items()}
                    constants = exact_constants(ring, self.flow.constants, known)
                    place = {n: ring.literal(v) for n, v in point.items()}
                    own = Letter(
                        ring.literal(letter.weight), tuple(map(ring.literal, letter.controls))
                    )
                    self.run(ring, constants, place, own)
        except (UnluckyPoint, UnsupportedPrimitive, OverflowError):
            return False
        return True

    @property
    def irreducible(self) -> bool:
        """Whether the fields are one irreducible family, so that one random member is as good as any."""
        if self.free_gates or not self.program.gates:
            return all(c.kind in ("cotangent", "real", "gate") for c in self.controls)
        return False

    @property
    def control_size(self) -> int:
        """Number of free controls."""
        return sum(int(np.prod(c.shape, dtype=np.int64)) for c in self.controls)

    def draw_controls(
        self, draw: Callable[[tuple[int, ...]], np.ndarray], rng: np.random.Generator, batch: int
    ) -> tuple[np.ndarray, ...]:
        """Random controls [1, batch, *shape]: numbers from `draw`, choices and 0/1 gates from `rng`."""
        return tuple(_random_control(c, self.free_gates, draw, rng, batch) for c in self.controls)

    @property
    def spanning_controls(self) -> int:
        """How many random fields span what all do, without brackets, at most; N where they are not linear in b."""
        flow = self.flow
        n = flow.dimension
        return min(flow.cotangent_size + flow.has_drift, n) if self.linear else n

    @cached_property
    def linear(self) -> bool:
        """Whether the fields are linear in the controls."""
        p = self.flow.parametrization
        plain = not p.data and not self.program.gates
        return plain and self.flow.dynamics.linear and p.transposes

    def word(
        self,
        ring: Arithmetic,
        constants: Mapping[str, np.ndarray],
        point: Field,
        letters: Sequence[Letter],
    ) -> Field:
        """The bracket [X₁, [X₂, … [X_L, Y]]] of the letters' fields at the point; the field itself for one letter."""

        def value(k: int, z: Field, size: int) -> Field:
            own = self(ring, constants, z, letters[k])
            if k == len(letters) - 1:
                return own
            inner = value(k + 1, _shift(ring, z, own, size), 2 * size)
            low = {n: v[:size] for n, v in inner.items()}
            along = self(ring, constants, _shift(ring, z, low, size), letters[k])
            return {n: _upper(ring, inner[n], along[n], size) for n in inner}

        return value(0, point, 1)

    @property
    def redundancy(self) -> int:
        """How many random letters to draw for one whose data have all their square roots mod p, about."""
        return 2 ** min(self.degree.roots, 9) if self.estimated else 1

    @property
    def root_redundancy(self) -> int:
        """How many random points to draw for one at which all square roots exist mod p."""
        return 2 ** min(self.degree.roots, 8)

    def rows(self, field: Field, batch: int) -> np.ndarray:
        """A field without nilpotents as rows [batch, N], columns in the order of the state."""
        parts = [
            np.broadcast_to(v := field[b.name][0], (batch, *v.shape[1:])) for b in self.flow.state
        ]
        return np.concatenate([p.reshape(batch, -1) for p in parts], axis=1)


def _random_control(
    control: Control,
    free: bool,
    draw: Callable[[tuple[int, ...]], np.ndarray],
    rng: np.random.Generator,
    batch: int,
) -> np.ndarray:
    shape = (1, batch, *control.shape)
    match control.kind:
        case "onehot":
            return _one_of(rng.random(shape), (len(shape) - 1,))
        case "choice":
            return _one_of(rng.random(shape), tuple(2 + a for a in control.axes))
        case "gate" if not free:
            often = rng.uniform(0.2, 0.9, (1, batch, *(1 for _ in control.shape)))
            return (rng.random(shape) < often).astype(np.int64)
        case _:
            return draw(shape)


def _one_of(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """1 at the greatest value over the axes, else 0."""
    return (values == values.max(axis=axes, keepdims=True)).astype(np.int64)


def _shift(ring: Arithmetic, z: Field, direction: Field, size: int) -> Field:
    """z + e·direction with a new nilpotent e, for z and direction with `size` nilpotent entries."""
    return {n: np.concatenate(_matched(ring, z[n], direction[n], size)) for n in z}


def _matched(ring: Arithmetic, a: np.ndarray, b: np.ndarray, size: int) -> list[np.ndarray]:
    batch = max(a.shape[1], b.shape[1])
    return [_padded(ring, x, size, batch) for x in (a, b)]


def _padded(ring: Arithmetic, x: np.ndarray, size: int, batch: int) -> np.ndarray:
    x = np.broadcast_to(x, (len(x), batch, *x.shape[2:]))
    return x if len(x) == size else np.concatenate([x, ring.zeros((size - len(x), *x.shape[1:]))])


def _upper(ring: Arithmetic, a: np.ndarray, b: np.ndarray, size: int) -> np.ndarray:
    """The coefficient of the last nilpotent in a − b."""
    batch = max(a.shape[1], b.shape[1])
    return ring.sub(*(_padded(ring, x, 2 * size, batch)[size:] for x in (a, b)))


def _array(shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.float64)


def example_point(flow: Flow) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes of the state, for tracing."""
    return {b.name: _array(b.shape) for b in flow.state}


def example_constants(flow: Flow) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes of the constants, for tracing."""
    return {name: _array(()) for name in flow.constants}


def exact_constants(
    ring: Arithmetic, constants: Mapping[str, Fraction | None], symbolic: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Constants as ring elements [1, 1]; symbolic ones from `symbolic` (arrays [1, batch])."""
    return {
        name: ring.constant(value, (1, 1)) if value is not None else symbolic[name]
        for name, value in constants.items()
    }
