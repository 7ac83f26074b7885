"""Networks of token ids as networks of one-hot rows.

An integer id x with values 0 … V − 1 is given as the row e_x of R^V. Every integer or truth value that is computed from
one id is a table of V numbers, T; where it is used as a number its value is ⟨e_x, T⟩, and an entry of an array at an
index computed from it is Σ_v ⟨e_x, v⟩ · array[T_v]. Both are exact, and linear in the row. What depends on two ids at
once, or is a network's output, has no such table and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, Literal

_CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_COMPARISONS = {"eq", "ne", "lt", "le", "gt", "ge"}
_ENTRYWISE = _COMPARISONS | {
    "add", "sub", "mul", "neg", "abs", "sign", "max", "min", "clamp", "rem", "div", "and", "or", "not", "xor",
    "select_n", "convert_element_type", "copy", "integer_pow",
}  # fmt: skip
_MOVES = {
    "broadcast_in_dim", "reshape", "squeeze", "expand_dims", "transpose", "slice", "rev", "concatenate",
}  # fmt: skip


class NoTable(Exception):
    """An id is used in a way that needs more than a table."""

    def __init__(self, primitive: str):
        super().__init__(primitive)
        self.primitive = primitive


@dataclass(frozen=True)
class _Table:
    """Integers that each depend on one id: `values` [V, *shape], `rows` [*shape] the id's position, −1 where none."""

    values: np.ndarray
    rows: np.ndarray


def vocabulary(function: Callable[[Any], Any], ids: jax.ShapeDtypeStruct) -> int:
    """How many values the ids take: the rows of the smallest array that they look up, or else the greatest number they
    are compared with, and one.

    Raises:
        NoTable: as `looked_up`, or they look nothing up.
    """
    met = _Met([], [])

    def probe(rows: jax.Array) -> Any:
        return _evaluated(function, ids, rows, met)

    jax.eval_shape(probe, jax.ShapeDtypeStruct((*ids.shape, 1), np.float64))
    if met.rows:
        return min(met.rows)
    if met.numbers:
        return max(met.numbers) + 1
    raise NoTable("integers")


def looked_up(
    function: Callable[[Any], Any], ids: jax.ShapeDtypeStruct
) -> Callable[[jax.Array], Any]:
    """`function` of integers [*shape] as a function of one-hot rows [*shape, V].

    Raises:
        NoTable: when traced, where the ids are used otherwise.
    """
    return lambda rows: _evaluated(function, ids, rows, _Met([], []))


@dataclass(frozen=True)
class _Met:
    """What the ids look up (rows), and what they are compared with (numbers)."""

    rows: list[int]
    numbers: list[int]


def _evaluated(
    function: Callable[[Any], Any], ids: jax.ShapeDtypeStruct, rows: jax.Array, met: _Met
) -> Any:
    closed, shape = jax.make_jaxpr(function, return_shape=True)(ids)
    size = rows.shape[-1]
    table = _Table(
        np.broadcast_to(np.arange(size).reshape(-1, *(1,) * len(ids.shape)), (size, *ids.shape)),
        np.arange(int(np.prod(ids.shape, dtype=np.int64))).reshape(ids.shape),
    )
    flat = rows.reshape(-1, size)
    outputs = _Evaluation(flat, met).jaxpr(closed, [table])
    if any(isinstance(y, _Table) for y in outputs):
        raise NoTable("output")
    return jax.tree.unflatten(jax.tree.structure(shape), outputs)


def _bind_params(eqn: Any) -> tuple[Sequence[Any], dict[str, Any]]:
    """What `bind` takes: JAX 0.8 and 0.9 keep functions apart from parameters."""
    params = eqn.primitive.get_bind_params(eqn.params)
    return params if isinstance(params, tuple) else ((), params)


class _Evaluation:
    def __init__(self, onehot: jax.Array, met: _Met):
        self.onehot, self.met = onehot, met

    def jaxpr(self, closed: ClosedJaxpr, arguments: Sequence[Any]) -> list[Any]:
        env: dict[Any, Any] = dict(zip(closed.jaxpr.invars, arguments, strict=True))
        env.update(zip(closed.jaxpr.constvars, closed.consts, strict=True))
        for eqn in closed.jaxpr.eqns:
            given = [v.val if isinstance(v, Literal) else env[v] for v in eqn.invars]
            env.update(zip(eqn.outvars, self._outputs(eqn, given), strict=True))
        return [v.val if isinstance(v, Literal) else env[v] for v in closed.jaxpr.outvars]

    def _outputs(self, eqn: Any, given: list[Any]) -> Sequence[Any]:
        name = eqn.primitive.name
        integral = all(_is_integral(v) for v in eqn.outvars)
        if not any(isinstance(x, _Table) for x in given):
            at_once = integral and all(map(_is_known, given))
            with jax.ensure_compile_time_eval() if at_once else nullcontext():
                functions, params = _bind_params(eqn)
                values = eqn.primitive.bind(*functions, *given, **params)
            return values if eqn.primitive.multiple_results else [values]
        callee = next((eqn.params[k] for k in _CALLS if k in eqn.params), None)
        if callee is not None and name not in ("scan", "while", "cond"):
            whole = callee if isinstance(callee, ClosedJaxpr) else ClosedJaxpr(callee, ())
            return self.jaxpr(whole, given)
        if integral and all(isinstance(x, _Table) or _is_known(x) for x in given):
            return [self._tabulated(eqn, given)]
        if name == "gather" and not isinstance(given[0], _Table):
            return [self._gathered(eqn, given)]
        if name == "select_n" and isinstance(given[0], _Table) and len(given) == 3:
            which = self._number(given[0], eqn.outvars[0].aval.dtype)
            first, second = map(self._plain, given[1:])
            return [first + which * (second - first)]
        if name == "convert_element_type":
            return [self._number(given[0], eqn.params["new_dtype"])]
        raise NoTable(name)

    def _tabulated(self, eqn: Any, given: list[Any]) -> _Table:
        """An integer primitive, for every value of the id."""
        if len(eqn.outvars) != 1:
            raise NoTable(eqn.primitive.name)
        known = [x if isinstance(x, _Table) else np.asarray(x) for x in given]
        if eqn.primitive.name in _COMPARISONS:
            known_numbers = [x for x in known if isinstance(x, np.ndarray) and x.size]
            self.met.numbers.extend(int(x.max()) for x in known_numbers)
        rows = self._rows(eqn, known)
        axes = [0 if isinstance(x, _Table) else None for x in known]
        with jax.ensure_compile_time_eval():
            values = [jnp.asarray(x.values if isinstance(x, _Table) else x) for x in known]
            found = jax.vmap(lambda *xs: eqn.primitive.bind(*xs, **eqn.params), axes)(*values)
        return _Table(np.asarray(found), rows)

    @staticmethod
    def _rows(eqn: Any, known: list[Any]) -> np.ndarray:
        """Which id each entry of the result depends on."""
        name, shape = eqn.primitive.name, eqn.outvars[0].aval.shape
        parts = [x.rows if isinstance(x, _Table) else np.full(x.shape, -1) for x in known]
        if name in _MOVES:
            with jax.ensure_compile_time_eval():
                return np.asarray(eqn.primitive.bind(*map(jnp.asarray, parts), **eqn.params))
        if name not in _ENTRYWISE:
            raise NoTable(name)
        rows = np.full(shape, -1)
        for part in (np.broadcast_to(p, shape) for p in parts):
            if np.any((part >= 0) & (rows >= 0) & (part != rows)):
                raise NoTable(f"{name} of two")
            rows = np.maximum(rows, part)
        return rows

    def _gathered(self, eqn: Any, given: list[Any]) -> jax.Array:
        operand, index = given[0], given[1]
        numbers, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
        for axis in numbers.start_index_map:
            if sizes[axis] == 1 and operand.shape[axis] > 1:
                self.met.rows.append(operand.shape[axis])
        owners = index.rows.max(axis=-1)
        if np.any((index.rows >= 0) & (index.rows != owners[..., None])):
            raise NoTable("gather of two")
        found = jax.vmap(lambda k: eqn.primitive.bind(operand, k, **eqn.params))(index.values)
        # entries of the result lie over the batch axes of the index, beside the offset axes of the window
        shape = found.shape[1:]
        batch = [k for k in range(len(shape)) if k not in numbers.offset_dims]
        spread = owners.reshape([shape[k] if k in batch else 1 for k in range(len(shape))])
        weights = self._weights(spread)
        return jnp.sum(weights * found, axis=0)

    def _weights(self, rows: np.ndarray) -> jax.Array:
        """[V, *shape]: 1 at the id's value; the value 0 where there is no id."""
        none = np.zeros(self.onehot.shape[1])
        none[0] = 1.0
        table = jnp.concatenate([self.onehot, jnp.asarray(none)[None]])
        return jnp.moveaxis(table[np.where(rows < 0, len(table) - 1, rows)], -1, 0)

    def _number(self, table: _Table, dtype: Any) -> jax.Array:
        if not jnp.issubdtype(dtype, jnp.floating):
            dtype = np.float64
        return jnp.sum(self._weights(table.rows) * jnp.asarray(table.values, dtype), axis=0)

    def _plain(self, x: Any) -> Any:
        return self._number(x, np.float64) if isinstance(x, _Table) else x


def _is_integral(variable: Any) -> bool:
    dtype = variable.aval.dtype
    return bool(jnp.issubdtype(dtype, jnp.integer) or jnp.issubdtype(dtype, jnp.bool_))


def _is_known(x: Any) -> bool:
    return not isinstance(x, Tracer)
