"""The model section of a certificate: the fields F₀ and G_b as rational functions, with the map they come from.

Variables are the symbolic constants, the coordinates of the state, and the controls, in this order. Where the flow is
that of a map, the section has φ, the cotangents a(b) and the directions R(z) with G_b = R·∇⟨a(b), φ⟩ instead of G_b, so
that whoever reads it derives the fields himself. They are compared here, as an identity, with those of the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.certificates.functions import Function, derivative, only_of, written
from geoflow.deadline import Deadline
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.quotient import Effort, TooLarge, terms_of
from geoflow.exact.radicals import has_roots
from geoflow.lie.bracket import Generator, Letter, exact_constants, example_constants, example_point
from geoflow.parametrization import Arrays, Control, Cotangent, Parametrization

MOST_TERMS = 20_000  # of all functions of a model
_PRODUCTS = 2e7


class NotWritten(Exception):
    """Why a model has no form that a certificate could hold."""


@dataclass(frozen=True)
class WrittenModel:
    """`section` is the JSON; `drift` and `controlled` are F₀ and G_b by coordinate, in `ring`."""

    section: dict[str, Any]
    ring: Polynomials
    drift: tuple[Any, ...]
    controlled: tuple[Any, ...]


@dataclass(frozen=True)
class _Bare(Parametrization):
    """The same parameters and metrics, with the covector itself as the control."""

    def covector(
        self, constants: Arrays, theta: Arrays, controls: Cotangent
    ) -> dict[str, jax.Array]:
        return {b.name: c for b, c in zip(self.parameters, controls, strict=True)}


@dataclass(frozen=True)
class _Place:
    """Variables of the ring as the arrays that programs read."""

    ring: Polynomials
    constants: dict[str, np.ndarray]
    point: dict[str, np.ndarray]
    controls: tuple[np.ndarray, ...]


def write_model(generator: Generator, deadline: Deadline = Deadline()) -> WrittenModel:
    """Expand a flow's fields.

    Raises:
        NotWritten: they are not rational, or too large.
    """
    if generator.estimated:
        raise NotWritten("the fields are not rational: values of functions have no form here")
    if has_roots(generator.program):
        raise NotWritten("the fields have square roots")
    try:
        return _written(generator, deadline)
    except TooLarge as error:
        raise NotWritten(f"the fields are too large to be written out: {error}") from None
    except UnsupportedPrimitive as error:
        raise NotWritten(f"the fields are not rational: {error.name}") from None
    except UnluckyPoint:
        raise NotWritten("a denominator of the fields is zero") from None


def _written(generator: Generator, deadline: Deadline) -> WrittenModel:
    flow = generator.flow
    shapes = [
        *[() for _ in flow.symbolic_constants],
        *[b.shape for b in flow.state],
        *[c.shape for c in generator.controls],
    ]
    ring, arrays = Polynomials.in_shapes(shapes, deadline=deadline)
    ring.effort = Effort(MOST_TERMS, _PRODUCTS, deadline)
    found = iter(arrays)
    symbolic = {n: next(found) for n in flow.symbolic_constants}
    point = {b.name: next(found) for b in flow.state}
    place = _Place(ring, exact_constants(ring, flow.constants, symbolic), point, tuple(found))

    def field(weight: int) -> list[Any]:
        letter = Letter(ring.literal(np.full((1, 1), weight)), place.controls)
        value = generator(ring, place.constants, place.point, letter)
        return list(generator.rows(value, 1)[0])

    controlled = field(0)
    nothing = ring.context.constant(0)
    drift = [nothing for _ in controlled]
    if flow.has_drift:
        drift = [x - y for x, y in zip(field(1), controlled, strict=True)]
    count = len(flow.symbolic_constants)
    kept = range(count + flow.dimension)
    if not all(only_of(f, kept) for f in drift):
        raise NotWritten("the drift depends on the controls")
    total = sum(map(terms_of, [*drift, *controlled]))
    if total > MOST_TERMS:
        raise NotWritten(f"the fields are too large to be written out: {total:,} terms")
    derived = _map(generator, place, controlled)
    kinds, rows = _controls(generator.controls)
    section = {
        "constants": list(flow.symbolic_constants),
        "state": [n for b in flow.state for n in _names(b.name, b.shape)],
        "controls": kinds,
        "rows": rows,
        "drift": _components(drift),
        "map": derived,
        "fields": None if derived is not None else _components(controlled),
    }
    return WrittenModel(section, ring, tuple(drift), tuple(controlled))


def _components(field: Sequence[Any]) -> list[list[Any]]:
    return [[k, written(f)] for k, f in enumerate(field) if f]


def _names(name: str, shape: tuple[int, ...]) -> list[str]:
    indices = (", ".join(map(str, index)) for index in np.ndindex(shape))
    return [f"{name}[{index}]" if index else name for index in indices]


def _controls(controls: Sequence[Control]) -> tuple[list[list[str]], list[list[int]]]:
    """Names and kinds of the entries; positions of those of which one is 1 and the others are 0."""
    kinds: list[list[str]] = []
    rows: list[list[int]] = []
    shown = {"cotangent": "free", "real": "free"}
    for number, control in enumerate(controls):
        start, kind = len(kinds), shown.get(control.kind, control.kind)
        kinds += [[name, kind] for name in _names(f"@{number}", control.shape)]
        if kind in ("onehot", "choice"):
            positions = start + np.arange(len(kinds) - start).reshape(control.shape)
            axes = control.axes if kind == "choice" else (len(control.shape) - 1,)
            last = np.moveaxis(positions, axes, range(-len(axes), 0))
            size = int(np.prod([control.shape[a] for a in axes], dtype=np.int64))
            rows += [list(map(int, row)) for row in last.reshape(-1, size)]
    return kinds, rows


def _map(generator: Generator, place: _Place, controlled: Sequence[Any]) -> dict[str, Any] | None:
    """φ, a and R, where G = R·∇⟨a, φ⟩ as an identity."""
    flow = generator.flow
    if generator.program.gates or not (flow.dynamics.linear and flow.parametrization.outputs):
        return None
    try:
        outputs, cotangents = _outputs(generator, place)
        directions = _directions(generator, place)
    except (UnsupportedPrimitive, UnluckyPoint, TooLarge, TypeError, ValueError):
        return None
    first = len(flow.symbolic_constants)
    gradient: dict[int, Any] = {}
    found = [place.ring.context.constant(0) for _ in controlled]
    for (k, i), r in directions.items():
        if i not in gradient:
            pairs = zip(cotangents, outputs, strict=True)
            gradient[i] = sum(a * derivative(y, first + i) for a, y in pairs)
        found[k] = found[k] + r * gradient[i]
    if not all(place.ring.is_zero(x - y) for x, y in zip(found, controlled, strict=True)):
        return None
    sections: dict[str, list[Function]] = {
        "outputs": list(map(written, outputs)),
        "cotangents": list(map(written, cotangents)),
    }
    return {**sections, "directions": [[k, i, written(r)] for (k, i), r in directions.items()]}


def _outputs(generator: Generator, place: _Place) -> tuple[list[Any], list[Any]]:
    """The entries of φ, and their cotangents as linear forms in the controls."""
    flow = generator.flow
    p = flow.parametrization
    inputs = {d.name: c for d, c in zip(p.data, place.controls, strict=False)}
    program = trace(
        flow.output,
        example_constants(flow),
        example_point(flow),
        {n: _shape(c) for n, c in inputs.items()},
    )
    leaves = jax.tree.leaves((place.constants, place.point, inputs))
    outputs = run(program, place.ring, leaves)
    free = place.controls[len(p.data) :]
    linear = trace(lambda b: p.loss.cotangent(p.outputs, b), tuple(map(_shape, free)))
    cotangents = run(linear, place.ring, list(free))
    pairs = [
        (a, y)
        for x, c, shape in zip(outputs, cotangents, p.outputs, strict=True)
        for a, y in zip(_entries(c, shape), _entries(x, shape), strict=True)
    ]
    return [y for _, y in pairs], [a for a, _ in pairs]


def _directions(generator: Generator, place: _Place) -> dict[tuple[int, int], Any]:
    """The entries of R that are not zero, by coordinates of the state: the field of each unit covector."""
    flow = generator.flow
    p = flow.parametrization
    bare = _Bare(**{f.name: getattr(p, f.name) for f in fields(p)})
    starts = np.cumsum([0, *(b.size for b in flow.state)])
    position = {b.name: int(start) for b, start in zip(flow.state, starts, strict=False)}
    units = np.eye(p.size, dtype=np.int64)
    columns, covectors, start = [], [], 0
    for b in p.parameters:
        own = units[:, start : start + b.size]
        covectors.append(place.ring.literal(own.reshape(1, p.size, *b.shape)))
        columns += range(position[b.name], position[b.name] + b.size)
        start += b.size
    program = trace(
        lambda c, z, covector: flow.dynamics.controls(bare, c, z, covector),
        example_constants(flow),
        example_point(flow),
        tuple(jax.ShapeDtypeStruct(b.shape, jnp.float64) for b in p.parameters),
    )
    leaves = jax.tree.leaves((place.constants, place.point, tuple(covectors)))
    value = jax.tree.unflatten(program.out_tree, run(program, place.ring, leaves))
    rows = generator.rows(value, p.size)
    return {
        (k, columns[row]): rows[row, k]
        for row in range(p.size)
        for k in range(flow.dimension)
        if rows[row, k]
    }


def _shape(array: np.ndarray) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape[2:], jnp.float64)


def _entries(array: np.ndarray, shape: tuple[int, ...]) -> list[Any]:
    return list(np.broadcast_to(array, (1, 1, *shape)).flat)
